//! The classifier and its loss: small enough to be made of candle operations on every device.

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

/// Mean cross-entropy of softmax(`logits` [N, K]) and `labels` `[N]`, in nats: a scalar.
///
/// # Errors
/// Where the labels do not fit the logits.
pub fn cross_entropy(tape: &Tape, logits: &Var, labels: &[u32]) -> Result<Var> {
    let values = logits.values()?;
    let (n, k) = values.dims2()?;
    if n != labels.len() || labels.iter().any(|&label| label as usize >= k) {
        candle_core::bail!(
            "cross_entropy: {} labels for logits {:?}",
            labels.len(),
            logits.data.dims()
        );
    }
    let mut truth = vec![0.0_f32; n * k];
    for (row, &label) in truth.chunks_exact_mut(k).zip(labels) {
        row[label as usize] = 1.0;
    }
    let truth = Tensor::from_vec(truth, (n, k), values.device())?;
    let log_softmax = candle_nn::ops::log_softmax(&values, D::Minus1)?;
    let scale = -1.0 / n as f64;
    // Chosen, not multiplied by the one-hot rows: 0 · −∞ would be NaN.
    let chosen = log_softmax.gather(&Tensor::new(labels, values.device())?.unsqueeze(1)?, 1)?;
    let out = (chosen.sum_all()? * scale)?;
    Ok(tape.record_tensors(out, &[logits], move |grad| {
        let difference = (log_softmax.exp()? - truth)?;
        Ok(vec![Some((difference.broadcast_mul(&grad)? * -scale)?)])
    }))
}
