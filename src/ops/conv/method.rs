//! Which of two ways a convolution is computed: directly, or by Winograd's minimal filtering.

use super::shape::Shape;

/// How a convolution with 3×3 taps is computed on the CPU. Other devices and other kernels are always direct.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// Whatever takes less time by a count of operations: the shape and the instruction set decide, so that the same
    /// machine gives the same bits.
    #[default]
    ByShape,
    /// Every tap times every value, as the definition says.
    Direct,
    /// By Winograd's minimal filtering (Lavin & Gray, arXiv 1509.09308), whatever the shape.
    Winograd,
}

/// Time that the transform of one register of a tile takes, in multiplications of registers: measured.
const TRANSFORM: usize = 140;
/// Time that goes to each tile whatever its channels, in the same unit.
const TILE: usize = 100;

impl Method {
    /// Whether a convolution from `inputs` to `outputs` channels on images of `shape` is computed by Winograd's way.
    /// Likewise the products that give the weight's gradient.
    pub(super) fn is_winograd(self, shape: &Shape, inputs: usize, outputs: usize) -> bool {
        if shape.k != 3 || self == Self::Direct {
            return false;
        }
        let (from, to) = (inputs.div_ceil(shape.lanes), outputs.div_ceil(shape.lanes));
        let direct = 9 * shape.h * shape.w * inputs * to;
        let each = 16 * inputs * to + TRANSFORM * (from + to) + TILE;
        let tiles = tiles(shape.h, shape.dilation) * tiles(shape.w, shape.dilation);
        // Where both take about the same time, the direct way needs less memory.
        self == Self::Winograd || 11 * tiles * each < 10 * direct
    }
}

/// Tiles of two outputs along a side of `len` pixels, on the sub-lattices of the pixels that are `dilation` apart.
fn tiles(len: usize, dilation: usize) -> usize {
    let firsts = 0..dilation.min(len);
    let own = firsts.map(|first| (len - first).div_ceil(2 * dilation));
    own.sum()
}
