//! Which optimiser a configuration asks for.

use crate::config::RunConfig;
use crate::model::ParamSpec;

use super::interface::Optimiser;
use super::sgd::Sgd;

/// The optimiser of a configuration for a network's parameters, before its first step.
pub fn of(config: &RunConfig, params: &[ParamSpec]) -> Box<dyn Optimiser> {
    let sgd = Sgd::new(config.momentum, config.weight_decay);
    Box::new(sgd.with_decays(decays(config, params)))
}

/// Weight decay of each parameter, in parameter order; empty where all parameters share one. Gates may have a weight
/// decay of their own, because the batch norm after a gate makes up for any scale that the gate loses.
fn decays(config: &RunConfig, params: &[ParamSpec]) -> Vec<f64> {
    let Some(gate_decay) = config.gate_decay else {
        return Vec::new();
    };
    let decay = |param: &ParamSpec| {
        if param.is_gate {
            gate_decay
        } else {
            config.weight_decay
        }
    };
    params.iter().map(decay).collect()
}

#[cfg(test)]
mod tests;
