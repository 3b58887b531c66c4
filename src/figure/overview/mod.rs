//! Figures of the overview: scores, losses, how strongly classes pull, and which of them are held down.
//!
//! Imports look, kit, facts and parts, and no other page.

pub(in crate::figure) mod class_f1;
pub(in crate::figure) mod depth_profile;
pub(in crate::figure) mod grad_norms;
pub(in crate::figure) mod gradient_ratio;
pub(in crate::figure) mod loss;
mod norms;
pub(in crate::figure) mod scores;
