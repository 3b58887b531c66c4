//! The convolution itself: forward pass and input gradient.

use std::array;

use pulp::{Arch, Simd, WithSimd};

use crate::ops::kernels::panels::{Block, Panels};
use crate::ops::kernels::planes::Plane;
use crate::ops::kernels::simd::{aligned, tile_len, with_constant};

use super::MATRICES;
use super::input::transform_inputs;
use super::tiles::{Group, Tiles};

/// Convolves `images` images in `x` (each of shape `plane`) with the transformed weights `panels` into `out`
/// [images, height, width, Co]. `scratch` has [`super::scratch_len`] values.
pub(in crate::ops) fn convolve(
    arch: Arch,
    (x, plane, images): (&[f32], &Plane, usize),
    tiles: &Tiles,
    panels: &Panels,
    scratch: &mut [f32],
    out: &mut [f32],
) {
    arch.dispatch(Convolve {
        x,
        plane,
        images,
        tiles,
        panels,
        scratch,
        out,
    });
}

struct Convolve<'a> {
    x: &'a [f32],
    plane: &'a Plane,
    images: usize,
    tiles: &'a Tiles,
    panels: &'a Panels,
    scratch: &'a mut [f32],
    out: &'a mut [f32],
}

impl WithSimd for Convolve<'_> {
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
        } = self;
        let group = Group::new(plane.channels, S::F32_LANES);
        let (inputs, products) = aligned(scratch).split_at_mut(group.len());
        let total = images * tiles.places.len();
        for from in (0..total).step_by(group.tiles) {
            let to = (from + group.tiles).min(total);
            transform_inputs(simd, (x, plane), tiles, (from, to), &group, inputs);
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
                    1 => part.block::<S, 1>(simd, &block),
                    _ => part.block::<S, 2>(simd, &block),
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
    fn block<S: Simd, const R: usize>(&mut self, simd: S, block: &Block<'_>) {
        let panel = S::as_simd_f32s(block.values).0.as_chunks::<R>().0;
        let count = self.range.1 - self.range.0;
        let matrix = self.group.tiles * R * S::F32_LANES + 16;
        let chunks = count.div_ceil(tile_len::<S, R>());
        for (xi, panel) in panel.chunks_exact(self.channels).enumerate() {
            let x = &self.inputs[xi * self.group.matrix..][..self.group.matrix];
            let products = &mut self.products[xi * matrix..][..self.group.tiles * R * S::F32_LANES];
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
        let mut matrices = self.products.chunks_exact(matrix);
        let matrices: [&[[S::f32s; R]]; MATRICES] = array::from_fn(|_| {
            S::as_simd_f32s(matrices.next().unwrap_or_default())
                .0
                .as_chunks::<R>()
                .0
        });
        let width = (R * S::F32_LANES).min(self.outputs - block.first);
        for tile in 0..count {
            let (image, place) = self.tiles.place(self.range.0 + tile);
            for r in 0..R {
                let first = r * S::F32_LANES;
                if first >= width {
                    continue;
                }
                let mut values = [simd.splat_f32s(0.0); MATRICES];
                for (value, matrix) in values.iter_mut().zip(&matrices) {
                    *value = matrix[tile][r];
                }
                let values = transform(simd, values);
                let channels = (block.first + first, (width - first).min(S::F32_LANES));
                let outputs = (self.tiles, self.outputs);
                write(simd, outputs, (image, place), channels, values, self.out);
            }
        }
    }
}

/// Writes the four outputs of a tile that lie inside of the image, [images, height, width, outputs].
#[inline(always)]
fn write<S: Simd>(
    simd: S,
    (tiles, outputs): (&Tiles, usize),
    (image, [y, x]): (usize, [usize; 2]),
    (first, len): (usize, usize),
    values: [[S::f32s; 2]; 2],
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

/// Products of `P` transformed tiles with the weights of one of the 16 matrices, summed over the input channels.
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
        let tiles: [&[f32]; P] = array::from_fn(|p| &x[p * stride..p * stride + len]);
        for (i, weights) in panel.iter().enumerate().take(len) {
            for p in 0..P {
                let value = simd.splat_f32s(tiles[p][i]);
                for r in 0..R {
                    sums[p][r] = simd.mul_add_e_f32s(weights[r], value, sums[p][r]);
                }
            }
        }
    }
    // The sums are copied, because the compiler keeps in registers only arrays that are never indexed at run time.
    let sums: [[S::f32s; R]; P] = array::from_fn(|p| array::from_fn(|r| sums[p][r]));
    for (out, sums) in out.iter_mut().zip(sums) {
        *out = sums;
    }
}

/// Aᵀ of four values: (m₀ + m₁ + m₂, m₁ − m₂ − m₃).
#[inline(always)]
fn halve<S: Simd>(simd: S, [a, b, c, d]: [S::f32s; 4]) -> [S::f32s; 2] {
    [
        simd.add_f32s(a, simd.add_f32s(b, c)),
        simd.sub_f32s(simd.sub_f32s(b, c), d),
    ]
}

/// Aᵀ m A of the 16 products of a tile.
#[inline(always)]
fn transform<S: Simd>(simd: S, m: [S::f32s; MATRICES]) -> [[S::f32s; 2]; 2] {
    let mut columns = [[m[0]; 2]; 4];
    for (i, column) in columns.iter_mut().enumerate() {
        *column = halve(simd, [m[i], m[4 + i], m[8 + i], m[12 + i]]);
    }
    let [a, b, c, d] = columns;
    [
        halve(simd, [a[0], b[0], c[0], d[0]]),
        halve(simd, [a[1], b[1], c[1], d[1]]),
    ]
}
