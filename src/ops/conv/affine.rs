//! A batch norm whose statistics are known: one scale and one shift for each channel.

use candle_core::Result;

use super::layer::{EPS, Norm};

/// A batch norm as one affine function of each channel: y = scale·x + shift.
#[derive(Clone, Debug)]
pub(super) struct Affine {
    pub(super) scale: Vec<f32>,
    pub(super) shift: Vec<f32>,
    pub(super) mean: Vec<f32>,
    /// 1/√(variance + eps).
    pub(super) inverse: Vec<f32>,
}

impl Affine {
    /// The norm with these statistics of each channel.
    pub(super) fn new(norm: &Norm<'_>, mean: &[f64], variance: &[f64]) -> Result<Self> {
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

    /// A norm that leaves the values as they are before it scales and shifts them.
    pub(super) fn unit(norm: &Norm<'_>, channels: usize) -> Result<Self> {
        Self::new(norm, &vec![0.0; channels], &vec![1.0 - EPS; channels])
    }

    /// The identity y = x, for a convolution without a norm.
    pub(super) fn identity(channels: usize) -> Self {
        Self {
            scale: vec![1.0; channels],
            shift: vec![0.0; channels],
            mean: vec![0.0; channels],
            inverse: vec![1.0; channels],
        }
    }
}
