//! Class gradients as plain numbers: everything that is derived from their inner products.
//!
//! [`gram`] holds the products, norms and conflict of classes, [`ledger`] the effect of all classes on one, [`effect`] an
//! effect with its standard error, [`surgery`] directions without conflict, and [`order`] an order of classes. They import
//! nothing of the crate: class gradients are measured where the network is trained.

pub mod effect;
pub mod gram;
pub mod ledger;
pub mod order;
pub mod probe;
pub mod surgery;
