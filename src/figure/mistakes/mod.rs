//! Figures of mistakes: which classes are taken for which other class, and whether those are in conflict.
//!
//! Imports look, kit, facts and parts, and no other page.

pub(in crate::figure) mod class_scores;
pub(in crate::figure) mod confusion;
pub(in crate::figure) mod confusion_difference;
pub(in crate::figure) mod scatter;
