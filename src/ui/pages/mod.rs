//! The pages of the centre.
//!
//! A page takes the state, or what it shows of it, and says what was asked for as actions. Of the state it changes
//! nothing but what is typed into it and what it has drawn. May import `state`, `widgets`, `panels` and the figures.

pub(crate) mod columns;
pub(crate) mod compare;
pub(crate) mod data;
pub(crate) mod mistakes;
pub(crate) mod overview;
pub(crate) mod runs;
