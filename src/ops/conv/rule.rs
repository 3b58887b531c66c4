//! The rule by which shapes choose between computing a convolution directly and by Winograd's minimal filtering.

use crate::ops::kernels::winograd::Tile;

use super::method::Method;
use super::shape::Shape;

/// Time that a tile takes, in multiplications of registers: for the transforms of one register of its channels, and for
/// itself whatever its channels. Measured.
const fn overhead(tile: Tile) -> (usize, usize) {
    match tile {
        Tile::Three => (400, 170),
        Tile::Four => (600, 200),
    }
}

/// The size of Winograd's tiles by which a convolution from `inputs` to `outputs` channels on images of `shape` is
/// computed, or none where it is computed directly. Likewise the products that give the weight's gradient.
pub(super) fn tile(shape: &Shape, inputs: usize, outputs: usize) -> Option<Tile> {
    if shape.k != 3 {
        return None;
    }
    match shape.method {
        Method::Direct => None,
        Method::Winograd(tile) => Some(tile),
        Method::ByShape => {
            let (from, to) = (inputs.div_ceil(shape.lanes), outputs.div_ceil(shape.lanes));
            let cost = |tile: Tile| {
                let (transform, alone) = overhead(tile);
                let each = tile.matrices() * inputs * to + transform * (from + to) + alone;
                tile.count(shape.h, shape.w, shape.dilation) * each
            };
            let direct = 9 * shape.h * shape.w * inputs * to;
            let best = Tile::ALL.into_iter().min_by_key(|&tile| cost(tile));
            // Where both take about the same time, the direct way needs less memory.
            best.filter(|&tile| 11 * cost(tile) < 10 * direct)
        }
    }
}
