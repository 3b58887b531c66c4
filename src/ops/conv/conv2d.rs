//! The operation itself: checks that the shapes fit together, and chooses the implementation by the device.

use candle_core::Result;

use crate::ops::gate::{self, Gate};
use crate::ops::tape::{Tape, Var};

use super::layer::{BatchStats, Conv, Joined, Stats};
use super::{fused, portable};

/// Convolution of `x` [N, H, W, Ci] with `weight` [Co, Ci, k, k] (k odd), stride 1, padding dilation·(k−1)/2, no bias,
/// followed by norm, ReLU and pool as `conv` asks for them: [N, H, W, Co], or [N, ⌊H/2⌋, ⌊W/2⌋, Co] where pooled. Also
/// returns the batch's statistics, where the norm uses them.
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

/// [`conv2d`] of `parts` side by side, each [N, H, W, its channels]. If there are `gates`, they scale the channels
/// first: the first gate the first channels, and so on to the last channel. A gate may span several parts.
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
    let (n, h, w, _) = first.data.dims4()?;
    let (outputs, inputs, k, k2) = weight.data.dims4()?;
    let norm_fits = conv.norm.as_ref().is_none_or(|norm| {
        let given = match norm.stats {
            Stats::Batch | Stats::Unit => outputs,
            Stats::Weighted(shares) if shares.len() == n => outputs,
            Stats::Weighted(_) => 0,
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

/// Number of channels of the parts side by side. If there are gates, they must scale all of them.
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
