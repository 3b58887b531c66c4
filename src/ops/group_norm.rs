//! Group norm with the ReLU and the max-pool after it: an operation of its own, whose result is kept.

use candle_core::{D, Result, Tensor};
use pulp::Arch;
use rayon::prelude::*;

use super::conv::{EPS, max_pool as portable_max_pool, open};
use super::cpu::{folded, image_moments, repeated};
use super::data::Data;
use super::kernels::{Rows, arch, max_pool, max_pool_grad, vectorised};
use super::memory::memory;
use super::pending_norm::Pending;
use super::profile::{Work, timed};
use super::tape::{Tape, Var};

/// A group norm (Wu & He 2018) and what follows it. Mean and variance are those of a group of neighbouring channels in one
/// image, in every mode; the variance is the biased one.
#[derive(Clone, Copy, Debug)]
pub struct GroupNorm<'a> {
    /// Scale, `[C]`.
    pub weight: &'a Var,
    /// Shift, `[C]`.
    pub bias: &'a Var,
    /// Number of groups, of which C is a multiple.
    pub groups: usize,
    /// 2×2 max-pool after the ReLU, as after a convolution.
    pub pool: bool,
}

/// max(norm(x), 0), pooled where asked for: `x` [N, H, W, C] → [N, H, W, C] or [N, ⌊H/2⌋, ⌊W/2⌋, C].
///
/// # Errors
/// Where the shapes do not fit together, or the device is out of memory.
pub fn group_norm(tape: &Tape, x: &Var, norm: &GroupNorm<'_>) -> Result<Var> {
    let (n, h, w, c) = x.data.dims4()?;
    let affine = [norm.weight.data.dims(), norm.bias.data.dims()];
    let fits = affine == [[c], [c]] && norm.groups > 0 && c % norm.groups == 0;
    if !fits || (norm.pool && h.min(w) < 2) {
        candle_core::bail!(
            "group norm: scale {:?}, shift {:?} and {} groups do not fit the input {:?}",
            affine[0],
            affine[1],
            norm.groups,
            x.data.dims()
        );
    }
    if !x.is_cpu() {
        let out = portable(tape, x, norm)?;
        return if norm.pool {
            portable_max_pool(tape, &out)
        } else {
            Ok(out)
        };
    }
    let values = |var: &Var| var.data.tensor()?.to_vec1::<f32>();
    let shape = Shape {
        n,
        h,
        w,
        c,
        groups: norm.groups,
        pool: norm.pool,
    };
    let x_values = match x.pending {
        None => x.data.contiguous()?,
        Some(_) => x.values()?.into(),
    };
    let (weight, bias) = (values(norm.weight)?, values(norm.bias)?);
    let (out, images) = shape.forward(&x_values, (&weight, &bias))?;
    let inputs = [x, norm.weight, norm.bias];
    Ok(tape.record(out, &inputs, move |grad| {
        shape.backward(&x_values, &weight, &images, &grad)
    }))
}

/// Sizes of the images, and what is done.
#[derive(Clone, Copy)]
struct Shape {
    n: usize,
    h: usize,
    w: usize,
    c: usize,
    groups: usize,
    pool: bool,
}

/// The norm of one image as a function of each channel: y = scale·x + shift.
#[derive(Clone)]
struct Image {
    scale: Vec<f32>,
    shift: Vec<f32>,
    mean: Vec<f32>,
    /// 1/√(variance + eps), of each channel's group.
    inverse: Vec<f32>,
}

impl Shape {
    fn values(&self) -> usize {
        self.h * self.w * self.c
    }

    fn out_dims(&self) -> [usize; 4] {
        let halves = if self.pool { 2 } else { 1 };
        [self.n, self.h / halves, self.w / halves, self.c]
    }

