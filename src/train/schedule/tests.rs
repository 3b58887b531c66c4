use super::*;
use crate::vectors::{numbers, section};

#[test]
fn learning_rates_are_those_of_the_reference() -> anyhow::Result<()> {
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
fn learning_rates_of_very_short_runs_are_between_0_and_the_peak() {
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
