//! Gradient of the weights.

use std::array;

use pulp::{Arch, Simd, WithSimd};

use crate::ops::kernels::panels::WeightGrad;
use crate::ops::kernels::planes::Plane;
use crate::ops::kernels::simd::{aligned, tile_len, with_constant};

use super::MATRICES;
use super::input::transform_inputs;
use super::tiles::{Group, Tiles};

/// Adds the contribution of `images` images to `sum`, the transformed gradient of the weights: the products of the
/// transformed tiles of the inputs `x` (each of shape `input`) and of the gradients of the outputs `grad` (each of shape
/// `output`, whose stride is whole registers). `scratch` has [`super::scratch_len`] values.
pub(in crate::ops) fn accumulate(
    arch: Arch,
    (x, input): (&[f32], &Plane),
    (grad, output): (&[f32], &Plane),
    (tiles, images): (&Tiles, usize),
    scratch: &mut [f32],
    sum: &mut WeightGrad,
) {
    arch.dispatch(Accumulate {
        x,
        input,
        grad,
        output,
        tiles,
        images,
        scratch,
        sum,
    });
}

struct Accumulate<'a> {
    x: &'a [f32],
    input: &'a Plane,
    grad: &'a [f32],
    output: &'a Plane,
    tiles: &'a Tiles,
    images: usize,
    scratch: &'a mut [f32],
    sum: &'a mut WeightGrad,
}

impl WithSimd for Accumulate<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self {
            x,
            input,
            grad,
            output,
            tiles,
            images,
            scratch,
            sum,
        } = self;
        let group = Group::new(input.channels, S::F32_LANES);
        let (inputs, grads) = aligned(scratch).split_at_mut(group.len());
        let total = images * tiles.places.len();
        for from in (0..total).step_by(group.tiles) {
            let to = (from + group.tiles).min(total);
            transform_inputs(simd, (x, input), tiles, (from, to), &group, inputs);
            let mut part = Part {
                inputs,
                channels: input.channels,
                group: &group,
                grad,
                output,
                tiles,
                range: (from, to),
                grads,
            };
            for block in sum.blocks_mut() {
                match block.registers {
                    1 => part.block::<S, 1>(simd, block.first, block.values),
                    _ => part.block::<S, 2>(simd, block.first, block.values),
                }
            }
        }
    }
}

/// A group of tiles whose inputs are transformed.
struct Part<'a> {
    inputs: &'a [f32],
    channels: usize,
    group: &'a Group,
    grad: &'a [f32],
    output: &'a Plane,
    tiles: &'a Tiles,
    range: (usize, usize),
    grads: &'a mut [f32],
}

impl Part<'_> {
    /// Adds the products of one block of output channels, which begins with channel `first`, to `sum`.
    #[inline(always)]
    fn block<S: Simd, const R: usize>(&mut self, simd: S, first: usize, sum: &mut [f32]) {
        let count = self.range.1 - self.range.0;
        let matrix = self.group.tiles * R * S::F32_LANES + 16;
        self.transform_grads::<S, R>(simd, first, matrix);
        let sum = S::as_mut_simd_f32s(sum).0.as_chunks_mut::<R>().0;
        let chunks = self.channels.div_ceil(tile_len::<S, R>());
        for (xi, sum) in sum.chunks_exact_mut(self.channels).enumerate() {
            let x = &self.inputs[xi * self.group.matrix..][..self.group.matrix];
            let grads = &self.grads[xi * matrix..][..count * R * S::F32_LANES];
            let grads = S::as_simd_f32s(grads).0.as_chunks::<R>().0;
            let mut at = 0;
            for chunk in 0..chunks {
                let len = self.channels / chunks + usize::from(chunk < self.channels % chunks);
                let (x, sum) = (&x[at..], &mut sum[at..at + len]);
                with_constant!(len, A => multiply::<S, R, A>(simd, x, self.group.stride, grads, sum));
                at += len;
            }
        }
    }

    /// G g Gᵀ of every tile of gradients, with 2·G = (2 0; 1 1; 1 −1; 0 2) without its factors: those are left for the
    /// end. Beyond the image the gradients are 0, as the border of the plane is.
    #[allow(
        clippy::needless_range_loop,
        reason = "the loops run over tiles and registers, which index all matrices at once"
    )]
    #[inline(always)]
    fn transform_grads<S: Simd, const R: usize>(&mut self, simd: S, first: usize, matrix: usize) {
        let mut matrices = self.grads.chunks_exact_mut(matrix);
        let matrices: [&mut [[S::f32s; R]]; MATRICES] = array::from_fn(|_| {
            S::as_mut_simd_f32s(matrices.next().unwrap_or_default())
                .0
                .as_chunks_mut::<R>()
                .0
        });
        for tile in 0..self.range.1 - self.range.0 {
            let corners = self.tiles.corners(self.range.0 + tile, self.output);
            for r in 0..R {
                let first = first + r * S::F32_LANES;
                let mut columns = [[simd.splat_f32s(0.0); 4]; 2];
                for (column, values) in columns.iter_mut().enumerate() {
                    let mut pair = [simd.splat_f32s(0.0); 2];
                    for (row, value) in pair.iter_mut().enumerate() {
                        let at = corners[row + 1][column + 1] + first;
                        let register = &self.grad[at..at + S::F32_LANES];
                        if let Some(register) = S::as_simd_f32s(register).0.first() {
                            *value = *register;
                        }
                    }
                    *values = spread(simd, pair);
                }
                let [left, right] = columns;
                for row in 0..4 {
                    let values = spread(simd, [left[row], right[row]]);
                    for (column, value) in values.into_iter().enumerate() {
                        matrices[4 * row + column][tile][r] = value;
                    }
                }
            }
        }
    }
}

/// 2·G of two values without its factors: (a, a + b, a − b, b).
#[inline(always)]
fn spread<S: Simd>(simd: S, [a, b]: [S::f32s; 2]) -> [S::f32s; 4] {
    [a, simd.add_f32s(a, b), simd.sub_f32s(a, b), b]
}

/// Adds the products of `A` channels of the transformed inputs with those of the gradients, over all tiles, to `out`.
#[inline(always)]
fn multiply<S: Simd, const R: usize, const A: usize>(
    simd: S,
    x: &[f32],
    stride: usize,
    grads: &[[S::f32s; R]],
    out: &mut [[S::f32s; R]],
) {
    if A > tile_len::<S, R>() {
        return;
    }
    let Some(out) = out.first_chunk_mut::<A>() else {
        return;
    };
    let mut sums = *out;
    for (x, grad) in x.chunks(stride).zip(grads) {
        let Some(x) = x.first_chunk::<A>() else {
            return;
        };
        for a in 0..A {
            let value = simd.splat_f32s(x[a]);
            for r in 0..R {
                sums[a][r] = simd.mul_add_e_f32s(grad[r], value, sums[a][r]);
            }
        }
    }
    *out = sums;
}
