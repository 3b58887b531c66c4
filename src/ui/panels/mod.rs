//! The panels around the page.
//!
//! A panel takes the state, or the parts of it that the panel shows, and pushes the actions that the user asks for. It
//! changes nothing in the state but the text that is typed into it. May import `state`, `widgets` and the figures.

mod fork;
mod open_runs;
mod progress;
mod queue;
pub(crate) mod selection_bar;
mod setup;
mod setup_more;
mod time;
mod top_bar;
mod training;

pub(crate) use fork::fork_ui;
pub(crate) use open_runs::open_runs_ui;
pub(crate) use progress::progress_ui;
pub(crate) use setup::setup_ui;
pub(crate) use time::time_ui;
pub(crate) use top_bar::top_bar_ui;
pub(crate) use training::training_ui;
