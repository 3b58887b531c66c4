//! Everything the trainer has to say, as plain numbers: one [`Event`] is one line of `events.jsonl`.

use serde::{Deserialize, Serialize};

use crate::config::RunConfig;
use crate::gradient::gram::ConflictSummary;

/// Version of the run directory's layout. A reader refuses a newer one.
pub const FORMAT: u32 = 1;

/// One line of a run's log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The header: first line of every log.
    Started(Box<Started>),
    /// A training step (not every step is logged).
    Step(Step),
    /// An evaluation.
    Eval(Eval),
    /// A gradient probe, whose tensors are in `file`.
    Probe(Probe),
    /// Training goes on from a checkpoint: everything after `step` is void.
    Resumed {
        /// The checkpoint's step.
        step: u64,
    },
    /// All epochs were trained.
    Finished(End),
    /// The user stopped the run; it can be resumed.
    Stopped(End),
    /// The run could not go on; `message` says why.
    Failed(End),
}

impl Event {
    /// The step an event belongs to (the number of optimiser steps taken before it was measured).
    pub fn step(&self) -> u64 {
        match self {
            Self::Started(_) => 0,
            Self::Step(step) => step.step,
            Self::Eval(eval) => eval.step,
            Self::Probe(probe) => probe.step,
            Self::Resumed { step } => *step,
            Self::Finished(end) | Self::Stopped(end) | Self::Failed(end) => end.step,
        }
    }
}

/// The header: what a reader needs so as to assume nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Started {
    /// Version of the format ([`FORMAT`]).
    pub format: u32,
    /// Unique name of the run, made from its start time.
    pub id: String,
    /// The run and step this one continues, if any.
    pub parent: Option<Parent>,
    /// Seconds since 1970 (UTC) at the start.
    pub created_unix_secs: u64,
    /// Version of the program.
    pub code_version: String,
    /// Instruction set and device that the numbers were computed with.
    pub instruction_set: String,
    /// The configuration as run.
    pub config: RunConfig,
    /// Class names; a class is its position in this list everywhere else.
    pub classes: Vec<String>,
    /// Training images per class.
    pub train_counts: Vec<usize>,
    /// Validation images per class; all 0 where there is no validation split.
    pub val_counts: Vec<usize>,
    /// Test images per class.
    pub test_counts: Vec<usize>,
    /// Image height, width, channels.
    pub image: [usize; 3],
    /// Per-channel normalisation of pixel values in [0, 1].
    pub normalise: Normalise,
    /// Layers in forward order.
    pub layers: Vec<Layer>,
    /// The probe set.
    pub probe: ProbeSet,
    /// Optimiser steps of one epoch.
    pub steps_per_epoch: u64,
    /// Optimiser steps of the whole run.
    pub total_steps: u64,
    /// Fingerprint of pixels and labels.
    pub data_fingerprint: String,
}

/// Where a run branched off another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// The other run's id.
    pub run: String,
    /// The step it was continued from.
    pub step: u64,
}

/// x ← (x − mean) / std per channel, for pixel values in [0, 1].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Normalise {
    /// Mean per channel over the training images.
    pub mean: Vec<f32>,
    /// Standard deviation per channel over the training images.
    pub std: Vec<f32>,
}

/// One row of the layer table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// Name such as `branch2.conv1`; parameters are named `<name>.weight` and so on, as PyTorch would.
    pub name: String,
    /// Block it belongs to: `stem`, `branch1`…`branch3`, `fuse` or `classifier`.
    pub group: String,
    /// `conv`, `batch_norm`, `max_pool`, `gate`, `concat`, `mean_pool` or `linear`.
    pub kind: String,
    /// Output shape of one image, `[H, W, C]` or `[C]`.
    pub shape: Vec<usize>,
    /// Number of trained parameters.
    pub params: usize,
    /// Names of the layers it reads; empty for the input image.
    pub inputs: Vec<String>,
    /// Row in the Gram tensors; none for layers without parameters.
    pub gram: Option<usize>,
}

/// The fixed images that class gradients are measured on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeSet {
    /// Pieces that each class is cut into.
    pub pieces: usize,
    /// Images in each piece, `[K][S]`; 0 where a class has too few.
    pub counts: Vec<Vec<usize>>,
}

/// A logged training step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Optimiser steps taken, this one included.
    pub step: u64,
    /// Epochs done, as a fraction.
    pub epoch: f64,
    /// Training images seen.
    pub images: u64,
    /// Seconds of training so far, pauses and evaluations included, time between stop and resume not.
    pub wall_secs: f64,
    /// Mean cross-entropy of the step's batch, in nats.
    pub loss: Option<f64>,
    /// Learning rate of the step.
    pub lr: f64,
    /// Norm of the training gradient by Gram row, weight decay not included.
    pub grad_norms: Vec<Option<f64>>,
}

/// Which images an evaluation used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// Training images.
    Train,
    /// Validation images.
    Val,
    /// Test images.
    Test,
}

/// An evaluation. Per-class values are none where they are undefined (0/0).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Eval {
    /// Optimiser steps taken before it.
    pub step: u64,
    /// Epochs done, as a fraction.
    pub epoch: f64,
    /// The images.
    pub split: Split,
    /// Mean cross-entropy, in nats.
    pub loss: Option<f64>,
    /// Share of correct predictions.
    pub accuracy: Option<f64>,
    /// Mean recall over the classes with support.
    pub balanced_accuracy: Option<f64>,
    /// Mean F1 over the classes where it is defined.
    pub macro_f1: Option<f64>,
    /// How many classes that mean is over.
    pub macro_f1_classes: usize,
    /// TP/(TP+FP) per class.
    pub precision: Vec<Option<f64>>,
    /// TP/(TP+FN) per class.
    pub recall: Vec<Option<f64>>,
    /// 2TP/(2TP+FP+FN) per class; none only where TP+FP+FN = 0.
    pub f1: Vec<Option<f64>>,
    /// Images of each class.
    pub support: Vec<u64>,
    /// Counts, `[truth][prediction]`.
    pub confusion: Vec<Vec<u64>>,
}

/// A gradient probe: what overviews need. The tensors are in `file`, relative to the run directory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Probe {
    /// Optimiser steps taken before it.
    pub step: u64,
    /// Epochs done, as a fraction.
    pub epoch: f64,
    /// File of the probe's tensors, relative to the run directory.
    pub file: String,
    /// By Gram row.
    pub layers: Vec<ConflictSummary>,
    /// All layers but the classifier, whose gradients conflict by construction.
    pub backbone: ConflictSummary,
    /// The classifier.
    pub classifier: ConflictSummary,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct End {
    /// Optimiser steps taken.
    pub step: u64,
    /// One sentence for the reader; empty for a run that simply finished.
    pub message: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_tagged_line() -> anyhow::Result<()> {
        let event = Event::Finished(End {
            step: 7,
            message: String::new(),
        });
        let line = serde_json::to_string(&event)?;
        assert_eq!(line, r#"{"event":"finished","step":7,"message":""}"#);
        assert_eq!(serde_json::from_str::<Event>(&line)?, event);
        assert_eq!(
            serde_json::to_string(&Event::Resumed { step: 3 })?,
            r#"{"event":"resumed","step":3}"#
        );
        Ok(())
    }
}
