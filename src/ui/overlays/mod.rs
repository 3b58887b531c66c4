//! What lies over the page: dialogs, the list of commands, and the notice.
//!
//! May import `state`, `widgets` and the figures.

pub(crate) mod commands;
pub(crate) mod export_dialog;
pub(crate) mod notice;
