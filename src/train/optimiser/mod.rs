//! Optimisers, which make new parameters from gradients.
//!
//! A further optimiser is one file that implements [`Optimiser`], and one line in [`of`], which chooses it. Its state
//! goes into checkpoints by itself.

mod choice;
mod interface;
mod sgd;

pub use choice::of;
pub use interface::Optimiser;
pub use sgd::Sgd;
