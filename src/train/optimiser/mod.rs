//! Optimisers, which make new parameters from gradients.
//!
//! A further optimiser is one file that implements [`Optimiser`], and one line in [`of`], which chooses it. Its state
//! goes into checkpoints by itself.

mod adam;
mod choice;
mod interface;
mod sgd;

pub use adam::Adam;
pub use choice::of;
pub use interface::Optimiser;
pub use sgd::Sgd;
