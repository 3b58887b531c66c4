//! What the shares of classes in training steps really did, beside what a probe predicts: `verify/<step:08>.safetensors`.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use safetensors::tensor::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};

use crate::network::BatchNorm;
use crate::run::bytes::{from_little_endian, little_endian, read_tensors, write_tensors};
use crate::run::error::RunError;

/// Effects of every class's share of a training step on the loss of every class. A matrix is `[K, K]`, row-major, with
/// the class whose share is taken in the row and the class whose loss changes in the column, in nats for each unit of
/// learning rate; NaN where a class has no images or was not measured.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verification {
    /// How it was measured.
    pub facts: Facts,
    /// Number of classes K.
    pub classes: usize,
    /// Measured change of the loss of training images, after the running statistics have followed.
    pub train: Vec<f32>,
    /// The same of images that were not trained on; empty without such images.
    pub held_out: Vec<f32>,
    /// Predicted by a probe with batch norm as in training, −π_j ⟨g_j, g_k⟩.
    pub as_in_training: Vec<f32>,
    /// Predicted by a probe with batch norm frozen.
    pub frozen: Vec<f32>,
    /// Predicted by the shares themselves, −⟨s_j, s_k⟩/ω_k with the weight ω_k of class k in their loss: what a probe of as
    /// many images as the training batches have would say.
    pub shares: Vec<f32>,
    /// Predicted as in training by the first half of each class's pieces alone, then by the second half.
    pub halves: [Vec<f32>; 2],
}

/// How a verification was measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// Optimiser steps taken at the checkpoint.
    pub step: u64,
    /// Learning rate of the checkpoint's last step.
    pub lr: f64,
    /// Training batches whose shares were averaged.
    pub batches: usize,
    /// Images of each class that the probe took, at most.
    pub probe_images: usize,
    /// Images of each class whose loss was measured, at most.
    pub images: usize,
    /// The split of the images that were not trained on, `test` or `val`; empty without one.
    pub held_out: String,
    /// The loss that was measured: that which the run minimises. Empty in older files, which have plain cross-entropy of the
    /// network's logits.
    #[serde(default)]
    pub loss: String,
    /// Learning rate of the small step by which each class's share was applied, `[K]`; 0 for a class without share.
    pub step_sizes: Vec<f64>,
}

/// Everything that was measured at checkpoints of the run in `run`, by step. Files that cannot be read are left out, and
/// their errors are the second value.
pub fn all_in(run: &Path, classes: usize) -> (BTreeMap<u64, Arc<Verification>>, Vec<RunError>) {
    let files = std::fs::read_dir(run.join("verify")).into_iter().flatten();
    let mut paths: Vec<_> = files.flatten().map(|file| file.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|x| x == "safetensors"));
    paths.sort();
    let (mut found, mut errors) = (BTreeMap::new(), Vec::new());
    for path in paths {
        match Verification::load(&path, classes) {
            Ok(one) => {
                found.insert(one.facts.step, Arc::new(one));
            }
            Err(error) => errors.push(error),
        }
    }
    (found, errors)
}

/// The names of the matrices in the file.
const MATRICES: [&str; 7] = [
    "measured.train",
    "measured.held_out",
    "predicted.training",
    "predicted.frozen",
    "predicted.shares",
    "predicted.training.first_half",
    "predicted.training.second_half",
];

impl Verification {
    /// What a probe predicts with this way of treating batch norm.
    pub fn predicted(&self, batch_norm: BatchNorm) -> &[f32] {
        match batch_norm {
            BatchNorm::AsInTraining => &self.as_in_training,
            BatchNorm::Frozen => &self.frozen,
        }
    }

    /// The pairs (predicted, measured) of all j ≠ k for which both are defined.
    pub fn pairs(&self, predicted: &[f32], measured: &[f32]) -> (Vec<f64>, Vec<f64>) {
        let mut pairs = (Vec::new(), Vec::new());
        for (at, (x, y)) in predicted.iter().zip(measured).enumerate() {
            let (j, k) = (at / self.classes.max(1), at % self.classes.max(1));
            if j != k && x.is_finite() && y.is_finite() {
                pairs.0.push(f64::from(*x));
                pairs.1.push(f64::from(*y));
            }
        }
        pairs
    }

