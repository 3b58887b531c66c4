//! Everything that the trainer reports, as plain numbers: one [`Event`] is one line of `events.jsonl`.

mod origin;

use serde::{Deserialize, Deserializer, Serialize};

use crate::class_balance;
use crate::config::{Attention, Field, NormKind, RunConfig};
use crate::gradient::gram::ConflictSummary;
pub use crate::network::{BatchNorm, Layer, Normalise};
use crate::run::inside::stays_inside;
use crate::run::thirds::Thirds;
pub use origin::{Change, Parent, Recorder};

/// Version of the run directory's layout that the trainer writes. Runs of format 1 lack the class gradients with batch
/// norm as in training.
pub const FORMAT: u32 = 2;

/// The newest version that is read; a newer one is refused. Runs of format 3 were recorded by another program
/// ([`Recorder`]), and their probes may lack summaries, which are computed when the log is read.
pub const NEWEST_FORMAT: u32 = 3;

/// One line of a run's log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[expect(
    clippy::large_enum_variant,
    reason = "events are handed on one at a time, and a run keeps the probe itself"
)]
pub enum Event {
    /// The header: first line of every log.
    Started(Box<Started>),
    /// A training step. Not every step is logged.
    Step(Step),
    /// An evaluation on one split.
    Eval(Eval),
    /// A gradient probe; its tensors are in a file of their own.
    Probe(Probe),
    /// Training continues from a checkpoint: every event logged after `step` is void.
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
    /// The step that an event belongs to: the number of optimiser steps taken before it was measured; 0 for the header.
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

/// The header: all facts about a run that a reader needs in order to interpret the other events without assumptions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Started {
    /// Version of the format ([`FORMAT`]).
    pub format: u32,
    /// Unique name of the run, made from its start time.
    pub id: String,
    /// The run and step that this run continues, if any.
    pub parent: Option<Parent>,
    /// Seconds since 1970 (UTC) at the start.
    pub created_unix_secs: u64,
    /// Version of the program.
    pub code_version: String,
    /// Instruction set of the processor and the device on which the numbers were computed.
    pub instruction_set: String,
    /// The configuration that the run was trained with; the defaults, which mean nothing, where [`Self::recorder`] is
    /// set.
    #[serde(default)]
    pub config: RunConfig,
    /// The program that trained and recorded the run, where it is not this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorder: Option<Box<Recorder>>,
    /// Class names. Everywhere else, a class is given by its index in this list.
    pub classes: Vec<String>,
    /// Training images of every class, `[K]`.
    pub train_counts: Vec<usize>,
    /// Validation images of every class, `[K]`; all 0 without a validation split.
    pub val_counts: Vec<usize>,
    /// Test images of every class, `[K]`.
    pub test_counts: Vec<usize>,
    /// Shape of an image, `[H, W, C]`.
    pub image: [usize; 3],
    /// How pixel values in [0, 1] are normalised.
    pub normalise: Normalise,
    /// Layers in forward order.
    pub layers: Vec<Layer>,
    /// The images that class gradients are measured on.
    pub probe: ProbeSet,
    /// Optimiser steps of one epoch; 0 where a recorder does not know it, and the epochs of events are then their steps.
    pub steps_per_epoch: u64,
    /// Optimiser steps of the whole run; 0 where a recorder does not know it.
    pub total_steps: u64,
    /// Fingerprint of pixels and labels.
    pub data_fingerprint: String,
}

impl Started {
    /// Whether two runs have the same data, seed and settings but for attention, so that they are a pair. The number of
    /// threads may differ.
    pub fn differs_in_attention_alone(&self, other: &Self) -> bool {
        let mut config = self.config.clone();
        config.attention = other.config.attention;
        config.threads = other.config.threads;
        self.recorder.is_none()
            && other.recorder.is_none()
            && self.is_of_one_piece()
            && other.is_of_one_piece()
            && self.data_fingerprint == other.data_fingerprint
            && config == other.config
            && self.classes == other.classes
            && self.train_counts == other.train_counts
    }

