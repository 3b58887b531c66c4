//! A square of class × class cells with names beside it, shared by all figures of that form, such as the conflict
//! matrix and the confusion matrix.

mod cells;
mod grid;
mod show;
mod touch;

pub(in crate::figure) use cells::{Cells, Look, Number, diagonal};
pub(in crate::figure) use grid::Grid;
pub(in crate::figure) use show::low;
