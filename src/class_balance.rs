//! How frequent classes are, and corrections for rare ones: class weights in the loss, margins, and the shares in which
//! classes are drawn. Works on plain numbers; imports only `config`.

use crate::config::{ClassWeights, Loss, RunConfig, Sampler};

/// β of effective numbers (Cui et al. 2019, for CIFAR).
const BETA: f64 = 0.9999;
/// Share of the epochs that LDAM trains before class weights apply: 160 of 200 (Cao et al. 2019).
const DEFERRED: f64 = 0.8;

/// Weight in the loss of an image of each class in `epoch` (from 0), `[K]`; empty where all images count equally. At the end
/// of training, which is the start of an epoch that is not trained, the weights are those of the last one. `counts` are the
/// training images of each class, `[K]`.
pub fn class_weights(config: &RunConfig, counts: &[usize], epoch: u64) -> Vec<f64> {
    let last = u64::from(config.epochs).saturating_sub(1);
    if epoch.min(last) < weighted_from(config) {
        return Vec::new();
    }
    match config.class_weights {
        ClassWeights::None => Vec::new(),
        ClassWeights::Inverse => inverse_frequency(counts),
        ClassWeights::Effective => effective_number(counts, config.beta.unwrap_or(BETA)),
    }
}

/// The epoch (from 0) from which on class weights apply; 0 without class weights.
pub fn weighted_from(config: &RunConfig) -> u64 {
    if config.class_weights == ClassWeights::None {
        return 0;
    }
    let usual = match config.loss {
        Loss::Ldam => DEFERRED,
        Loss::Ce | Loss::Focal | Loss::BalancedSoftmax | Loss::LogitAdjusted => 0.0,
    };
    // Of 50 epochs 0.58 are 29, and not the 28.999… that the product is rounded to.
    let epochs = config.weights_from.unwrap_or(usual) * f64::from(config.epochs);
    (epochs + 1e-9).floor() as u64
}

/// Share of each class in the gradient of a step in `epoch` (from 0), `[K]`, summing to 1: how often images of the
/// class are drawn, times their weight. The shares hold for cross-entropy with or without weights; the gradient of
/// another loss is not a sum of the class gradients that a probe measures.
pub fn step_shares(config: &RunConfig, counts: &[usize], epoch: u64) -> Vec<f64> {
    let mut shares = shares(config.sampler, counts, epoch, config.epochs);
    let weights = class_weights(config, counts, epoch);
    if weights.is_empty() {
        return shares;
    }
    for (share, weight) in shares.iter_mut().zip(weights) {
        *share *= weight;
    }
    let total = shares.iter().sum::<f64>().max(f64::MIN_POSITIVE);
    shares.into_iter().map(|share| share / total).collect()
}

/// Share of each class among the images of `epoch` (from 0), `[K]`, for training counts n: nᵠ/Σnᵠ with q = 1 for
/// instance, 1/2 for square-root and 0 for class-balanced sampling. Progressively balanced sampling goes from instance
/// to class-balanced sampling in equal steps by epoch. The share of a class without images is 0.
pub fn shares(sampler: Sampler, counts: &[usize], epoch: u64, epochs: u32) -> Vec<f64> {
    let powers = |q: f64| {
        let power = |&n: &usize| if n == 0 { 0.0 } else { (n as f64).powf(q) };
        let powers: Vec<f64> = counts.iter().map(power).collect();
        let total = powers.iter().sum::<f64>().max(f64::MIN_POSITIVE);
        powers.into_iter().map(|x| x / total).collect::<Vec<_>>()
    };
    match sampler {
        Sampler::Instance => powers(1.0),
        Sampler::SquareRoot => powers(0.5),
        Sampler::Balanced => powers(0.0),
        Sampler::Progressive => {
            // After the last step the shares are those of the last epoch; a single epoch is drawn as the images are.
            let last = u64::from(epochs).saturating_sub(1);
            let balanced = epoch.min(last) as f64 / last.max(1) as f64;
            let pairs = powers(1.0).into_iter().zip(powers(0.0));
            pairs
                .map(|(instance, class)| (1.0 - balanced) * instance + balanced * class)
                .collect()
        }
    }
}

