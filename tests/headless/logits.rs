//! What a run records at the logits: how hard images pull at each class's logit in training, against PyTorch and across
//! stopping and resuming; and the logits of predictions.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use crosscurrent::config::{Attention, ClassWeights, Loss, RunConfig};
use crosscurrent::run::event::{Event, LogitGradients, Split, Step};
use crosscurrent::run::{Run, log};
use safetensors::SafeTensors;

use crate::common::{config, images, resume, train, train_until};
use crate::python::python_with;

/// A run of which every step sees the same network and all training images, not augmented.
fn still(data: &Path) -> RunConfig {
    RunConfig {
        attention: Attention::None,
        epochs: 3,
        batch: 64,
        lr: Some(1e-30),
        weight_decay: Some(0.0),
        crop_padding: 0,
        flip: false,
        ..config(data)
    }
}

/// For every loss, PyTorch differentiates the losses of single images in their logits; the sums over images and steps
/// are those that the log holds.
#[test]
fn pytorch_finds_the_logged_gradients_at_the_logits() -> Result<()> {
    let Some(python) = python_with("torch, numpy, safetensors.numpy, PIL") else {
        return Ok(());
    };
    let root = tempfile::tempdir()?;
    let data = root.path().join("data");
    images(&data)?;
    let kinds = [
        (Loss::Ce, ClassWeights::None),
        (Loss::Ce, ClassWeights::Inverse),
        (Loss::Focal, ClassWeights::Effective),
        (Loss::Ldam, ClassWeights::Effective),
        (Loss::BalancedSoftmax, ClassWeights::None),
        (Loss::LogitAdjusted, ClassWeights::None),
    ];
    for (index, (loss, class_weights)) in kinds.into_iter().enumerate() {
        let dir = root.path().join(index.to_string());
        let config = RunConfig {
            loss,
            class_weights,
            ..still(&data)
        };
        train(&dir, &config)?;
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/torch_logits.py");
        let output = Command::new(&python).arg(script).arg(&dir).output()?;
        let (said, failed) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        assert!(output.status.success(), "{said}{failed}");
        println!("{}", said.trim());
    }
    Ok(())
}

fn steps(events: &[Event]) -> impl Iterator<Item = &Step> {
    events.iter().filter_map(|event| {
        let Event::Step(step) = event else {
            return None;
        };
        Some(step)
    })
}

/// The sums of a run that was stopped go on as if it had not been: they are those of a run without a pause, to the last
/// bit. All that pulls up also pushes down, and sums never shrink.
#[test]
fn gradients_at_the_logits_go_on_after_a_stop() -> Result<()> {
    let root = tempfile::tempdir()?;
    images(&root.path().join("data"))?;
    let config = config(&root.path().join("data"));
    let whole = train(&root.path().join("whole"), &config)?;
    let dir = root.path().join("stopped");
    train_until(&dir, &config, 7)?;
    resume(&dir)?;
    let run = log::load(&dir)?.run;
    let sums: Vec<_> = run.steps.iter().map(|x| &x.logit_gradients).collect();
    let of_whole: Vec<_> = steps(&whole).map(|x| &x.logit_gradients).collect();
    assert_eq!(sums, of_whole);
    let sums: Option<Vec<&LogitGradients>> = sums.into_iter().map(Option::as_ref).collect();
    let sums = sums.context("every step has them")?;
    for sums in &sums {
        let (up, down): (f64, f64) = (sums.positive.iter().sum(), sums.negative.iter().sum());
        assert!((up - down).abs() < 1e-9 * up, "{up} and {down}");
    }
    let within = sums[15].since(sums[3]);
    assert!(
        within
            .positive
            .iter()
            .chain(&within.negative)
            .all(|x| *x > 0.0)
    );
    Ok(())
}

/// A checkpoint without the sums, as runs of format 1 have it, is gone on from; what it lacks is said to be undefined.
#[test]
fn a_run_whose_checkpoint_lacks_the_sums_goes_on_without_them() -> Result<()> {
    let root = tempfile::tempdir()?;
    images(&root.path().join("data"))?;
    let dir = root.path().join("run");
    train_until(&dir, &config(&root.path().join("data")), 5)?;
    let path = log::checkpoint_path(&dir, "last");
    let bytes = std::fs::read(&path)?;
    let (_, metadata) = SafeTensors::read_metadata(&bytes)?;
    let metadata = metadata.metadata().clone().context("metadata")?;
    let mut progress: serde_json::Value = serde_json::from_str(&metadata["progress"])?;
    let fields = progress.as_object_mut().context("fields")?;
    assert!(fields.remove("logit_gradients").is_some());
    let metadata = [("progress".to_owned(), progress.to_string())];
    let file = SafeTensors::deserialize(&bytes)?;
    let old = safetensors::serialize(file.tensors(), Some(metadata.into()))?;
    std::fs::write(&path, old)?;
    let after = resume(&dir)?;
    let mut gone_on = steps(&after).peekable();
    assert!(gone_on.peek().is_some());
    assert!(gone_on.all(|step| step.logit_gradients.is_none()));
    // An undefined value is left out of the log.
    let text = std::fs::read_to_string(dir.join("events.jsonl"))?;
    let with = text.lines().filter(|line| line.contains("logit_gradients"));
    assert_eq!(with.count(), 5);
    Ok(())
}

