//! Figures of one class: who helps and who hurts it, when, where, and what if classes were weighed differently.
//!
//! Imports look, kit, facts and parts, and no other page.

pub(in crate::figure) mod ledger;
pub(in crate::figure) mod ledger_depth;
pub(in crate::figure) mod ledger_time;
pub(in crate::figure) mod weights;
pub(in crate::figure) mod what_if;
