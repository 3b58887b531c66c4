//! Convolution of one image: tiles of a few pixels × one or two registers of output channels, whose sums stay in
//! registers over all taps and input channels.

use std::array;

use pulp::{Arch, Simd, WithSimd};

use super::panels::{Block, Panels};
use super::planes::{Plane, Window};
use super::simd::{store, tile_len, with_constant};

/// Convolves the image in `x` (of shape `plane`, as seen through `window`) with `panels` into `out`
/// [height, width, Co].
pub(in crate::ops) fn convolve(
    arch: Arch,
    x: &[f32],
    plane: &Plane,
    window: &Window,
    panels: &Panels,
    out: &mut [f32],
) {
    arch.dispatch(Convolve {
        x,
        plane,
        window,
        panels,
        out,
    });
}

struct Convolve<'a> {
    x: &'a [f32],
    plane: &'a Plane,
    window: &'a Window,
    panels: &'a Panels,
    out: &'a mut [f32],
}

impl WithSimd for Convolve<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        for block in self.panels.blocks() {
            match block.registers {
                1 => self.block::<S, 1>(simd, &block),
                _ => self.block::<S, 2>(simd, &block),
            }
        }
    }
}

impl Convolve<'_> {
    #[inline(always)]
    fn block<S: Simd, const R: usize>(&mut self, simd: S, block: &Block<'_>) {
        let panel = S::as_simd_f32s(block.values).0.as_chunks::<R>().0;
        let Plane {
            height,
            width,
            channels,
            ..
        } = *self.plane;
        let pitch = self.plane.pitch();
        let tiles = width.div_ceil(tile_len::<S, R>());
        for row in 0..height {
            let mut column = 0;
            for tile in 0..tiles {
                let len = width / tiles + usize::from(tile < width % tiles);
                let x = &self.x[row * pitch + column * channels..];
                let at = row * width + column;
                with_constant!(len, P => self.tile::<S, R, P>(simd, x, panel, at, block.first));
                column += len;
            }
        }
    }

    #[inline(always)]
    fn tile<S: Simd, const R: usize, const P: usize>(
        &mut self,
        simd: S,
        x: &[f32],
        panel: &[[S::f32s; R]],
        at: usize,
        first: usize,
    ) {
        if P > tile_len::<S, R>() {
            return;
        }
        let channels = self.plane.channels;
        let len = self.window.len;
        let mut sums = [[simd.splat_f32s(0.0); R]; P];
        for (&start, panel) in self.window.starts.iter().zip(panel.chunks_exact(len)) {
            let x = &x[start..start + (P - 1) * channels + len];
            let pixels: [&[f32]; P] = array::from_fn(|p| &x[p * channels..p * channels + len]);
            for (i, weights) in panel.iter().enumerate().take(len) {
                for p in 0..P {
                    let value = simd.splat_f32s(pixels[p][i]);
                    for r in 0..R {
                        sums[p][r] = simd.mul_add_e_f32s(weights[r], value, sums[p][r]);
                    }
                }
            }
        }
        let outputs = self.panels.outputs;
        let width = (R * S::F32_LANES).min(outputs - first);
        // The sums are copied, because the compiler keeps in registers only arrays that are never indexed at run time.
        let sums: [[S::f32s; R]; P] = array::from_fn(|p| array::from_fn(|r| sums[p][r]));
        for (p, sums) in sums.iter().enumerate() {
            let out = &mut self.out[(at + p) * outputs + first..][..width];
            for (r, out) in out.chunks_mut(S::F32_LANES).enumerate().take(R) {
                store(simd, out, sums[r]);
            }
        }
    }
}
