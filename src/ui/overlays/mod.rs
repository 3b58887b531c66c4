//! Everything that is drawn over the page: dialogs, the list of commands, and the notice.
//!
//! May import `state`, `widgets` and the figures.

pub(crate) mod commands;
mod export_dialog;
mod hovering;
mod notice;

pub(crate) use export_dialog::export_ui;
pub(crate) use hovering::hovering_ui;
pub(crate) use notice::notice_ui;
