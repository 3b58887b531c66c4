//! Figures of the gates of branch attention.
//!
//! Imports look, kit, facts and parts, and no other page.

pub(in crate::figure) mod alike;
pub(in crate::figure) mod distance;
pub(in crate::figure) mod over_time;
pub(in crate::figure) mod strips;
