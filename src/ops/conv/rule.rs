//! The rule by which shapes choose between computing a convolution directly and by Winograd's minimal filtering.

use crate::ops::kernels::winograd::Tile;

use super::method::Method;
use super::shape::Shape;

/// What the products of a convolution add up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Product {
    /// Outputs, or the gradient of inputs.
    Outputs,
    /// The gradient of the taps.
    Taps,
}

/// The size of Winograd's tiles by which a convolution from `inputs` to `outputs` channels on images of `shape` is
/// computed, or none where it is computed directly.
pub(super) fn tile(shape: &Shape, inputs: usize, outputs: usize, product: Product) -> Option<Tile> {
    if shape.k != 3 {
        return None;
    }
    match shape.method {
        Method::Direct => None,
        Method::Winograd(tile) => Some(tile),
        Method::ByShape => {
            let _ = product;
            let (from, to) = (inputs.div_ceil(shape.lanes), outputs.div_ceil(shape.lanes));
            let costs = Tile::ALL.map(|tile| {
                let (transform, each) = match tile {
                    Tile::Three => (140, 100),
                    Tile::Four => (300, 150),
                };
                let each = tile.matrices() * inputs * to + transform * (from + to) + each;
                (tile, tile.count(shape.h, shape.w, shape.dilation) * each)
            });
            let direct = 9 * shape.h * shape.w * inputs * to;
            // Where both take about the same time, the direct way needs less memory.
            let best = costs.into_iter().min_by_key(|&(_, cost)| cost);
            best.filter(|(_, cost)| 11 * cost < 10 * direct).map(|(tile, _)| tile)
        }
    }
}
