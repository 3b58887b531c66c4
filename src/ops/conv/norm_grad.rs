//! The gradient on its way back through pool, ReLU and norm, image by image, and the sums that the norm's backward pass
//! needs.

use pulp::Arch;
use rayon::prelude::*;

use crate::ops::cpu::{folded, repeated};
use crate::ops::kernels::{Plane, max_pool_grad, vectorised};
use crate::ops::norm_sums::{self, Sums};
use crate::ops::profile::{Work, timed};

use super::affine::Affine;
use super::loops::{add_terms, mask, scaled, subtract};
use super::shape::{After, Shape, Source};

/// Constants of the norm's backward pass for every channel, repeated over several pixels: scale and mean of the norm,
/// and the terms a = mean(g) and b = inverse·mean(g·x̂) that are subtracted, 0 where the statistics are constants.
pub(super) struct Offsets {
    scale: Vec<f32>,
    mean: Vec<f32>,
    a: Vec<f32>,
    b: Vec<f32>,
}

impl Offsets {
    /// For an image whose share of the statistics is `factor` times that of the others on average.
    fn times(&self, factor: f64) -> Self {
        let scaled = |values: &[f32]| {
            let values = values.iter().map(|x| (f64::from(*x) * factor) as f32);
            values.collect()
        };
        Self {
            scale: self.scale.clone(),
            mean: self.mean.clone(),
            a: scaled(&self.a),
            b: scaled(&self.b),
        }
    }
}

/// Pool, ReLU and norm after a convolution, on the way back.
#[derive(Clone, Copy)]
pub(super) struct WayBack<'a> {
    pub(super) arch: Arch,
    pub(super) shape: &'a Shape,
    pub(super) after: &'a After,
}

