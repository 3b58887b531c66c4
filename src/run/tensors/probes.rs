//! The tensors of a run's probes that are in memory: whole probes, or only the rows of the classes that are followed
//! over time.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::class_rows::{ClassRows, class_loss};
use super::probe_file::ProbeTensors;
use super::verification::Verification;

/// The tensors of a run's probes that are in memory. Tensors are missing where they were not requested, are still being
/// read, or are damaged.
#[derive(Clone, Debug, Default)]
pub struct Probes {
    /// Whole probes, by step.
    pub whole: BTreeMap<u64, Arc<ProbeTensors>>,
    /// Rows of single classes, by class and step.
    pub rows: BTreeMap<usize, BTreeMap<u64, Arc<ClassRows>>>,
    /// What was measured at checkpoints, by step.
    pub verified: BTreeMap<u64, Arc<Verification>>,
}

impl Probes {
    /// No tensors.
    pub const fn new() -> Self {
        Self {
            whole: BTreeMap::new(),
            rows: BTreeMap::new(),
            verified: BTreeMap::new(),
        }
    }

    /// No tensors of probes, but what was measured at checkpoints.
    pub fn without_tensors(&self) -> Self {
        Self {
            verified: self.verified.clone(),
            ..Self::new()
        }
    }

    /// The tensors of the probe at a step, where the whole probe is in memory.
    pub fn get(&self, step: &u64) -> Option<&Arc<ProbeTensors>> {
        self.whole.get(step)
    }

    /// Adds the tensors of a whole probe.
    pub fn insert(&mut self, step: u64, tensors: Arc<ProbeTensors>) {
        self.whole.insert(step, tensors);
    }

    /// Adds the rows of a class.
    pub fn insert_rows(&mut self, step: u64, rows: ClassRows) {
        let of_class = self.rows.entry(rows.class).or_default();
        of_class.insert(step, Arc::new(rows));
    }

    /// Whether [`Self::rows_of`] has the rows of a class at a step.
    pub fn has_rows_of(&self, step: u64, class: usize) -> bool {
        self.whole.contains_key(&step) || self.rows_alone(step, class).is_some()
    }

    /// The rows of a class at a step: the rows that were read alone, or else those of the whole probe.
    pub fn rows_of(&self, step: u64, class: usize) -> Option<Arc<ClassRows>> {
        let alone = self.rows_alone(step, class).cloned();
        alone.or_else(|| Some(Arc::new(self.whole.get(&step)?.rows_of(class)?)))
    }

    fn rows_alone(&self, step: u64, class: usize) -> Option<&Arc<ClassRows>> {
        self.rows.get(&class)?.get(&step)
    }

    /// Mean cross-entropy of a class's probe images at a step, in nats. The rows of any class suffice, since they hold
    /// the losses of all classes. `None` where the class has no images, or no tensors of the step are in memory.
    pub fn class_loss(&self, step: u64, class: usize) -> Option<f64> {
        if let Some(probe) = self.whole.get(&step) {
            return class_loss(probe.classes, &probe.n, &probe.loss, class);
        }
        let rows = self.rows.values().find_map(|by_step| by_step.get(&step))?;
        class_loss(rows.classes, &rows.n, &rows.loss, class)
    }

    /// Removes all probes after a step.
    pub fn retain_until(&mut self, step: u64) {
        self.whole.retain(|&at, _| at <= step);
        let of_classes = self.rows.values_mut();
        of_classes.for_each(|by_step| by_step.retain(|&at, _| at <= step));
    }

    /// Bytes that the tensors take in memory.
    pub fn bytes(&self) -> usize {
        let whole = self.whole.values().map(|probe| probe.bytes());
        whole
            .chain(self.rows.values().flatten().map(|(_, rows)| rows.bytes()))
            .sum()
    }
}
