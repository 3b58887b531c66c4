//! A convolution with what follows it: batch norm, ReLU, 2×2 max-pool, each if asked for.
//!
//! They are one operation to save memory, which costs most of the time: on the CPU only the convolution's own output is
//! kept. The norm's statistics are taken while an image's output is still in the cache. The reader of the result
//! applies norm and ReLU while it copies an image into its scratch memory. In the backward pass the gradient passes
//! through pool, ReLU and norm on its way into scratch memory, where both convolutions of the backward pass find it.
//!
//! ```text
//! layer            settings of a convolution and of what follows it, and its results
//! conv2d           checks shapes and chooses the implementation:
//!   fused            on the CPU: the forward pass, with shape, affine, input, path (direct or Winograd, by rule), backward (with norm_grad, loops)
//!   portable         on other devices: candle operations
//! ```
//! May import cpu, data, gate, kernels, norm_sums, pending_norm, pool, profile and tape of `ops`.

mod affine;
mod backward;
mod conv2d;
mod fused;
mod input;
mod layer;
mod loops;
mod method;
mod norm_grad;
mod path;
mod portable;
mod rule;
mod shape;

pub use conv2d::{conv2d, join_conv2d};
pub(super) use layer::EPS;
pub use layer::{BatchStats, Conv, Joined, Norm, Stats};
pub use method::Method;
pub use portable::COLUMN_VALUES;
pub(super) use portable::{max_pool, open};
