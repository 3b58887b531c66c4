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
