use super::*;
use crate::config::Optimizer;
use crate::vectors::{numbers, section};

fn with(schedule: Schedule, warmup: f64) -> RunConfig {
    RunConfig {
        schedule,
        warmup,
        ..RunConfig::default()
    }
}

#[test]
fn learning_rates_are_those_of_the_reference() -> anyhow::Result<()> {
    let section = section("lr_schedules")?;
    let epochs = numbers(&section["epochs"])?;
    for (wanted, warmup) in [
        ("warmup5_then_cosine_closed_form", 0.025),
        ("cosine_T200_eta0", 0.0),
    ] {
        for (epoch, wanted) in epochs.iter().zip(numbers(&section[wanted])?) {
            let rate = learning_rate(&with(Schedule::Cosine, warmup), *epoch as u64, 200);
            assert!(
                (rate - wanted).abs() < 1e-12,
                "epoch {epoch}: {rate} instead of {wanted}"
            );
        }
    }
    Ok(())
}

/// The rates of the code of Cao et al. (2019): 200 epochs, of which 5 warm up, and a hundredth from epoch 160 on, again
/// from epoch 180 on.
#[test]
fn a_rate_in_steps_falls_at_its_milestones() {
    let config = with(Schedule::Step, 0.025);
    for (epoch, wanted) in [
        (0, 0.02),
        (4, 0.1),
        (5, 0.1),
        (159, 0.1),
        (160, 1e-3),
        (179, 1e-3),
        (180, 1e-5),
        (199, 1e-5),
    ] {
        let rate = learning_rate(&config, epoch, 200);
        assert!((rate - wanted).abs() < 1e-15, "epoch {epoch}: {rate}");
    }
    let other = RunConfig {
        milestones: "0.25,0.5,0.75".parse().ok(),
        step_factor: Some(0.1),
        ..with(Schedule::Step, 0.0)
    };
    let rates = [0, 1, 2, 3].map(|step| learning_rate(&other, step, 4));
    for (rate, wanted) in rates.into_iter().zip([0.1, 0.01, 1e-3, 1e-4]) {
        assert!((rate - wanted).abs() < 1e-15, "{rates:?}");
    }
}

/// Without a rate of its own, each optimiser has its usual one.
#[test]
fn a_constant_rate_stays_at_its_peak() {
    for (optimizer, usual) in [
        (Optimizer::Sgd, 0.1),
        (Optimizer::Adam, 1e-3),
        (Optimizer::AdamW, 1e-3),
    ] {
        let config = RunConfig {
            optimizer,
            ..with(Schedule::Constant, 0.1)
        };
        let rates: Vec<f64> = (0..20)
            .map(|step| learning_rate(&config, step, 20))
            .collect();
        assert_eq!(rates[0], usual / 2.0);
        assert!(rates[1..].iter().all(|rate| *rate == usual), "{rates:?}");
    }
}

#[test]
fn learning_rates_of_very_short_runs_are_between_0_and_the_peak() {
    for total in 1..5 {
        for warmup in [0.0, 0.05, 0.5, 1.0] {
            for &schedule in Schedule::ALL {
                for step in 0..total {
                    let config = RunConfig {
                        lr: Some(1.0),
                        ..with(schedule, warmup)
                    };
                    let rate = learning_rate(&config, step, total);
                    assert!(
                        (0.0..=1.0).contains(&rate),
                        "{step}/{total} {warmup}: {rate}"
                    );
                }
            }
        }
    }
}
