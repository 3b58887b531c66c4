//! The pages, one of which is shown in the centre of the window.
//!
//! A page takes the state, or the parts of it that the page shows, and pushes the actions that the user asks for. It
//! changes only its own part of the state: the text that is typed into it, its open lists, and its textures. May import
//! `state`, `widgets`, `panels` and the figures.

mod centre;
mod columns;
mod compare;
mod data;
mod first_run;
mod lacking;
mod merits;
mod mistakes;
mod overview;
mod runs;

pub(super) use centre::centre_ui;