    /// Two rows of an image, to be pooled.
    fn rows<'a>(&self, norm: &'a Image, values: &'a [f32]) -> Rows<'a> {
        Rows {
            values,
            width: self.w,
            scale: &norm.scale,
            shift: &norm.shift,
            floor: 0.0,
        }
    }

    fn forward(&self, x: &Data, affine: (&[f32], &[f32])) -> Result<(Data, Vec<Image>)> {
        let arch = arch();
        let dims = self.out_dims();
        let each: usize = dims[1..].iter().product();
        let mut out = memory(self.n * each);
        let images = x.with(|x| {
            out.par_chunks_mut(each.max(1))
                .zip(x.par_chunks(self.values().max(1)))
                .map(|(out, x)| {
                    let norm = timed(Work::Moments, || self.statistics(arch, x, affine));
                    if self.pool {
                        timed(Work::Pool, || self.pooled(arch, &norm, x, out));
                        return norm;
                    }
                    let pending = Pending {
                        scale: repeated(&norm.scale),
                        shift: repeated(&norm.shift),
                        floor: 0.0,
                    };
                    vectorised(
                        arch,
                        #[inline(always)]
                        || pending.apply(x, out),
                    );
                    norm
                })
                .collect()
        })?;
        Ok((Data::host(out, &dims), images))
    }

    fn pooled(&self, arch: Arch, norm: &Image, x: &[f32], out: &mut [f32]) {
        let row = self.w * self.c;
        let outs = out.chunks_exact_mut(self.w / 2 * self.c);
        for (pair, out) in x.chunks_exact(2 * row).zip(outs) {
            max_pool(arch, self.rows(norm, pair), out);
        }
    }

    /// The norm of an image, from the means and the squared deviations of its channels.
    fn statistics(&self, arch: Arch, image: &[f32], (weight, bias): (&[f32], &[f32])) -> Image {
        let mut channels = vec![0.0; self.c];
        let mut squares = vec![0.0; self.c];
        vectorised(
            arch,
            #[inline(always)]
            || image_moments(image, &mut channels, &mut squares),
        );
        let (pixels, each) = ((self.h * self.w) as f64, self.c / self.groups);
        let (mut mean, mut inverse) = (Vec::new(), Vec::new());
        for (means, squares) in channels.chunks(each).zip(squares.chunks(each)) {
            let count = each as f64;
            let middle = means.iter().map(|&x| f64::from(x)).sum::<f64>() / count;
            let own = means.iter().zip(squares);
            let spread = own.map(|(&mean, &squares)| {
                f64::from(squares) / pixels + (f64::from(mean) - middle).powi(2)
            });
            let variance = spread.sum::<f64>() / count;
            mean.extend(vec![middle as f32; each]);
            inverse.extend(vec![(1.0 / (variance + EPS).sqrt()) as f32; each]);
        }
        let scale: Vec<f32> = weight.iter().zip(&inverse).map(|(w, i)| w * i).collect();
        let moved = scale.iter().zip(&mean).map(|(scale, mean)| scale * mean);
        Image {
            shift: bias.iter().zip(moved).map(|(bias, by)| bias - by).collect(),
            scale,
            mean,
            inverse,
        }
    }

    /// Gradients of the input, the scale and the shift. Those of scale and shift are summed image by image in order,
    /// whatever the threads.
    fn backward(
        &self,
        x: &Data,
        weight: &[f32],
        images: &[Image],
        grad: &Data,
    ) -> Result<Vec<Option<Data>>> {
        let arch = arch();
        let grad = grad.contiguous()?;
        let (each, passed) = (self.values().max(1), grad.elem_count() / self.n.max(1));
        let mut out = memory(self.n * self.values());
        let sums: Vec<[Vec<f32>; 2]> = x.with(|x| {
            grad.with(|grad| {
                out.par_chunks_mut(each)
                    .zip(x.par_chunks(each).zip(grad.par_chunks(passed.max(1))))
                    .zip(images)
                    .map(|((out, (x, grad)), norm)| {
                        timed(Work::NormGrad, || {
                            self.image_grad(arch, (x, grad), weight, norm, out)
                        })
                    })
                    .collect()
            })
        })??;
        let total = |which: usize| {
            let mut total = vec![0.0_f64; self.c];
            for sums in &sums {
                let terms = total.iter_mut().zip(&sums[which]);
                terms.for_each(|(total, x)| *total += f64::from(*x));
            }
            let total = total.into_iter().map(|x| x as f32).collect();
            Some(Data::host(total, &[self.c]))
        };
        let [bias, weight] = [0, 1].map(total);
        Ok(vec![
            Some(Data::host(out, &[self.n, self.h, self.w, self.c])),
            weight,
            bias,
        ])
    }

