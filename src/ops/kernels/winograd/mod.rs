//! Convolutions with 3×3 taps by Winograd's minimal filtering (Lavin & Gray, arXiv 1509.09308): with fewer
//! multiplications than there are products of a tap and a value.
//!
//! Forward pass and input gradient use F(2×2, 3×3): a tile of 4×4 inputs gives 2×2 outputs with 16 multiplications
//! instead of 36, Y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A. The weight gradient uses F(3×3, 2×2): the same tiles of inputs and
//! tiles of 2×2 gradients give 3×3 taps. Over all channels the 16 multiplications become 16 products of matrices.
//! A group of tiles is transformed, multiplied and transformed back while it lies in the caches.
//!
//! A dilated convolution is one of dilation 1 on every sub-lattice of pixels, so its tiles lie on those.

mod forward;
mod input;
mod tiles;
mod weight_grad;
mod weights;

pub(in crate::ops) use forward::convolve;
pub(in crate::ops) use tiles::{Tiles, scratch_len};
pub(in crate::ops) use weight_grad::accumulate;

/// Multiplications of a tile: the matrices that a group of tiles is turned into.
pub(in crate::ops) const MATRICES: usize = 16;