    /// Whether all of the run was trained with the configuration of its header. A fork whose settings changed, or changed
    /// in a fork before it, was not, unless they are neutral ones alone.
    pub fn is_of_one_piece(&self) -> bool {
        let forks = self.parent.iter().flat_map(Parent::all);
        let mut changes = forks.flat_map(|fork| &fork.changed);
        changes.all(|x| Field::named(&x.field).is_some_and(|field| field.is_neutral))
    }

    /// The random seed of the run; 0 where it is not known.
    pub fn seed(&self) -> u64 {
        let recorder = self.recorder.as_ref();
        recorder.map_or(self.config.seed, |recorder| recorder.seed().unwrap_or(0))
    }

    /// Whether the seed is known: a script need not name it to its recorder.
    pub fn knows_seed(&self) -> bool {
        let recorder = self.recorder.as_ref();
        recorder.is_none_or(|recorder| recorder.seed().is_some())
    }

    /// The attention of the network; none where another program trained a network of its own.
    pub fn attention(&self) -> Attention {
        match self.recorder {
            Some(_) => Attention::None,
            None => self.config.attention,
        }
    }

    /// Whether images of a batch mix while the network trains, by the statistics of batch norms. Where they do not, class
    /// gradients as in training are those with batch norm frozen. Of networks of other programs it is taken for granted
    /// where they do not say otherwise.
    pub fn mixes_images(&self) -> bool {
        match &self.recorder {
            Some(recorder) => recorder.batch_norm != "none",
            None => self.config.norm == NormKind::Batch,
        }
    }

    /// What the network is, in a word or two: its attention variant, or the name that a recorder gives it.
    pub fn variant(&self) -> String {
        match &self.recorder {
            Some(recorder) if recorder.network.is_empty() => recorder.name.clone(),
            Some(recorder) => recorder.network.clone(),
            None => self.config.attention.label().to_owned(),
        }
    }

    /// The settings that the run was trained with, as names and texts.
    pub fn settings(&self) -> Vec<(String, String)> {
        match &self.recorder {
            Some(recorder) => recorder.settings(),
            None => self.config.settings(),
        }
    }

    /// What the run was trained on, in words.
    pub fn data(&self) -> String {
        match &self.recorder {
            Some(recorder) => recorder.name.clone(),
            None => self.config.data.to_string(),
        }
    }

    /// The classes in thirds by their training images.
    pub fn thirds(&self) -> Thirds {
        Thirds::of(&self.train_counts)
    }

    /// What does not fit together in a header that was read from a file; `None` in one that this program wrote. Whoever
    /// takes room for all classes or rows can then rely on their numbers.
    pub(super) fn fault(&self) -> Option<&'static str> {
        let (classes, pieces) = (self.classes.len(), self.probe.pieces);
        let counts = [&self.train_counts, &self.val_counts, &self.test_counts];
        let mut rows: Vec<usize> = self.layers.iter().filter_map(|layer| layer.gram).collect();
        rows.sort_unstable();
        let of_probe = &self.probe.counts;
        let measured = &self.probe.training;
        let faults = [
            (
                counts.iter().any(|counts| counts.len() != classes),
                "the numbers of images are not those of the classes",
            ),
            (
                rows.iter().enumerate().any(|(at, row)| at != *row),
                "the rows of its layers (`gram`) are not numbered from 0",
            ),
            (
                of_probe.len() != classes || of_probe.iter().any(|counts| counts.len() != pieces),
                "the pieces of the probe are not those of the classes",
            ),
            (
                !measured.is_sorted_by(|a, b| a < b) || measured.iter().any(|k| *k >= classes),
                "the classes that are measured as in training are not among the classes",
            ),
        ];
        let found = faults.iter().find(|(is_fault, _)| *is_fault);
        found.map(|(_, words)| *words)
    }

    /// The class with the fewest training images among those that have any; `None` where no class has.
    pub fn rarest(&self) -> Option<usize> {
        class_balance::rarest(&self.train_counts)
    }
}

/// The fixed images that class gradients are measured on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeSet {
    /// Number of pieces S that the images of each class are cut into.
    pub pieces: usize,
    /// Images in each piece, `[K][S]`; 0 for a piece that is empty because the class has fewer images than pieces.
    pub counts: Vec<Vec<usize>>,
    /// Classes whose gradients are measured with batch norm as in training, too, in ascending order: all of them, or
    /// some where there are many. Empty in runs of format 1, which have the frozen measure alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub training: Vec<usize>,
}

