//! Transform of the inputs: Bᵀ d B of every tile and channel.

use pulp::Simd;

use super::filter::Filter;
use super::tiles::{Group, Tiles};
use crate::ops::kernels::planes::Plane;

/// Transforms the tiles `from..to` of the images in `x` (each of shape `plane`) into `out`: N² matrices [tiles,
/// channels], as `group` lays them out. The images are followed by at least one register of any values, because whole
/// registers are read: what fills up the last channels is never used.
#[allow(
    clippy::needless_range_loop,
    reason = "the loops run over rows and columns, which index several arrays"
)]
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
            // Loops instead of `array::from_fn`, whose closures would be compiled for any machine.
            let mut half = [[zero; N]; N];
            for column in 0..N {
                let mut values = [zero; N];
                for row in 0..N {
                    let start = rows[row] + columns[column] + i * S::F32_LANES;
                    let register = &x[start..start + S::F32_LANES];
                    if let Some(register) = S::as_simd_f32s(register).0.first() {
                        values[row] = *register;
                    }
                }
                half[column] = F::inputs(simd, values);
            }
            for row in 0..N {
                let mut values = [zero; N];
                for column in 0..N {
                    values[column] = half[column][row];
                }
                let values = F::inputs(simd, values);
                for column in 0..N {
                    out[(row * N + column) * matrix + i] = values[column];
                }
            }
        }
    }
}
