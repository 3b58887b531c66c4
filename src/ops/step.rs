//! The optimiser's step on one parameter.

use candle_core::{Result, Tensor};
use rayon::prelude::*;

use super::cpu::{is_cpu, with};

/// Values that a thread takes at a time.
const TASK: usize = 1 << 14;

/// One step of gradient descent with `(momentum, weight decay, learning rate)`, in PyTorch's order of operations:
/// g ← g + wd·p; buf ← g at the first step, else μ·buf + g; p ← p − lr·buf. Gives the new parameter and the new buffer.
///
/// # Errors
/// Where shapes differ or the device is out of memory.
pub fn sgd_step(
    param: &Tensor,
    grad: &Tensor,
    buffer: Option<&Tensor>,
    (momentum, weight_decay, lr): (f64, f64, f64),
) -> Result<(Tensor, Tensor)> {
    if !is_cpu(param) || param.shape() != grad.shape() {
        let grad = (grad + (param * weight_decay)?)?;
        let buffer = match buffer {
            Some(buffer) => ((buffer * momentum)? + grad)?,
            None => grad,
        };
        return Ok(((param - (&buffer * lr)?)?, buffer));
    }
    let (momentum, weight_decay, lr) = (momentum as f32, weight_decay as f32, lr as f32);
    let mut after = vec![0.0; param.elem_count()];
    let mut moved = vec![0.0; param.elem_count()];
    let update = |before: Option<&[f32]>,
                  param: &[f32],
                  grad: &[f32],
                  after: &mut [f32],
                  moved: &mut [f32]| {
        for (i, (after, moved)) in after.iter_mut().zip(moved).enumerate() {
            let grad = grad[i] + weight_decay * param[i];
            *moved = before.map_or(grad, |before| momentum * before[i] + grad);
            *after = param[i] - lr * *moved;
        }
    };
    let run = |before: Option<&[f32]>, after: &mut [f32], moved: &mut [f32]| -> Result<()> {
        with(param, |param| {
            with(grad, |grad| {
                let outs = after.par_chunks_mut(TASK).zip(moved.par_chunks_mut(TASK));
                outs.zip(param.par_chunks(TASK).zip(grad.par_chunks(TASK)))
                    .enumerate()
                    .for_each(|(i, ((after, moved), (param, grad)))| {
                        let before =
                            before.and_then(|before| before.get(i * TASK..i * TASK + param.len()));
                        update(before, param, grad, after, moved);
                    });
            })
        })?
    };
    match buffer {
        Some(buffer) => with(buffer, |buffer| run(Some(buffer), &mut after, &mut moved))??,
        None => run(None, &mut after, &mut moved)?,
    }
    let tensor = |values| Tensor::from_vec(values, param.shape(), param.device());
    Ok((tensor(after)?, tensor(moved)?))
}

/// The numbers of a step of Adam.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamStep {
    /// Learning rate.
    pub lr: f64,
    /// Share β₁ of the mean gradient that is kept.
    pub beta1: f64,
    /// Share β₂ of the mean squared gradient that is kept.
    pub beta2: f64,
    /// Added to the root of the mean square, ε.
    pub epsilon: f64,
    /// Weight decay that is added to the gradient, as Adam does.
    pub coupled_decay: f64,
    /// Weight decay that shrinks the parameter itself, as AdamW does.
    pub decoupled_decay: f64,
    /// Number t of the step, from 1.
    pub step: u64,
}

/// What a step of Adam gives for one parameter.
#[derive(Clone, Debug)]
pub struct AdamStepped {
    /// The new parameter.
    pub param: Tensor,
    /// The new mean gradient m and the new mean squared gradient v.
    pub moments: [Tensor; 2],
    /// The change of the parameter, with all its digits: the difference of two parameters would have lost some.
    pub update: Tensor,
}

