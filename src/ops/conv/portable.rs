//! The way of other devices: made of candle operations that are right there, each step with its own gradient.

use candle_core::{Result, Tensor};

use crate::ops::tape::{Tape, Var};

use super::{Affine, BatchStats, Conv, Norm, Stats, batch_stats, rows, widen};

pub(super) fn conv2d(
    tape: &Tape,
    x: &Var,
    weight: &Var,
    conv: &Conv<'_>,
) -> Result<(Var, Option<BatchStats>)> {
    let mut out = convolution(tape, x, weight, conv.dilation)?;
    let mut stats = None;
    if let Some(norm) = &conv.norm {
        (out, stats) = batch_norm(tape, &out, norm)?;
    }
    if conv.relu {
        out = relu(tape, &out)?;
    }
    if conv.pool {
        out = max_pool(tape, &out)?;
    }
    Ok((out, stats))
}

fn convolution(tape: &Tape, x: &Var, weight: &Var, dilation: usize) -> Result<Var> {
    let k = weight.data.dims()[2];
    let (input, kernel, needs_input) = (x.data.tensor()?, weight.data.tensor()?, x.slot.is_some());
    let out = forward(&input, &kernel, dilation)?;
    Ok(tape.record_tensors(out, &[x, weight], move |grad| {
        let grad = grad.contiguous()?;
        // The adjoint of a "same" convolution is the convolution with the flipped kernel, in and out swapped.
        let adjoint = || forward(&grad, &kernel.flip(&[2, 3])?.transpose(0, 1)?, dilation);
        let input_grad = needs_input.then(adjoint).transpose()?;
        Ok(vec![
            input_grad,
            Some(weight_grad(&input, &grad, k, dilation)?),
        ])
    }))
}

fn forward(x: &Tensor, weight: &Tensor, dilation: usize) -> Result<Tensor> {
    let (n, h, w, ci) = x.dims4()?;
    let (co, _, k, _) = weight.dims4()?;
    let panel = weight
        .permute((2, 3, 1, 0))?
        .reshape((k * k * ci, co))?
        .contiguous()?;
    columns(x, k, dilation)?
        .matmul(&panel)?
        .reshape((n, h, w, co))
}

fn weight_grad(x: &Tensor, grad: &Tensor, k: usize, dilation: usize) -> Result<Tensor> {
    let ci = x.dim(3)?;
    let co = grad.dim(3)?;
    let products = columns(x, k, dilation)?
        .t()?
        .matmul(&grad.reshape((rows(grad)?, co))?)?;
    products
        .reshape((k, k, ci, co))?
        .permute((3, 2, 0, 1))?
        .contiguous()
}

/// Unfolds [N, H, W, C] to [N·H·W, k·k·C]: row by row the neighbourhood of every pixel, zeros outside.
fn columns(x: &Tensor, k: usize, dilation: usize) -> Result<Tensor> {
    let (n, h, w, c) = x.dims4()?;
    if k == 1 {
        return x.reshape((n * h * w, c));
    }
    let reach = dilation * (k - 1) / 2;
    let padded = x
        .pad_with_zeros(1, reach, reach)?
        .pad_with_zeros(2, reach, reach)?;
    let mut taps = Vec::with_capacity(k * k);
    for tap in 0..k * k {
        let view = padded
            .narrow(1, tap / k * dilation, h)?
            .narrow(2, tap % k * dilation, w)?;
        taps.push(view.contiguous()?.reshape((n * h * w, c))?);
    }
    Tensor::cat(&taps, 1)
}