/// A logged training step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Optimiser steps taken, this one included.
    pub step: u64,
    /// Epochs done, as a fraction.
    pub epoch: f64,
    /// Training images seen so far.
    pub images: u64,
    /// Seconds of training so far. Evaluations and probes count; pauses, and the time between stopping and resuming, do
    /// not.
    pub wall_secs: f64,
    /// Value in nats, over the step's batch, of the loss that the step minimises: the configured criterion with its
    /// class weights, margins, offsets and focal factor, averaged as that criterion averages. It equals the batch's
    /// mean cross-entropy only where the run trains plain cross-entropy; for other losses it is not comparable with
    /// [`Eval::loss`]. Weight decay is not included.
    pub loss: Option<f64>,
    /// Learning rate of the step.
    pub lr: f64,
    /// Norm of the gradient of [`Self::loss`] for every layer with parameters, indexed by the layer's row in the Gram
    /// tensors. Weight decay is not included. With SAM it is the gradient at the weights moved uphill, which the step takes.
    pub grad_norms: Vec<Option<f64>>,
    /// How hard images have pulled at the logit of each class in all steps so far. `None` in runs of format 1, in those
    /// that go on from a checkpoint without the sums, with smoothed labels, under which images pull at the logits of all
    /// classes, and, where there are many classes, at most of the logged steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logit_gradients: Option<LogitGradients>,
}

/// Sums over all training images drawn so far of |∂l/∂z_j|, by class j, `[K]` each. l is the loss of one image as the
/// step minimises it, with its class weight, margin, offset and focal factor, but not divided by the number or the
/// weights of the images in its batch; z are the logits that the softmax takes. For cross-entropy, ∂l/∂z_j = p_j − y_j.
/// Both lists have the same sum, since the derivatives of a softmax loss sum to 0.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LogitGradients {
    /// Over images of class j, which pull its logit up.
    pub positive: Vec<f64>,
    /// Over images of all other classes, which push its logit down.
    pub negative: Vec<f64>,
}

impl LogitGradients {
    /// The sums of `classes` classes before the first image.
    pub fn new(classes: usize) -> Self {
        Self {
            positive: vec![0.0; classes],
            negative: vec![0.0; classes],
        }
    }

    /// Adds the sums over the images of one step, `[K]` each.
    pub fn add(&mut self, positive: &[f64], negative: &[f64]) {
        let sums = self.positive.iter_mut().zip(positive);
        let more = self.negative.iter_mut().zip(negative);
        sums.chain(more).for_each(|(sum, x)| *sum += x);
    }

    /// The sums over the images drawn since `earlier`.
    pub fn since(&self, earlier: &Self) -> Self {
        let less = |sums: &[f64], before: &[f64]| -> Vec<f64> {
            sums.iter().zip(before).map(|(sum, x)| sum - x).collect()
        };
        Self {
            positive: less(&self.positive, &earlier.positive),
            negative: less(&self.negative, &earlier.negative),
        }
    }

    /// Ratio of positive to negative gradient at the logit of class `k` (Equalization Loss v2, Tan et al. 2021): 1 where
    /// both balance, below 1 where images of other classes push it down harder than its own pull it up; 0 for a class
    /// that no image has pulled up. `None` where nothing pushes it down, as with a single class.
    pub fn ratio(&self, k: usize) -> Option<f64> {
        let (positive, negative) = (self.positive.get(k)?, self.negative.get(k)?);
        (*negative > 0.0).then(|| positive / negative)
    }
}

/// The images of a data set that serve one purpose.
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

