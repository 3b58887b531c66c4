//! Layers from top to bottom, moments from left to right: the parts that all figures of layers by moments share.

mod cells;
mod layout;

pub(in crate::figure) use cells::{Cells, cells_ui};
pub(in crate::figure) use layout::header;
