//! Names, places and numbers in the form in which the sentences of findings state them.

use crate::run::event::Started;
use crate::run::{Run, Scope};
use crate::text::without_zero;

/// Name of class `k`.
pub(super) fn class(started: &Started, k: usize) -> &str {
    started.classes.get(k).map_or("?", String::as_str)
}

/// A part of the network with its preposition: `in branch2.conv1`, `in the backbone`.
pub(super) fn in_scope(scope: &Scope) -> String {
    match scope {
        Scope::Layer(name) | Scope::Group(name) => format!("in {name}"),
        Scope::Backbone | Scope::Network => format!("in the {}", scope.name()),
    }
}

/// An epoch with at most one decimal: `12`, `4.8`.
pub(super) fn epoch(epoch: f64) -> String {
    without_zero(&format!("{epoch:.1}")).to_owned()
}

/// What the numbers of [`epoch`] count in a run: epochs, or steps where it does not know how many an epoch has.
pub(super) fn unit(run: &Run) -> &'static str {
    if run.has_epochs() { "epoch" } else { "step" }
}

/// A moment of a run in words: `epoch 4.8`, or `step 480`.
pub(super) fn moment(run: &Run, at: f64) -> String {
    format!("{} {}", unit(run), epoch(at))
}

/// A number rounded to the second significant digit of its error: `0.0124`. Where that digit is beyond the sixth
/// decimal, the number is written in powers of ten: `1.2e-7`.
pub(super) fn rounded(value: f64, error: f64) -> String {
    if value == 0.0 && error == 0.0 {
        return "0".to_owned();
    }
    let digits = 1.0 - error.abs().log10().floor();
    if !digits.is_finite() || digits > 6.0 {
        return format!("{value:.1e}");
    }
    format!("{value:.*}", digits.max(0.0) as usize)
}

/// Names in a list; where there are more than three, the first three: `a, b and c`, `a, b, c and 4 more`.
pub(super) fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [a, b] => format!("{a} and {b}"),
        [a, b, c] => format!("{a}, {b} and {c}"),
        [a, b, c, rest @ ..] => format!("{a}, {b}, {c} and {} more", rest.len()),
    }
}
