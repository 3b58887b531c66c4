//! Numbers derived from class gradients: products and conflict (`gram`),
//! what classes do to one (`ledger`), gradient surgery (`surgery`), an order of classes (`order`).

pub mod gram;
pub mod ledger;
pub mod order;
pub mod surgery;
