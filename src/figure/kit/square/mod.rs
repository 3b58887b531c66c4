//! A square of class × class cells with names beside it: what the conflict matrix, its difference between two runs and
//! the confusion matrix share.

mod cells;
mod grid;
mod show;
mod touch;

pub(in crate::figure) use cells::{Cells, Look, Number, diagonal};
pub(in crate::figure) use grid::Grid;
