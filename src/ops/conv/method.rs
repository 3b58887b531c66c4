//! Which of several ways a convolution is computed: directly, or by Winograd's minimal filtering.

use crate::ops::kernels::winograd::Tile;

/// How a convolution with 3×3 taps is computed on the CPU. Other devices and other kernels are always direct.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// Whatever takes less time by a count of operations: the shape and the instruction set decide, so that the same
    /// machine gives the same bits.
    #[default]
    ByShape,
    /// Every tap times every value, as the definition says.
    Direct,
    /// By Winograd's minimal filtering (Lavin & Gray, arXiv 1509.09308) with tiles of this size, whatever the shape.
    Winograd(Tile),
}