    /// Writes the file whole.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), RunError> {
        let shape = [self.classes, self.classes];
        let tensors: Vec<_> = MATRICES
            .iter()
            .zip(self.matrices())
            .filter(|(_, values)| !values.is_empty())
            .map(|(name, values)| (*name, Dtype::F32, shape.to_vec(), little_endian(values)))
            .collect();
        let facts = serde_json::to_string(&self.facts).map_err(|e| RunError::damaged(path, e))?;
        let metadata = HashMap::from([("facts".to_owned(), facts)]);
        write_tensors(path, &tensors, Some(metadata))
    }

    /// Reads the file of a run of `classes` classes.
    ///
    /// # Errors
    /// Where the file is missing, cut short or of another number of classes.
    pub fn load(path: &Path, classes: usize) -> Result<Self, RunError> {
        let damaged = |text: String| RunError::damaged(path, text);
        let bytes = read_tensors(path);
        let bytes = bytes.map_err(|e| RunError::io("read the file", path, e))?;
        let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|e| damaged(e.to_string()))?;
        let facts = header.metadata().as_ref().and_then(|x| x.get("facts"));
        let facts =
            facts.ok_or_else(|| damaged("it does not say how it was measured".to_owned()))?;
        let facts = serde_json::from_str(facts).map_err(|e| damaged(e.to_string()))?;
        let file = SafeTensors::deserialize(&bytes).map_err(|e| damaged(e.to_string()))?;
        let mut all = Vec::new();
        for name in MATRICES {
            let Ok(view) = file.tensor(name) else {
                if name == "measured.held_out" {
                    all.push(Vec::new());
                    continue;
                }
                return Err(damaged(format!("`{name}` is missing")));
            };
            if view.dtype() != Dtype::F32 || view.shape() != [classes, classes] {
                return Err(damaged(format!(
                    "`{name}` is not f32 [{classes}, {classes}]"
                )));
            }
            all.push(from_little_endian(view.data()));
        }
        let mut all = all.into_iter();
        let mut next = || all.next().unwrap_or_default();
        Ok(Self {
            facts,
            classes,
            train: next(),
            held_out: next(),
            as_in_training: next(),
            frozen: next(),
            shares: next(),
            halves: [next(), next()],
        })
    }

    /// In the order of [`MATRICES`].
    fn matrices(&self) -> [&[f32]; 7] {
        [
            &self.train,
            &self.held_out,
            &self.as_in_training,
            &self.frozen,
            &self.shares,
            &self.halves[0],
            &self.halves[1],
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verification_is_read_as_it_was_written() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("verify/00000007.safetensors");
        let matrix = |from: usize| (from..from + 9).map(|x| x as f32).collect::<Vec<_>>();
        let mut written = Verification {
            facts: Facts {
                step: 7,
                lr: 0.1,
                batches: 40,
                probe_images: 32,
                images: 400,
                loss: "ce".to_owned(),
                held_out: "test".to_owned(),
                step_sizes: vec![0.01, 0.02, 0.0],
            },
            classes: 3,
            train: matrix(0),
            held_out: matrix(1),
            as_in_training: matrix(2),
            frozen: matrix(3),
            shares: matrix(4),
            halves: [matrix(5), matrix(6)],
        };
        for held_out in [matrix(1), Vec::new()] {
            written.held_out = held_out;
            written.save(&path)?;
            assert_eq!(Verification::load(&path, 3)?, written);
        }
        assert!(Verification::load(&path, 4).is_err());
        let whole = std::fs::read(&path)?;
        std::fs::write(&path, &whole[..whole.len() - 1])?;
        assert!(Verification::load(&path, 3).is_err());
        written.save(&path.with_file_name("00000009.safetensors"))?;
        let (found, errors) = all_in(folder.path(), 3);
        assert_eq!(found.len(), 1, "the file that is whole");
        assert!(
            errors.len() == 1 && errors[0].to_string().contains("00000007"),
            "{errors:?}"
        );
        Ok(())
    }

    #[test]
    fn pairs_leave_out_the_diagonal_and_what_is_undefined() {
        let verification = Verification {
            classes: 2,
            ..Verification::default()
        };
        let pairs = verification.pairs(&[9.0, 1.0, f32::NAN, 9.0], &[9.0, 2.0, 3.0, 9.0]);
        assert_eq!(pairs, (vec![1.0], vec![2.0]));
    }
}
