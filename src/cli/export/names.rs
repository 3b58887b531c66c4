//! The names by which the options of `export` call figures, formats, orders, quantities and units of time, and the help that
//! lists them.

use std::str::FromStr;

use crate::cli::output::Usage;
use crate::figure::export::Format;
use crate::figure::pages::PAGES;
use crate::figure::{Kind, Order, Quantity, TimeAxis};
use crate::run::event::Split;

/// The value called `name`, or a sentence with the names there are.
pub(super) fn named<T: Clone>(name: &str, values: &[(&str, T)]) -> Result<T, String> {
    let found = values.iter().find(|(known, _)| *known == name);
    found.map(|(_, value)| value.clone()).ok_or_else(|| {
        let names: Vec<_> = values.iter().map(|(known, _)| *known).collect();
        format!("there are {}", names.join(", "))
    })
}

/// The names in one line; the first is the default.
fn listed<T>(values: &[(&str, T)]) -> String {
    let names: Vec<_> = values.iter().map(|(name, _)| *name).collect();
    match names.split_first() {
        Some((first, others)) => format!("{first} (the default), {}", others.join(", ")),
        None => String::new(),
    }
}

/// What is written of a run.
#[derive(Clone, Copy, Debug)]
pub(super) enum Written {
    /// Figures in a format.
    Figures(Format),
    /// The run itself, for TensorBoard.
    TensorBoard,
}

impl FromStr for Written {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.eq_ignore_ascii_case("tensorboard") {
            return Ok(Self::TensorBoard);
        }
        let of_figures = text.parse().map(Self::Figures);
        of_figures.map_err(|error: String| format!("{error}, tensorboard"))
    }
}

/// The formats in which figures are written; `None` where the run itself is.
pub(super) fn of_figures(written: &[Written]) -> Result<Option<Vec<Format>>, Usage> {
    let mut formats = Vec::new();
    for one in written {
        match one {
            Written::Figures(format) => formats.push(*format),
            Written::TensorBoard if written.len() == 1 => return Ok(None),
            Written::TensorBoard => {
                let alone =
                    "tensorboard is written alone: it is the run, and the others are figures";
                return Err(Usage(alone.to_owned()));
            }
        }
    }
    Ok(Some(formats))
}

/// The help of `--figure`: every figure with its subtitle.
pub(super) fn figures_help() -> String {
    let width = Kind::ALL.iter().map(|kind| kind.name().len()).max();
    let width = width.unwrap_or(0);
    let line = |kind: &Kind| format!("\n  {:width$}  {}", kind.name(), kind.subtitle());
    let lines: String = Kind::ALL.iter().map(line).collect();
    format!("Which figure, or `all`. There are:{lines}")
}

pub(super) fn page_help() -> String {
    let names: Vec<_> = PAGES.iter().map(|(name, _)| *name).collect();
    format!("All figures of a page of the window: {}", names.join(", "))
}

pub(super) fn order_help() -> String {
    let names = listed(&ORDERS);
    format!("Order of classes: {names} (of the gradients in the layer at the step)")
}

pub(super) fn quantity_help() -> String {
    format!("What the network is coloured by: {}", listed(&quantities()))
}

pub(super) fn time_help() -> String {
    format!("What time is measured in: {}", listed(&times()))
}

/// Orders of classes by name. The order by similarity is empty here; it is computed after the probe was read.
const ORDERS: [(&str, Order); 4] = [
    ("listed", Order::Listed),
    ("frequency", Order::Frequency),
    ("name", Order::Name),
    ("similarity", Order::Similarity(Vec::new())),
];

pub(super) fn parse_order(name: &str) -> Result<Order, String> {
    named(name, &ORDERS)
}

pub(super) fn parse_split(name: &str) -> Result<Split, String> {
    named(name, &[("validation", Split::Val), ("test", Split::Test)])
}

/// Quantities by name.
fn quantities() -> [(&'static str, Quantity); 8] {
    Quantity::ALL.map(|quantity| {
        let name = match quantity {
            Quantity::Interference => "interference",
            Quantity::ConflictRate => "conflict-rate",
            Quantity::ClassNorm => "class-norm",
            Quantity::TailShare => "tail-share",
            Quantity::HeadToTail => "head-to-tail",
            Quantity::HeadAgainstTail => "frequent-rare",
            Quantity::TailAgainstTail => "rare-rare",
            Quantity::HeadAgainstHead => "frequent-frequent",
        };
        (name, quantity)
    })
}

pub(super) fn parse_quantity(name: &str) -> Result<Quantity, String> {
    named(name, &quantities())
}

/// Time axes by name.
fn times() -> [(&'static str, TimeAxis); 4] {
    TimeAxis::ALL.map(|axis| {
        let name = match axis {
            TimeAxis::Epoch => "epoch",
            TimeAxis::Step => "step",
            TimeAxis::Images => "images",
            TimeAxis::WallTime => "wall-time",
        };
        (name, axis)
    })
}

pub(super) fn parse_time(name: &str) -> Result<TimeAxis, String> {
    named(name, &times())
}
