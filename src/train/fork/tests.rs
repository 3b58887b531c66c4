use anyhow::Context as _;

use super::*;
use crate::config::{ClassWeights, FIELDS};

#[test]
fn fields_that_may_change_exist() {
    for name in MAY_CHANGE {
        assert!(FIELDS.iter().any(|field| field.name == name), "{name}");
    }
    // Those of the images, the network and the loss never may.
    let fixed = [Group::Data, Group::Network, Group::RareClasses];
    assert!(
        FIELDS
            .iter()
            .all(|field| !(may_change(field) && fixed.contains(&field.group)))
    );
}

#[test]
fn a_change_that_is_not_possible_is_named() {
    let from = RunConfig::default().settled();
    let slower = RunConfig {
        lr: Some(0.01),
        ..from.clone()
    };
    assert_eq!(refusal(&from, &slower), None);
    let change = changes(&from, &slower);
    assert_eq!(
        (&*change[0].field, &*change[0].from, &*change[0].to),
        ("lr", "0.1", "0.01")
    );
    let other = RunConfig { batch: 7, ..slower };
    let longer = |sampler, weights_from| {
        let from = RunConfig {
            sampler,
            class_weights: ClassWeights::Effective,
            weights_from,
            ..from.clone()
        };
        let epochs = from.epochs + 1;
        let to = RunConfig {
            epochs,
            ..from.clone()
        };
        refusal(&from, &to).is_none()
    };
    assert!(longer(Sampler::Instance, None));
    assert!(!longer(Sampler::Instance, Some(0.8)));
    // They apply from the start of so few epochs, and would not of more.
    let just_late = 1.0 / (f64::from(from.epochs) + 0.5);
    assert!(!longer(Sampler::Instance, Some(just_late)));
    assert!(!longer(Sampler::Progressive, None));
    assert!(
        refusal(&from, &other)
            .unwrap()
            .contains("cannot change `batch`")
    );
}

/// Training goes on from the trained weights, of which an average that is evaluated says nothing.
#[test]
fn of_averaged_weights_the_loss_of_training_tells_whether_the_run_diverged() -> anyhow::Result<()> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded/solar-none");
    let mut run = log::load(&dir)?.run;
    let step = run
        .evals_of(Split::Val)
        .last()
        .context("no evaluation")?
        .step;
    let taken = run.steps.iter_mut().rfind(|x| x.step <= step);
    taken.context("no step")?.loss = Some(1e9);
    assert!(!has_diverged(&run, step));
    run.started.as_mut().context("no header")?.config.ema_decay = Some(0.999);
    assert!(has_diverged(&run, step));
    Ok(())
}

#[test]
fn the_latest_checkpoint_before_a_step_is_chosen() {
    let saved = |which, step| Saved {
        which,
        progress: Progress {
            step,
            ..Progress::default()
        },
        has_diverged: false,
    };
    let mut all = [saved("best", 20), saved("last", 40)];
    let step = |at| choose(&all, at).map(|saved| saved.progress.step);
    assert_eq!(
        [None, Some(50), Some(40)].map(|at| step(at).unwrap()),
        [40; 3]
    );
    assert_eq!([Some(39), Some(20)].map(|at| step(at).unwrap()), [20; 2]);
    let said = step(Some(19)).unwrap_err().to_string();
    assert!(said.contains("those of step 20 and step 40"), "{said}");
    // One that has diverged is taken only where it is asked for, or there is no other.
    all[1].has_diverged = true;
    let step = |all: &[Saved], at| choose(all, at).map(|saved| saved.progress.step);
    assert_eq!([None, Some(40)].map(|at| step(&all, at).unwrap()), [20, 40]);
    assert_eq!(step(&all[1..], None).unwrap(), 40);
}
