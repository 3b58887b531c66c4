//! Gradient of the weights.

use std::marker::PhantomData;

use pulp::{Arch, Simd, WithSimd};

use crate::ops::kernels::panels::WeightGrad;
use crate::ops::kernels::planes::Plane;
use crate::ops::kernels::simd::{aligned, load, tile_len, with_constant};

use super::filter::{Filter, Four, Three, both_sides};
use super::input::transform_inputs;
use super::tiles::{Group, Tile, Tiles};

/// Adds the contribution of `images` images to `sum`, the transformed gradient of the weights: the products of the
/// transformed tiles of the inputs `x` (each of shape `input`) and of the gradients of the outputs `grad` (each of shape
/// `output`, followed by a register of any values). `scratch` has [`super::scratch_len`] values.
pub(in crate::ops) fn accumulate(
    arch: Arch,
    x: (&[f32], &Plane),
    grad: (&[f32], &Plane),
    tiles: (&Tiles, usize),
    scratch: &mut [f32],
    sum: &mut WeightGrad,
) {
    match tiles.0.tile {
        Tile::Three => run::<Three, 3, 5>(arch, x, grad, tiles, scratch, sum),
        Tile::Four => run::<Four, 4, 6>(arch, x, grad, tiles, scratch, sum),
    }
}

fn run<F: Filter<M, N>, const M: usize, const N: usize>(
    arch: Arch,
    (x, input): (&[f32], &Plane),
    (grad, output): (&[f32], &Plane),
    (tiles, images): (&Tiles, usize),
    scratch: &mut [f32],
    sum: &mut WeightGrad,
) {
    arch.dispatch(Accumulate::<F, M, N> {
        x,
        input,
        grad,
        output,
        tiles,
        images,
        scratch,
        sum,
        filter: PhantomData,
    });
}

struct Accumulate<'a, F, const M: usize, const N: usize> {
    x: &'a [f32],
    input: &'a Plane,
    grad: &'a [f32],
    output: &'a Plane,
    tiles: &'a Tiles,
    images: usize,
    scratch: &'a mut [f32],
    sum: &'a mut WeightGrad,
    filter: PhantomData<F>,
}

impl<F: Filter<M, N>, const M: usize, const N: usize> WithSimd for Accumulate<'_, F, M, N> {
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
            ..
        } = self;
        let group = Group::new(tiles.tile, input.channels, S::F32_LANES);
        let (inputs, grads) = aligned(scratch).split_at_mut(N * N * group.matrix);
        for (from, to) in group.ranges(images * tiles.count()) {
            transform_inputs::<S, F, M, N>(simd, (x, input), tiles, (from, to), &group, inputs);
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
                    1 => part.block::<S, F, M, N, 1>(simd, block.first, block.values),
                    _ => part.block::<S, F, M, N, 2>(simd, block.first, block.values),
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
    fn block<S: Simd, F: Filter<M, N>, const M: usize, const N: usize, const R: usize>(
        &mut self,
        simd: S,
        first: usize,
        sum: &mut [f32],
    ) {
        let count = self.range.1 - self.range.0;
        let matrix = self.group.block(R * S::F32_LANES);
        self.transform_grads::<S, F, M, N, R>(simd, first, matrix);
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

    /// A y Aᵀ of every tile of gradients. Beyond the image the gradients are 0, as the border of the plane is.
    #[inline(always)]
    fn transform_grads<S: Simd, F: Filter<M, N>, const M: usize, const N: usize, const R: usize>(
        &mut self,
        simd: S,
        first: usize,
        matrix: usize,
    ) {
        let zero = simd.splat_f32s(0.0);
        let matrix = matrix / S::F32_LANES;
        let grads = S::as_mut_simd_f32s(self.grads).0;
        let range = self.tiles.range(self.range.0, self.range.1);
        for (tile, place) in range.enumerate() {
            let (rows, columns) = self.tiles.lines::<N>(place, self.output);
            let grads = &mut grads[tile * R..][..(N * N - 1) * matrix + R];
            for r in 0..R {
                let first = first + r * S::F32_LANES;
                both_sides(
                    zero,
                    #[inline(always)]
                    |row: usize, column: usize| {
                        let start = rows[row + 1] + columns[column + 1] + first;
                        load(simd, &self.grad[start..start + S::F32_LANES])
                    },
                    #[inline(always)]
                    |values| F::output_gradients(simd, values),
                    #[inline(always)]
                    |row, column, value| grads[(row * N + column) * matrix + r] = value,
                );
            }
        }
    }
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
