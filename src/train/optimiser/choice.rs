//! Which optimiser a configuration asks for.

use crate::config::{Optimizer, RunConfig};
use crate::model::ParamSpec;

use super::adam::Adam;
use super::interface::Optimiser;
use super::sgd::Sgd;

/// β₁ and β₂ of Adam where none are given, as in PyTorch.
const BETAS: [f64; 2] = [0.9, 0.999];

/// The optimiser of a configuration for a network's parameters, before its first step.
pub fn of(config: &RunConfig, params: &[ParamSpec]) -> Box<dyn Optimiser> {
    let decays = decays(config, params);
    let betas = [
        config.adam_beta1.unwrap_or(BETAS[0]),
        config.adam_beta2.unwrap_or(BETAS[1]),
    ];
    match config.optimizer {
        Optimizer::Sgd => Box::new(Sgd::new(config.momentum, decays)),
        Optimizer::Adam => Box::new(Adam::new(betas, decays)),
        Optimizer::AdamW => Box::new(Adam::new(betas, decays).decoupled()),
    }
}

/// Weight decay of each parameter, in parameter order. Gates may have a weight decay of their own, because the batch norm
/// after a gate makes up for any scale that the gate loses.
fn decays(config: &RunConfig, params: &[ParamSpec]) -> Vec<f64> {
    let all = config.decay();
    let decay = |param: &ParamSpec| match config.gate_decay {
        Some(decay) if param.is_gate => decay,
        Some(_) | None => all,
    };
    params.iter().map(decay).collect()
}

#[cfg(test)]
mod tests;