/// The class with the fewest training images among those that have any, the first of equals; `None` where no class has.
pub fn rarest(counts: &[usize]) -> Option<usize> {
    let present = counts.iter().enumerate().filter(|(_, n)| **n > 0);
    present.min_by_key(|(_, n)| **n).map(|(k, _)| k)
}

/// Weights w ∝ 1/n of K classes with n images, summing to K, `[K]`; 0 for a class without images.
pub fn inverse_frequency(counts: &[usize]) -> Vec<f64> {
    summing_to_classes(counts.iter().map(|&n| 1.0 / n as f64))
}

/// Weights w ∝ (1 − β)/(1 − βⁿ) of K classes with n images, the reciprocal of their effective number (Cui et al. 2019),
/// summing to K, `[K]`; 0 for a class without images.
pub fn effective_number(counts: &[usize], beta: f64) -> Vec<f64> {
    let weight = |&n: &usize| (1.0 - beta) / (1.0 - beta.powf(n as f64));
    summing_to_classes(counts.iter().map(weight))
}

/// Margins m ∝ n^(−1/4) of classes with n images, `[K]`, scaled so that the largest margin is `largest` (Cao et al.
/// 2019).
pub fn margins(counts: &[usize], largest: f64) -> Vec<f64> {
    let raw: Vec<f64> = numbers(counts).map(|n| n.powf(-0.25)).collect();
    let most = raw.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    raw.into_iter().map(|m| m * largest / most).collect()
}

/// ln π of each class, `[K]`, where π is the class's share of the training images.
pub fn log_priors(counts: &[usize]) -> Vec<f64> {
    let total: f64 = numbers(counts).sum();
    numbers(counts).map(|n| (n / total).ln()).collect()
}

/// ln π̄ of each class, `[K]`: the values of ln π with the order of the classes reversed, so that the rarest class has that
/// of the most frequent one. Classes with equally many images have the mean of theirs, so that their order does not matter.
pub fn log_reversed_priors(counts: &[usize]) -> Vec<f64> {
    let priors = log_priors(counts);
    let mut ascending = priors.clone();
    ascending.sort_by(f64::total_cmp);
    let descending: Vec<f64> = ascending.iter().rev().copied().collect();
    // The mean over each run of equal values, at the places of the run.
    let mut means = Vec::with_capacity(ascending.len());
    for equal in ascending.chunk_by(|a, b| a.total_cmp(b).is_eq()) {
        let mirrored = &descending[means.len()..][..equal.len()];
        let mean = mirrored.iter().sum::<f64>() / equal.len() as f64;
        means.resize(means.len() + equal.len(), mean);
    }
    let rank = |own: &f64| ascending.partition_point(|x| x.total_cmp(own).is_lt());
    priors.iter().map(|own| means[rank(own)]).collect()
}

/// The counts as real numbers, with 1 for a class without images: its logarithm and powers stay finite, and the network
/// learns nothing about such a class anyway.
fn numbers(counts: &[usize]) -> impl Iterator<Item = f64> {
    counts.iter().map(|&n| n.max(1) as f64)
}

/// The weights, scaled so that they sum to the number of classes. Infinite weights, which belong to classes without
/// images, become 0.
fn summing_to_classes(weights: impl Iterator<Item = f64>) -> Vec<f64> {
    let finite = |w: f64| if w.is_finite() { w } else { 0.0 };
    let mut weights: Vec<f64> = weights.map(finite).collect();
    let mean = weights.iter().sum::<f64>() / weights.len() as f64;
    if mean > 0.0 {
        weights.iter_mut().for_each(|w| *w /= mean);
    }
    weights
}

#[cfg(test)]
mod tests;