    /// Writes the gradient of an image to `out`: scale·g − inverse·(A + x̂·B), with g the gradient that pool and ReLU let
    /// pass, and A and B the means over the image's group of γ·g and of γ·g·x̂. Gives Σg and Σg·x̂ of each channel.
    fn image_grad(
        &self,
        arch: Arch,
        (x, grad): (&[f32], &[f32]),
        weight: &[f32],
        norm: &Image,
        out: &mut [f32],
    ) -> [Vec<f32>; 2] {
        self.through_pool_and_relu(arch, (x, grad), norm, out);
        let mean = repeated(&norm.mean);
        let (mut plain, mut along) = (vec![0.0; mean.len()], vec![0.0; mean.len()]);
        vectorised(
            arch,
            #[inline(always)]
            || {
                for (g, x) in out.chunks(mean.len()).zip(x.chunks(mean.len())) {
                    add_terms((&mut plain, &mut along), g, x, &mean);
                }
            },
        );
        let plain = folded(&plain, self.c);
        let along = folded(&along, self.c).into_iter().zip(&norm.inverse);
        let along: Vec<f32> = along.map(|(sum, inverse)| sum * inverse).collect();
        let count = (self.h * self.w * self.c / self.groups) as f64;
        let (mut a, mut b) = (Vec::new(), Vec::new());
        let each = self.c / self.groups;
        for start in (0..self.c).step_by(each) {
            let own = start..start + each;
            let mean = |sums: &[f32]| {
                let terms = sums[own.clone()].iter().zip(&weight[own.clone()]);
                let sum: f64 = terms.map(|(x, w)| f64::from(*x) * f64::from(*w)).sum();
                sum / count
            };
            let inverse = f64::from(norm.inverse[start]);
            a.extend(vec![(inverse * mean(&plain)) as f32; each]);
            b.extend(vec![(inverse * inverse * mean(&along)) as f32; each]);
        }
        let (scale, a, b) = (repeated(&norm.scale), repeated(&a), repeated(&b));
        vectorised(
            arch,
            #[inline(always)]
            || {
                for (g, x) in out.chunks_mut(mean.len()).zip(x.chunks(mean.len())) {
                    subtract(g, x, (&scale, &mean), (&a, &b));
                }
            },
        );
        [plain, along]
    }

    /// The gradient that pool and ReLU let pass, into `out`.
    fn through_pool_and_relu(
        &self,
        arch: Arch,
        (x, grad): (&[f32], &[f32]),
        norm: &Image,
        out: &mut [f32],
    ) {
        if self.pool {
            // The pool leaves out an odd last row and column, whose gradient is 0.
            out.fill(0.0);
            let row = self.w * self.c;
            let pairs = x.chunks_exact(2 * row).zip(out.chunks_exact_mut(2 * row));
            for ((x, out), grad) in pairs.zip(grad.chunks_exact(self.w / 2 * self.c)) {
                max_pool_grad(arch, self.rows(norm, x), grad, out);
            }
            return;
        }
        let (scale, shift) = (repeated(&norm.scale), repeated(&norm.shift));
        let stretch = scale.len();
        vectorised(
            arch,
            #[inline(always)]
            || {
                let values = x.chunks(stretch).zip(grad.chunks(stretch));
                for (out, (x, grad)) in out.chunks_mut(stretch).zip(values) {
                    mask(out, (x, grad), &scale, &shift);
                }
            },
        );
    }
}

