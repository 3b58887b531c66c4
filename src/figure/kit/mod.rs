//! Means of plotting: charts, squares of cells, tables, colours, texts and numbers.
//!
//! Imports [`look`](super::look) and egui. It knows no gradient and no comparison: numbers come from the caller. Of a
//! run, `square` reads the names and the training images of the classes.

pub(in crate::figure) mod cell_keys;
pub(in crate::figure) mod chart;
pub(in crate::figure) mod memo;
pub(in crate::figure) mod numerals;
pub mod palette;
pub(in crate::figure) mod scale;
pub(in crate::figure) mod square;
pub mod style;
pub(in crate::figure) mod table;
pub(in crate::figure) mod text;
