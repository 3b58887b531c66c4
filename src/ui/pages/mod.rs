//! The pages of the centre.
//!
//! A page takes the state, or what it shows of it, and says what was asked for as actions. Of the state it changes
//! nothing but what the page itself remembers: what is typed into it, what is open in it, and its textures. May import
//! `state`, `widgets`, `panels` and the figures.

mod centre;
mod columns;
mod compare;
mod data;
mod layout;
mod mistakes;
mod overview;
mod runs;

pub(super) use centre::centre_ui;
