//! Everything that can be done, by name: keys, and a list to search (Ctrl+K).
//!
//! May import `state`, `widgets` and the figures.

mod command;
mod keyboard;
mod keys;
mod list;
mod palette;
mod shortcuts;
#[cfg(test)]
mod tests;

pub(crate) use keyboard::{explanation_ui, keyboard_ui};
pub(crate) use keys::keys;
pub(crate) use palette::palette_ui;
