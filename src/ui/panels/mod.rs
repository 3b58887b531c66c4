//! What stands around the page.
//!
//! A panel takes the state, or what it shows of it, and says what was asked for as actions. Of the state it changes
//! nothing but what is typed into it. May import `state`, `widgets` and the figures.

pub(crate) mod open_runs;
pub(crate) mod queue;
pub(crate) mod setup;
pub(crate) mod time;
pub(crate) mod top_bar;
pub(crate) mod training;
