//! Class gradients: how they are measured (`probe`) and everything derived from them (`gram`).

pub mod gram;
pub mod probe;
