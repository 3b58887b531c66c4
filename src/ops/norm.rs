//! Batch normalisation over [N, H, W], optionally followed by ReLU in the same pass.

use candle_core::{D, Result, Tensor};

use super::{Function, cpu, portable};

/// Statistics of one batch, per channel: what the running statistics are updated with. They stay on the device, so
/// that those of all layers can be read at once.
#[derive(Clone, Debug)]
pub struct BatchStats {
    /// Mean, `[C]`.
    pub mean: Tensor,
    /// Unbiased variance (n/(n−1)), `[C]`, as PyTorch keeps it.
    pub variance: Tensor,
}

/// Training mode: normalises `x` [N, H, W, C] with the batch's own mean and biased variance, then scales by `weight`
/// `[C]` and shifts by `bias` `[C]`. ReLU (gradient 0 at 0) follows where `relu` is set.
///
/// # Errors
/// Where the shapes do not fit together.
pub fn batch_norm_train(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    eps: f64,
    relu: bool,
) -> Result<(Tensor, BatchStats)> {
    check(x, &[weight.dims(), bias.dims()])?;
    if !cpu::is_cpu(x) {
        return portable::batch_norm_train(x, weight, bias, eps, relu);
    }
    let input = x.detach().contiguous()?;
    let rows = input.elem_count() / input.dim(D::Minus1)?;
    let (mean, biased) = moments(&input)?;
    let inverse: Vec<f32> = biased
        .iter()
        .map(|variance| (1.0 / (variance + eps).sqrt()) as f32)
        .collect();
    let unbiased = rows as f64 / (rows as f64 - 1.0).max(1.0);
    let mean: Vec<f32> = mean.iter().map(|&mean| mean as f32).collect();
    let variance = biased.iter().map(|&variance| (variance * unbiased) as f32);
    let stats = BatchStats {
        mean: Tensor::new(mean.as_slice(), input.device())?,
        variance: Tensor::from_iter(variance, input.device())?,
    };
    let out = normalise(
        x,
        input,
        weight,
        bias,
        Fixed {
            mean,
            inverse,
            batch: true,
            relu,
        },
    )?;
    Ok((out, stats))
}

/// Evaluation mode: the running statistics `mean` and `variance` `[C]` are constants.
///
/// # Errors
/// Where the shapes do not fit together.
pub fn batch_norm_eval(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    (mean, variance): (&[f32], &[f32]),
    eps: f64,
    relu: bool,
) -> Result<Tensor> {
    let statistics = [[mean.len()], [variance.len()]];
    check(
        x,
        &[weight.dims(), bias.dims(), &statistics[0], &statistics[1]],
    )?;
    if !cpu::is_cpu(x) {
        return portable::batch_norm_eval(x, weight, bias, (mean, variance), eps, relu);
    }
    let inverse = variance
        .iter()
        .map(|&variance| (1.0 / (f64::from(variance) + eps).sqrt()) as f32)
        .collect();
    let input = x.detach().contiguous()?;
    normalise(
        x,
        input,
        weight,
        bias,
        Fixed {
            mean: mean.to_vec(),
            inverse,
            batch: false,
            relu,
        },
    )
}

fn check(x: &Tensor, shapes: &[&[usize]]) -> Result<()> {
    let channels = x.dim(D::Minus1)?;
    match shapes.iter().find(|shape| **shape != [channels]) {
        Some(shape) => candle_core::bail!(
            "batch norm: parameters {shape:?} do not fit input {:?}",
            x.shape()
        ),
        None => Ok(()),
    }
}

/// What is constant, or treated as such, while one batch is normalised.
struct Fixed {
    mean: Vec<f32>,
    /// 1/√(variance + eps).
    inverse: Vec<f32>,
    /// Whether mean and variance came from the batch, so that gradients flow through them.
    batch: bool,
    relu: bool,
}

fn normalise(
    x: &Tensor,
    input: Tensor,
    weight: &Tensor,
    bias: &Tensor,
    fixed: Fixed,
) -> Result<Tensor> {
    let weight_values = weight.detach().to_vec1::<f32>()?;
    let bias_values = bias.detach().to_vec1::<f32>()?;
    let scale: Vec<f32> = weight_values
        .iter()
        .zip(&fixed.inverse)
        .map(|(w, inverse)| w * inverse)
        .collect();
    let shift: Vec<f32> = bias_values
        .iter()
        .zip(scale.iter().zip(&fixed.mean))
        .map(|(bias, (scale, mean))| bias - scale * mean)
        .collect();
    let out = affine(&input, &scale, &shift, fixed.relu)?;
    let active = fixed.relu.then(|| out.clone());
    let needs_input_grad = x.track_op();
    Function::new("batch_norm", out, move |grad| {
        let grads = gradients(
            &input,
            grad,
            active.as_ref(),
            &scale,
            &fixed,
            needs_input_grad,
        )?;
        Ok(vec![grads.input, Some(grads.weight), Some(grads.bias)])
    })
    .attach(&[x, weight, bias])
}

struct Gradients {
    input: Option<Tensor>,
    weight: Tensor,
    bias: Tensor,
}

