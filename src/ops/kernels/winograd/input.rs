//! Transform of the inputs: Bᵀ d B of every tile and channel.

use pulp::Simd;

use super::MATRICES;
use super::tiles::{Group, Tiles};
use crate::ops::kernels::planes::Plane;

/// Bᵀ of four values: (d₀ − d₂, d₁ + d₂, d₂ − d₁, d₁ − d₃).
#[inline(always)]
fn transform<S: Simd>(simd: S, [a, b, c, d]: [S::f32s; 4]) -> [S::f32s; 4] {
    [
        simd.sub_f32s(a, c),
        simd.add_f32s(b, c),
        simd.sub_f32s(c, b),
        simd.sub_f32s(b, d),
    ]
}

/// Transforms the tiles `from..to` of the images in `x` (each of shape `plane`) into `out`: 16 matrices [tiles,
/// channels], as `group` lays them out. The images are followed by at least one register of any values, because whole
/// registers are read: what fills up the last channels is never used.
#[inline(always)]
pub(super) fn transform_inputs<S: Simd>(
    simd: S,
    (x, plane): (&[f32], &Plane),
    tiles: &Tiles,
    (from, to): (usize, usize),
    group: &Group,
    out: &mut [f32],
) {
    let zero = simd.splat_f32s(0.0);
    let mut matrices = out.chunks_exact_mut(group.matrix);
    let mut matrices: [&mut [f32]; MATRICES] =
        std::array::from_fn(|_| matrices.next().unwrap_or_default());
    for tile in from..to {
        let corners = tiles.corners(tile, plane);
        let at = (tile - from) * group.stride;
        let rows = matrices
            .each_mut()
            .map(|matrix| S::as_mut_simd_f32s(&mut matrix[at..at + group.stride]).0);
        for (i, first) in (0..plane.channels).step_by(S::F32_LANES).enumerate() {
            // Loops instead of `array::from_fn`, whose closures would be compiled for any machine.
            let mut columns = [[zero; 4]; 4];
            for (column, values) in columns.iter_mut().enumerate() {
                for (row, value) in values.iter_mut().enumerate() {
                    let start = corners[row][column];
                    let register = &x[start + first..][..S::F32_LANES];
                    if let Some(register) = S::as_simd_f32s(register).0.first() {
                        *value = *register;
                    }
                }
                *values = transform(simd, *values);
            }
            for row in 0..4 {
                let [a, b, c, d] = columns;
                let values = transform(simd, [a[row], b[row], c[row], d[row]]);
                for (column, value) in values.into_iter().enumerate() {
                    rows[4 * row + column][i] = value;
                }
            }
        }
    }
}
