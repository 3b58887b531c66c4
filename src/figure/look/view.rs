//! The view: what is selected and how it is shown, shared by all figures and all runs on screen.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};

use crate::figure::look::clock::TimeAxis;
use crate::figure::look::kind::Kind;
use crate::figure::look::marks::{Brush, Range};
use crate::figure::look::sight::Sight;
use crate::run::event::Split;
use crate::run::{BatchNorm, Run, Scope, last_common_step};

/// The view: what is selected and how it is shown, shared by all figures and all runs on screen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct View {
    /// The selected part of the network.
    pub scope: Scope,
    /// The step looked at; `None` follows the newest.
    pub step: Option<u64>,
    /// The selected pair of classes.
    pub pair: Option<(usize, usize)>,
    /// The selected class.
    pub class: Option<usize>,
    /// The selected cell of the confusion matrix: true class, predicted class.
    pub confused: Option<(usize, usize)>,
    /// Names of the curves that are switched off: a class is switched off in every figure.
    pub hidden: BTreeSet<String>,
    /// Bounds of charts that were chosen, for all runs; charts without an entry show all data.
    pub ranges: BTreeMap<Kind, Range>,
    /// The unit of time.
    pub time: TimeAxis,
    /// Order of the classes in matrices and lists.
    #[serde(deserialize_with = "known_order")]
    pub order: Order,
    /// The split whose evaluations are shown; `None` for validation images, where there are some.
    pub split: Option<Split>,
    /// The quantity that the network map and the figure of layers by moments are coloured by.
    pub quantity: Quantity,
    /// The weights and the handling of conflicting gradients in the what-if figure.
    pub what_if: WhatIf,
    /// The part of every class × class matrix that is in sight; `None` for all of it.
    pub sight: Option<Sight>,
    /// The pairs marked in the scatter of conflict and confusion.
    pub brush: Option<Brush>,
    /// How the spread of the runs of a group is drawn.
    pub spread: Spread,
    /// Whether, of two runs side by side, the second one's conflict matrix is shown as difference from the first's.
    pub difference: bool,
    /// How batch norm is treated in the class gradients shown, in runs that have recorded it so.
    pub batch_norm: BatchNorm,
    /// Whether the conflict matrix of a run is shown as the difference between both ways of treating batch norm.
    pub through_batch_norm: bool,
}

/// Measure of the spread of the runs of a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Spread {
    /// From the least to the largest of the runs.
    #[default]
    Range,
    /// Mean ± standard deviation (n − 1).
    Sd,
}

/// Order of the classes in matrices and lists.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Order {
    /// As the data set lists them.
    #[default]
    Listed,
    /// By training images, the most frequent first.
    Frequency,
    /// By name.
    Name,
    /// Class names in an order that puts classes beside each other whose gradients agree: found once, and kept for all
    /// times and runs.
    Similarity(Vec<String>),
}

impl Order {
    /// Whether the order applies to these classes: an order by similarity may have been found for other classes.
    pub fn applies_to(&self, classes: &[String]) -> bool {
        let Self::Similarity(found) = self else {
            return true;
        };
        let [found, classes] = [found, classes].map(|names| {
            let mut names: Vec<&String> = names.iter().collect();
            names.sort_unstable();
            names
        });
        found == classes
    }
}

/// Reads an order; an order of another version that is not known becomes the order as listed.
fn known_order<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Order, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Read {
        Known(Order),
        Other(IgnoredAny),
    }
    Ok(match Read::deserialize(deserializer)? {
        Read::Known(order) => order,
        Read::Other(_) => Order::default(),
    })
}

/// The quantities that parts of the network can be coloured by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Quantity {
    /// Mean over class pairs of max(0, −cosine).
    #[default]
    Interference,
    /// Share of the resolved pairs that are in conflict.
    ConflictRate,
    /// Norm of the selected class's gradient.
    ClassNorm,
    /// Share of the squared gradient norms that belongs to the rarest third of the classes.
    TailShare,
    /// Geometric mean of the gradient norms of the frequent third of the classes, divided by that of the rarest third.
    HeadToTail,
    /// Interference over pairs of a class of the frequent third and one of the rarest.
    HeadAgainstTail,
    /// Interference over pairs of classes of the rarest third.
    TailAgainstTail,
    /// Interference over pairs of classes of the frequent third.
    HeadAgainstHead,
}

