//! Convolution: stride 1, "same" zero padding, no bias, any dilation.

use candle_core::{Result, Tensor};

use super::{Function, cpu};

/// Values of the unfolded input held at a time on the CPU: small enough for the cache.
const COLUMN_VALUES: usize = 1 << 20;
/// The same on other devices: 512 MiB, far below the 2³² values that their kernels can count. Tests go by small pieces.
pub const DEVICE_COLUMN_VALUES: usize = if cfg!(test) { 1 << 12 } else { 1 << 27 };

/// Convolution of `x` [N, H, W, Ci] with `weight` [Co, Ci, k, k] (k odd), stride 1, padding dilation·(k−1)/2:
/// [N, H, W, Co]. The gradient of `x` is computed only where something upstream asks for it.
///
/// # Errors
/// Where the shapes do not fit together.
pub fn conv2d(x: &Tensor, weight: &Tensor, dilation: usize) -> Result<Tensor> {
    let (_, _, _, channels) = x.dims4()?;
    let (_, inputs, k, k2) = weight.dims4()?;
    if inputs != channels || k != k2 || k % 2 == 0 {
        candle_core::bail!(
            "conv2d: weight {:?} does not fit input {:?}",
            weight.shape(),
            x.shape()
        );
    }
    let needs_input_grad = x.track_op();
    let (input, kernel) = (x.detach().contiguous()?, weight.detach());
    let out = forward(&input, &kernel, dilation)?;
    Function::new("conv2d", out, move |grad| {
        let input_grad = if needs_input_grad {
            // The adjoint of a "same" convolution is the convolution with the flipped kernel, in and out swapped.
            let flipped = kernel.flip(&[2, 3])?.transpose(0, 1)?;
            Some(forward(grad, &flipped, dilation)?)
        } else {
            None
        };
        Ok(vec![
            input_grad,
            Some(weight_grad(&input, grad, k, dilation)?),
        ])
    })
    .attach(&[x, weight])
}

fn forward(x: &Tensor, weight: &Tensor, dilation: usize) -> Result<Tensor> {
    let (n, h, w, ci) = x.dims4()?;
    let (co, _, k, _) = weight.dims4()?;
    let panel = weight
        .permute((2, 3, 1, 0))?
        .reshape((k * k * ci, co))?
        .contiguous()?;
    let mut parts = Vec::new();
    for (start, len) in sample_chunks(x, k)? {
        parts.push(columns(&x.narrow(0, start, len)?, k, dilation)?.matmul(&panel)?);
    }
    let rows = if let [part] = parts.as_slice() {
        part.clone()
    } else {
        Tensor::cat(&parts, 0)?
    };
    rows.reshape((n, h, w, co))
}

fn weight_grad(x: &Tensor, grad: &Tensor, k: usize, dilation: usize) -> Result<Tensor> {
    let (_, h, w, ci) = x.dims4()?;
    let co = grad.dim(3)?;
    let mut sum: Option<Tensor> = None;
    for (start, len) in sample_chunks(x, k)? {
        let columns = columns(&x.narrow(0, start, len)?, k, dilation)?;
        let rows = grad.narrow(0, start, len)?.reshape((len * h * w, co))?;
        let part = columns.t()?.matmul(&rows)?;
        sum = Some(match sum {
            Some(sum) => (sum + part)?,
            None => part,
        });
    }
    let Some(sum) = sum else {
        candle_core::bail!("conv2d: the batch is empty")
    };
    sum.reshape((k, k, ci, co))?
        .permute((3, 2, 0, 1))?
        .contiguous()
}

/// (start, length) of the runs of samples that are unfolded at a time.
fn sample_chunks(x: &Tensor, k: usize) -> Result<Vec<(usize, usize)>> {
    let (n, h, w, c) = x.dims4()?;
    let values = if cpu::is_cpu(x) {
        COLUMN_VALUES
    } else {
        DEVICE_COLUMN_VALUES
    };
    let at_once = (values / (h * w * c * k * k).max(1)).clamp(1, n.max(1));
    Ok((0..n)
        .step_by(at_once.max(1))
        .map(|start| (start, at_once.min(n - start)))
        .collect())
}

/// Unfolds [N, H, W, C] to [N·H·W, k·k·C]: row by row the neighbourhood of every pixel, zeros outside.
fn columns(x: &Tensor, k: usize, dilation: usize) -> Result<Tensor> {
    let (n, h, w, c) = x.dims4()?;
    if k == 1 {
        return x.reshape((n * h * w, c));
    }
    if cpu::is_cpu(x) {
        columns_cpu(x, k, dilation)
    } else {
        columns_portable(x, k, dilation)
    }
}

fn columns_cpu(x: &Tensor, k: usize, dilation: usize) -> Result<Tensor> {
    let (n, h, w, c) = x.dims4()?;
    let reach = dilation * (k - 1) / 2;
    let out = cpu::with(x, |x| {
        cpu::map_rows(n * h * w, k * k * c, |row, out| {
            let (sample, y, column) = (row / (h * w), row / w % h, row % w);
            for (tap, out) in out.chunks_mut(c).enumerate() {
                let (y, column) = (y + tap / k * dilation, column + tap % k * dilation);
                if (reach..h + reach).contains(&y) && (reach..w + reach).contains(&column) {
                    let start = ((sample * h + y - reach) * w + column - reach) * c;
                    out.copy_from_slice(&x[start..start + c]);
                }
            }
        })
    })?;
    Tensor::from_vec(out, (n * h * w, k * k * c), x.device())
}

pub(super) fn columns_portable(x: &Tensor, k: usize, dilation: usize) -> Result<Tensor> {
    let (n, h, w, c) = x.dims4()?;
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
