//! The numbers that figures show, from runs and their probe files.
//!
//! Imports [`look`](super::look), [`crate::run`], [`crate::gradient`], [`crate::compare`] and [`crate::random`], and
//! of the kit only `memo`, which keeps values between frames. Nothing is drawn here.

pub(in crate::figure) mod conflict;
pub(in crate::figure) mod gates;
pub(in crate::figure) mod groups;
pub(in crate::figure) mod ledger;
pub(in crate::figure) mod mistakes;
pub(in crate::figure) mod network;
pub(in crate::figure) mod order;
pub(in crate::figure) mod pair;
pub(in crate::figure) mod peaks;
pub(in crate::figure) mod probes;
pub(in crate::figure) mod quantity;
pub(in crate::figure) mod thirds;
pub(in crate::figure) mod unmeasured;
pub(in crate::figure) mod unread;
pub(in crate::figure) mod what_if;