// Each loop is a function, because the compiler then knows that the slice it writes overlaps none that it reads.

/// The gradient where scale·x + shift is above 0, else 0.
#[inline(always)]
fn mask(out: &mut [f32], (x, grad): (&[f32], &[f32]), scale: &[f32], shift: &[f32]) {
    let values = x.iter().zip(grad).zip(scale.iter().zip(shift));
    for (out, ((x, grad), (scale, shift))) in out.iter_mut().zip(values) {
        *out = if x * scale + shift > 0.0 { *grad } else { 0.0 };
    }
}

/// Adds g and g·(x − mean).
#[inline(always)]
fn add_terms((plain, along): (&mut [f32], &mut [f32]), g: &[f32], x: &[f32], mean: &[f32]) {
    let values = g.iter().zip(x).zip(mean);
    for ((plain, along), ((g, x), mean)) in plain.iter_mut().zip(along).zip(values) {
        *plain += g;
        *along += g * (x - mean);
    }
}

/// scale·g − a − b·(x − mean), in place of g.
#[inline(always)]
fn subtract(g: &mut [f32], x: &[f32], (scale, mean): (&[f32], &[f32]), (a, b): (&[f32], &[f32])) {
    let constants = scale.iter().zip(mean).zip(a.iter().zip(b));
    for ((g, x), ((scale, mean), (a, b))) in g.iter_mut().zip(x).zip(constants) {
        *g = scale * *g - a - b * (x - mean);
    }
}

/// Norm and ReLU of operations of candle, for other devices.
fn portable(tape: &Tape, x: &Var, norm: &GroupNorm<'_>) -> Result<Var> {
    let input = x.values()?;
    let (n, h, w, c) = input.dims4()?;
    let grouped = [n, h * w, norm.groups, c / norm.groups];
    let grouped_input = input.reshape(grouped.as_slice())?;
    let centred = grouped_input.broadcast_sub(&group_mean(&grouped_input)?)?;
    let inverse = (group_mean(&centred.sqr()?)? + EPS)?.sqrt()?.recip()?;
    let unit = centred.broadcast_mul(&inverse)?;
    let scale = norm.weight.data.tensor()?;
    let flat = |x: &Tensor| x.reshape((n * h * w, c));
    let out = flat(&unit)?
        .broadcast_mul(&scale)?
        .broadcast_add(&norm.bias.data.tensor()?)?;
    let out = open(&out, &out)?;
    let active = out.clone();
    let inputs = [x, norm.weight, norm.bias];
    let out = out.reshape((n, h, w, c))?;
    Ok(tape.record_tensors(out, &inputs, move |grad| {
        let flat = |x: &Tensor| x.reshape((n * h * w, c));
        let grad = open(&flat(&grad)?, &active)?;
        let (bias, weight) = (grad.sum(0)?, grad.mul(&flat(&unit)?)?.sum(0)?);
        let grad = grad.broadcast_mul(&scale)?.reshape(grouped.as_slice())?;
        let through = unit.broadcast_mul(&group_mean(&grad.mul(&unit)?)?)?;
        let grad = grad.broadcast_sub(&group_mean(&grad)?)?.sub(&through)?;
        let grad = grad.broadcast_mul(&inverse)?.reshape((n, h, w, c))?;
        Ok(vec![Some(grad), Some(weight), Some(bias)])
    }))
}

/// Mean over the pixels and the channels of each group: [N, pixels, groups, channels] → [N, 1, groups, 1].
fn group_mean(x: &Tensor) -> Result<Tensor> {
    x.mean_keepdim(D::Minus1)?.mean_keepdim(1)
}
