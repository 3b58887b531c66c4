//! Gradient of a convolution's weights: tiles of a few input values × one or two registers of output channels, whose
//! sums stay in registers over some rows of pixels.

use pulp::{Arch, Simd, WithSimd};

use super::panels::WeightGrad;
use super::planes::{Plane, Window};
use super::simd::{tile_len, with_constant};

/// Values of the output gradient that are gone through at a time: these values and the inputs of the same pixels stay
/// in the first-level cache for all taps.
const AT_ONCE: usize = 4096;

/// Adds the contribution of one image to `sum`: the products of its input `x` (of shape `input`, seen through `window`)
/// and the gradient of its output `grad` (of shape `output`, followed by a register of any values), over all pixels.
pub(in crate::ops) fn accumulate(
    arch: Arch,
    (x, input, window): (&[f32], &Plane, &Window),
    (grad, output): (&[f32], &Plane),
    images: usize,
    sum: &mut WeightGrad,
) {
    arch.dispatch(Accumulate {
        x,
        input,
        window,
        grad,
        output,
        images,
        sum,
    });
}

struct Accumulate<'a> {
    x: &'a [f32],
    input: &'a Plane,
    window: &'a Window,
    grad: &'a [f32],
    output: &'a Plane,
    images: usize,
    sum: &'a mut WeightGrad,
}

impl WithSimd for Accumulate<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self {
            x,
            input,
            window,
            grad,
            output,
            images,
            sum,
        } = self;
        for block in sum.blocks_mut() {
            let part = Part {
                x,
                input,
                window,
                grad,
                output,
                images,
                first: block.first,
            };
            match block.registers {
                1 => part.block::<S, 1>(simd, block.values),
                _ => part.block::<S, 2>(simd, block.values),
            }
        }
    }
}

/// One block of output channels.
struct Part<'a> {
    x: &'a [f32],
    input: &'a Plane,
    window: &'a Window,
    grad: &'a [f32],
    output: &'a Plane,
    images: usize,
    first: usize,
}

impl Part<'_> {
    #[inline(always)]
    fn block<S: Simd, const R: usize>(&self, simd: S, sum: &mut [f32]) {
        let sum = S::as_mut_simd_f32s(sum).0.as_chunks_mut::<R>().0;
        let len = self.window.len;
        let rows = self.images * self.input.height;
        let rows_at_once = (AT_ONCE / (self.input.width * R * S::F32_LANES)).max(1);
        let tiles = len.div_ceil(tile_len::<S, R>());
        let mut from = 0;
        while from < rows {
            let to = (from + rows_at_once).min(rows);
            for (&start, sum) in self.window.starts.iter().zip(sum.chunks_exact_mut(len)) {
                let mut value = 0;
                for tile in 0..tiles {
                    let count = len / tiles + usize::from(tile < len % tiles);
                    let sums = &mut sum[value..value + count];
                    with_constant!(count, A => self.tile::<S, R, A>(simd, start + value, (from, to), sums));
                    value += count;
                }
            }
            from = to;
        }
    }

    /// Products of `A` input values with the block's channels over the pixels of rows `from..to`.
    #[inline(always)]
    fn tile<S: Simd, const R: usize, const A: usize>(
        &self,
        simd: S,
        start: usize,
        (from, to): (usize, usize),
        sum: &mut [[S::f32s; R]],
    ) {
        let Some(sum) = sum.first_chunk_mut::<A>() else {
            return;
        };
        if A > tile_len::<S, R>() {
            return;
        }
        let mut sums = *sum;
        let Plane {
            height,
            width,
            channels,
            ..
        } = *self.input;
        for row in from..to {
            let (image, row) = (row / height, row % height);
            let x = &self.x[image * self.input.len() + row * self.input.pitch() + start..];
            let x = &x[..(width - 1) * channels + A];
            let grad = &self.grad[image * self.output.len() + self.output.row(row) + self.first..];
            for column in 0..width {
                let Some(x) = x[column * channels..].first_chunk::<A>() else {
                    return;
                };
                let grad = &grad[column * self.output.channels..][..R * S::F32_LANES];
                let Some(grad) = S::as_simd_f32s(grad).0.first_chunk::<R>() else {
                    return;
                };
                for a in 0..A {
                    let value = simd.splat_f32s(x[a]);
                    for r in 0..R {
                        sums[a][r] = simd.mul_add_e_f32s(grad[r], value, sums[a][r]);
                    }
                }
            }
        }
        *sum = sums;
    }
}
