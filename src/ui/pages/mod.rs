//! The pages of the centre.
//!
//! A page takes the state, or the parts of it that it shows, and pushes the actions that the user asks for. Of the
//! state it changes nothing but its own part: the text that is typed into it, its open lists, and its textures. May
//! import `state`, `widgets`, `panels` and the figures.

mod centre;
mod columns;
mod compare;
mod data;
mod layout;
mod mistakes;
mod overview;
mod runs;

pub(super) use centre::centre_ui;
