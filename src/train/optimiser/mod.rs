//! Optimisers, which make new parameters of gradients.
//!
//! A further optimiser is one file that implements [`Optimiser`], and one line in [`of`], which chooses it. Its state goes
//! into checkpoints by itself.

mod choice;
mod rule;
mod sgd;

pub use choice::of;
pub use rule::Optimiser;
pub use sgd::Sgd;