/// An evaluation on the images of one split. A score is `None` where it is undefined (0/0).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Eval {
    /// Optimiser steps taken before it.
    pub step: u64,
    /// Epochs done, as a fraction.
    pub epoch: f64,
    /// The split whose images were classified.
    pub split: Split,
    /// Mean over the images of the cross-entropy of softmax(logits), in nats, without class weights, margins or focal
    /// factor, whatever loss the run trains. The logits are those that predictions are made from, including post-hoc
    /// logit adjustment where it is configured. `None` without images, or where the value is not finite.
    pub loss: Option<f64>,
    /// Share of images that are classified correctly, in [0, 1].
    pub accuracy: Option<f64>,
    /// Mean recall over the classes that have images, in [0, 1].
    pub balanced_accuracy: Option<f64>,
    /// Mean F1 over the classes whose F1 is defined, in [0, 1].
    pub macro_f1: Option<f64>,
    /// Number of classes whose F1 is defined.
    pub macro_f1_classes: usize,
    /// TP/(TP+FP) of every class, `[K]`.
    pub precision: Vec<Option<f64>>,
    /// TP/(TP+FN) of every class, `[K]`.
    pub recall: Vec<Option<f64>>,
    /// 2TP/(2TP+FP+FN) of every class, `[K]`; `None` only where TP+FP+FN = 0.
    pub f1: Vec<Option<f64>>,
    /// Images of every class, `[K]`.
    pub support: Vec<u64>,
    /// Numbers of images by true and predicted class, `[K][K]`.
    pub confusion: Vec<Vec<u64>>,
}

impl Eval {
    /// A copy with the overall scores alone: values by class and the confusion matrix are left empty.
    pub fn overall(&self) -> Self {
        Self {
            precision: Vec::new(),
            recall: Vec::new(),
            f1: Vec::new(),
            support: Vec::new(),
            confusion: Vec::new(),
            ..*self
        }
    }
}

/// A gradient probe, summarised in the few numbers that overviews need: measured with batch norm frozen and, since
/// format 2, also as in training. [`Probe::shown_as`] chooses one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Probe {
    /// Optimiser steps taken before it.
    pub step: u64,
    /// Epochs done, as a fraction.
    pub epoch: f64,
    /// File of the probe's tensors, relative to the run directory, in which it lies.
    #[serde(deserialize_with = "inside")]
    pub file: String,
    /// Summary of every layer with parameters, indexed by the layer's row in the Gram tensors, `[L]`. Empty where a
    /// recorder leaves it to the reader of the log to compute the summaries.
    #[serde(default)]
    pub layers: Vec<ConflictSummary>,
    /// Summary of all layers together except the classifier, in which class gradients conflict by construction.
    #[serde(default)]
    pub backbone: ConflictSummary,
    /// Summary of the classifier.
    #[serde(default)]
    pub classifier: ConflictSummary,
    /// The same three with batch norm as in training. `None` in runs of format 1, and in probes that
    /// [`Probe::shown_as`] has reduced to one way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub training: Option<Summaries>,
}

/// Reads the path of a file in the run directory.
fn inside<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let path = String::deserialize(deserializer)?;
    if stays_inside(&path) {
        Ok(path)
    } else {
        let reason = "the `file` of a probe must lie in the run directory";
        Err(serde::de::Error::custom(reason))
    }
}

/// The summaries of a probe measured in one way.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Summaries {
    /// As [`Probe::layers`].
    pub layers: Vec<ConflictSummary>,
    /// As [`Probe::backbone`].
    pub backbone: ConflictSummary,
    /// As [`Probe::classifier`].
    pub classifier: ConflictSummary,
}

impl Probe {
    /// The probe with the summaries of one way of treating batch norm alone. A probe that was not measured as in
    /// training has empty summaries there.
    pub fn shown_as(&self, batch_norm: BatchNorm) -> Self {
        let shown = match batch_norm {
            BatchNorm::AsInTraining => self.training.clone().unwrap_or_default(),
            BatchNorm::Frozen => Summaries {
                layers: self.layers.clone(),
                backbone: self.backbone.clone(),
                classifier: self.classifier.clone(),
            },
        };
        Self {
            step: self.step,
            epoch: self.epoch,
            file: self.file.clone(),
            layers: shown.layers,
            backbone: shown.backbone,
            classifier: shown.classifier,
            training: None,
        }
    }
}

/// What the message of a run says that ended by numbers that are not finite, between what they are of and the step.
pub const NOT_FINITE: &str = "is not a finite number at step";

impl End {
    /// Whether the run ended because its loss or its weights were not finite: with the same settings it ends so again.
    pub fn is_not_finite(&self) -> bool {
        self.message.contains(NOT_FINITE)
    }
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
    fn an_event_is_one_line_that_names_its_kind() -> anyhow::Result<()> {
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
