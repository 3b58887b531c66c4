//! The logits of a run's last step, read from its directory.

use std::path::Path;

use crate::run::event::Split;
use crate::run::predictions::{Logits, logits};
use crate::run::{Run, log};

/// Most logits of a split that are read, so that findings never take more memory than a few probes do.
const MOST: usize = 1 << 24;

/// The logits that a run kept of its last step.
#[derive(Clone, Debug, Default)]
pub struct EndLogits {
    /// Of the validation images, where there are any.
    pub val: Option<Logits>,
    /// Of the test images, where there are any.
    pub test: Option<Logits>,
}

impl EndLogits {
    /// Reads the logits of a run; nothing where it has not ended, where another program recorded it, where it has too many
    /// images and classes, or where its files cannot be read: whoever opens the page Mistakes learns why.
    pub fn read(dir: &Path, run: &Run) -> Self {
        let step = run.evals_of(Split::Test).map(|eval| eval.step).max();
        let (Some(step), Some(started)) = (step, &run.started) else {
            return Self::default();
        };
        let of = |split: Split, counts: &[usize]| {
            let images: usize = counts.iter().sum();
            let is_small = images.saturating_mul(started.classes.len()) <= MOST;
            let is_there = dir.join(log::predictions_file(step, split)).exists();
            let found = (is_small && is_there).then(|| logits(dir, (step, split)));
            found.and_then(Result::ok).flatten()
        };
        Self {
            val: of(Split::Val, &started.val_counts),
            test: of(Split::Test, &started.test_counts),
        }
    }
}