fn batch_norm(tape: &Tape, x: &Var, norm: &Norm<'_>) -> Result<(Var, Option<BatchStats>)> {
    let input = x.data.tensor()?;
    let count = rows(&input)?;
    let device = input.device();
    let (mean, variance) = match norm.stats {
        Stats::Batch => moments(&input)?,
        Stats::Running { mean, variance } => (widen(mean), widen(variance)),
    };
    let batch = matches!(norm.stats, Stats::Batch);
    let stats = batch.then(|| batch_stats(&mean, &variance, count));
    let affine = Affine::new(norm, &mean, &variance)?;
    let tensor = |values: &[f32]| Tensor::new(values, device);
    let (scale, shift) = (tensor(&affine.scale)?, tensor(&affine.shift)?);
    let (mean, inverse) = (tensor(&affine.mean)?, tensor(&affine.inverse)?);
    let out = input.broadcast_mul(&scale)?.broadcast_add(&shift)?;
    let needs_input = x.slot.is_some();
    let out = tape.record_tensors(out, &[x, norm.weight, norm.bias], move |grad| {
        let channels = scale.elem_count();
        let flat = |x: &Tensor| x.reshape((count, channels));
        let normalised = input.broadcast_sub(&mean)?.broadcast_mul(&inverse)?;
        let bias = flat(&grad)?.sum(0)?;
        let weight = flat(&grad.mul(&normalised)?)?.sum(0)?;
        // scale·(g − [mean(g) + x̂·mean(g·x̂)]), the bracket only where the statistics are the batch's (Ioffe & Szegedy
        // 2015, section 3).
        let inner = if batch && needs_input {
            let (a, b) = ((&bias / count as f64)?, (&weight / count as f64)?);
            grad.broadcast_sub(&a)?
                .sub(&normalised.broadcast_mul(&b)?)?
        } else {
            grad
        };
        let input_grad = needs_input
            .then(|| inner.broadcast_mul(&scale))
            .transpose()?;
        Ok(vec![input_grad, Some(weight), Some(bias)])
    });
    Ok((out, stats))
}

/// Mean and biased variance per channel, in two passes: one pass over squares loses what a large mean leaves.
fn moments(x: &Tensor) -> Result<(Vec<f64>, Vec<f64>)> {
    let count = rows(x)?;
    let flat = x.reshape((count, x.elem_count() / count))?;
    let mean = flat.mean(0)?;
    let variance = flat.broadcast_sub(&mean)?.sqr()?.mean(0)?;
    Ok((widen(&mean.to_vec1()?), widen(&variance.to_vec1()?)))
}

/// max(x, 0) that keeps NaN (candle's `relu` turns it into 0 and would hide a run that diverged), with gradient 0 at 0
/// (candle's has 1 there, PyTorch's 0).
fn relu(tape: &Tape, x: &Var) -> Result<Var> {
    let x_values = x.data.tensor()?;
    let open = x_values.gt(0.0)?.to_dtype(x_values.dtype())?;
    let out = x_values.mul(&open)?;
    Ok(tape.record_tensors(out, &[x], move |grad| Ok(vec![Some(grad.mul(&open)?)])))
}

fn max_pool(tape: &Tape, x: &Var) -> Result<Var> {
    let input = x.data.tensor()?;
    let corners = blocks(&input)?;
    // A NaN is unlike itself; the maximum alone would pass over it and hide a run that diverged.
    let whole = corners
        .eq(&corners)?
        .to_dtype(input.dtype())?
        .min(0)?
        .gt(0.5)?;
    let out = whole.where_cond(&corners.max(0)?, &corners.sum(0)?)?;
    let pooled = out.clone();
    Ok(tape.record_tensors(out, &[x], move |grad| {
        Ok(vec![Some(max_pool_grad(&input, &pooled, &grad)?)])
    }))
}

/// The four corners of every block, stacked: [4, N, OH, OW, C].
fn blocks(x: &Tensor) -> Result<Tensor> {
    let (n, h, w, c) = x.dims4()?;
    let (oh, ow) = (h / 2, w / 2);
    x.narrow(1, 0, 2 * oh)?
        .narrow(2, 0, 2 * ow)?
        .contiguous()?
        .reshape(&[n, oh, 2, ow, 2, c])?
        .permute([2, 4, 0, 1, 3, 5].as_slice())?
        .reshape((4, n, oh, ow, c))?
        .contiguous()
}

fn max_pool_grad(x: &Tensor, pooled: &Tensor, grad: &Tensor) -> Result<Tensor> {
    let (n, h, w, c) = x.dims4()?;
    let (oh, ow) = (h / 2, w / 2);
    let corners = blocks(x)?;
    // `free` is 1 until a corner has taken the gradient, so that ties go to the first.
    let mut free = pooled.ones_like()?;
    let mut grads = Vec::with_capacity(4);
    for corner in 0..4 {
        let wins = corners
            .get(corner)?
            .eq(pooled)?
            .to_dtype(x.dtype())?
            .mul(&free)?;
        free = (free - &wins)?;
        grads.push(wins.mul(grad)?);
    }
    Tensor::stack(&grads, 0)?
        .reshape(&[2, 2, n, oh, ow, c])?
        .permute([2, 3, 0, 4, 1, 5].as_slice())?
        .reshape((n, 2 * oh, 2 * ow, c))?
        .pad_with_zeros(1, 0, h - 2 * oh)?
        .pad_with_zeros(2, 0, w - 2 * ow)?
        .contiguous()
}
