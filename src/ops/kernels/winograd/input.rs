//! Transform of the inputs: Bᵀ d B of every tile and channel.

use pulp::Simd;

use super::filter::{Filter, both_sides};
use super::tiles::{Group, Tiles};
use crate::ops::kernels::planes::Plane;
use crate::ops::kernels::simd::load;

/// Transforms the tiles `from..to` of the images in `x` (each of shape `plane`) into `out`: N² matrices [tiles,
/// channels], as `group` lays them out. The images are followed by at least one register of any values, because whole
/// registers are read: what fills up the last channels is never used.
#[inline(always)]
pub(super) fn transform_inputs<S: Simd, F: Filter<M, N>, const M: usize, const N: usize>(
    simd: S,
    (x, plane): (&[f32], &Plane),
    tiles: &Tiles,
    (from, to): (usize, usize),
    group: &Group,
    out: &mut [f32],
) {
    let zero = simd.splat_f32s(0.0);
    let out = S::as_mut_simd_f32s(out).0;
    let (matrix, stride) = (group.matrix / S::F32_LANES, group.stride / S::F32_LANES);
    for (tile, place) in tiles.range(from, to).enumerate() {
        let (rows, columns) = tiles.lines::<N>(place, plane);
        let out = &mut out[tile * stride..][..(N * N - 1) * matrix + stride];
        for i in 0..stride {
            both_sides(
                zero,
                #[inline(always)]
                |row: usize, column: usize| {
                    let start = rows[row] + columns[column] + i * S::F32_LANES;
                    load(simd, &x[start..start + S::F32_LANES])
                },
                #[inline(always)]
                |values| F::inputs(simd, values),
                #[inline(always)]
                |row, column, value| out[(row * N + column) * matrix + i] = value,
            );
        }
    }
}
