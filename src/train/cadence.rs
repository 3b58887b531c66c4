//! How often class gradients are measured: as often as a share of the training time allows. The cost of a probe is
//! counted in arithmetic, not read from a clock, so that the same configuration probes at the same steps everywhere.

use crate::config::{NormKind, RunConfig};

use super::probe::{Mix, cut, measured_classes, pieces_for};

/// Forward passes that a backward pass counts as: the gradient of the input and that of the weights each take as much
/// arithmetic as the forward pass.
const BACKWARD: f64 = 2.0;

/// What a probe costs, and how often one is taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cadence {
    /// Cost of a probe in training steps, by arithmetic.
    pub steps_per_probe: f64,
    /// Optimiser steps between two probes; `None` where only step 0, the best and the last step are probed.
    pub every: Option<u64>,
}

impl Cadence {
    /// The cadence of a run on training images with the numbers `counts` `[K]` by class.
    pub fn of(config: &RunConfig, counts: &[usize]) -> Self {
        let images = counts.iter().map(|&n| n.min(config.probe_images));
        let images: Vec<Vec<u32>> = images.map(|n| vec![0; n]).collect();
        let pieces = cut(&images, pieces_for(counts.len()));
        let measured = measured_classes(counts);
        let mix = Mix {
            pieces: &pieces,
            shares: &vec![1.0; counts.len()],
            measured: &measured,
        };
        // Where images do not mix, both measures are one.
        let (forward, backward) = match config.norm {
            NormKind::Batch => mix.passes(),
            NormKind::Group | NormKind::None => (0, 0),
        };
        let frozen: usize = pieces.iter().map(Vec::len).sum();
        let arithmetic =
            forward as f64 + BACKWARD * backward as f64 + (1.0 + BACKWARD) * frozen as f64;
        let batch = config.batch.min(counts.iter().sum()).max(1);
        // SAM passes over each batch twice.
        let passes = if config.sam_rho.is_some() { 2.0 } else { 1.0 };
        let steps_per_probe = arithmetic / (passes * (1.0 + BACKWARD) * batch as f64);
        let share = config.probe_share;
        let governed = || {
            // p of the time for probes and 1 − p for steps: n steps between probes of cost c have p = c/(n + c).
            let every = (steps_per_probe * (1.0 - share) / share).ceil();
            (share > 0.0).then_some((every as u64).max(1))
        };
        Self {
            steps_per_probe,
            every: config.probe_every.or_else(governed),
        }
    }
}

#[cfg(test)]
mod tests;
