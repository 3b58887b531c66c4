//! Every action that is possible, by name: keys, and a list to search (Ctrl+K).
//!
//! May import `state`, `widgets` and the figures.

mod command;
mod help_windows;
mod key_presses;
mod list;
mod palette;
mod shortcuts;
#[cfg(test)]
mod tests;

pub(crate) use help_windows::{explanation_ui, keyboard_ui};
pub(crate) use key_presses::keys;
pub(crate) use palette::palette_ui;
