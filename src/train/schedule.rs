//! Learning-rate schedule: linear warm-up, then a cosine to 0.

use std::f64::consts::PI;

/// Learning rate of step `step` (counted from 0) of `total`, of which the share `warmup` warms up.
///
/// t < w: peak·(t+1)/w; else peak/2·(1 + cos(π·(t−w)/(T−w))) (Loshchilov & Hutter 2017, without restarts).
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
mod tests {
    use super::*;
    use crate::vectors::{numbers, section};

    #[test]
    fn closed_form_of_the_reference() -> anyhow::Result<()> {
        let section = section("lr_schedules")?;
        let epochs = numbers(&section["epochs"])?;
        for (wanted, warmup) in [
            ("warmup5_then_cosine_closed_form", 0.025),
            ("cosine_T200_eta0", 0.0),
        ] {
            for (epoch, wanted) in epochs.iter().zip(numbers(&section[wanted])?) {
                let rate = learning_rate(0.1, warmup, *epoch as u64, 200);
                assert!(
                    (rate - wanted).abs() < 1e-12,
                    "epoch {epoch}: {rate} instead of {wanted}"
                );
            }
        }
        Ok(())
    }

    #[test]
    fn runs_of_a_step_or_two() {
        for total in 1..5 {
            for warmup in [0.0, 0.05, 0.5, 1.0] {
                for step in 0..total {
                    let rate = learning_rate(1.0, warmup, step, total);
                    assert!(
                        (0.0..=1.0).contains(&rate),
                        "{step}/{total} {warmup}: {rate}"
                    );
                }
            }
        }
    }
}
