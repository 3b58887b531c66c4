//! The loss that a configuration trains with: class weights, margins and offsets, from the class counts. A further loss
//! is one variant of `config::Loss` and an arm in each `match` here and in `class_balance`.

use crate::class_balance;
use crate::config::{Attention, Loss, RunConfig};
use crate::model::Classifier;
use crate::ops::{Criterion, Mean};

/// Largest margin of LDAM, that of the rarest class (Cao et al. 2019).
const LARGEST_MARGIN: f64 = 0.5;
/// Scale of the cosines that LDAM's classifier gives (Cao et al. 2019).
const COSINE_SCALE: f64 = 30.0;

/// τ of the third expert's loss (Zhang et al. 2022).
const INVERSE_TAU: f64 = 2.0;

/// The losses of `epoch` (from 0): one of the logits, or, with experts, one of each expert's logits. `counts`: training
/// images per class, `[K]`.
///
/// The three experts of SADE (Zhang et al. 2022, arXiv 2107.09249, equations 2 to 4) have cross-entropy of the logits z, of
/// z + ln π, and of z + ln π − τ·ln π̄, where π̄ is π with the order of the classes reversed
/// ([`class_balance::log_reversed_priors`]).
pub fn criteria(config: &RunConfig, counts: &[usize], epoch: u64) -> Vec<Criterion> {
    let plain = criterion(config, counts, epoch);
    if config.attention != Attention::Experts {
        return vec![plain];
    }
    let priors = class_balance::log_priors(counts);
    let reversed = class_balance::log_reversed_priors(counts);
    let tau = config.tau.unwrap_or(INVERSE_TAU);
    let inverse = priors.iter().zip(reversed).map(|(x, r)| x - tau * r);
    let inverse = inverse.collect();
    let with = |offsets| Criterion {
        offsets,
        ..plain.clone()
    };
    [Vec::new(), priors, inverse].map(with).into()
}

/// The loss of `epoch` (from 0) that the configuration names.
fn criterion(config: &RunConfig, counts: &[usize], epoch: u64) -> Criterion {
    let plain = Criterion {
        weights: class_balance::class_weights(config, counts, epoch),
        smoothing: config.smoothing(),
        ..Criterion::default()
    };
    match config.loss {
        Loss::Ce => plain,
        Loss::Focal => Criterion {
            gamma: config.gamma.unwrap_or(1.0),
            mean: Mean::OfImages,
            ..plain
        },
        Loss::Ldam => Criterion {
            margins: class_balance::margins(counts, LARGEST_MARGIN)
                .into_iter()
                .map(|margin| COSINE_SCALE * margin)
                .collect(),
            ..plain
        },
        Loss::BalancedSoftmax => Criterion {
            offsets: class_balance::log_priors(counts),
            ..plain
        },
        Loss::LogitAdjusted => {
            let tau = config.tau.unwrap_or(1.0);
            Criterion {
                offsets: class_balance::log_priors(counts)
                    .into_iter()
                    .map(|x| tau * x)
                    .collect(),
                ..plain
            }
        }
    }
}

/// The classifier that the loss needs.
pub fn classifier(config: &RunConfig) -> Classifier {
    match config.loss {
        Loss::Ldam => Classifier::Cosine(COSINE_SCALE),
        Loss::Ce | Loss::Focal | Loss::BalancedSoftmax | Loss::LogitAdjusted => Classifier::Linear,
    }
}

/// Post-hoc logit adjustment (Menon et al. 2021): −τ·ln π, `[K]`, to be added to the logits before the largest is
/// chosen; empty where the configuration asks for none.
pub fn post_hoc(config: &RunConfig, counts: &[usize]) -> Vec<f32> {
    let Some(tau) = config.post_hoc else {
        return Vec::new();
    };
    let adjusted = class_balance::log_priors(counts).into_iter();
    adjusted.map(|x| (-tau * x) as f32).collect()
}

#[cfg(test)]
mod tests;