/// One step of Adam (Kingma & Ba 2015) or AdamW (Loshchilov & Hutter 2019), in PyTorch's order of operations, from the
/// `moments` m and v of the step before, which are 0 where there was none:
///
/// ```text
/// g ← g + coupled·p;  p ← (1 − lr·decoupled)·p
/// m ← m + (1 − β₁)(g − m);  v ← β₂·v + (1 − β₂)·g²
/// p ← p − lr/(1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε)
/// ```
///
/// # Errors
/// Where shapes differ or the device is out of memory.
pub fn adam_step(
    param: &Tensor,
    grad: &Tensor,
    moments: [&Tensor; 2],
    hyper: &AdamStep,
) -> Result<AdamStepped> {
    let [m, v] = moments;
    if [grad, m, v].iter().any(|x| x.shape() != param.shape()) {
        candle_core::bail!(
            "adam: a gradient {:?} for a parameter {:?}",
            grad.dims(),
            param.dims()
        );
    }
    let power = i32::try_from(hyper.step).unwrap_or(i32::MAX);
    let rate = hyper.lr / (1.0 - hyper.beta1.powi(power));
    let root = (1.0 - hyper.beta2.powi(power)).sqrt();
    let (kept1, kept2) = (1.0 - hyper.beta1, 1.0 - hyper.beta2);
    let taken_off = hyper.lr * hyper.decoupled_decay;
    if !is_cpu(param) {
        let grad = (grad + (param * hyper.coupled_decay)?)?;
        let m = (m + ((&grad - m)? * kept1)?)?;
        let v = ((v * hyper.beta2)? + (grad.sqr()? * kept2)?)?;
        let moved = ((&m / ((v.sqrt()? / root)? + hyper.epsilon)?)? * rate)?;
        return Ok(AdamStepped {
            param: ((param * (1.0 - taken_off))? - &moved)?,
            update: (moved + (param * taken_off)?)?.neg()?,
            moments: [m, v],
        });
    }
    let mut out: [Vec<f32>; 4] = std::array::from_fn(|_| vec![0.0; param.elem_count()]);
    let [after, new_m, new_v, update] = &mut out;
    let decay = hyper.coupled_decay as f32;
    let (beta2, kept1, kept2) = (hyper.beta2 as f32, kept1 as f32, kept2 as f32);
    let (rate, root, epsilon) = (rate as f32, root as f32, hyper.epsilon as f32);
    let (shrunk, taken_off) = ((1.0 - taken_off) as f32, taken_off as f32);
    let mut run = |param: &[f32], grad: &[f32], m: &[f32], v: &[f32]| {
        let before = (param.par_chunks(TASK).zip(grad.par_chunks(TASK)))
            .zip(m.par_chunks(TASK).zip(v.par_chunks(TASK)));
        let new = (after.par_chunks_mut(TASK).zip(update.par_chunks_mut(TASK)))
            .zip(new_m.par_chunks_mut(TASK).zip(new_v.par_chunks_mut(TASK)));
        before.zip(new).for_each(|(before, new)| {
            let ((param, grad), (m, v)) = before;
            let ((after, update), (new_m, new_v)) = new;
            for (i, (after, update)) in after.iter_mut().zip(update).enumerate() {
                let grad = grad[i] + decay * param[i];
                new_m[i] = m[i] + kept1 * (grad - m[i]);
                new_v[i] = beta2 * v[i] + kept2 * grad * grad;
                let moved = rate * new_m[i] / (new_v[i].sqrt() / root + epsilon);
                *after = shrunk * param[i] - moved;
                *update = -(moved + taken_off * param[i]);
            }
        });
    };
    with(param, |param| {
        with(grad, |grad| {
            with(m, |m| with(v, |v| run(param, grad, m, v)))
        })
    })????;
    let [after, new_m, new_v, update] = out;
    let tensor = |values| Tensor::from_vec(values, param.shape(), param.device());
    Ok(AdamStepped {
        param: tensor(after)?,
        moments: [tensor(new_m)?, tensor(new_v)?],
        update: tensor(update)?,
    })
}
