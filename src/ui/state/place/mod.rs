//! The place that the user looks at (a page, the runs on it, the part of the network, the moment and the selection),
//! and the places before it.

mod choice;
mod history;
mod looked_at;
pub(crate) mod moments;
mod page;

pub(crate) use choice::Choice;
pub(crate) use history::History;
pub(crate) use looked_at::Place;
pub use page::Page;
