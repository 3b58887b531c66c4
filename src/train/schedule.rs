//! Learning-rate schedules: linear warm-up, then a cosine to 0, a fall in steps, or a constant rate.

use std::f64::consts::PI;

use crate::config::{RunConfig, Schedule};

/// By what the rate is multiplied at each milestone, where nothing else is asked for (Cao et al. 2019).
const FACTOR: f64 = 0.01;

/// Learning rate of step `step` (counted from 0) of `total` steps.
///
/// With t the step, T all steps and w the warm-up steps, the share `warmup` of T: peak·(t+1)/w for t < w, and then
///
/// ```text
/// cosine     peak/2 · (1 + cos(π·(t−w)/(T−w)))     (Loshchilov & Hutter 2017, without restarts)
/// step       peak · fⁿ, with n the number of milestones m for which t ≥ m·T
/// constant   peak
/// ```
pub fn learning_rate(config: &RunConfig, step: u64, total: u64) -> f64 {
    let peak = config.learning_rate();
    let warm = (config.warmup * total as f64).round();
    let t = step as f64;
    if t < warm {
        return peak * (t + 1.0) / warm;
    }
    match config.schedule {
        Schedule::Cosine => {
            peak / 2.0 * (1.0 + (PI * (t - warm) / (total as f64 - warm).max(1.0)).cos())
        }
        Schedule::Step => {
            let milestones = config.milestones.clone().unwrap_or_default();
            let mut shares = milestones.shares().iter();
            let passed = shares.position(|share| t < (share * total as f64).round());
            let passed = passed.unwrap_or(milestones.shares().len());
            let factor = config.step_factor.unwrap_or(FACTOR);
            peak * factor.powi(i32::try_from(passed).unwrap_or(i32::MAX))
        }
        Schedule::Constant => peak,
    }
}

#[cfg(test)]
mod tests;
