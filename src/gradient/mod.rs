//! Quantities derived from the inner products of class gradients, as plain numbers. Imports nothing of the crate.
//!
//! [`gram`] holds the inner products, norms and conflicts of classes, [`ledger`] the effect of all classes on one
//! class, [`standard_error`] an effect with its standard error, [`surgery`] directions without conflict, and [`order`]
//! an order of classes. Class gradients themselves are measured in [`crate::train::probe`], where tensors are allowed.

pub mod gram;
pub mod ledger;
pub mod order;
pub mod standard_error;
pub mod surgery;
