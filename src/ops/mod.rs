//! The operations that networks are made of, each with its own gradient. Activations are [N, H, W, C] throughout.
//!
//! Each operation is one function with two implementations. On the CPU, kernels of our own run on all threads; sums are
//! taken in a fixed order, so that the same number of threads gives the same bits. On other devices an operation uses
//! those operations of candle that are right there. Tests compare both implementations with each other, with PyTorch
//! and with finite differences.
//!
//! ```text
//! kernels   SIMD loops over one image               cpu       tensors, scratch memory and threads on the CPU
//! data      values, and memory that is used again   pending_norm   a norm and a ReLU left for the reader
//!                                                   norm_sums      sums for a norm, taken by the reader
//! tape      the record of a pass, and how gradients go back through it
//! conv      convolution with what it joins and what follows it: fused (CPU), portable (other devices)
//! gate      channel attention                       group_norm     norm by image, with ReLU and pool
//! pool, dense, loss   the other operations of a network
//! step      the optimiser's step                    products            Gram matrices
//! profile   where the time of a pass goes
//! ```
//! Imports nothing else of the crate.

mod conv;
mod cpu;
mod data;
mod dense;
mod gate;
mod group_norm;
mod kernels;
mod loss;
mod memory;
mod norm_sums;
mod pending_norm;
mod pool;
mod products;
pub mod profile;
mod step;
mod tape;

pub use conv::{BatchStats, COLUMN_VALUES, Conv, Joined, Method, Norm, Stats, conv2d, join_conv2d};
pub use cpu::{pieces, pieces_of};
pub use dense::{class_attention, cosine, linear, sum};
pub use gate::{Gate, constant_gate};
pub use group_norm::{GroupNorm, group_norm};
pub use kernels::winograd::Tile;
pub use loss::{Criterion, Mean, Part, Pulls, image_losses, loss, loss_and_pulls};
pub use pool::mean_pool;
pub use products::products;
pub use step::{AdamStep, AdamStepped, adam_step, sgd_step};
pub use tape::{Record, Tape, Var};

/// Runs `work` on the path of other devices, with CPU tensors, so that it is tested without one.
#[cfg(test)]
pub(crate) fn on_portable_path<T>(work: impl FnOnce() -> T) -> T {
    struct Back(bool);
    impl Drop for Back {
        fn drop(&mut self) {
            cpu::PORTABLE.set(self.0);
        }
    }
    let _back = Back(cpu::PORTABLE.replace(true));
    work()
}

#[cfg(test)]
mod tests;
