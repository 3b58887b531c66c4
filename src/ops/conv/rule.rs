//! The rule by which shapes choose between computing a convolution directly and by Winograd's minimal filtering.

use super::method::Method;
use super::shape::Shape;

/// Time that the transform of one register of a tile takes, in multiplications of registers: measured.
const TRANSFORM: usize = 140;
/// Time that goes to each tile whatever its channels, in the same unit.
const TILE: usize = 100;

/// Whether a convolution from `inputs` to `outputs` channels on images of `shape` is computed by Winograd's way. Likewise
/// the products that give the weight's gradient.
pub(super) fn is_winograd(shape: &Shape, inputs: usize, outputs: usize) -> bool {
    if shape.k != 3 || shape.method == Method::Direct {
        return false;
    }
    let (from, to) = (inputs.div_ceil(shape.lanes), outputs.div_ceil(shape.lanes));
    let direct = 9 * shape.h * shape.w * inputs * to;
    let each = 16 * inputs * to + TRANSFORM * (from + to) + TILE;
    let tiles = tiles(shape.h, shape.dilation) * tiles(shape.w, shape.dilation);
    // Where both take about the same time, the direct way needs less memory.
    shape.method == Method::Winograd || 11 * tiles * each < 10 * direct
}

/// Tiles of two outputs along a side of `len` pixels, on the sub-lattices of the pixels that are `dilation` apart.
fn tiles(len: usize, dilation: usize) -> usize {
    let firsts = 0..dilation.min(len);
    let own = firsts.map(|first| (len - first).div_ceil(2 * dilation));
    own.sum()
}
