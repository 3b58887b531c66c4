//! The convolution itself: forward pass and input gradient.

use std::marker::PhantomData;

use pulp::{Arch, Simd, WithSimd};

use crate::ops::kernels::panels::{Block, Panels};
use crate::ops::kernels::planes::Plane;
use crate::ops::kernels::simd::{aligned, tile_len, with_constant};

use super::filter::{Filter, Four, Three, both_sides};
use super::input::transform_inputs;
use super::tiles::{Group, Tile, Tiles};

/// Convolves `images` images in `x` (each of shape `plane`) with the transformed weights `panels` into `out`
/// [images, height, width, Co]. `scratch` has [`super::scratch_len`] values.
pub(in crate::ops) fn convolve(
    arch: Arch,
    x: (&[f32], &Plane, usize),
    tiles: &Tiles,
    panels: &Panels,
    scratch: &mut [f32],
    out: &mut [f32],
) {
    match tiles.tile {
        Tile::Three => run::<Three, 3, 5>(arch, x, tiles, panels, scratch, out),
        Tile::Four => run::<Four, 4, 6>(arch, x, tiles, panels, scratch, out),
    }
}

fn run<F: Filter<M, N>, const M: usize, const N: usize>(
    arch: Arch,
    (x, plane, images): (&[f32], &Plane, usize),
    tiles: &Tiles,
    panels: &Panels,
    scratch: &mut [f32],
    out: &mut [f32],
) {
    arch.dispatch(Convolve::<F, M, N> {
        x,
        plane,
        images,
        tiles,
        panels,
        scratch,
        out,
        filter: PhantomData,
    });
}

struct Convolve<'a, F, const M: usize, const N: usize> {
    x: &'a [f32],
    plane: &'a Plane,
    images: usize,
    tiles: &'a Tiles,
    panels: &'a Panels,
    scratch: &'a mut [f32],
    out: &'a mut [f32],
    filter: PhantomData<F>,
}

