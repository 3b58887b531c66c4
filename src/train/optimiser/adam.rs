//! Adam and AdamW, in PyTorch's order of operations.

use candle_core::{Result, Tensor};

use crate::ops::{self, AdamStep};

use super::interface::Optimiser;

/// ε, added to the root of the mean square, as in PyTorch.
const EPSILON: f64 = 1e-8;

/// Adam (Kingma & Ba 2015) or AdamW (Loshchilov & Hutter 2019), with its moments.
#[derive(Clone, Debug)]
pub struct Adam {
    betas: [f64; 2],
    /// Weight decay of each parameter, in parameter order.
    decays: Vec<f64>,
    /// Whether weight decay shrinks the parameters themselves (AdamW) and is not added to their gradients.
    is_decoupled: bool,
    /// Steps taken.
    steps: u64,
    /// Mean gradients, mean squared gradients and the last changes of the parameters, each in parameter order; empty before
    /// the first step.
    state: [Vec<Tensor>; 3],
}

impl Adam {
    /// Adam with the `betas` β₁ and β₂ that has taken no step. `decays`: the weight decay of each parameter, in parameter
    /// order, which is added to its gradient.
    pub fn new(betas: [f64; 2], decays: Vec<f64>) -> Self {
        Self {
            betas,
            decays,
            is_decoupled: false,
            steps: 0,
            state: Default::default(),
        }
    }

    /// The same with weight decay that shrinks the parameters themselves: AdamW.
    #[must_use]
    pub fn decoupled(self) -> Self {
        Self {
            is_decoupled: true,
            ..self
        }
    }
}

impl Optimiser for Adam {
    fn step(&mut self, params: &[Tensor], grads: &[Tensor], lr: f64) -> Result<Vec<Tensor>> {
        let step = self.steps + 1;
        let mut after = Vec::with_capacity(params.len());
        let mut state: [Vec<Tensor>; 3] = Default::default();
        for (i, (param, grad)) in params.iter().zip(grads).enumerate() {
            let decay = self.decays.get(i).copied().unwrap_or(0.0);
            let (coupled_decay, decoupled_decay) = match self.is_decoupled {
                true => (0.0, decay),
                false => (decay, 0.0),
            };
            let hyper = AdamStep {
                lr,
                beta1: self.betas[0],
                beta2: self.betas[1],
                epsilon: EPSILON,
                coupled_decay,
                decoupled_decay,
                step,
            };
            let before = |kept: &[Tensor]| match kept.get(i) {
                Some(tensor) => Ok(tensor.clone()),
                None => param.zeros_like(),
            };
            let (m, v) = (before(&self.state[0])?, before(&self.state[1])?);
            let stepped = ops::adam_step(param, grad, [&m, &v], &hyper)?;
            after.push(stepped.param);
            let [m, v] = stepped.moments;
            for (kept, tensor) in state.iter_mut().zip([m, v, stepped.update]) {
                kept.push(tensor);
            }
        }
        self.state = state;
        self.steps = step;
        Ok(after)
    }

    fn last_update(&self) -> Result<Option<Vec<Tensor>>> {
        let [.., update] = &self.state;
        Ok((!update.is_empty()).then(|| update.clone()))
    }

    /// The moments have PyTorch's names. The last update is kept beside them, because it cannot be told from the moments:
    /// a fork may have changed the settings since.
    fn kept(&self) -> &'static [&'static str] {
        &["exp_avg/", "exp_avg_sq/", "update/"]
    }

    fn state(&self) -> Vec<Vec<Tensor>> {
        self.state.to_vec()
    }

    fn restore(&mut self, state: Vec<Vec<Tensor>>, steps: u64, _last_lr: f64) {
        let mut state = state.into_iter();
        self.state = std::array::from_fn(|_| state.next().unwrap_or_default());
        self.steps = steps;
    }
}

#[cfg(test)]
mod tests;
