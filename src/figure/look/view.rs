//! The view: what is selected and how it is shown, shared by all figures and all runs on screen.

use std::borrow::Cow;
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
    /// Names of the classes that the view's classes are counted in; empty where they are counted in those of any run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<String>,
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
    /// Whether layers by moments show the cosine of the selected pair, not that quantity.
    pub one_pair: bool,
    /// Whether the colours of that quantity end at its greatest value in the backbone of the runs shown (`true`), or at a
    /// value that is the same for all runs.
    pub fit: bool,
    /// The weights and the handling of conflicting gradients in the what-if figure.
    pub what_if: WhatIf,
    /// The part of every class × class matrix that is in sight; `None` for all of it.
    pub sight: Option<Sight>,
    /// The pairs marked in the scatter of conflict and confusion.
    pub brush: Option<Brush>,
    /// How the spread of the runs of a group is drawn.
    pub spread: Spread,
    /// Whether, of two runs side by side, the second one's conflict and confusion matrices are shown as differences from the
    /// first's.
    pub difference: bool,
    /// Whether, of two runs, the charts of the first have the curves of both, and its network map the colours of both.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub overlaid: bool,
    /// How batch norm is treated in the class gradients shown, in runs that have recorded it so.
    pub batch_norm: BatchNorm,
    /// Whether the conflict matrix of a run is shown as the difference between both ways of treating batch norm.
    pub through_batch_norm: bool,
}

/// The pairs of classes whose conflict is shown by layer and moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pairs {
    /// Of a class of the frequent third and one of the rarest.
    RareFrequent,
    /// All.
    All,
    /// The selected one.
    One,
}

impl Pairs {
    /// Every choice.
    pub const ALL: [Self; 3] = [Self::RareFrequent, Self::All, Self::One];

    /// Name on screen.
    pub fn label(self) -> &'static str {
        match self {
            Self::RareFrequent => "rare × frequent",
            Self::All => "all",
            Self::One => "one",
        }
    }

    /// Explanation of the choice.
    pub fn help(self) -> &'static str {
        match self {
            Self::RareFrequent => {
                "Interference over the pairs of a class of the frequent third and one of the rarest third"
            }
            Self::All => "Interference over all pairs of classes",
            Self::One => "Cosine of the selected pair of classes",
        }
    }
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

/// The place of class `k` of `from` among the classes `to`, by name; `None` where there is no class of that name.
pub(in crate::figure) fn place_in(from: &[String], to: &[String], k: usize) -> Option<usize> {
    let name = from.get(k)?;
    to.iter().position(|other| other == name)
}

