//! Transforms of the weights, and of their gradient back. Both are packed, a register of output channels side by side.

use std::marker::PhantomData;

use pulp::{Arch, Simd, WithSimd};

use crate::ops::kernels::panels::{Panels, WeightGrad};

use super::filter::{Filter, Four, Three, both_sides};
use super::tiles::Tile;

/// Taps of the kernel.
const TAPS: usize = 9;

/// G g Gᵀ of weights packed with 3×3 taps, for [`super::convolve`].
pub(in crate::ops) fn transformed(arch: Arch, tile: Tile, taps: &Panels) -> Panels {
    taps.mapped(TAPS, tile.matrices(), |from, to| match tile {
        Tile::Three => arch.dispatch(Forth::<Three, 3, 5>(from, to, PhantomData)),
        Tile::Four => arch.dispatch(Forth::<Four, 4, 6>(from, to, PhantomData)),
    })
}

/// The gradient with 3×3 taps, Gᵀ m G, from the sums of [`super::accumulate`].
pub(in crate::ops) fn with_taps(arch: Arch, tile: Tile, sums: &WeightGrad) -> WeightGrad {
    sums.mapped(tile.matrices(), TAPS, |from, to| match tile {
        Tile::Three => arch.dispatch(Back::<Three, 3, 5>(from, to, PhantomData)),
        Tile::Four => arch.dispatch(Back::<Four, 4, 6>(from, to, PhantomData)),
    })
}

/// Transforms weights [9, any] into [N², any].
struct Forth<'a, F, const M: usize, const N: usize>(&'a [f32], &'a mut [f32], PhantomData<F>);

impl<F: Filter<M, N>, const M: usize, const N: usize> WithSimd for Forth<'_, F, M, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (from, to) = (S::as_simd_f32s(self.0).0, S::as_mut_simd_f32s(self.1).0);
        let len = from.len() / TAPS;
        for at in 0..len {
            both_sides(
                simd.splat_f32s(0.0),
                #[inline(always)]
                |row: usize, column: usize| from[(3 * row + column) * len + at],
                #[inline(always)]
                |values| F::taps(simd, values),
                #[inline(always)]
                |row, column, value| to[(row * N + column) * len + at] = value,
            );
        }
    }
}

/// Transforms sums [N², any] into gradients [9, any].
struct Back<'a, F, const M: usize, const N: usize>(&'a [f32], &'a mut [f32], PhantomData<F>);

impl<F: Filter<M, N>, const M: usize, const N: usize> WithSimd for Back<'_, F, M, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (from, to) = (S::as_simd_f32s(self.0).0, S::as_mut_simd_f32s(self.1).0);
        let len = to.len() / TAPS;
        for at in 0..len {
            both_sides(
                simd.splat_f32s(0.0),
                #[inline(always)]
                |row: usize, column: usize| from[(row * N + column) * len + at],
                #[inline(always)]
                |values| F::tap_gradients(simd, values),
                #[inline(always)]
                |row, column, value| to[(3 * row + column) * len + at] = value,
            );
        }
    }
}
