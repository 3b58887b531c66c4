//! Convolution on the CPU, generic over the width of the SIMD registers, on images with their channels contiguous.
//!
//! A kernel works on one image at a time, which lies in scratch memory with a border of zeros: so every tap of every
//! pixel is a slice at a fixed distance, and no tap needs a check. Weights are packed into panels of one or two
//! registers of output channels (`Panels`). All of it is safe code: slices are cut to their exact length outside the
//! inner loops, where the compiler then needs no checks. Imports nothing of the crate but memory.

mod direct;
mod panels;
mod planes;
mod pool;
mod simd;
mod weight_grad;
pub(super) mod winograd;

pub(super) use direct::convolve;
pub(super) use panels::{Panels, WeightGrad};
pub(super) use planes::{Plane, Window};
pub(super) use pool::{Rows, max_pool, max_pool_grad};
#[cfg(test)]
pub(super) use simd::{FORCED, archs};
pub(super) use simd::{arch, lanes, vectorised};
pub(super) use weight_grad::accumulate;
