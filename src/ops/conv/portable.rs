//! The implementation for other devices: it uses those operations of candle that are right there, and each step has a
//! gradient of its own.

use candle_core::{D, Device, Result, Tensor};

use crate::ops::tape::{Tape, Var};

use super::layer::{BatchStats, Conv, EPS, Norm, Stats, unbiased};

/// Values of the unfolded input that are held at a time: 2²⁷ are 512 MiB, far below the 2³² values that CUDA kernels
/// can count. Tests unfold less at a time, so that they go through several pieces.
pub const COLUMN_VALUES: usize = if cfg!(test) { 1 << 12 } else { 1 << 27 };

pub(super) fn conv2d(
    tape: &Tape,
    x: &Var,
    weight: &Var,
    conv: &Conv<'_>,
) -> Result<(Var, Option<BatchStats>)> {
    let mut out = convolution(tape, x, weight, conv.dilation)?;
    let mut stats = None;
    if let Some(norm) = &conv.norm {
        (out, stats) = batch_norm(tape, &out, norm, conv.relu)?;
    } else if conv.relu {
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
    let part = |(start, len)| columns(&x.narrow(0, start, len)?, k, dilation)?.matmul(&panel);
    let parts = image_chunks(x, k)?.map(part).collect::<Result<Vec<_>>>()?;
    Tensor::cat(&parts, 0)?.reshape((n, h, w, co))
}

fn weight_grad(x: &Tensor, grad: &Tensor, k: usize, dilation: usize) -> Result<Tensor> {
    let ci = x.dim(3)?;
    let co = grad.dim(3)?;
    let part = |(start, len)| {
        let grad = grad.narrow(0, start, len)?;
        columns(&x.narrow(0, start, len)?, k, dilation)?
            .t()?
            .matmul(&grad.reshape((rows(&grad)?, co))?)
    };
    let sum = image_chunks(x, k)?
        .map(part)
        .reduce(|sum, part| sum? + part?);
    let Some(sum) = sum else {
        candle_core::bail!("conv2d: the batch is empty")
    };
    sum?.reshape((k, k, ci, co))?
        .permute((3, 2, 0, 1))?
        .contiguous()
}

/// (start, length) of the runs of images that are unfolded at a time.
fn image_chunks(x: &Tensor, k: usize) -> Result<impl Iterator<Item = (usize, usize)>> {
    let (n, h, w, c) = x.dims4()?;
    let at_once = (COLUMN_VALUES / (h * w * c * k * k).max(1)).max(1);
    Ok((0..n)
        .step_by(at_once)
        .map(move |start| (start, at_once.min(n - start))))
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

/// Batch norm, followed by ReLU where `relu` is set. No value is read back to the host, since each reading would make
/// the device wait: all that is needed later stays a tensor.
fn batch_norm(
    tape: &Tape,
    x: &Var,
    norm: &Norm<'_>,
    relu: bool,
) -> Result<(Var, Option<BatchStats>)> {
    let input = x.data.tensor()?;
    let count = rows(&input)?;
    // In two dimensions, because broadcasting kernels divide by the size of every dimension for every value.
    let flat = input.reshape((count, input.dim(D::Minus1)?))?;
    // In two passes: one pass over squares loses the digits that a large mean leaves to the variance.
    let (mut batch, mut shares) = (false, None);
    let (mean, variance) = match norm.stats {
        Stats::Batch => {
            batch = true;
            let mean = flat.mean(0)?;
            let variance = flat.broadcast_sub(&mean)?.sqr()?.mean(0)?;
            (mean, variance)
        }
        Stats::Weighted(images) => {
            let rows = pixel_shares(images, count, input.device())?;
            let mean = flat.broadcast_mul(&rows)?.sum(0)?;
            let squares = flat.broadcast_sub(&mean)?.sqr()?;
            let variance = squares.broadcast_mul(&rows)?.sum(0)?;
            shares = Some(rows);
            (mean, variance)
        }
        Stats::Running { mean, variance } => {
            let tensor = |values: &[f32]| Tensor::new(values, input.device());
            (tensor(mean)?, tensor(variance)?)
        }
        Stats::Unit => {
            let mean = norm.bias.data.tensor()?.zeros_like()?;
            (mean.clone(), (mean + (1.0 - EPS))?)
        }
    };
    let unbiased = batch.then(|| &variance * unbiased(count)).transpose()?;
    let stats = unbiased.map(|variance| BatchStats {
        mean: mean.clone(),
        variance,
    });
    let inverse = (variance + EPS)?.sqrt()?.recip()?;
    let scale = (norm.weight.data.tensor()? * &inverse)?;
    let shift = (norm.bias.data.tensor()? - (&scale * &mean)?)?;
    let out = flat.broadcast_mul(&scale)?.broadcast_add(&shift)?;
    let out = if relu { open(&out, &out)? } else { out };
    let active = relu.then(|| out.clone());
    let out = out.reshape(input.shape())?;
    let needs_input = x.slot.is_some();
    let out = tape.record_tensors(out, &[x, norm.weight, norm.bias], move |grad| {
        let grad = grad.reshape(flat.shape())?;
        let grad = match &active {
            Some(active) => open(&grad, active)?,
            None => grad,
        };
        let normalised = flat.broadcast_sub(&mean)?.broadcast_mul(&inverse)?;
        let bias = grad.sum(0)?;
        let weight = grad.mul(&normalised)?.sum(0)?;
        if !needs_input {
            return Ok(vec![None, Some(weight), Some(bias)]);
        }
        // scale·(g − w·[Σg + x̂·Σ(g·x̂)]), the bracket only where the statistics are the batch's (Ioffe & Szegedy 2015,
        // section 3), with w = 1/n or the share of a pixel.
        let inner = if let Some(shares) = &shares {
            let through = normalised.broadcast_mul(&weight)?.broadcast_add(&bias)?;
            grad.sub(&through.broadcast_mul(shares)?)?
        } else if batch {
            let (a, b) = ((&bias / count as f64)?, (&weight / count as f64)?);
            grad.sub(&normalised.broadcast_mul(&b)?)?
                .broadcast_sub(&a)?
        } else {
            grad
        };
        let input_grad = inner.broadcast_mul(&scale)?.reshape(input.shape())?;
        Ok(vec![Some(input_grad), Some(weight), Some(bias)])
    });
    Ok((out, stats))
}

/// The share of each of `count` pixels in the statistics [count, 1]: that of its image, split among the image's pixels.
fn pixel_shares(images: &[f64], count: usize, device: &Device) -> Result<Tensor> {
    let pixels = count / images.len().max(1);
    let rows = images
        .iter()
        .flat_map(|share| std::iter::repeat_n((share / pixels as f64) as f32, pixels));
    Tensor::from_iter(rows, device)?.reshape((count, 1))
}

/// `values` where `out` > 0 or is NaN, else 0. For `values` = `out` this is the ReLU; candle's turns NaN into 0 and
/// would hide a run that diverged. For a gradient this is the part that the ReLU passes: 0 at 0, as in PyTorch, where
/// candle has 1. A product with a mask would turn an infinite gradient into NaN.
pub(in crate::ops) fn open(values: &Tensor, out: &Tensor) -> Result<Tensor> {
    let flat = values.flatten_all()?;
    let zeros = Tensor::zeros((), flat.dtype(), flat.device())?.broadcast_as(flat.shape())?;
    let shut = out.flatten_all()?.le(&zeros)?;
    shut.where_cond(&zeros, &flat)?.reshape(values.shape())
}

fn relu(tape: &Tape, x: &Var) -> Result<Var> {
    let input = x.data.tensor()?;
    let out = open(&input, &input)?;
    let active = out.clone();
    Ok(tape.record_tensors(out, &[x], move |grad| Ok(vec![Some(open(&grad, &active)?)])))
}

pub(in crate::ops) fn max_pool(tape: &Tape, x: &Var) -> Result<Var> {
    let input = x.data.tensor()?;
    let corners = blocks(&input)?;
    let mut out = corners.get(0)?;
    for corner in 1..4 {
        let corner = corners.get(corner)?;
        // A NaN is never less or equal, in either order: it stays. A maximum would pass over it and hide a run that
        // diverged.
        let larger = corner.le(&out)?.where_cond(&out, &corner)?;
        out = out.eq(&out)?.where_cond(&larger, &out)?;
    }
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

/// Number of pixels of all images [N, H, W, C] together.
fn rows(x: &Tensor) -> Result<usize> {
    Ok(x.elem_count() / x.dim(D::Minus1)?.max(1))
}
