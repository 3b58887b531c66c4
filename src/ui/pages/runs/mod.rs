//! The page of runs: a table of all runs that are open or were found in folders, and the details of one run.
//!
//! May import `state`, `widgets` and the figures.

mod cells;
mod columns;
mod details;
mod lines;
mod open;
mod page;
mod row_actions;
mod table;
mod trash;
mod values;

pub(super) use open::Open;
pub(super) use page::runs_page_ui;
