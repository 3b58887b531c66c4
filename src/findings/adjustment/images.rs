//! The images of one split with their logits: which classes an adjustment predicts, and how good these predictions are.

use crate::random::Random;
use crate::run::predictions::Logits;

/// Resamplings of the images from which an interval is computed, and their number where there are many images.
const RESAMPLINGS: usize = 1000;
/// Most images that are drawn for all resamplings together.
const MOST_DRAWN: usize = 1 << 24;

/// The images of a split.
pub(super) struct Images<'a> {
    logits: &'a Logits,
    classes: usize,
    /// Number of images of each class, `[K]`.
    support: Vec<usize>,
    /// How often an image of each class counts, `[K]`: 1 where the images are as frequent as the target.
    weights: Vec<f64>,
}

/// How good predictions are.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scores {
    /// Mean F1 over the classes where it is defined.
    pub(super) macro_f1: Option<f64>,
    pub(super) accuracy: Option<f64>,
    /// F1 of each class, `[K]`.
    pub(super) f1: Vec<Option<f64>>,
}

impl<'a> Images<'a> {
    /// `shares` are the target's frequencies of the classes, `[K]`; without them, the images count as they are. `None`
    /// without images.
    pub(super) fn new(logits: &'a Logits, classes: usize, shares: Option<&[f64]>) -> Option<Self> {
        let mut support = vec![0; classes];
        for &truth in &logits.truth {
            *support.get_mut(usize::from(truth))? += 1;
        }
        let images = logits.truth.len();
        if images == 0 || logits.logits.len() != images * classes {
            return None;
        }
        // Frequencies can be given only to classes that have images.
        let present = |k: &usize| support[*k] > 0;
        let weights = match shares {
            None => vec![1.0; classes],
            Some(shares) => {
                let total: f64 = (0..classes).filter(present).map(|k| shares[k]).sum();
                let weight = |k: usize| match support[k] {
                    0 => 0.0,
                    n => shares[k] / total * images as f64 / n as f64,
                };
                (0..classes).map(weight).collect()
            }
        };
        Some(Self {
            logits,
            classes,
            support,
            weights,
        })
    }

    /// How many times as often as the rarest class the most frequent one counts, of those that have images.
    pub(super) fn imbalance(&self) -> f64 {
        let counts = self.support.iter().zip(&self.weights);
        let counts = counts.map(|(n, weight)| *n as f64 * weight);
        let (mut least, mut most) = (f64::INFINITY, 0.0_f64);
        for count in counts.filter(|count| *count > 0.0) {
            (least, most) = (least.min(count), most.max(count));
        }
        most / least
    }

    /// The class with the largest logit of every image, `[N]`, after `offsets` `[K]` are added to the logits; of equals the
    /// first.
    pub(super) fn classes(&self, offsets: &[f64]) -> Vec<u16> {
        let rows = self.logits.logits.chunks_exact(self.classes);
        let largest = |row: &[f32]| {
            let mut best = (0, f64::NEG_INFINITY);
            for (k, (logit, offset)) in row.iter().zip(offsets).enumerate() {
                let adjusted = f64::from(*logit) + offset;
                if adjusted > best.1 {
                    best = (k, adjusted);
                }
            }
            best.0 as u16
        };
        rows.map(largest).collect()
    }

    /// How good the predictions `predicted` `[N]` are.
    pub(super) fn scores(&self, predicted: &[u16]) -> Scores {
        let mut counts = Counts::new(self.classes);
        for (&truth, &predicted) in self.logits.truth.iter().zip(predicted) {
            counts.add(truth, predicted, self.weights[usize::from(truth)]);
        }
        counts.scores()
    }

    /// The 95 % interval of the change of macro-F1 from the predictions `before` to `after`, from a bootstrap over the
    /// images of every class.
    pub(super) fn interval(&self, before: &[u16], after: &[u16]) -> Option<(f64, f64)> {
        let mut pairs: Vec<Vec<(u16, u16)>> = vec![Vec::new(); self.classes];
        let all = self.logits.truth.iter().zip(before.iter().zip(after));
        for (&truth, (&before, &after)) in all {
            pairs[usize::from(truth)].push((before, after));
        }
        let images = self.logits.truth.len();
        let resamplings = RESAMPLINGS.min(MOST_DRAWN / images).max(200);
        let mut random = Random::new(0, "adjustment", 0, 0);
        let mut changes = Vec::with_capacity(resamplings);
        for _ in 0..resamplings {
            let (mut old, mut new) = (Counts::new(self.classes), Counts::new(self.classes));
            for (truth, pairs) in pairs.iter().enumerate() {
                for _ in 0..self.support[truth] {
                    let (before, after) = pairs[random.below(pairs.len())];
                    old.add(truth as u16, before, self.weights[truth]);
                    new.add(truth as u16, after, self.weights[truth]);
                }
            }
            changes.push(new.scores().macro_f1? - old.scores().macro_f1?);
        }
        changes.sort_by(f64::total_cmp);
        let at = |share: f64| changes[(share * (resamplings - 1) as f64).round() as usize];
        Some((at(0.025), at(0.975)))
    }
}

