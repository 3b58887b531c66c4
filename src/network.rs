//! The vocabulary of the network that data, model, training and a recorded run have in common: how pixels are
//! normalised, the layer table, and how batch norm is treated when class gradients are measured.
//!
//! Plain data; imports nothing of the crate.

use serde::{Deserialize, Serialize};

/// Group and layer name of the last layer, whose class gradients conflict by construction.
pub const CLASSIFIER: &str = "classifier";

/// Kind of the layer in which each class attends over the branches with a query of its own. The gradients of the queries
/// conflict by construction, as those of the classifier do: both have a row for each class.
pub const CLASS_ATTENTION: &str = "class_attention";

/// Normalisation of pixel values in [0, 1]: x ← (x − mean) / std for every channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Normalise {
    /// Mean of every channel over the training images, `[C]`.
    pub mean: Vec<f32>,
    /// Standard deviation of every channel over the training images, `[C]`.
    pub std: Vec<f32>,
}

/// One row of the layer table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// Name such as `branch2.conv1`; parameters are named `<name>.weight` and so on, as PyTorch would.
    pub name: String,
    /// Block that the layer belongs to: `stem`, `branch1` and so on, `fuse` or `attention`, or `classifier`.
    pub group: String,
    /// `conv`, `batch_norm`, `group_norm`, `max_pool`, `gate`, `scale`, `concat`, `mean_pool`, `class_attention`,
    /// `linear`, `cosine` or `mean`.
    pub kind: String,
    /// Output shape for one image, `[H, W, C]` or `[C]`.
    pub shape: Vec<usize>,
    /// Number of trained parameters.
    pub params: usize,
    /// Names of the layers whose outputs the layer reads; empty where it reads the image.
    pub inputs: Vec<String>,
    /// Row of the layer in the Gram tensors; `None` for a layer without parameters.
    pub gram: Option<usize>,
}

impl Layer {
    /// Whether the layer is of the backbone: all layers but those with a row for each class.
    pub fn is_in_backbone(&self) -> bool {
        self.group != CLASSIFIER && self.kind != CLASS_ATTENTION
    }
}

/// How batch norm is treated while class gradients are measured. A figure, a finding or a comparison shows one of the
/// two, never a mix.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum BatchNorm {
    /// With the statistics of a mixed batch, through which gradients flow: the class gradients that training feels.
    #[default]
    AsInTraining,
    /// With the running statistics, which are constants: the class gradients of the network that is evaluated.
    Frozen,
}

impl BatchNorm {
    /// Both ways.
    pub const ALL: [Self; 2] = [Self::AsInTraining, Self::Frozen];

    /// Name on screen, after "Batch norm:".
    pub fn label(self) -> &'static str {
        match self {
            Self::AsInTraining => "as in training",
            Self::Frozen => "frozen",
        }
    }

    /// The measure in words, of networks that mix the images of a batch, by batch norm, or do not.
    pub fn in_words(self, mixes_images: bool) -> String {
        match mixes_images {
            true => format!("batch norm {}", self.label()),
            false => "no batch norm".to_owned(),
        }
    }

    /// Name on the command line, in tables and in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::AsInTraining => "as-in-training",
            Self::Frozen => "frozen",
        }
    }

    /// Explanation for the reader of a figure.
    pub fn help(self) -> &'static str {
        match self {
            Self::AsInTraining => {
                "Class gradients of a batch mixed like the training data, with the batch's own statistics, through \
                 which gradients flow: what a class's share of a training step does"
            }
            Self::Frozen => {
                "Class gradients with the running statistics as constants, so that images do not mix, as in evaluation: \
                 not those that training follows"
            }
        }
    }
}
