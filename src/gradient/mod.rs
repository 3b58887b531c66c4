//! Class gradients as plain numbers: everything that is derived from their inner products. Imports nothing of the crate.
//!
//! [`gram`] holds the products, norms and conflict of classes, [`ledger`] the effect of all classes on one, [`effect`] an
//! effect with its standard error, [`surgery`] directions without conflict, and [`order`] an order of classes. Class
//! gradients themselves are measured in [`crate::train::probe`], where tensors are allowed.

pub mod gram;
pub mod ledger;
pub mod order;
pub mod standard_error;
pub mod surgery;
