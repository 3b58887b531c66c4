//! Figures of how classes pull against each other: in the network, over time, and pair by pair.
//!
//! Imports look, kit, facts and parts, and no other page.

pub(in crate::figure) mod batch_norm_difference;
mod changes;
pub(in crate::figure) mod conflict_time;
pub(in crate::figure) mod depth_time;
pub(in crate::figure) mod depth_time_difference;
pub(in crate::figure) mod layer;
pub(in crate::figure) mod matrix;
pub(in crate::figure) mod matrix_difference;
pub(in crate::figure) mod network;
mod network_map;
pub(in crate::figure) mod pair;
pub(in crate::figure) mod pair_depth;
pub(in crate::figure) mod peaks;
pub(in crate::figure) mod rare_conflicts;
pub(in crate::figure) mod thirds_time;
