//! Learning-rate schedule: linear warm-up, then a cosine to 0.

use std::f64::consts::PI;

/// Learning rate of step `step` (counted from 0) of `total` steps, of which the share `warmup` warms up to `peak`.
///
/// With t the step, T all steps and w the warm-up steps: peak·(t+1)/w for t < w, else peak/2·(1 + cos(π·(t−w)/(T−w)))
/// (Loshchilov & Hutter 2017, without restarts).
pub fn learning_rate(peak: f64, warmup: f64, step: u64, total: u64) -> f64 {
    let warm = (warmup * total as f64).round();
    let t = step as f64;
    if t < warm {
        peak * (t + 1.0) / warm
    } else {
        peak / 2.0 * (1.0 + (PI * (t - warm) / (total as f64 - warm).max(1.0)).cos())
    }
}

#[cfg(test)]
mod tests;
