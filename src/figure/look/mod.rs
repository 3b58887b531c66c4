//! The subject of figures: which figures there are, the run that one is drawn from, what is selected, and what a click
//! picks.
//!
//! Imports [`crate::run`] and the hash of `crate::text`, and of egui only plain numbers: nothing is drawn here.

pub(in crate::figure) mod clock;
pub(in crate::figure) mod kind;
pub(in crate::figure) mod layout;
pub(in crate::figure) mod marks;
pub(in crate::figure) mod pages;
pub(in crate::figure) mod pick;
pub(in crate::figure) mod sight;
pub(in crate::figure) mod subject;
pub(in crate::figure) mod view;
