//! What several runs that are shown together have in common: the way of treating batch norm, and the moment.

mod batch_norm;
mod moments;

pub use batch_norm::{Agreement, common_batch_norm};
pub use moments::{COMPARABLE_EPOCHS, Moment, comparable, last_common_step};
