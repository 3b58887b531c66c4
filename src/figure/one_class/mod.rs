//! Figures of one class: the classes that help and hurt it, over time and by layer, what is predicted beside
//! what is measured, and a step under other class weights.
//!
//! Imports look, kit, facts and parts, and no other page.

pub(in crate::figure) mod ledger;
pub(in crate::figure) mod ledger_depth;
pub(in crate::figure) mod ledger_time;
pub(in crate::figure) mod verified;
pub(in crate::figure) mod weights;
pub(in crate::figure) mod what_if;
