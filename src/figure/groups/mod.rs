//! Figures that compare groups of runs which differ in nothing but the seed.
//!
//! Imports look, kit, facts and parts, and no other page.

pub(in crate::figure) mod class_difference;
pub(in crate::figure) mod conflict;
mod curves;
mod differences;
pub(in crate::figure) mod layer_difference;
pub(in crate::figure) mod measures;
pub(in crate::figure) mod pair_difference;
pub(in crate::figure) mod scores;
