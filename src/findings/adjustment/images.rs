//! The images of one split with their logits: which classes an adjustment predicts, and how good these predictions are.

use crate::run::predictions::Logits;

/// Standard errors on either side of a 95 % interval of a normal distribution.
const NORMAL_95: f64 = 1.959964;

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
        self.counts(predicted).scores()
    }

    /// The 95 % interval of the change of macro-F1 from the predictions `before` to `after`, both `[N]`, for other images
    /// with as many of every class.
    ///
    /// The standard error is the linearised one (delta method): to first order, macro-F1 is a sum over images, of which each
    /// adds what [`Self::influence`] says. The differences `after` − `before` of the images of a class vary around their
    /// mean, and the variance of a sum over the images of a class is their number times that variance. A class with one
    /// image does not say how images vary; its squared difference stands for the variance. A class without images counts in
    /// macro-F1 as soon as an image is predicted as it; that in other images none might be is left out.
    pub(super) fn interval(&self, before: &[u16], after: &[u16]) -> Option<(f64, f64)> {
        let (old, new) = (self.counts(before), self.counts(after));
        let change = new.scores().macro_f1? - old.scores().macro_f1?;
        let (old, new) = (self.influence(&old), self.influence(&new));
        let (mut sums, mut squares) = (vec![0.0; self.classes], vec![0.0; self.classes]);
        let all = self.logits.truth.iter().zip(before.iter().zip(after));
        for (&truth, (&before, &after)) in all {
            let difference = new(truth, after) - old(truth, before);
            sums[usize::from(truth)] += difference;
            squares[usize::from(truth)] += difference * difference;
        }
        let variance = |k: usize| match self.support[k] {
            0 => 0.0,
            1 => squares[k],
            n => (squares[k] - sums[k] * sums[k] / n as f64).max(0.0) * n as f64 / (n - 1) as f64,
        };
        let half = NORMAL_95 * (0..self.classes).map(variance).sum::<f64>().sqrt();
        Some((change - half, change + half))
    }

    /// What an image of a class that is predicted as another (or the same) adds to macro-F1, to first order, in images with
    /// `counts`. With S = truth + predicted of a class, F1 = 2·hits / S, and its derivatives are 2 / S by the hits and
    /// −F1 / S by the predictions; the number of images of each class is given.
    fn influence(&self, counts: &Counts) -> impl Fn(u16, u16) -> f64 {
        let f1 = counts.scores().f1;
        let defined = f1.iter().flatten().count() as f64;
        let all: Vec<f64> = (0..self.classes)
            .map(|k| counts.truth[k] + counts.predicted[k])
            .collect();
        let weights = self.weights.clone();
        move |truth, predicted| {
            let (truth, predicted) = (usize::from(truth), usize::from(predicted));
            // A class that does not occur where the network is used changes no sum.
            if weights[truth] <= 0.0 {
                return 0.0;
            }
            let hit = if truth == predicted {
                2.0 / all[truth]
            } else {
                0.0
            };
            // An image was predicted as this class, so that its F1 is defined.
            let lost = f1[predicted].unwrap_or(0.0) / all[predicted];
            weights[truth] * (hit - lost) / defined
        }
    }

    fn counts(&self, predicted: &[u16]) -> Counts {
        let mut counts = Counts::new(self.classes);
        for (&truth, &predicted) in self.logits.truth.iter().zip(predicted) {
            counts.add(truth, predicted, self.weights[usize::from(truth)]);
        }
        counts
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
    use crate::random::Random;

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

    /// Against the spread of the change in 4,000 resamplings of the images of every class, with and without weights.
    #[test]
    fn the_interval_is_that_of_a_bootstrap() {
        let truth: Vec<u16> = [vec![0; 200], vec![1; 60], vec![2; 25]].concat();
        let made = Logits {
            logits: vec![0.0; truth.len() * 3],
            truth,
        };
        let mut random = Random::new(0, "images", 0, 0);
        // `after` finds most of what `before` takes for the first class, and mistakes some of the first class.
        let mut mistaken = |share: usize, with: u16| -> Vec<u16> {
            let guess = |truth: &u16| match random.below(100) {
                n if n < share => with,
                n if n < share + 10 => (truth + 1) % 3,
                _ => *truth,
            };
            made.truth.iter().map(guess).collect()
        };
        let (before, after) = (mistaken(50, 0), mistaken(15, 2));
        for shares in [None, Some([0.2, 0.3, 0.5])] {
            let images = Images::new(&made, 3, shares.as_ref().map(<[f64; 3]>::as_slice));
            let images = images.expect("images");
            let macro_f1 = |counts: &Counts| counts.scores().macro_f1.expect("macro-F1");
            let change = macro_f1(&images.counts(&after)) - macro_f1(&images.counts(&before));
            let (low, high) = images.interval(&before, &after).expect("an interval");
            assert!((f64::midpoint(low, high) - change).abs() < 1e-12);
            let draws = 4000;
            let (mut sum, mut squares) = (0.0, 0.0);
            for _ in 0..draws {
                let (mut old, mut new) = (Counts::new(3), Counts::new(3));
                for (first, n) in [(0, 200), (200, 60), (260, 25)] {
                    for _ in 0..n {
                        let i = first + random.below(n);
                        let (truth, weight) =
                            (made.truth[i], images.weights[usize::from(made.truth[i])]);
                        old.add(truth, before[i], weight);
                        new.add(truth, after[i], weight);
                    }
                }
                let drawn = macro_f1(&new) - macro_f1(&old);
                sum += drawn;
                squares += drawn * drawn;
            }
            let mean = sum / f64::from(draws);
            let spread = (squares / f64::from(draws) - mean * mean).sqrt();
            let ours = (high - low) / 2.0 / NORMAL_95;
            assert!((ours / spread - 1.0).abs() < 0.05, "{ours} {spread}");
        }
    }

    /// A class that the target leaves out has no F1, and its images no influence.
    #[test]
    fn the_interval_is_a_number_where_the_target_lacks_a_class() {
        let made = Logits {
            truth: vec![0, 0, 1, 2],
            logits: vec![0.0; 12],
        };
        let images = Images::new(&made, 3, Some(&[0.5, 0.0, 0.5])).expect("images");
        let interval = images.interval(&[0, 2, 1, 2], &[0, 0, 1, 2]);
        let (low, high) = interval.expect("an interval");
        assert!(low.is_finite() && low < high, "{low} {high}");
    }

    #[test]
    fn no_change_has_no_spread_and_one_image_is_no_certainty() {
        let made = Logits {
            truth: vec![0, 0, 1],
            logits: vec![0.0; 6],
        };
        let images = Images::new(&made, 2, None).expect("images");
        assert_eq!(images.interval(&[0, 1, 1], &[0, 1, 1]), Some((0.0, 0.0)));
        let (low, high) = images.interval(&[0, 0, 0], &[0, 0, 1]).expect("interval");
        assert!(low < 0.0 && high > 0.6, "{low} {high}");
    }
}
