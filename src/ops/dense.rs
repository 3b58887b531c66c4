//! Classifiers, which are small enough to be made of candle operations on every device.

use candle_core::{D, Result, Tensor};

use super::tape::{Tape, Var};

/// x Wᵀ + b: `x` [N, C], `weight` [K, C], `bias` `[K]` → [N, K].
///
/// # Errors
/// Where the shapes do not fit together.
pub fn linear(tape: &Tape, x: &Var, weight: &Var, bias: &Var) -> Result<Var> {
    let (input, matrix) = (x.values()?, weight.data.tensor()?);
    let out = input
        .matmul(&matrix.t()?)?
        .broadcast_add(&bias.data.tensor()?)?;
    Ok(tape.record_tensors(out, &[x, weight, bias], move |grad| {
        Ok(vec![
            Some(grad.matmul(&matrix)?),
            Some(grad.t()?.matmul(&input)?),
            Some(grad.sum(0)?),
        ])
    }))
}

/// `scale`·cos(x, w): `x` [N, C], `weight` [K, C] → [N, K]. Norms are at least 1e-12, as in PyTorch's `normalize`.
///
/// # Errors
/// Where the shapes do not fit together.
pub fn cosine(tape: &Tape, x: &Var, weight: &Var, scale: f64) -> Result<Var> {
    let (x_norm, x_unit) = normalised(&x.values()?)?;
    let (w_norm, w_unit) = normalised(&weight.data.tensor()?)?;
    let out = (x_unit.matmul(&w_unit.t()?)? * scale)?;
    Ok(tape.record_tensors(out, &[x, weight], move |grad| {
        let grad = (grad * scale)?;
        // The part of the gradient along a row changes the row's length alone, and the cosine does not depend on the
        // length.
        let through = |unit: &Tensor, norm: &Tensor, grad: Tensor| {
            let along = (unit * &grad)?.sum_keepdim(D::Minus1)?;
            (grad - unit.broadcast_mul(&along)?)?.broadcast_div(norm)
        };
        Ok(vec![
            Some(through(&x_unit, &x_norm, grad.matmul(&w_unit)?)?),
            Some(through(&w_unit, &w_norm, grad.t()?.matmul(&x_unit)?)?),
        ])
    }))
}

/// Norms [N, 1] and rows of length 1 [N, C].
fn normalised(rows: &Tensor) -> Result<(Tensor, Tensor)> {
    let norm = rows.sqr()?.sum_keepdim(D::Minus1)?.sqrt()?.maximum(1e-12)?;
    let unit = rows.broadcast_div(&norm)?;
    Ok((norm, unit))
}
