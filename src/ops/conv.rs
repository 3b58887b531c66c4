//! A convolution with what follows it: batch norm, ReLU, 2×2 max-pool, each if asked for.
//!
//! They are one operation because memory is what they cost: on the CPU the convolution's own output is all that is
//! kept. The norm's statistics are taken while an image's output is still in the cache; the norm and the ReLU are left
//! for the reader of the result to apply while it copies the image into its scratch memory; in the backward pass the
//! gradient passes through pool, ReLU and norm on its way into scratch memory, where both convolutions of the
//! backward pass find it.

mod backward;
mod fused;
mod input;
mod portable;

pub use portable::COLUMN_VALUES;

use candle_core::{D, Device, Result, Tensor};

use super::gate::{self, Gate};
use super::tape::{Tape, Var};

/// Added to variances under the root, as in PyTorch.
const EPS: f64 = 1e-5;

/// What a convolution is and what follows it.
#[derive(Debug)]
pub struct Conv<'a> {
    /// Distance of the kernel's taps.
    pub dilation: usize,
    /// Batch norm after the convolution.
    pub norm: Option<Norm<'a>>,
    /// ReLU after that, with gradient 0 at 0, as in PyTorch.
    pub relu: bool,
    /// 2×2 max-pool after that: an odd last row or column is left out, and of equal values the first in row-major
    /// order gets the gradient, as in PyTorch.
    pub pool: bool,
}

/// Batch norm: (x − mean)/√(variance + eps), scaled by `weight` and shifted by `bias`, `[C]` each.
#[derive(Debug)]
pub struct Norm<'a> {
    /// Scale, `[C]`.
    pub weight: &'a Var,
    /// Shift, `[C]`.
    pub bias: &'a Var,
    /// Where mean and variance come from.
    pub stats: Stats<'a>,
}

/// Where a batch norm's mean and variance come from.
#[derive(Clone, Copy, Debug)]
pub enum Stats<'a> {
    /// Training: from the batch (the variance is the biased one); gradients flow through them.
    Batch,
    /// Evaluation: constants, `[C]` each.
    Running {
        /// Mean.
        mean: &'a [f32],
        /// Variance.
        variance: &'a [f32],
    },
}

/// Statistics of one batch, per channel: what the running statistics are updated with. They stay on the device, so
/// that those of all layers can be read at once.
#[derive(Clone, Debug)]
pub struct BatchStats {
    /// Mean, `[C]`.
    pub mean: Tensor,
    /// Unbiased variance (n/(n−1)), `[C]`, as PyTorch keeps it.
    pub variance: Tensor,
}

/// What [`join_conv2d`] gives.
#[derive(Debug)]
pub struct Joined {
    /// The result, as that of [`conv2d`].
    pub out: Var,
    /// The gates, [N, channels] each.
    pub gates: Vec<Tensor>,
    /// The batch's statistics where it normalised by them.
    pub stats: Option<BatchStats>,
}

/// Convolution of `x` [N, H, W, Ci] with `weight` [Co, Ci, k, k] (k odd), stride 1, padding dilation·(k−1)/2, no bias,
/// and what `conv` says: [N, H, W, Co], or [N, ⌊H/2⌋, ⌊W/2⌋, Co] where pooled. With the batch's statistics where it
/// normalised by them.
///
/// # Errors
/// Where the shapes do not fit together, or the device is out of memory.
pub fn conv2d(
    tape: &Tape,
    x: &Var,
    weight: &Var,
    conv: &Conv<'_>,
) -> Result<(Var, Option<BatchStats>)> {
    let Joined { out, stats, .. } = join_conv2d(tape, &[x], &[], weight, conv)?;
    Ok((out, stats))
}

