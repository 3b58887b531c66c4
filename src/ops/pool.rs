//! Pooling: 2×2 maximum, and the mean over all pixels.

use candle_core::{Result, Tensor};

use super::{Function, cpu, portable};

/// Maximum over 2×2 blocks, stride 2: [N, H, W, C] → [N, ⌊H/2⌋, ⌊W/2⌋, C]; an odd last row or column is left out, as
/// in PyTorch. Of equal values the first in row-major order gets the gradient.
///
/// # Errors
/// Where `x` has no whole block.
pub fn max_pool(x: &Tensor) -> Result<Tensor> {
    let (_, h, w, _) = x.dims4()?;
    if h < 2 || w < 2 {
        candle_core::bail!("max_pool: input {:?} is smaller than 2×2", x.shape());
    }
    let input = x.detach().contiguous()?;
    let out = if cpu::is_cpu(&input) {
        forward_cpu(&input)?
    } else {
        portable::largest_corner(&blocks(&input)?)?
    };
    let pooled = out.clone();
    Function::new("max_pool", out, move |grad| {
        let grad = if cpu::is_cpu(&input) {
            backward_cpu(&input, grad)?
        } else {
            backward_portable(&input, &pooled, grad)?
        };
        Ok(vec![Some(grad)])
    })
    .attach(&[x])
}

/// Mean over all pixels: [N, H, W, C] → [N, C].
///
/// # Errors
/// Where `x` is not four-dimensional.
pub fn mean_pool(x: &Tensor) -> Result<Tensor> {
    let (n, h, w, c) = x.dims4()?;
    let input = x.detach();
    let pixels = h * w;
    let out = if cpu::is_cpu(&input) {
        let out = cpu::with(&input, |x| {
            cpu::map_rows(n, c, |sample, out| {
                for row in x[sample * pixels * c..(sample + 1) * pixels * c].chunks(c) {
                    out.iter_mut().zip(row).for_each(|(out, x)| *out += x);
                }
                out.iter_mut().for_each(|out| *out /= pixels as f32);
            })
        })?;
        Tensor::from_vec(out, (n, c), x.device())?
    } else {
        input.reshape((n, pixels, c))?.mean(1)?
    };
    Function::new("mean_pool", out, move |grad| {
        let share = (grad / pixels as f64)?.reshape((n, 1, 1, c))?;
        Ok(vec![Some(share.broadcast_as((n, h, w, c))?.contiguous()?)])
    })
    .attach(&[x])
}

fn forward_cpu(x: &Tensor) -> Result<Tensor> {
    let (n, h, w, c) = x.dims4()?;
    let (oh, ow) = (h / 2, w / 2);
    let out = cpu::with(x, |x| {
        cpu::map_rows(n * oh * ow, c, |row, out| {
            for (i, corner) in corners(row, (h, w)).into_iter().enumerate() {
                let x = &x[corner * c..(corner + 1) * c];
                if i == 0 {
                    out.copy_from_slice(x);
                } else {
                    out.iter_mut().zip(x).for_each(|(out, x)| {
                        *out = if *x > *out || x.is_nan() { *x } else { *out }
                    });
                }
            }
        })
    })?;
    Tensor::from_vec(out, (n, oh, ow, c), x.device())
}

fn backward_cpu(x: &Tensor, grad: &Tensor) -> Result<Tensor> {
    let (n, h, w, c) = x.dims4()?;
    let (oh, ow) = (h / 2, w / 2);
    let out = cpu::with(x, |x| {
        cpu::with(grad, |grad| {
            // Each input row of pixels looks up its own block, so that rows can be filled independently.
            cpu::map_rows(n * h * w, c, |pixel, out| {
                let (sample, y, column) = (pixel / (h * w), pixel / w % h, pixel % w);
                if y / 2 >= oh || column / 2 >= ow {
                    return;
                }
                let block = (sample * oh + y / 2) * ow + column / 2;
                let corners = corners(block, (h, w));
                for (channel, out) in out.iter_mut().enumerate() {
                    let mut first = corners[0];
                    for &corner in &corners[1..] {
                        if x[corner * c + channel] > x[first * c + channel] {
                            first = corner;
                        }
                    }
                    if first == pixel {
                        *out = grad[block * c + channel];
                    }
                }
            })
        })
    })??;
    Tensor::from_vec(out, (n, h, w, c), x.device())
}

/// Pixel indices of the four corners of output pixel `row`, in row-major order.
fn corners(row: usize, (h, w): (usize, usize)) -> [usize; 4] {
    let (oh, ow) = (h / 2, w / 2);
    let (sample, y, column) = (row / (oh * ow), row / ow % oh, row % ow);
    let top = (sample * h + 2 * y) * w + 2 * column;
    [top, top + 1, top + w, top + w + 1]
}

/// The four corners of every block, stacked: [4, N, OH, OW, C].
pub(super) fn blocks(x: &Tensor) -> Result<Tensor> {
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

pub(super) fn backward_portable(x: &Tensor, pooled: &Tensor, grad: &Tensor) -> Result<Tensor> {
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
