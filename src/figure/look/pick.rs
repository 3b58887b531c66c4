//! What a click in a figure selects.

use crate::figure::look::kind::Kind;
use crate::figure::look::marks::{Brush, Range};
use crate::figure::look::sight::Sight;
use crate::figure::look::view::{Order, Quantity, Spread, WhatIf};
use crate::run::Scope;
use crate::run::event::Split;

/// What a click in a figure selects.
#[derive(Clone, Debug, PartialEq)]
pub enum Pick {
    /// A pair of classes.
    Pair(usize, usize),
    /// A part of the network.
    Scope(Scope),
    /// A moment.
    Step(u64),
    /// A curve, by name, to be switched off or on.
    Curve(String),
    /// Curves, by name, to be switched on.
    Curves(Vec<String>),
    /// The bounds of all charts of a kind; none for all there is.
    Range(Kind, Option<Range>),
    /// A class.
    Class(usize),
    /// A layer at a moment.
    ScopeAt(Scope, u64),
    /// A cell of the confusion matrix: true class, predicted class.
    Confused(usize, usize),
    /// An order of classes.
    Order(Order),
    /// What parts of the network are coloured by.
    Quantity(Quantity),
    /// Other weights.
    WhatIf(WhatIf),
    /// The part of the matrices that is in sight.
    Sight(Option<Sight>),
    /// The pairs marked in the scatter.
    Brush(Option<Brush>),
    /// Whether the second matrix is shown as difference.
    Difference(bool),
    /// Which images evaluations are of.
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
