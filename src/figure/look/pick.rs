//! What a click in a figure selects.

use crate::figure::look::kind::Kind;
use crate::figure::look::marks::{Brush, Range};
use crate::figure::look::sight::Sight;
use crate::figure::look::view::{Order, Pairs, Quantity, Spread, WhatIf, place_in};
use crate::run::event::Split;
use crate::run::{BatchNorm, Scope};

/// What a click in a figure selects.
#[derive(Clone, Debug, PartialEq)]
pub enum Pick {
    /// A pair of classes.
    Pair(usize, usize),
    /// A pair of classes in a part of the network.
    PairIn(usize, usize, Scope),
    /// A part of the network.
    Scope(Scope),
    /// A moment.
    Step(u64),
    /// A curve, by name, to be switched off or on.
    Curve(String),
    /// Curves, by name, all to be switched on.
    Curves(Vec<String>),
    /// The bounds of all charts of a kind; `None` shows all data.
    Range(Kind, Option<Range>),
    /// A class.
    Class(usize),
    /// A layer at a moment.
    ScopeAt(Scope, u64),
    /// A cell of the confusion matrix: true class, predicted class.
    Confused(usize, usize),
    /// An order of classes.
    Order(Order),
    /// The quantity that parts of the network are coloured by.
    Quantity(Quantity),
    /// The pairs of classes whose conflict is shown by layer and moment.
    Pairs(Pairs),
    /// Whether the colours of that quantity end at its greatest value in the backbone of the runs shown.
    Fit(bool),
    /// Other weights, or other handling of conflicting gradients, in the what-if figure.
    WhatIf(WhatIf),
    /// The part of the matrices that is in sight; `None` for all of it.
    Sight(Option<Sight>),
    /// The rectangle that marks pairs in the scatter; `None` removes it.
    Brush(Option<Brush>),
    /// Whether the second of two runs shows the difference from the first run's conflict matrix.
    Difference(bool),
    /// How batch norm is treated in the class gradients shown.
    BatchNorm(BatchNorm),
    /// Whether the conflict matrix of a run is shown as the difference between both ways of treating batch norm.
    ThroughBatchNorm(bool),
    /// The split whose evaluations are shown.
    Split(Option<Split>),
    /// How the spread of a group of runs is drawn.
    Spread(Spread),
}

impl Pick {
    /// The pick with its classes counted in `to` in place of `from`, by name; `None` where `to` has no class of that name.
    pub(in crate::figure) fn in_classes(self, from: &[String], to: &[String]) -> Option<Self> {
        if to.is_empty() || from == to {
            return Some(self);
        }
        let class = |k: usize| place_in(from, to, k);
        match self {
            Self::Pair(a, b) => Some(Self::Pair(class(a)?, class(b)?)),
            Self::PairIn(a, b, scope) => Some(Self::PairIn(class(a)?, class(b)?, scope)),
            Self::Class(k) => Some(Self::Class(class(k)?)),
            Self::Confused(a, b) => Some(Self::Confused(class(a)?, class(b)?)),
            // Weights, and places in a matrix, are of the classes of one run alone.
            Self::WhatIf(_) | Self::Sight(Some(_)) | Self::Brush(Some(_)) => None,
            Self::Scope(_)
            | Self::Step(_)
            | Self::Curve(_)
            | Self::Curves(_)
            | Self::Range(..)
            | Self::ScopeAt(..)
            | Self::Order(_)
            | Self::Quantity(_)
            | Self::Pairs(_)
            | Self::Fit(_)
            | Self::Sight(None)
            | Self::Brush(None)
            | Self::Difference(_)
            | Self::BatchNorm(_)
            | Self::ThroughBatchNorm(_)
            | Self::Split(_)
            | Self::Spread(_) => Some(self),
        }
    }

    /// A layer, by name.
    pub(in crate::figure) fn layer(name: &str) -> Self {
        Self::Scope(Scope::Layer(name.to_owned()))
    }
}
