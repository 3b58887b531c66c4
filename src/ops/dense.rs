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

/// Attention of each class over B branches with features v_b, `branches` [N, F] each:
///
/// ```text
/// α_kb = softmax_b(q_k · v_b / √F),  logit_k = w_k · Σ_b α_kb v_b + bias_k
/// ```
///
/// with `query` [K, F], `weight` [K, F] and `bias` `[K]`. Gives the logits [N, K], and α [N, K, B].
///
/// # Errors
/// Where the shapes do not fit together.
pub fn class_attention(
    tape: &Tape,
    branches: &[Var],
    query: &Var,
    weight: &Var,
    bias: &Var,
) -> Result<(Var, Tensor)> {
    let features = branches
        .iter()
        .map(Var::values)
        .collect::<Result<Vec<_>>>()?;
    let (queries, rows) = (query.data.tensor()?, weight.data.tensor()?);
    let root = (queries.dim(1)? as f64).sqrt();
    let products = |matrix: &Tensor| {
        let each = features.iter().map(|v| v.matmul(&matrix.t()?));
        Tensor::stack(&each.collect::<Result<Vec<_>>>()?, 0)
    };
    // [B, N, K] each. A logit is linear in the features: it is the sum over the branches of α_kb times what the branch
    // alone would give.
    let (scores, alone) = ((products(&queries)? / root)?, products(&rows)?);
    let shares = scores.broadcast_sub(&scores.max_keepdim(0)?)?.exp()?;
    let shares = shares.broadcast_div(&shares.sum_keepdim(0)?)?;
    let sum = shares.mul(&alone)?.sum(0)?;
    let out = sum.broadcast_add(&bias.data.tensor()?)?;
    let alpha = shares.permute((1, 2, 0))?.contiguous()?;
    let mut inputs: Vec<&Var> = branches.iter().collect();
    inputs.extend([query, weight, bias]);
    let out = tape.record_tensors(out, &inputs, move |grad| {
        let (mut grads, mut of_query, mut of_weight) = (Vec::new(), None, None);
        for (b, v) in features.iter().enumerate() {
            let through = shares.get(b)?.mul(&grad)?;
            // The softmax lets pass by how much the branch alone differs from the mean.
            let scored = (through.mul(&alone.get(b)?.sub(&sum)?)? / root)?;
            let own = through.matmul(&rows)?.add(&scored.matmul(&queries)?)?;
            grads.push(Some(own));
            add(&mut of_weight, through.t()?.matmul(v)?)?;
            add(&mut of_query, scored.t()?.matmul(v)?)?;
        }
        grads.extend([of_query, of_weight, Some(grad.sum(0)?)]);
        Ok(grads)
    });
    Ok((out, alpha))
}

/// `scale` times the sum of `terms`, which all have one shape.
///
/// # Errors
/// Where the shapes differ, or there are no terms.
pub fn sum(tape: &Tape, terms: &[Var], scale: f64) -> Result<Var> {
    let mut out = None;
    for term in terms {
        add(&mut out, term.values()?)?;
    }
    let Some(out) = out else {
        candle_core::bail!("a sum of no terms");
    };
    let inputs: Vec<&Var> = terms.iter().collect();
    let count = terms.len();
    Ok(tape.record_tensors((out * scale)?, &inputs, move |grad| {
        let grad = (grad * scale)?;
        Ok(vec![Some(grad); count])
    }))
}

/// Adds a term to a sum, which is none before the first.
fn add(all: &mut Option<Tensor>, term: Tensor) -> Result<()> {
    *all = Some(match all.take() {
        Some(all) => all.add(&term)?,
        None => term,
    });
    Ok(())
}

/// Norms [N, 1] and rows of length 1 [N, C].
fn normalised(rows: &Tensor) -> Result<(Tensor, Tensor)> {
    let norm = rows.sqr()?.sum_keepdim(D::Minus1)?.sqrt()?.maximum(1e-12)?;
    let unit = rows.broadcast_div(&norm)?;
    Ok((norm, unit))
}