/// Other weights of the classes, or changed gradients where they conflict, in the what-if figure.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WhatIf {
    /// Weight of each class's loss, 1 as trained; empty for all 1.
    pub weights: Vec<f64>,
    /// What is done to conflicting gradients.
    pub surgery: Surgery,
}

/// What is done to conflicting class gradients before they are summed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Surgery {
    /// Nothing.
    #[default]
    None,
    /// Each gradient is projected away from those it conflicts with (Yu et al. 2020).
    PcGrad,
    /// The system of gradients is made orthogonal (Senushkin et al. 2023).
    AlignedMtl,
}

impl View {
    /// The view in which these runs are shown together: where it follows the newest moment, it stops at the last one
    /// that all of them have reached.
    pub fn together<'a>(&self, runs: impl IntoIterator<Item = &'a Run>) -> Self {
        Self {
            step: self.step.or_else(|| last_common_step(runs)),
            ..self.clone()
        }
    }
}

impl Default for View {
    fn default() -> Self {
        Self {
            scope: Scope::Backbone,
            step: None,
            pair: None,
            class: None,
            confused: None,
            hidden: BTreeSet::new(),
            ranges: BTreeMap::new(),
            time: TimeAxis::default(),
            order: Order::default(),
            split: None,
            quantity: Quantity::default(),
            what_if: WhatIf::default(),
            sight: None,
            brush: None,
            spread: Spread::default(),
            difference: false,
            batch_norm: BatchNorm::default(),
            through_batch_norm: false,
        }
    }
}

impl Quantity {
    /// Every quantity.
    pub const ALL: [Self; 8] = [
        Self::Interference,
        Self::ConflictRate,
        Self::ClassNorm,
        Self::TailShare,
        Self::HeadToTail,
        Self::HeadAgainstTail,
        Self::TailAgainstTail,
        Self::HeadAgainstHead,
    ];

    /// Name on screen.
    pub fn label(self) -> &'static str {
        match self {
            Self::Interference => "Interference",
            Self::ConflictRate => "Pairs in conflict",
            Self::ClassNorm => "Pull of the class",
            Self::TailShare => "Share of rare classes",
            Self::HeadToTail => "Pull of frequent to rare classes",
            Self::HeadAgainstTail => "Frequent against rare",
            Self::TailAgainstTail => "Rare against rare",
            Self::HeadAgainstHead => "Frequent against frequent",
        }
    }

    /// Explanation of the quantity, with its range.
    pub fn help(self) -> &'static str {
        match self {
            Self::Interference => "Mean over class pairs of max(0, −cosine), from 0 to 1",
            Self::ConflictRate => {
                "Of the class pairs whose product is told apart from 0, the share where it is negative, from 0 to 1"
            }
            Self::ClassNorm => {
                "Norm of the gradient of the selected class; of the rarest where none is selected. Logarithmic scale"
            }
            Self::TailShare => {
                "Share of the squared gradient norms of all classes that belongs to the rarest third of them, from 0 \
                 to 1"
            }
            Self::HeadToTail => {
                "Geometric mean of the gradient norms of the frequent third of the classes divided by that of the \
                 rarest third: above 1 the frequent ones pull harder. Logarithmic scale"
            }
            Self::HeadAgainstTail => {
                "Interference between frequent and rare classes: mean of max(0, −cosine) over the pairs of a class of \
                 the frequent third and one of the rarest third, from 0 to 1"
            }
            Self::TailAgainstTail => {
                "Interference among rare classes: mean of max(0, −cosine) over the pairs within the rarest third of \
                 the classes, from 0 to 1"
            }
            Self::HeadAgainstHead => {
                "Interference among frequent classes: mean of max(0, −cosine) over the pairs within the frequent third \
                 of the classes, from 0 to 1"
            }
        }
    }

    /// Whether the quantity is restricted to pairs of classes within or between the frequent and the rarest third.
    pub(in crate::figure) fn is_of_thirds(self) -> bool {
        matches!(
            self,
            Self::HeadAgainstTail | Self::TailAgainstTail | Self::HeadAgainstHead
        )
    }

    /// Whether the quantity has a logarithmic scale, whose ends then follow the data.
    pub(in crate::figure) fn is_logarithmic(self) -> bool {
        matches!(self, Self::ClassNorm | Self::HeadToTail)
    }
}
