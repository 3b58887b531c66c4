//! Stochastic gradient descent with momentum and weight decay, in PyTorch's order of operations.

use candle_core::{Result, Tensor};

use crate::ops;

use super::interface::Optimiser;

/// Stochastic gradient descent, with its momentum buffers.
#[derive(Clone, Debug)]
pub struct Sgd {
    momentum: f64,
    /// Weight decay of each parameter, in parameter order.
    decays: Vec<f64>,
    /// Momentum buffers in parameter order; empty before the first step.
    buffers: Vec<Tensor>,
    /// Learning rate of the last step.
    last_lr: f64,
}

impl Sgd {
    /// An optimiser that has taken no step. `decays`: the weight decay of each parameter, in parameter order.
    pub fn new(momentum: f64, decays: Vec<f64>) -> Self {
        Self {
            momentum,
            decays,
            buffers: Vec::new(),
            last_lr: 0.0,
        }
    }
}

impl Optimiser for Sgd {
    /// g ← g + wd·p; buf ← g at the first step, else μ·buf + g; p ← p − lr·buf.
    fn step(&mut self, params: &[Tensor], grads: &[Tensor], lr: f64) -> Result<Vec<Tensor>> {
        let mut after = Vec::with_capacity(params.len());
        let mut buffers = Vec::with_capacity(params.len());
        for (i, (param, grad)) in params.iter().zip(grads).enumerate() {
            let decay = self.decays.get(i).copied().unwrap_or(0.0);
            let hyper = (self.momentum, decay, lr);
            let (param, buffer) = ops::sgd_step(param, grad, self.buffers.get(i), hyper)?;
            after.push(param);
            buffers.push(buffer);
        }
        self.buffers = buffers;
        self.last_lr = lr;
        Ok(after)
    }

    fn last_update(&self) -> Result<Option<Vec<Tensor>>> {
        if self.buffers.is_empty() {
            return Ok(None);
        }
        self.buffers
            .iter()
            .map(|buffer| buffer * -self.last_lr)
            .collect::<Result<_>>()
            .map(Some)
    }

    /// The name of the momentum buffers is empty, because checkpoints held them before there were other optimisers.
    fn kept(&self) -> &'static [&'static str] {
        &[""]
    }

    fn state(&self) -> Vec<Vec<Tensor>> {
        vec![self.buffers.clone()]
    }

    fn restore(&mut self, state: Vec<Vec<Tensor>>, _steps: u64, last_lr: f64) {
        self.buffers = state.into_iter().next().unwrap_or_default();
        self.last_lr = last_lr;
    }
}

#[cfg(test)]
mod tests;
