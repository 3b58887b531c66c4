//! All scalar products among many long vectors: the Gram matrix of class gradients.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::kernels::arch;

/// Values of each vector that are multiplied at a time. Within a stretch products are summed in f32, in as many
/// interleaved sums as a register has values; from one stretch to the next they are summed in f64.
const STRETCH: usize = 1024;
/// Rows and columns of the tile whose sums stay in registers.
const TILE: usize = 4;

/// The symmetric matrix [R, R] of the scalar products of `rows`, row-major; an empty row counts as 0.
pub fn products(rows: &[&[f32]]) -> Vec<f64> {
    let size = rows.len();
    let len = rows.iter().map(|row| row.len()).max().unwrap_or(0);
    let arch = arch();
    // One part a thread, added in a fixed order, so that the same number of threads gives the same bits.
    let threads = rayon::current_num_threads();
    let each = len.div_ceil(STRETCH).div_ceil(threads).max(1) * STRETCH;
    let parts: Vec<Vec<f64>> = (0..len.div_ceil(each))
        .into_par_iter()
        .map(|part| {
            let mut sums = vec![0.0; size * size];
            for start in (part * each..len.min((part + 1) * each)).step_by(STRETCH) {
                let end = (start + STRETCH).min(len);
                let stretch: Vec<&[f32]> = rows
                    .iter()
                    .map(|row| row.get(start..end).unwrap_or_default())
                    .collect();
                add_stretch(arch, &stretch, &mut sums);
            }
            sums
        })
        .collect();
    let mut matrix = vec![0.0; size * size];
    for part in parts {
        matrix.iter_mut().zip(part).for_each(|(sum, x)| *sum += x);
    }
    for a in 0..size {
        for b in 0..a {
            matrix[b * size + a] = matrix[a * size + b];
        }
    }
    matrix
}

/// Adds the products of one stretch to the lower triangle.
fn add_stretch(arch: Arch, rows: &[&[f32]], sums: &mut [f64]) {
    let len = rows.iter().map(|row| row.len()).max().unwrap_or(0);
    let zeros = vec![0.0; len];
    let row = |i: usize| match rows.get(i) {
        Some(row) if row.len() == len => *row,
        _ => zeros.as_slice(),
    };
    let size = rows.len();
    for a in (0..size).step_by(TILE) {
        for b in (0..=a).step_by(TILE) {
            let tile = arch.dispatch(Tile {
                a: std::array::from_fn(|i| row(a + i)),
                b: std::array::from_fn(|j| row(b + j)),
            });
            for (i, tile) in tile.iter().enumerate().take(size - a) {
                for (j, value) in tile.iter().enumerate().take(size - b) {
                    sums[(a + i) * size + b + j] += f64::from(*value);
                }
            }
        }
    }
}

struct Tile<'a> {
    a: [&'a [f32]; TILE],
    b: [&'a [f32]; TILE],
}

impl WithSimd for Tile<'_> {
    type Output = [[f32; TILE]; TILE];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let mut sums = [[simd.splat_f32s(0.0); TILE]; TILE];
        let a = self.a.map(|row| S::as_simd_f32s(row));
        let b = self.b.map(|row| S::as_simd_f32s(row));
        let len = a[0].0.len();
        let (body_a, body_b) = (
            a.map(|(body, _)| &body[..len]),
            b.map(|(body, _)| &body[..len]),
        );
        for n in 0..len {
            for i in 0..TILE {
                for j in 0..TILE {
                    sums[i][j] = simd.mul_add_e_f32s(body_a[i][n], body_b[j][n], sums[i][j]);
                }
            }
        }
        let mut out = [[0.0; TILE]; TILE];
        for i in 0..TILE {
            for j in 0..TILE {
                let tail: f32 = a[i].1.iter().zip(b[j].1).map(|(a, b)| a * b).sum();
                out[i][j] = simd.reduce_sum_f32s(sums[i][j]) + tail;
            }
        }
        out
    }
}
