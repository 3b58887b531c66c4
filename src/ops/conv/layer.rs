//! The settings of a convolution and of what follows it, and its results.

use candle_core::{Device, Result, Tensor};

use crate::ops::tape::Var;

use super::method::Method;

/// Added to variances under the root, as in PyTorch.
pub(in crate::ops) const EPS: f64 = 1e-5;

/// The settings of a convolution and of what follows it.
#[derive(Debug)]
pub struct Conv<'a> {
    /// Distance of the kernel's taps, in pixels.
    pub dilation: usize,
    /// Batch norm after the convolution.
    pub norm: Option<Norm<'a>>,
    /// ReLU after that, with gradient 0 at 0, as in PyTorch.
    pub relu: bool,
    /// 2×2 max-pool after that: an odd last row or column is left out, and of equal values the first in row-major
    /// order gets the gradient, as in PyTorch.
    pub pool: bool,
    /// How it is computed on the CPU.
    pub method: Method,
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
    /// From the batch, in which each image counts with its own share `[N]` instead of 1/N, its pixels alike; the shares
    /// sum to 1. The variance is Σ w (x − μ)², and gradients flow through both. With all shares 1/N this is `Batch`.
    Weighted(&'a [f64]),
    /// Evaluation: constants, `[C]` each.
    Running {
        /// Mean.
        mean: &'a [f32],
        /// Variance.
        variance: &'a [f32],
    },
    /// Mean 0 and variance 1, without eps: there is no norm, only its scale and shift. With a constant scale of 1 this is
    /// a convolution with a bias.
    Unit,
}

/// Statistics of one batch, per channel, with which the running statistics are updated. They stay on the device, so
/// that those of all layers can be read at once.
#[derive(Clone, Debug)]
pub struct BatchStats {
    /// Mean, `[C]`.
    pub mean: Tensor,
    /// Unbiased variance (n/(n−1)), `[C]`, as PyTorch keeps it.
    pub variance: Tensor,
}

/// Result of [`super::join_conv2d`].
#[derive(Debug)]
pub struct Joined {
    /// Activations, as of [`super::conv2d`].
    pub out: Var,
    /// Values of the gates, [N, channels] each.
    pub gates: Vec<Tensor>,
    /// Statistics of the batch, where the norm uses them.
    pub stats: Option<BatchStats>,
}

impl BatchStats {
    /// Statistics of a batch on the CPU, from mean and biased variance over `rows` values, per channel.
    pub(super) fn on_cpu(mean: &[f64], biased: &[f64], rows: usize) -> Result<Self> {
        let unbiased = unbiased(rows);
        let variance = biased.iter().map(|&variance| (variance * unbiased) as f32);
        Ok(Self {
            mean: Tensor::from_iter(mean.iter().map(|&mean| mean as f32), &Device::Cpu)?,
            variance: Tensor::from_iter(variance, &Device::Cpu)?,
        })
    }
}

/// The factor n/(n − 1) that turns a biased variance over n = `rows` values into an unbiased one.
pub(super) fn unbiased(rows: usize) -> f64 {
    rows as f64 / (rows as f64 - 1.0).max(1.0)
}
