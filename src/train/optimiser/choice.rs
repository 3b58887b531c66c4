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

/// Weight decay of each parameter; empty where all have the same. Gates may decay otherwise than the rest: batch norm
/// behind them makes up for any scale they lose.
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
