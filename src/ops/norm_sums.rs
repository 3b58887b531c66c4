//! The sums Σg and Σg·x̂ that a batch norm's backward pass needs before its first gradient, taken by the reader of an
//! activation: while it computes the activation's gradient g, it has both in the cache, where the norm would have to
//! read them from memory once more.

use pulp::Arch;

use super::cpu::{folded, repeated};
use super::kernels::vectorised;

/// Σg and Σg·x̂ for each channel, over some images.
pub(super) type Sums = Vec<[f64; 2]>;

/// Adds sums over other images.
pub(super) fn add(sums: &mut Sums, more: &[[f64; 2]]) {
    for (sum, more) in sums.iter_mut().zip(more) {
        sum[0] += more[0];
        sum[1] += more[1];
    }
}

/// How a reader takes the sums from the values v of an activation: g counts where scale·v + shift > floor, and
/// x̂ = (v − centre)·factor. Constants of each channel, repeated over several pixels as by [`repeated`].
#[derive(Debug)]
pub(super) struct NormSums {
    scale: Vec<f32>,
    shift: Vec<f32>,
    centre: Vec<f32>,
    floor: f32,
    /// One value a channel.
    factor: Vec<f32>,
}

/// A pooled activation y holds x̂ = (y − bias)/weight. Where the weight is smaller than this times the bias, rounding
/// of y leaves too few digits of it.
const SMALLEST_WEIGHT: f32 = 0.01;

impl NormSums {
    /// For an activation that is left as the convolution gives it, with mean and 1/√(variance + eps) of each channel;
    /// norm and ReLU are left to the reader as max(scale·x + shift, floor).
    pub(super) fn raw(
        (scale, shift): (&[f32], &[f32]),
        floor: f32,
        (mean, inverse): (&[f32], &[f32]),
    ) -> Self {
        Self {
            scale: repeated(scale),
            shift: repeated(shift),
            centre: repeated(mean),
            floor,
            factor: inverse.to_vec(),
        }
    }

    /// For an activation to which norm, ReLU (where `floor` is 0) and pool are applied; none where a weight of the norm
    /// is too small.
    pub(super) fn pooled(weight: &[f32], bias: &[f32], floor: f32) -> Option<Self> {
        let is_large = |(weight, bias): (&f32, &f32)| {
            weight.abs() > SMALLEST_WEIGHT * bias.abs().max(SMALLEST_WEIGHT)
        };
        let channels = weight.len();
        weight.iter().zip(bias).all(is_large).then(|| Self {
            scale: repeated(&vec![1.0; channels]),
            shift: repeated(&vec![0.0; channels]),
            centre: repeated(bias),
            floor,
            factor: weight.iter().map(|weight| weight.recip()).collect(),
        })
    }

    /// The sums over no image.
    pub(super) fn zeros(&self) -> Sums {
        vec![[0.0; 2]; self.factor.len()]
    }

    /// The sums over one image, from its values and their gradient.
    pub(super) fn of_image(&self, arch: Arch, values: &[f32], grad: &[f32]) -> Sums {
        let stretch = self.scale.len();
        let (mut plain, mut weighted) = (vec![0.0; stretch], vec![0.0; stretch]);
        vectorised(
            arch,
            #[inline(always)]
            || {
                for (values, grad) in values.chunks(stretch).zip(grad.chunks(stretch)) {
                    self.add_terms(&mut plain, &mut weighted, values, grad);
                }
            },
        );
        let channels = self.factor.len();
        folded(&plain, channels)
            .into_iter()
            .zip(folded(&weighted, channels))
            .zip(&self.factor)
            .map(|((plain, weighted), factor)| [f64::from(plain), f64::from(weighted * factor)])
            .collect()
    }

    #[inline(always)]
    fn add_terms(&self, plain: &mut [f32], weighted: &mut [f32], values: &[f32], grad: &[f32]) {
        let constants = self.scale.iter().zip(&self.shift).zip(&self.centre);
        let sums = plain.iter_mut().zip(weighted).zip(constants);
        for (((plain, weighted), ((scale, shift), centre)), (value, grad)) in
            sums.zip(values.iter().zip(grad))
        {
            let is_open = value * scale + shift > self.floor;
            let grad = if is_open { *grad } else { 0.0 };
            *plain += grad;
            *weighted += grad * (value - centre);
        }
    }
}
