//! Evaluation metrics from a confusion matrix, undefined values kept undefined.

use crate::run::event::{Eval, Split};

/// Predictions of every evaluated image.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Predictions {
    /// True class, `[N]`.
    pub truth: Vec<u16>,
    /// Predicted class, `[N]`.
    pub class: Vec<u16>,
    /// Softmax probability of the predicted class, `[N]`.
    pub confidence: Vec<f32>,
    /// Logits, [N, K].
    pub logits: Vec<f32>,
    /// Mean cross-entropy in nats; none without images.
    pub loss: Option<f64>,
}

impl Predictions {
    /// Adds a batch of logits, [n, K], with their true classes.
    pub fn extend(&mut self, logits: &[f32], truth: &[u16], classes: usize) {
        let before = self.loss.unwrap_or(0.0) * self.truth.len() as f64;
        let mut sum = 0.0;
        for (row, &label) in logits.chunks(classes).zip(truth) {
            let mut best = 0;
            for (k, &logit) in row.iter().enumerate() {
                if logit > row[best] {
                    best = k;
                }
            }
            let top = f64::from(row[best]);
            let log_sum = top
                + row
                    .iter()
                    .map(|&z| (f64::from(z) - top).exp())
                    .sum::<f64>()
                    .ln();
            sum += log_sum - f64::from(row[usize::from(label)]);
            self.class.push(best as u16);
            self.confidence.push((top - log_sum).exp() as f32);
            self.truth.push(label);
        }
        self.logits.extend_from_slice(logits);
        self.loss = (!self.truth.is_empty()).then(|| (before + sum) / self.truth.len() as f64);
    }

    /// The metrics, as scikit-learn defines them with `labels=range(K)` and undefined values left out.
    pub fn evaluate(&self, classes: usize, split: Split, step: u64, epoch: f64) -> Eval {
        let mut confusion = vec![vec![0_u64; classes]; classes];
        for (&truth, &class) in self.truth.iter().zip(&self.class) {
            confusion[usize::from(truth)][usize::from(class)] += 1;
        }
        from_confusion(
            confusion,
            split,
            step,
            epoch,
            self.loss.filter(|loss| loss.is_finite()),
        )
    }
}

/// Metrics of a confusion matrix `[truth][prediction]`. F1 = 2TP/(2TP+FP+FN) is undefined only where TP+FP+FN = 0;
/// macro-F1 is the mean F1 over the classes where it is defined, balanced accuracy the mean recall over the classes
/// with support.
pub fn from_confusion(
    confusion: Vec<Vec<u64>>,
    split: Split,
    step: u64,
    epoch: f64,
    loss: Option<f64>,
) -> Eval {
    let classes = confusion.len();
    let support: Vec<u64> = confusion.iter().map(|row| row.iter().sum()).collect();
    let hits: Vec<u64> = (0..classes).map(|k| confusion[k][k]).collect();
    let predicted: Vec<u64> = (0..classes)
        .map(|k| confusion.iter().map(|row| row[k]).sum())
        .collect();
    let per_class = |f: &dyn Fn(usize) -> Option<f64>| (0..classes).map(f).collect::<Vec<_>>();
    let recall = per_class(&|k| ratio(hits[k], support[k]));
    let f1 = per_class(&|k| ratio(2 * hits[k], support[k] + predicted[k]));
    Eval {
        step,
        epoch,
        split,
        loss,
        accuracy: ratio(hits.iter().sum(), support.iter().sum()),
        balanced_accuracy: mean(&recall),
        macro_f1: mean(&f1),
        macro_f1_classes: f1.iter().flatten().count(),
        precision: per_class(&|k| ratio(hits[k], predicted[k])),
        recall,
        f1,
        support,
        confusion,
    }
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn mean(values: &[Option<f64>]) -> Option<f64> {
    let defined: Vec<f64> = values.iter().copied().flatten().collect();
    (!defined.is_empty()).then(|| defined.iter().sum::<f64>() / defined.len() as f64)
}

#[cfg(test)]
mod tests;