/// The tensors of a file of predictions: classes, confidences, and logits where it has them.
struct Predicted {
    class: Vec<u16>,
    confidence: Vec<f32>,
    logits: Option<Vec<f32>>,
}

fn predicted(dir: &Path, step: u64, split: Split) -> Result<Predicted> {
    let bytes = std::fs::read(dir.join(log::predictions_file(step, split)))?;
    let file = SafeTensors::deserialize(&bytes)?;
    let floats = |name: &str| -> Option<Vec<f32>> {
        let view = file.tensor(name).ok()?;
        let words = view.data().chunks_exact(4);
        words
            .map(|x| Some(f32::from_le_bytes(x.try_into().ok()?)))
            .collect()
    };
    let class = file.tensor("class")?;
    let class = class.data().chunks_exact(2);
    Ok(Predicted {
        class: class.map(|x| u16::from_le_bytes([x[0], x[1]])).collect(),
        confidence: floats("confidence").context("confidence")?,
        logits: floats("logits"),
    })
}

/// Asserts that the predictions of a step hold logits whose largest is the class, and whose softmax its confidence.
fn assert_logits_agree(dir: &Path, run: &Run, step: u64, split: Split) -> Result<()> {
    let started = run.started.as_ref().context("header")?;
    let classes = started.classes.len();
    let images: usize = if split == Split::Val {
        started.val_counts.iter().sum()
    } else {
        started.test_counts.iter().sum()
    };
    let found = predicted(dir, step, split)?;
    let logits = found
        .logits
        .with_context(|| format!("logits of {split:?} at {step}"))?;
    assert_eq!(
        (found.class.len(), found.confidence.len()),
        (images, images)
    );
    assert_eq!(logits.len(), images * classes);
    let predictions = found.class.iter().zip(&found.confidence);
    for (row, (class, confidence)) in logits.chunks(classes).zip(predictions) {
        let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        assert_eq!(row[usize::from(*class)], largest);
        let sum: f64 = row.iter().map(|x| f64::from(x - largest).exp()).sum();
        assert!(
            (f64::from(*confidence) - 1.0 / sum).abs() < 1e-6,
            "{confidence}"
        );
    }
    Ok(())
}

/// Logits on validation images are there at the best and at the last step, so that whatever is fitted after training
/// can be chosen on them; other evaluations leave them out. The same holds after a stop, and where the best step is the
/// last.
#[test]
fn validation_logits_are_kept_of_the_best_and_of_the_last_step() -> Result<()> {
    let root = tempfile::tempdir()?;
    let data = root.path().join("data");
    images(&data)?;
    let mut seen = BTreeMap::new();
    // With a step that moves no weight, no evaluation is better than the first one of running statistics; with a single
    // evaluation after the first, the best one is the last.
    for (name, lr, eval_every) in [("learns", 0.1, 2), ("once", 0.1, 16), ("still", 1e-30, 2)] {
        let config = RunConfig {
            lr: Some(lr),
            eval_every: Some(eval_every),
            ..config(&data)
        };
        for stop_at in [None, Some(9), Some(16)] {
            let dir = root.path().join(format!("{name} {stop_at:?}"));
            match stop_at {
                Some(step) => {
                    let events = train_until(&dir, &config, step)?;
                    if !matches!(events.last(), Some(Event::Finished(_))) {
                        resume(&dir)?;
                    }
                }
                None => {
                    train(&dir, &config)?;
                }
            }
            let run = log::load(&dir)?.run;
            let (best, last) = (run.best().context("best")?.step, run.last_step());
            assert_eq!(last, 16);
            for step in [best, last] {
                assert_logits_agree(&dir, &run, step, Split::Val)?;
                assert_logits_agree(&dir, &run, step, Split::Test)?;
            }
            for eval in run.evals_of(Split::Val) {
                let is_kept = eval.step == best || eval.step == last;
                let found = predicted(&dir, eval.step, Split::Val)?;
                assert_eq!(
                    found.logits.is_some(),
                    is_kept,
                    "{name}, step {}",
                    eval.step
                );
            }
            *seen.entry(best == last).or_insert(0) += 1;
        }
    }
    println!("best is last: {seen:?}");
    assert_eq!(seen.len(), 2, "both cases occur");
    Ok(())
}
