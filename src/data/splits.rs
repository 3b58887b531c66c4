//! Which images train, validate and test: planned from counts alone, then applied to the images.

use crate::config::RunConfig;
use crate::random::Random;

use super::dataset::Dataset;
use super::long_tail;

/// What the splits are called, by their numbers.
pub(super) const SPLIT_NAMES: [&str; 3] = ["training", "validation", "test"];
/// Share of the images that become the test split where the source brings none.
const TEST_SHARE: f64 = 0.2;
/// Share of the training images that become the validation split where the source brings none.
const VAL_SHARE: f64 = 0.1;
/// Largest number of validation images per class of balanced data.
const VAL_PER_CLASS: usize = 100;

/// Number of images that a source has, by class and split.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Class names.
    pub classes: Vec<String>,
    /// Training images per class.
    pub train: Vec<usize>,
    /// Validation images per class; none where the source has no validation split.
    pub val: Option<Vec<usize>>,
    /// Test images per class; none where the source has no test split.
    pub test: Option<Vec<usize>>,
}

/// How many images of each class will train, validate and test.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Training images per class after the long tail was cut.
    pub train: Vec<usize>,
    /// Validation images per class.
    pub val: Vec<usize>,
    /// Test images per class.
    pub test: Vec<usize>,
    /// Training images per class before the long tail was cut.
    pub natural: Vec<usize>,
    /// Whether the source is known to have validation images of its own.
    pub has_own_val: bool,
}

impl Summary {
    /// The counts that [`super::load`] will produce.
    ///
    /// * No test split: a fifth of each class is set apart, rounded down. A class of fewer than five images gives no
    ///   test image.
    /// * No validation split: `val` images of each class where it is given; else a tenth of each class, and at most 100
    ///   of each where the data are balanced. A class never loses its last training image.
    /// * The long tail is cut from the training images that are left.
    pub fn plan(&self, config: &RunConfig) -> Plan {
        let test = self
            .test
            .clone()
            .unwrap_or_else(|| self.train.iter().map(|&n| share(n, TEST_SHARE)).collect());
        let set_apart = if self.test.is_some() {
            vec![0; self.train.len()]
        } else {
            test.clone()
        };
        let train: Vec<usize> = self
            .train
            .iter()
            .zip(&set_apart)
            .map(|(n, test)| n - test)
            .collect();
        let balanced = train.windows(2).all(|pair| pair[0] == pair[1]);
        let per_class = |&n: &usize| match config.val {
            Some(val) => val.min(n.saturating_sub(1)),
            None if balanced => share(n, VAL_SHARE).min(VAL_PER_CLASS),
            None => share(n, VAL_SHARE),
        };
        let (val, natural) = match &self.val {
            // The source's own validation split is kept, unless none is wanted.
            Some(_) if config.val == Some(0) => (vec![0; train.len()], train),
            Some(val) => (val.clone(), train),
            None => {
                let val: Vec<usize> = train.iter().map(per_class).collect();
                let rest = train.iter().zip(&val).map(|(n, val)| n - val).collect();
                (val, rest)
            }
        };
        Plan {
            train: long_tail::counts(&natural, config.imbalance, config.profile),
            val,
            test,
            natural,
            has_own_val: self.val.is_some(),
        }
    }
}

/// A share of n images, at least one where there are five or more, so that rare classes are measured too.
fn share(n: usize, share: f64) -> usize {
    let part = (n as f64 * share).floor() as usize;
    if n >= 5 { part.max(1) } else { 0 }
}

/// Makes the splits that the source does not have, and cuts the long tail. Which images a class gives depends on the
/// seed and that class alone. Returns the plan that was followed.
pub(super) fn apply(dataset: &mut Dataset, config: &RunConfig) -> Plan {
    let optional = |indices: &[u32]| (!indices.is_empty()).then(|| dataset.counts(indices));
    let summary = Summary {
        classes: dataset.classes.clone(),
        train: dataset.counts(&dataset.train),
        val: optional(&dataset.val),
        test: optional(&dataset.test),
    };
    let plan = summary.plan(config);
    let mut by_class = vec![Vec::new(); dataset.classes.len()];
    for &index in &dataset.train {
        by_class[usize::from(dataset.labels[index as usize])].push(index);
    }
    if summary.val.is_some() && config.val == Some(0) {
        dataset.val.clear();
    }
    dataset.train.clear();
    for (class, mut indices) in by_class.into_iter().enumerate() {
        Random::new(config.data_seed, "split", 0, class as u64).shuffle(&mut indices);
        let mut indices = indices.into_iter();
        if summary.test.is_none() {
            dataset.test.extend(indices.by_ref().take(plan.test[class]));
        }
        if summary.val.is_none() {
            dataset.val.extend(indices.by_ref().take(plan.val[class]));
        }
        dataset.train.extend(indices.take(plan.train[class]));
    }
    for split in [&mut dataset.train, &mut dataset.val, &mut dataset.test] {
        split.sort_unstable();
    }
    plan
}
