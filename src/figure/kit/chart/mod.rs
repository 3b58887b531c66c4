//! A chart of curves: its data, its scales, its drawing, and its answers to the pointer. It knows no run: curves come
//! as numbers.

mod axes;
mod crowd;
mod data;
mod draw;
mod header;
mod pointer;
mod scales;
mod thin;

pub(in crate::figure) use axes::{nice_marks, plain_number, signed_log};
pub(in crate::figure) use data::{Axis, Band, Chart, Curve, Gap, Look};
pub(in crate::figure) use draw::{Place, chart_ui, part_ui};
pub use scales::Scales;

#[cfg(test)]
mod tests;