impl WayBack<'_> {
    /// Gradient of the convolution's output for image `n` of the batch's outputs `raw` and gradients `grad`, into the plane
    /// `out`; where the norm's statistics are constants, its sums are added to `sums` on the way.
    pub(super) fn output_gradient(
        &self,
        n: usize,
        (raw, grad): (&[f32], &[f32]),
        offsets: &Offsets,
        plane: &Plane,
        out: &mut [f32],
        sums: &mut Sums,
    ) {
        let passed = grad.len() / self.shape.n;
        let grad = &grad[n * passed..][..passed];
        let raw = &raw[n * self.shape.raw()..][..self.shape.raw()];
        timed(Work::NormGrad, || match &self.after.stats {
            Source::Constants if self.after.norm => {
                let own = self.constant_gradient(raw, grad, offsets, plane, out);
                norm_sums::add(sums, &own);
            }
            Source::Constants | Source::Batch => {
                self.raw_gradient(raw, grad, offsets, plane, out);
            }
            Source::Shares(shares) => {
                let offsets = offsets.times(shares[n] * self.shape.n as f64);
                self.raw_gradient(raw, grad, &offsets, plane, out);
            }
        });
    }

    /// Whether gradients flow through the norm's statistics.
    pub(super) fn through_batch(&self) -> bool {
        self.after.stats != Source::Constants
    }

    /// Gradient of the convolution's output, written to the plane `out`, from the gradient `grad` of the result of
    /// norm, ReLU and pool: scale·(g − a − b·(x − mean)) with g the part of `grad` that pool and ReLU let pass (Ioffe &
    /// Szegedy 2015, section 3). Where the image has a share w of the statistics, a and b are those of 1/N, times w·N.
    fn raw_gradient(
        &self,
        raw: &[f32],
        grad: &[f32],
        offsets: &Offsets,
        plane: &Plane,
        out: &mut [f32],
    ) {
        let Offsets { scale, mean, a, b } = offsets;
        let stretch = scale.len();
        plane.clear(out);
        vectorised(
            self.arch,
            #[inline(always)]
            || {
                self.for_each_row(
                    raw,
                    grad,
                    #[inline(always)]
                    |row, raw, passed| {
                        let out = &mut out[plane.row(row)..][..raw.len()];
                        let stretches = out
                            .chunks_mut(stretch)
                            .zip(passed.chunks(stretch))
                            .zip(raw.chunks(stretch));
                        for ((out, passed), raw) in stretches {
                            subtract(out, passed, raw, (scale, mean), (a, b));
                        }
                    },
                );
            },
        );
    }

    /// As [`Self::raw_gradient`] where the norm's statistics are constants: scale·g. The sums Σg and Σg·x̂, of which the
    /// gradients of the norm's weight and bias consist, are taken on the way.
    fn constant_gradient(
        &self,
        raw: &[f32],
        grad: &[f32],
        Offsets { scale, mean, .. }: &Offsets,
        plane: &Plane,
        out: &mut [f32],
    ) -> Sums {
        let stretch = scale.len();
        let (mut plain, mut weighted) = (vec![0.0_f32; stretch], vec![0.0_f32; stretch]);
        plane.clear(out);
        vectorised(
            self.arch,
            #[inline(always)]
            || {
                self.for_each_row(
                    raw,
                    grad,
                    #[inline(always)]
                    |row, raw, passed| {
                        let out = &mut out[plane.row(row)..][..raw.len()];
                        let stretches = out
                            .chunks_mut(stretch)
                            .zip(passed.chunks(stretch))
                            .zip(raw.chunks(stretch));
                        for ((out, passed), raw) in stretches {
                            add_terms(&mut plain, &mut weighted, raw, passed, mean);
                            scaled(out, passed, scale);
                        }
                    },
                );
            },
        );
        self.sums_of(&plain, &weighted)
    }

    /// The constants of the norm's backward pass, from the sums over the batch.
    pub(super) fn offsets(&self, sums: &Sums) -> Offsets {
        let count = (self.shape.n * self.shape.h * self.shape.w) as f64;
        let Affine {
            scale,
            mean,
            inverse,
            ..
        } = &self.after.affine;
        let a: Vec<f32> = sums.iter().map(|sum| (sum[0] / count) as f32).collect();
        let b = sums
            .iter()
            .zip(inverse)
            .map(|(sum, &inverse)| (f64::from(inverse) * sum[1] / count) as f32);
        let b: Vec<f32> = b.collect();
        Offsets {
            scale: repeated(scale),
            mean: repeated(mean),
            a: repeated(&a),
            b: repeated(&b),
        }
    }

    /// Σg and Σg·x̂ over the batch, image by image in order, whatever the threads.
    pub(super) fn all_sums(&self, raw: &[f32], grad: &[f32]) -> Sums {
        let images: Vec<Sums> = raw
            .par_chunks(self.shape.raw())
            .zip(grad.par_chunks(grad.len() / self.shape.n))
            .map(|(raw, grad)| timed(Work::NormSums, || self.image_sums(raw, grad)))
            .collect();
        let mut sums = vec![[0.0; 2]; self.shape.outputs];
        images
            .iter()
            .for_each(|image| norm_sums::add(&mut sums, image));
        sums
    }

    /// Σg and Σg·x̂ over one image.
    fn image_sums(&self, raw: &[f32], grad: &[f32]) -> Sums {
        let mean = repeated(&self.after.affine.mean);
        let (mut plain, mut weighted) = (vec![0.0_f32; mean.len()], vec![0.0_f32; mean.len()]);
        vectorised(
            self.arch,
            #[inline(always)]
            || {
                self.for_each_row(
                    raw,
                    grad,
                    #[inline(always)]
                    |_, raw, passed| {
                        for (raw, passed) in raw.chunks(mean.len()).zip(passed.chunks(mean.len())) {
                            add_terms(&mut plain, &mut weighted, raw, passed, &mean);
                        }
                    },
                );
            },
        );
        self.sums_of(&plain, &weighted)
    }

    /// Σg and Σg·x̂ of every channel, from sums of g and g·(x − mean) over several pixels side by side.
    fn sums_of(&self, plain: &[f32], weighted: &[f32]) -> Sums {
        let c = self.shape.outputs;
        let sums = folded(plain, c)
            .into_iter()
            .zip(folded(weighted, c))
            .zip(&self.after.affine.inverse);
        sums.map(|((plain, weighted), inverse)| [f64::from(plain), f64::from(weighted * inverse)])
            .collect()
    }

    /// Calls `visit(row index, row, gradient that ReLU and pool let pass)` for every row of an image.
    #[inline(always)]
    fn for_each_row(
        &self,
        raw: &[f32],
        grad: &[f32],
        mut visit: impl FnMut(usize, &[f32], &mut [f32]),
    ) {
        let (w, c) = (self.shape.w, self.shape.outputs);
        let After { pending, pool, .. } = self.after;
        let mut passed = vec![0.0; if *pool { 2 * w * c } else { w * c }];
        if *pool {
            for (pair, grad) in grad.chunks_exact(w / 2 * c).enumerate() {
                let rows = &raw[2 * pair * w * c..][..2 * w * c];
                if w % 2 == 1 {
                    passed.fill(0.0); // The pool leaves out the last column.
                }
                max_pool_grad(self.arch, self.after.rows(rows, w), grad, &mut passed);
                let (upper, lower) = passed.split_at_mut(w * c);
                visit(2 * pair, &rows[..w * c], upper);
                visit(2 * pair + 1, &rows[w * c..], lower);
            }
            if self.shape.h % 2 == 1 {
                // The pool leaves out the last row, so its gradient is 0, but its values count in the batch's
                // statistics.
                let last = self.shape.h - 1;
                passed.fill(0.0);
                visit(last, &raw[last * w * c..], &mut passed[..w * c]);
            }
            return;
        }
        let stretch = pending.scale.len();
        for (row, (raw, grad)) in raw
            .chunks_exact(w * c)
            .zip(grad.chunks_exact(w * c))
            .enumerate()
        {
            for ((passed, raw), grad) in passed
                .chunks_mut(stretch)
                .zip(raw.chunks(stretch))
                .zip(grad.chunks(stretch))
            {
                mask(passed, raw, grad, pending);
            }
            visit(row, raw, &mut passed);
        }
    }
}