/// Counts of images by class, each image with its weight.
struct Counts {
    hits: Vec<f64>,
    truth: Vec<f64>,
    predicted: Vec<f64>,
}

impl Counts {
    fn new(classes: usize) -> Self {
        Self {
            hits: vec![0.0; classes],
            truth: vec![0.0; classes],
            predicted: vec![0.0; classes],
        }
    }

    fn add(&mut self, truth: u16, predicted: u16, weight: f64) {
        let (truth, predicted) = (usize::from(truth), usize::from(predicted));
        self.truth[truth] += weight;
        self.predicted[predicted] += weight;
        if truth == predicted {
            self.hits[truth] += weight;
        }
    }

    /// F1 = 2TP/(2TP + FP + FN), undefined where that is 0/0; macro-F1 is its mean over the classes where it is defined.
    fn scores(&self) -> Scores {
        let ratio = |part: f64, whole: f64| (whole > 0.0).then(|| part / whole);
        let f1: Vec<Option<f64>> = (0..self.hits.len())
            .map(|k| ratio(2.0 * self.hits[k], self.truth[k] + self.predicted[k]))
            .collect();
        let defined: Vec<f64> = f1.iter().copied().flatten().collect();
        Scores {
            macro_f1: ratio(defined.iter().sum(), defined.len() as f64),
            accuracy: ratio(self.hits.iter().sum(), self.truth.iter().sum()),
            f1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::class_balance::log_priors;

    /// ```python
    /// y = [0, 0, 0, 0, 1, 1, 2, 2]; p = (z - tau * np.log(np.array([80, 15, 5]) / 100)).argmax(1)
    /// sklearn.metrics.f1_score(y, p, average=None, sample_weight=w)
    /// ```
    #[test]
    fn scores_are_those_of_scikit_learn() {
        let made = Logits {
            truth: vec![0, 0, 0, 0, 1, 1, 2, 2],
            logits: vec![
                2.0, 1.0, 0.0, 1.0, 0.0, 0.5, 0.0, 1.0, 0.0, 3.0, 0.0, 0.0, 1.0, 0.5, 0.0, 0.0,
                2.0, 1.0, 1.0, 0.0, 0.75, 0.5, 0.25, 0.0,
            ],
        };
        let scores = |tau: f64, shares: Option<&[f64]>| {
            let offsets: Vec<f64> = log_priors(&[80, 15, 5]).iter().map(|x| -tau * x).collect();
            let images = Images::new(&made, 3, shares).expect("images");
            images.scores(&images.classes(&offsets))
        };
        let close = |got: &Scores, wanted: [f64; 3]| {
            for (got, wanted) in got.f1.iter().zip(wanted) {
                assert!((got.expect("F1") - wanted).abs() < 1e-6, "{got:?} {wanted}");
            }
        };
        close(&scores(0.0, None), [0.6, 0.5, 0.0]);
        close(&scores(0.25, None), [0.571429, 0.5, 0.8]);
        close(&scores(0.5, None), [0.666667, 0.5, 0.666667]);
        let weighted = scores(0.25, Some(&[0.5, 0.3, 0.2]));
        close(&weighted, [0.555556, 0.521739, 0.761905]);
        assert!((weighted.accuracy.expect("accuracy") - 0.6).abs() < 1e-6);
        let macro_f1 = scores(1.0, None).macro_f1.expect("macro-F1");
        assert!((macro_f1 - 0.281481).abs() < 1e-6);
    }

    #[test]
    fn the_interval_covers_the_change_and_no_change_has_none() {
        let made = Logits {
            truth: [[0; 40], [1; 40]].concat(),
            logits: vec![0.0; 160],
        };
        let images = Images::new(&made, 2, None).expect("images");
        let before: Vec<u16> = (0..80).map(|i| u16::from(i % 4 == 0)).collect();
        let after = made.truth.clone();
        assert_eq!(images.interval(&after, &after), Some((0.0, 0.0)));
        let (low, high) = images.interval(&before, &after).expect("an interval");
        let macro_f1 = |classes: &[u16]| images.scores(classes).macro_f1.expect("macro-F1");
        let change = macro_f1(&after) - macro_f1(&before);
        assert!(
            low < change && change < high && high - low < 0.4,
            "{low} {change} {high}"
        );
    }
}
