//! Transforms of the weights, and of their gradient back.

use rayon::prelude::*;

use crate::ops::kernels::panels::{Panels, WeightGrad};

use super::MATRICES;

/// Taps of the kernel.
const TAPS: usize = 9;

/// G g Gᵀ of every pair of channels of `weight` [Co, Ci, 3, 3]: [Co, Ci, 16].
fn transformed(weight: &[f32]) -> Vec<f32> {
    let transform = |[a, b, c]: [f32; 3]| {
        let (outer, b) = (0.5 * (a + c), 0.5 * b);
        [a, outer + b, outer - b, c]
    };
    let mut out = vec![0.0; weight.len() / TAPS * MATRICES];
    out.par_chunks_mut(64 * MATRICES)
        .zip(weight.par_chunks(64 * TAPS))
        .for_each(|(out, weight)| {
            let (out, weight) = (
                out.as_chunks_mut::<MATRICES>().0,
                weight.as_chunks::<TAPS>().0,
            );
            for (out, taps) in out.iter_mut().zip(weight) {
                let rows: [[f32; 4]; 3] = std::array::from_fn(|row| {
                    transform([taps[3 * row], taps[3 * row + 1], taps[3 * row + 2]])
                });
                for column in 0..4 {
                    let values = transform(rows.map(|row| row[column]));
                    for (row, value) in values.into_iter().enumerate() {
                        out[4 * row + column] = value;
                    }
                }
            }
        });
    out
}

impl Panels {
    /// Transforms and packs `weight` [Co, Ci, 3, 3] for [`super::convolve`] in the forward pass.
    pub(in crate::ops) fn winograd(weight: &[f32], outputs: usize, lanes: usize) -> Self {
        Self::forward(&transformed(weight), outputs, MATRICES, lanes)
    }

    /// Transforms and packs `weight` [Co, Ci, 3, 3] for [`super::convolve`] in the gradient of the input: with the
    /// kernel flipped, input and output channels exchanged.
    pub(in crate::ops) fn winograd_adjoint(weight: &[f32], outputs: usize, lanes: usize) -> Self {
        // A flipped kernel has the first and last row of its transform exchanged, and likewise the columns.
        const FLIPPED: [usize; 4] = [3, 1, 2, 0];
        let mut values = transformed(weight);
        for values in values.as_chunks_mut::<MATRICES>().0 {
            let plain = *values;
            // `adjoint` takes the matrices in reverse order.
            for (i, value) in values.iter_mut().rev().enumerate() {
                *value = plain[4 * FLIPPED[i / 4] + FLIPPED[i % 4]];
            }
        }
        Self::adjoint(&values, outputs, MATRICES, lanes)
    }
}

impl WeightGrad {
    /// Zeros for the sums of [`super::accumulate`].
    pub(in crate::ops) fn winograd_zeros(inputs: usize, outputs: usize, lanes: usize) -> Self {
        Self::zeros(MATRICES * inputs, outputs, lanes)
    }

    /// The gradient in PyTorch's order, [Co, Ci, 3, 3], from the sums of [`super::accumulate`]: Aᵀ M A, with
    /// Aᵀ = (1 ½ ½ 0; 0 ½ −½ 0; 0 ½ ½ −1), where the halves are those that belong to G.
    pub(in crate::ops) fn winograd_unpack(&self) -> Vec<f32> {
        let transform = |[a, b, c, d]: [f32; 4]| {
            let (sum, difference) = (0.5 * (b + c), 0.5 * (b - c));
            [a + sum, difference, sum - d]
        };
        let sums = self.unpack(MATRICES);
        let mut out = vec![0.0; sums.len() / MATRICES * TAPS];
        out.par_chunks_mut(64 * TAPS)
            .zip(sums.par_chunks(64 * MATRICES))
            .for_each(|(out, sums)| {
                let (out, sums) = (
                    out.as_chunks_mut::<TAPS>().0,
                    sums.as_chunks::<MATRICES>().0,
                );
                for (out, sums) in out.iter_mut().zip(sums) {
                    let columns: [[f32; 3]; 4] = std::array::from_fn(|column| {
                        transform(std::array::from_fn(|row| sums[4 * row + column]))
                    });
                    for row in 0..3 {
                        let values = transform(columns.map(|column| column[row]));
                        out[3 * row..3 * row + 3].copy_from_slice(&values);
                    }
                }
            });
        out
    }
}
