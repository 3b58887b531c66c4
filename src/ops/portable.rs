//! Batch norm, ReLU and pooling made of candle operations alone, for devices without loops of our own. Nothing is read
//! back: every value that a later operation needs stays a tensor, since each reading would make the device wait.

use candle_core::{D, Result, Tensor};

use super::{BatchStats, Function};

/// `grad` where `out` > 0 or is NaN, else 0. (A product with a mask would turn an infinite `grad` into NaN.)
pub(super) fn mask_positive(grad: &Tensor, out: &Tensor) -> Result<Tensor> {
    // In one dimension: where something is broadcast, kernels divide by the size of every dimension for every value.
    let values = grad.flatten_all()?;
    let zeros = Tensor::zeros((), grad.dtype(), grad.device())?.broadcast_as(values.shape())?;
    let shut = out.flatten_all()?.le(&zeros)?;
    shut.where_cond(&zeros, &values)?.reshape(grad.shape())
}

/// The maximum over the first dimension of four corners [4, …]. Not candle's `max`: on CUDA it starts from −∞, which
/// is what it makes of NaN.
pub(super) fn largest_corner(corners: &Tensor) -> Result<Tensor> {
    let top = corners.get(0)?.maximum(&corners.get(1)?)?;
    let bottom = corners.get(2)?.maximum(&corners.get(3)?)?;
    top.maximum(&bottom)
}

/// See [`super::batch_norm_train`].
pub(super) fn batch_norm_train(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    eps: f64,
    relu: bool,
) -> Result<(Tensor, BatchStats)> {
    let input = x.detach().contiguous()?;
    let channels = input.dim(D::Minus1)?;
    let rows = input.elem_count() / channels;
    let flat = input.reshape((rows, channels))?;
    let mean = flat.mean(0)?;
    // In two passes: one pass over squares loses what a large mean leaves.
    let biased = flat.broadcast_sub(&mean)?.sqr()?.mean(0)?;
    let unbiased = rows as f64 / (rows as f64 - 1.0).max(1.0);
    let stats = BatchStats {
        mean: mean.clone(),
        variance: (&biased * unbiased)?,
    };
    let fixed = Fixed {
        mean,
        inverse: inverse(&biased, eps)?,
        batch: true,
        relu,
    };
    Ok((normalise(x, input, weight, bias, fixed)?, stats))
}

/// See [`super::batch_norm_eval`].
pub(super) fn batch_norm_eval(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    (mean, variance): (&[f32], &[f32]),
    eps: f64,
    relu: bool,
) -> Result<Tensor> {
    let fixed = Fixed {
        mean: Tensor::new(mean, x.device())?,
        inverse: inverse(&Tensor::new(variance, x.device())?, eps)?,
        batch: false,
        relu,
    };
    normalise(x, x.detach().contiguous()?, weight, bias, fixed)
}

/// 1/√(variance + eps).
fn inverse(variance: &Tensor, eps: f64) -> Result<Tensor> {
    (variance + eps)?.sqrt()?.recip()
}

/// What is constant, or treated as such, while one batch is normalised: [C] each.
struct Fixed {
    mean: Tensor,
    inverse: Tensor,
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
    let scale = (weight.detach() * &fixed.inverse)?;
    let shift = (bias.detach() - (&scale * &fixed.mean)?)?;
    let out = input
        .reshape(((), scale.elem_count()))?
        .broadcast_mul(&scale)?
        .broadcast_add(&shift)?
        .reshape(input.shape())?;
    let out = if fixed.relu {
        mask_positive(&out, &out)?
    } else {
        out
    };
    let active = fixed.relu.then(|| out.clone());
    let needs_input_grad = x.track_op();
    Function::new("batch_norm", out, move |grad| {
        let grad = match &active {
            Some(out) => mask_positive(grad, out)?,
            None => grad.clone(),
        };
        gradients(&input, &grad, &scale, &fixed, needs_input_grad)
    })
    .attach(&[x, weight, bias])
}

/// Of input, weight and bias. With x̂ = (x−μ)·inverse and g = `grad`: bias Σg, weight Σg·x̂, and input
/// scale·(g − [mean(g) + x̂·mean(g·x̂)]), the bracket only where the statistics are the batch's
/// (Ioffe & Szegedy 2015, section 3).
fn gradients(
    input: &Tensor,
    grad: &Tensor,
    scale: &Tensor,
    fixed: &Fixed,
    needs_input_grad: bool,
) -> Result<Vec<Option<Tensor>>> {
    let channels = input.dim(D::Minus1)?;
    let rows = input.elem_count() / channels;
    let flat = grad.reshape((rows, channels))?;
    let normalised = input
        .reshape((rows, channels))?
        .broadcast_sub(&fixed.mean)?
        .broadcast_mul(&fixed.inverse)?;
    let bias = flat.sum(0)?;
    let weight = (&flat * &normalised)?.sum(0)?;
    let input_grad = if needs_input_grad {
        let inner = if fixed.batch {
            let share = 1.0 / rows as f64;
            flat.sub(&normalised.broadcast_mul(&(&weight * share)?)?)?
                .broadcast_sub(&(&bias * share)?)?
        } else {
            flat
        };
        Some(inner.broadcast_mul(scale)?.reshape(input.shape())?)
    } else {
        None
    };
    Ok(vec![input_grad, Some(weight), Some(bias)])
}