impl<F: Filter<M, N>, const M: usize, const N: usize> WithSimd for Convolve<'_, F, M, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self {
            x,
            plane,
            images,
            tiles,
            panels,
            scratch,
            out,
            ..
        } = self;
        let group = Group::new(tiles.tile, plane.channels, S::F32_LANES);
        let (inputs, products) = aligned(scratch).split_at_mut(N * N * group.matrix);
        for (from, to) in group.ranges(images * tiles.count()) {
            transform_inputs::<S, F, M, N>(simd, (x, plane), tiles, (from, to), &group, inputs);
            let mut part = Part {
                inputs,
                channels: plane.channels,
                group: &group,
                tiles,
                range: (from, to),
                outputs: panels.outputs,
                products,
                out,
            };
            for block in panels.blocks() {
                match block.registers {
                    1 => part.block::<S, F, M, N, 1>(simd, &block),
                    _ => part.block::<S, F, M, N, 2>(simd, &block),
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
    tiles: &'a Tiles,
    range: (usize, usize),
    outputs: usize,
    products: &'a mut [f32],
    out: &'a mut [f32],
}

impl Part<'_> {
    /// The outputs of one block of channels.
    #[inline(always)]
    fn block<S: Simd, F: Filter<M, N>, const M: usize, const N: usize, const R: usize>(
        &mut self,
        simd: S,
        block: &Block<'_>,
    ) {
        let panel = S::as_simd_f32s(block.values).0.as_chunks::<R>().0;
        let count = self.range.1 - self.range.0;
        let width = R * S::F32_LANES;
        let matrix = self.group.block(width);
        let chunks = count.div_ceil(tile_len::<S, R>());
        for (xi, panel) in panel.chunks_exact(self.channels).enumerate() {
            let x = &self.inputs[xi * self.group.matrix..][..self.group.matrix];
            let products = &mut self.products[xi * matrix..][..count * width];
            let products = S::as_mut_simd_f32s(products).0.as_chunks_mut::<R>().0;
            let mut at = 0;
            for chunk in 0..chunks {
                let len = count / chunks + usize::from(chunk < count % chunks);
                let x = &x[at * self.group.stride..];
                let products = &mut products[at..at + len];
                with_constant!(len, P => multiply::<S, R, P>(simd, x, self.group.stride, panel, products));
                at += len;
            }
        }
        let products = S::as_simd_f32s(self.products).0;
        let matrix = matrix / S::F32_LANES;
        let width = width.min(self.outputs - block.first);
        for (tile, place) in self.tiles.range(self.range.0, self.range.1).enumerate() {
            for r in 0..R {
                let first = r * S::F32_LANES;
                if first >= width {
                    continue;
                }
                let products = &products[tile * R + r..][..(N * N - 1) * matrix + 1];
                let values = transform::<S, F, M, N>(simd, products, matrix);
                let channels = (block.first + first, (width - first).min(S::F32_LANES));
                let outputs = (self.tiles, self.outputs);
                write(simd, outputs, place, channels, values, self.out);
            }
        }
    }
}

/// Aᵀ m A of the N² products of a tile, which lie `matrix` registers apart.
#[inline(always)]
fn transform<S: Simd, F: Filter<M, N>, const M: usize, const N: usize>(
    simd: S,
    products: &[S::f32s],
    matrix: usize,
) -> [[S::f32s; M]; M] {
    let zero = simd.splat_f32s(0.0);
    let mut out = [[zero; M]; M];
    both_sides(
        zero,
        #[inline(always)]
        |row: usize, column: usize| products[(row * N + column) * matrix],
        #[inline(always)]
        |values| F::outputs(simd, values),
        #[inline(always)]
        |row: usize, column: usize, value| out[row][column] = value,
    );
    out
}

/// Writes the outputs of a tile that lie inside of the image, [images, height, width, outputs].
#[inline(always)]
fn write<S: Simd, const M: usize>(
    simd: S,
    (tiles, outputs): (&Tiles, usize),
    (image, [y, x]): (usize, [usize; 2]),
    (first, len): (usize, usize),
    values: [[S::f32s; M]; M],
    out: &mut [f32],
) {
    let Tiles {
        height,
        width,
        dilation,
        ..
    } = *tiles;
    for (i, values) in values.into_iter().enumerate() {
        for (j, value) in values.into_iter().enumerate() {
            let (y, x) = (y + i * dilation, x + j * dilation);
            if y < height && x < width {
                let at = ((image * height + y) * width + x) * outputs + first;
                let out = &mut out[at..at + len];
                // Part of a register is written by a call, which all of the loop would have to make room for.
                match S::as_mut_simd_f32s(out).0.first_mut() {
                    Some(out) => *out = value,
                    None => part(simd, out, value),
                }
            }
        }
    }
}

/// Writes part of a register.
#[cold]
#[inline(never)]
fn part<S: Simd>(simd: S, out: &mut [f32], value: S::f32s) {
    simd.partial_store_f32s(out, value);
}

/// Input channels that are summed over at a time.
const CHANNELS: usize = 64;

/// Products of `P` transformed tiles with the weights of one of the matrices, summed over the input channels.
#[inline(always)]
fn multiply<S: Simd, const R: usize, const P: usize>(
    simd: S,
    x: &[f32],
    stride: usize,
    panel: &[[S::f32s; R]],
    out: &mut [[S::f32s; R]],
) {
    if P > tile_len::<S, R>() {
        return;
    }
    let Some(out) = out.first_chunk_mut::<P>() else {
        return;
    };
    let mut sums = [[simd.splat_f32s(0.0); R]; P];
    for (k, panel) in panel.chunks(CHANNELS).enumerate() {
        let len = panel.len();
        let x = &x[k * CHANNELS..][..(P - 1) * stride + len];
        // A loop instead of `array::from_fn`, which is not always inlined.
        let mut tiles: [&[f32]; P] = [&[]; P];
        for p in 0..P {
            tiles[p] = &x[p * stride..p * stride + len];
        }
        for (i, weights) in panel.iter().enumerate().take(len) {
            for p in 0..P {
                let value = simd.splat_f32s(tiles[p][i]);
                for r in 0..R {
                    sums[p][r] = simd.mul_add_e_f32s(weights[r], value, sums[p][r]);
                }
            }
        }
    }
    *out = sums;
}
