//! What a click in a figure selects.

use crate::figure::look::kind::Kind;
use crate::figure::look::marks::{Brush, Range};
use crate::figure::look::sight::Sight;
use crate::figure::look::view::{Order, Quantity, Spread, WhatIf};
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
    /// A layer, by name.
    pub(in crate::figure) fn layer(name: &str) -> Self {
        Self::Scope(Scope::Layer(name.to_owned()))
    }
}