/// [`conv2d`] of `parts` [N, H, W, each its channels] side by side. Where there are `gates`, they scale the channels
/// before: the first gate the first channels, and so on, to the last channel; one gate may span parts.
///
/// # Errors
/// Where the shapes do not fit together, or the device is out of memory.
pub fn join_conv2d(
    tape: &Tape,
    parts: &[&Var],
    gates: &[Gate<'_>],
    weight: &Var,
    conv: &Conv<'_>,
) -> Result<Joined> {
    let [first, ..] = parts else {
        candle_core::bail!("conv2d: there is no input")
    };
    let channels = joined_channels(parts, gates)?;
    let (_, h, w, _) = first.data.dims4()?;
    let (outputs, inputs, k, k2) = weight.data.dims4()?;
    let norm_fits = conv.norm.as_ref().is_none_or(|norm| {
        let given = match norm.stats {
            Stats::Batch => outputs,
            Stats::Running { mean, variance } => mean.len().max(variance.len()),
        };
        norm.weight.data.dims() == [outputs]
            && norm.bias.data.dims() == [outputs]
            && given == outputs
    });
    if inputs != channels || k != k2 || k % 2 == 0 || !norm_fits || (conv.pool && h.min(w) < 2) {
        candle_core::bail!(
            "conv2d: weight {:?} or what follows it does not fit {channels} channels of input {:?}",
            weight.data.dims(),
            first.data.dims()
        );
    }
    if first.is_cpu() {
        return fused::conv2d(tape, parts, gates, weight, conv);
    }
    let (x, gates) = match (parts, gates) {
        (&[x], []) => (x.clone(), Vec::new()),
        _ => gate::join(tape, parts, gates)?,
    };
    let (out, stats) = portable::conv2d(tape, &x, weight, conv)?;
    Ok(Joined { out, gates, stats })
}

/// Channels of parts side by side, all of which the gates scale, if there are any.
fn joined_channels(parts: &[&Var], gates: &[Gate<'_>]) -> Result<usize> {
    let mut channels = 0;
    for part in parts {
        let (dims, first) = (part.data.dims(), parts[0].data.dims());
        if dims.len() != 4 || dims[..3] != first[..3] {
            candle_core::bail!("conv2d: inputs {first:?} and {dims:?} do not fit together");
        }
        channels += dims[3];
    }
    let gated: Option<usize> = gates.iter().map(Gate::channels).sum();
    if gated != Some(channels) && !gates.is_empty() {
        candle_core::bail!("conv2d: the gates do not fit {channels} channels");
    }
    Ok(channels)
}

/// What a batch norm does to each channel: y = scale·x + shift.
#[derive(Clone, Debug)]
struct Affine {
    scale: Vec<f32>,
    shift: Vec<f32>,
    mean: Vec<f32>,
    /// 1/√(variance + eps).
    inverse: Vec<f32>,
}

impl Affine {
    fn new(norm: &Norm<'_>, mean: &[f64], variance: &[f64]) -> Result<Self> {
        let (weight, bias) = (
            norm.weight.data.tensor()?.to_vec1::<f32>()?,
            norm.bias.data.tensor()?.to_vec1::<f32>()?,
        );
        let inverse: Vec<f32> = variance
            .iter()
            .map(|variance| (1.0 / (variance + EPS).sqrt()) as f32)
            .collect();
        let mean: Vec<f32> = mean.iter().map(|&mean| mean as f32).collect();
        let scale: Vec<f32> = weight
            .iter()
            .zip(&inverse)
            .map(|(weight, inverse)| weight * inverse)
            .collect();
        let shift = bias
            .iter()
            .zip(scale.iter().zip(&mean))
            .map(|(bias, (scale, mean))| bias - scale * mean);
        Ok(Self {
            shift: shift.collect(),
            scale,
            mean,
            inverse,
        })
    }

    fn identity(channels: usize) -> Self {
        Self {
            scale: vec![1.0; channels],
            shift: vec![0.0; channels],
            mean: vec![0.0; channels],
            inverse: vec![1.0; channels],
        }
    }
}

/// The running statistics' counterpart of a batch's biased variance over `rows` values, on the CPU.
fn batch_stats(mean: &[f64], biased: &[f64], rows: usize) -> Result<BatchStats> {
    let unbiased = unbiased(rows);
    let variance = biased.iter().map(|&variance| (variance * unbiased) as f32);
    Ok(BatchStats {
        mean: Tensor::from_iter(mean.iter().map(|&mean| mean as f32), &Device::Cpu)?,
        variance: Tensor::from_iter(variance, &Device::Cpu)?,
    })
}

/// What turns a biased variance over `rows` values into an unbiased one.
fn unbiased(rows: usize) -> f64 {
    rows as f64 / (rows as f64 - 1.0).max(1.0)
}

fn widen(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| f64::from(value)).collect()
}

/// Rows of pixels of [N, H, W, C].
fn rows(x: &Tensor) -> Result<usize> {
    Ok(x.elem_count() / x.dim(D::Minus1)?.max(1))
}
