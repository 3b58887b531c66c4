//! Everything that a run can be trained with: optimisers and schedules. Whatever it is, a run is repeatable, and stopping
//! and resuming it changes no bit.

use std::path::Path;

use anyhow::{Context, Result};
use crosscurrent::config::{Optimizer, RunConfig, Schedule};
use crosscurrent::run::event::Event;
use crosscurrent::run::{Run, log};

use crate::common::{config, images, resume, tensors, timeless, train, train_until};

/// Recipes by name: together they use everything that a run can be trained with.
fn recipes(data: &Path) -> Vec<(&'static str, RunConfig)> {
    let plain = config(data);
    vec![
        (
            "Adam in steps",
            RunConfig {
                optimizer: Optimizer::Adam,
                weight_decay: Some(1e-3),
                schedule: Schedule::Step,
                milestones: "0.25,0.5".parse().ok(),
                ..plain.clone()
            },
        ),
        (
            "AdamW at a constant rate",
            RunConfig {
                optimizer: Optimizer::AdamW,
                lr: Some(0.003),
                adam_beta1: Some(0.8),
                schedule: Schedule::Constant,
                ..plain
            },
        ),
    ]
}

/// The events of a run as another run of the same configuration has them, after resuming or not.
fn run_of(dir: &Path) -> Result<Run> {
    let mut run = log::load(dir)?.run;
    if let Some(started) = &mut run.started {
        started.id.clear();
        started.created_unix_secs = 0;
    }
    run.steps.iter_mut().for_each(|step| step.wall_secs = 0.0);
    Ok(run)
}

#[test]
fn whatever_it_is_trained_with_a_run_is_repeatable_and_resumes_to_the_same_bits() -> Result<()> {
    let root = tempfile::tempdir()?;
    let data = root.path().join("data");
    images(&data)?;
    let mut trained: Vec<Vec<(String, Vec<u8>)>> = Vec::new();
    for (name, config) in recipes(&data) {
        let whole = root.path().join(format!("{name}, whole"));
        let events: Vec<Event> = train(&whole, &config)?.iter().map(timeless).collect();
        let again = root.path().join(format!("{name}, again"));
        let others: Vec<Event> = train(&again, &config)?.iter().map(timeless).collect();
        assert!(events == others, "{name}: the events differ");
        for stop_at in [1, 6] {
            let dir = root.path().join(format!("{name}, stopped at {stop_at}"));
            train_until(&dir, &config, stop_at)?;
            resume(&dir)?;
            for which in ["last", "best"] {
                assert!(
                    tensors(&whole, which)? == tensors(&dir, which)?,
                    "{name}, stopped at {stop_at}: {which}"
                );
            }
            assert!(
                run_of(&whole)? == run_of(&dir)?,
                "{name}, stopped at {stop_at}: the events differ"
            );
            let probes = |dir: &Path| -> Result<Vec<Vec<u8>>> {
                let probes = &log::load(dir)?.run.probes;
                let read = probes
                    .iter()
                    .map(|probe| std::fs::read(dir.join(&probe.file)));
                Ok(read.collect::<std::io::Result<_>>()?)
            };
            assert!(probes(&whole)? == probes(&dir)?, "{name}: probes differ");
        }
        let run = log::load(&whole)?.run;
        let (first, last) = (run.steps.first(), run.steps.last());
        let (first, last) = first.zip(last).context("steps")?;
        assert!(last.loss < first.loss, "{name}: it learns");
        let last = tensors(&whole, "last")?;
        assert!(!trained.contains(&last), "{name}: as another recipe");
        trained.push(last);
    }
    Ok(())
}

/// What each class's share of a step does is predicted for plain gradient steps alone. A run of Adam has the effects of the
/// steps it took, which are not 0, and says why nothing is predicted.
#[test]
fn steps_of_adam_are_measured_and_not_predicted() -> Result<()> {
    let root = tempfile::tempdir()?;
    let data = root.path().join("data");
    images(&data)?;
    for (name, config) in recipes(&data).into_iter().take(2) {
        let dir = root.path().join(name);
        train(&dir, &config)?;
        let run = log::load(&dir)?.run;
        let reason = run.departs_from_class_gradients().context("a reason")?;
        assert!(
            reason.contains("no sum of class gradients"),
            "{name}: {reason}"
        );
        let started = run.started.as_ref().context("header")?;
        assert!(started.config.lr.is_some() && started.config.weight_decay.is_some());
        let probe = run.probes.last().context("a probe")?;
        let batch_norm = run.batch_norm();
        let tensors = crosscurrent::run::probe_file::ProbeTensors::load(
            &dir.join(&probe.file),
            3,
            batch_norm,
        )?;
        assert!(tensors.update.iter().any(|product| *product != 0.0));
    }
    Ok(())
}
