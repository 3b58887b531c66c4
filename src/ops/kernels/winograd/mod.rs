//! Convolutions with 3×3 taps by Winograd's minimal filtering (Lavin & Gray, arXiv 1509.09308): with fewer
//! multiplications than there are products of a tap and a value.
//!
//! A tile of N×N inputs gives M×M outputs, N = M + 2, with N² multiplications instead of 9·M²:
//! Y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A. The input's gradient is the same form with the kernel flipped. The weight's gradient is
//! Gᵀ[(A y Aᵀ) ⊙ (Bᵀ d B)]G, summed over tiles of inputs d and of gradients y. Over all channels the N² multiplications
//! become N² products of matrices. A group of tiles is transformed, multiplied and transformed back while it lies in the
//! caches.
//!
//! A dilated convolution is one of dilation 1 on every sub-lattice of pixels, so its tiles lie on those.

mod filter;
mod forward;
mod input;
mod tiles;
mod weight_grad;
mod weights;

pub(in crate::ops) use forward::convolve;
pub use tiles::Tile;
pub(in crate::ops) use tiles::{Tiles, scratch_len};
pub(in crate::ops) use weight_grad::accumulate;
pub(in crate::ops) use weights::{transformed, with_taps};