impl View {
    /// The view with its classes counted in those of a run, by name: a selection of a class that the run does not have is
    /// dropped, and so are places in its matrices. An empty list stands for a run whose classes are not known yet.
    pub fn in_classes(&self, names: &[String]) -> Cow<'_, Self> {
        if names.is_empty() || self.classes == names {
            return Cow::Borrowed(self);
        }
        if self.classes.is_empty() {
            return Cow::Owned(Self {
                classes: names.to_vec(),
                ..self.clone()
            });
        }
        let class = |k: usize| place_in(&self.classes, names, k);
        let pair = |(a, b)| Some((class(a)?, class(b)?));
        let weights: Option<Vec<f64>> = names
            .iter()
            .map(|name| {
                let k = self.classes.iter().position(|other| other == name)?;
                self.what_if.weights.get(k).copied()
            })
            .collect();
        Cow::Owned(Self {
            classes: names.to_vec(),
            pair: self.pair.and_then(pair),
            class: self.class.and_then(class),
            confused: self.confused.and_then(pair),
            what_if: WhatIf {
                weights: weights.unwrap_or_default(),
                ..self.what_if.clone()
            },
            sight: None,
            brush: None,
            ..self.clone()
        })
    }

    /// The view in which these runs are shown together: in steps, where one of them does not know the chosen unit of time.
    pub(in crate::figure) fn timed_for<'a>(
        &self,
        runs: impl IntoIterator<Item = &'a Run>,
    ) -> Cow<'_, Self> {
        let mut runs = runs.into_iter();
        if runs.all(|run| self.time.known_to(run) == self.time) {
            return Cow::Borrowed(self);
        }
        Cow::Owned(Self {
            time: TimeAxis::Step,
            ..self.clone()
        })
    }

    /// The pairs of classes whose conflict layers by moments show; `None` where they show another quantity.
    pub fn pairs(&self) -> Option<Pairs> {
        match self.quantity {
            _ if self.one_pair => Some(Pairs::One),
            Quantity::HeadAgainstTail => Some(Pairs::RareFrequent),
            Quantity::Interference => Some(Pairs::All),
            Quantity::ConflictRate
            | Quantity::ClassNorm
            | Quantity::TailShare
            | Quantity::HeadToTail
            | Quantity::TailAgainstTail
            | Quantity::HeadAgainstHead => None,
        }
    }

    /// Shows the conflict of these pairs of classes by layer and moment. One pair alone leaves the colours of the network
    /// map as they are.
    pub fn show_pairs(&mut self, pairs: Pairs) {
        self.one_pair = pairs == Pairs::One;
        match pairs {
            Pairs::RareFrequent => self.quantity = Quantity::HeadAgainstTail,
            Pairs::All => self.quantity = Quantity::Interference,
            Pairs::One => {}
        }
    }

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
            classes: Vec::new(),
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
            one_pair: false,
            fit: true,
            what_if: WhatIf::default(),
            sight: None,
            brush: None,
            spread: Spread::default(),
            difference: false,
            overlaid: false,
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
                "Of the class pairs whose product is significant (3 SE), the share where it is negative, from 0 to 1"
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::look::pick::Pick;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    /// A selection follows the names of its classes into another run, and what that run does not have is dropped.
    #[test]
    fn classes_are_carried_by_name() {
        let view = View {
            classes: names(&["bird", "cat", "dog"]),
            pair: Some((0, 2)),
            class: Some(1),
            confused: Some((2, 1)),
            sight: Some(Sight::all(2)),
            what_if: WhatIf {
                weights: vec![1.0, 2.0, 3.0],
                surgery: Surgery::PcGrad,
            },
            ..View::default()
        };
        let other = names(&["dog", "bird", "cat"]);
        let moved = view.in_classes(&other);
        assert_eq!((moved.pair, moved.class), (Some((1, 0)), Some(2)));
        assert_eq!((moved.confused, moved.sight), (Some((0, 2)), None));
        assert_eq!(moved.what_if.weights, [3.0, 1.0, 2.0]);
        assert_eq!(moved.what_if.surgery, Surgery::PcGrad);
        assert_eq!(moved.classes, other);

        let others = names(&["ship", "cat", "bird"]);
        let moved = view.in_classes(&others);
        assert_eq!((moved.pair, moved.class), (None, Some(1)));
        assert_eq!((moved.confused, moved.what_if.weights.len()), (None, 0));
        assert!(matches!(view.in_classes(&view.classes), Cow::Borrowed(_)));
        assert!(matches!(view.in_classes(&[]), Cow::Borrowed(_)));
        // A view that names no classes is taken to count in those of the run.
        let unnamed = View {
            classes: Vec::new(),
            ..view.clone()
        };
        assert_eq!(unnamed.in_classes(&others).pair, Some((0, 2)));
    }

    #[test]
    fn clicks_are_counted_in_the_classes_of_the_view() {
        let (own, view) = (names(&["dog", "bird"]), names(&["bird", "cat", "dog"]));
        let moved = |pick: Pick| pick.in_classes(&own, &view);
        assert_eq!(moved(Pick::Class(0)), Some(Pick::Class(2)));
        assert_eq!(moved(Pick::Pair(0, 1)), Some(Pick::Pair(2, 0)));
        assert_eq!(moved(Pick::Step(4)), Some(Pick::Step(4)));
        assert_eq!(Pick::Class(1).in_classes(&view, &own), None);
        assert_eq!(Pick::Class(1).in_classes(&own, &[]), Some(Pick::Class(1)));
    }

    /// One axis has one unit of time: steps, where a run does not know its epochs.
    #[test]
    fn runs_are_shown_in_a_unit_that_all_of_them_know() {
        let known = Run::default();
        let mut unknown = crate::figure::testing::recorded("solar-none").unwrap().run;
        unknown.started.as_mut().unwrap().steps_per_epoch = 0;
        let view = View::default();
        assert_eq!(view.timed_for([&known]).time, TimeAxis::Epoch);
        assert_eq!(view.timed_for([&known, &unknown]).time, TimeAxis::Step);
    }
}
