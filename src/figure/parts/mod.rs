//! Pieces that several figures are made of: bars, layers by moments, colours of a quantity, charts of a run.
//!
//! Imports [`look`](super::look), [`kit`](super::kit) and [`facts`](super::facts).

pub(in crate::figure) mod bars;
pub(in crate::figure) mod charts;
pub(in crate::figure) mod figure;
pub(in crate::figure) mod lanes;
pub(in crate::figure) mod quantity;
pub(in crate::figure) mod quantity_scale;
pub(in crate::figure) mod thirds;
pub(in crate::figure) mod unread;