/// With x̂ = (x−μ)·inverse and g = grad where the ReLU is open: bias Σg, weight Σg·x̂, and
/// input scale·(g − [mean(g) + x̂·mean(g·x̂)]), the bracket only where the statistics are the batch's
/// (Ioffe & Szegedy 2015, section 3).
fn gradients(
    input: &Tensor,
    grad: &Tensor,
    active: Option<&Tensor>,
    scale: &[f32],
    fixed: &Fixed,
    needs_input_grad: bool,
) -> Result<Gradients> {
    let channels = scale.len();
    let rows = input.elem_count() / channels;
    let device = input.device();
    let grad = match active {
        // Where the ReLU is shut nothing passes; at exactly 0 it is shut, as in PyTorch.
        Some(out) => mask_positive(grad, out)?,
        None => grad.clone(),
    };
    let sums = cpu::with(input, |x| {
        cpu::with(&grad, |grad| {
            cpu::channel_sums::<2>(rows, channels, |range, sums| {
                for row in range {
                    let at = row * channels..(row + 1) * channels;
                    let values = x[at.clone()]
                        .iter()
                        .zip(&grad[at])
                        .zip(fixed.mean.iter().zip(&fixed.inverse));
                    for (sum, ((x, grad), (mean, inverse))) in sums.iter_mut().zip(values) {
                        sum[0] += grad;
                        sum[1] += grad * (x - mean) * inverse;
                    }
                }
            })
        })
    })??;
    let bias: Vec<f32> = sums.iter().map(|sum| sum[0] as f32).collect();
    let weight: Vec<f32> = sums.iter().map(|sum| sum[1] as f32).collect();
    let input_grad = if needs_input_grad {
        // scale·(g − a − b·(x − μ)) with a = mean(g), b = inverse·mean(g·x̂); both 0 where statistics are constants.
        let count = rows as f64;
        let constants: Vec<(f32, f32)> = sums
            .iter()
            .zip(&fixed.inverse)
            .map(|(sum, &inverse)| match fixed.batch {
                true => (
                    (sum[0] / count) as f32,
                    (f64::from(inverse) * sum[1] / count) as f32,
                ),
                false => (0.0, 0.0),
            })
            .collect();
        Some(input_gradient(
            input,
            &grad,
            scale,
            &fixed.mean,
            &constants,
        )?)
    } else {
        None
    };
    Ok(Gradients {
        input: input_grad,
        weight: Tensor::from_vec(weight, channels, device)?,
        bias: Tensor::from_vec(bias, channels, device)?,
    })
}

fn input_gradient(
    input: &Tensor,
    grad: &Tensor,
    scale: &[f32],
    mean: &[f32],
    constants: &[(f32, f32)],
) -> Result<Tensor> {
    let channels = scale.len();
    let rows = input.elem_count() / channels;
    let out = cpu::with(input, |x| {
        cpu::with(grad, |grad| {
            cpu::map_rows(rows, channels, |row, out| {
                let at = row * channels..(row + 1) * channels;
                let values = x[at.clone()]
                    .iter()
                    .zip(&grad[at])
                    .zip(scale.iter().zip(mean).zip(constants));
                for (out, ((x, grad), ((scale, mean), (a, b)))) in out.iter_mut().zip(values) {
                    *out = scale * (grad - a - b * (x - mean));
                }
            })
        })
    })??;
    Tensor::from_vec(out, input.shape(), input.device())
}

/// Mean and biased variance per channel, in two passes: one pass over squares loses what a large mean leaves.
fn moments(x: &Tensor) -> Result<(Vec<f64>, Vec<f64>)> {
    let channels = x.dim(D::Minus1)?;
    let rows = x.elem_count() / channels;
    let count = rows.max(1) as f64;
    cpu::with(x, |x| {
        let row = |row: usize| &x[row * channels..(row + 1) * channels];
        let sums = cpu::channel_sums::<1>(rows, channels, |range, sums| {
            for r in range {
                for (sum, x) in sums.iter_mut().zip(row(r)) {
                    sum[0] += x;
                }
            }
        });
        let mean: Vec<f64> = sums.iter().map(|sum| sum[0] / count).collect();
        let centre: Vec<f32> = mean.iter().map(|&mean| mean as f32).collect();
        let squares = cpu::channel_sums::<1>(rows, channels, |range, sums| {
            for r in range {
                for (sum, (x, centre)) in sums.iter_mut().zip(row(r).iter().zip(&centre)) {
                    sum[0] += (x - centre) * (x - centre);
                }
            }
        });
        (mean, squares.iter().map(|sum| sum[0] / count).collect())
    })
}

fn affine(x: &Tensor, scale: &[f32], shift: &[f32], relu: bool) -> Result<Tensor> {
    let channels = scale.len();
    let floor = if relu { 0.0 } else { f32::NEG_INFINITY };
    let out = cpu::with(x, |x| {
        cpu::map_rows(x.len() / channels, channels, |row, out| {
            let x = &x[row * channels..(row + 1) * channels];
            for ((out, x), (scale, shift)) in out.iter_mut().zip(x).zip(scale.iter().zip(shift)) {
                let y = x * scale + shift;
                // Not `max`: it would turn NaN into 0 and hide a run that diverged.
                *out = if y < floor { floor } else { y };
            }
        })
    })?;
    Tensor::from_vec(out, x.shape(), x.device())
}

/// max(x, 0) that keeps NaN: candle's `relu` turns it into 0 and would hide a run that diverged.
pub(super) fn rectify(x: &Tensor) -> Result<Tensor> {
    mask_positive(x, x)
}

/// `grad` where `out` > 0, else 0; NaN where `out` is NaN.
pub(super) fn mask_positive(grad: &Tensor, out: &Tensor) -> Result<Tensor> {
    if !cpu::is_cpu(grad) {
        return portable::mask_positive(grad, out);
    }
    let columns = grad.dim(D::Minus1)?;
    let values = cpu::with(grad, |grad| {
        cpu::with(out, |out| {
            cpu::map_rows(grad.len() / columns, columns, |row, values| {
                let at = row * columns..(row + 1) * columns;
                for ((value, grad), out) in values.iter_mut().zip(&grad[at.clone()]).zip(&out[at]) {
                    *value = if *out <= 0.0 { 0.0 } else { *grad };
                }
            })
        })
    })??;
    Tensor::from_vec(values, grad.shape(), grad.device())
}
