//! Verification of a small network on the built-in images: what a probe predicts as in training is what happens.

use super::*;
use crate::config::{Attention, ClassWeights, Loss};
use crate::run::event::Event;
use crate::train::{Message, run as train};

/// Trains a few steps, after which a step still moves the losses of all classes.
fn trained(dir: &Path, config: &RunConfig) -> anyhow::Result<()> {
    let control = Control::default();
    Ok(train(dir, config, &control, &mut |message| {
        if matches!(&message, Message::Event(Event::Step(_))) {
            control.stop();
        }
    })?)
}

fn short() -> RunConfig {
    RunConfig {
        imbalance: 20.0,
        batch: 64,
        epochs: 1,
        probe_share: 0.0,
        probe_images: 16,
        ..RunConfig::default()
    }
}

fn request() -> Request {
    Request {
        checkpoint: "last".to_owned(),
        data: None,
        batches: 4,
        probe_images: None,
        images: 40,
    }
}

fn verified(dir: &Path, control: &Control) -> anyhow::Result<Option<Verification>> {
    let (mut parts, mut last) = (0, 0);
    let found = verify(dir, &request(), control, &mut |_| (), &mut |done, all| {
        assert_eq!(done, last + 1);
        (last, parts) = (done, all);
    })?;
    assert!(found.is_none() || last == parts, "{last} of {parts}");
    Ok(found)
}

fn same_sign(found: &Verification, predicted: &[f32]) -> f64 {
    let (x, y) = found.pairs(predicted, &found.train);
    let same = x.iter().zip(&y).filter(|(x, y)| **x * **y > 0.0).count();
    same as f64 / x.len() as f64
}

/// Where an image is of several classes, no share of a step is one class's alone.
#[test]
fn runs_without_shares_are_refused() {
    let plain = RunConfig::default();
    assert_eq!(no_shares(&plain), None);
    for config in [
        RunConfig {
            mixup: Some(0.2),
            ..plain.clone()
        },
        RunConfig {
            cutmix: Some(1.0),
            ..plain.clone()
        },
        RunConfig {
            label_smoothing: Some(0.1),
            ..plain
        },
    ] {
        let said = no_shares(&config).unwrap_or_default();
        assert!(said.starts_with("there is nothing to verify"), "{said}");
    }
}

#[test]
fn what_is_predicted_as_in_training_happens() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    trained(folder.path(), &short())?;
    let before = std::fs::read(folder.path().join("events.jsonl"))?;
    let found = verified(folder.path(), &Control::default())?;
    let found = found.ok_or_else(|| anyhow::anyhow!("stopped"))?;
    assert_eq!(found.classes, 6);
    // The shares of the very batches, to first order: nearly what happens to images like theirs.
    let [shares, training, frozen] =
        [&found.shares, &found.as_in_training, &found.frozen].map(|x| same_sign(&found, x));
    assert!(shares > 0.9 && training > 0.9, "{shares} {training}");
    assert!(frozen < training, "{frozen} {training}");
    // A class's own share lowers its loss, as measured and as predicted.
    for k in 0..6 {
        assert!(found.train[k * 7] < 0.0 && found.shares[k * 7] < 0.0, "{k}");
    }
    assert_eq!(found.facts.held_out, "test");
    let path = folder.path().join(log::verification_file(found.facts.step));
    assert_eq!(Verification::load(&path, 6)?, found);
    assert_eq!(
        std::fs::read(folder.path().join("events.jsonl"))?,
        before,
        "the run is untouched"
    );
    Ok(())
}

/// The shares predict, and the measurement gives, the loss that the run minimises, which need not be cross-entropy of the
/// network's logits.
#[test]
fn shares_do_what_they_predict_to_the_loss_of_the_run() -> anyhow::Result<()> {
    let (unweighted, weighted) = (ClassWeights::None, ClassWeights::Inverse);
    for (attention, loss, class_weights) in [
        (Attention::None, Loss::Ce, unweighted),
        (Attention::Class, Loss::Ce, unweighted),
        (Attention::Experts, Loss::Ce, unweighted),
        (Attention::None, Loss::BalancedSoftmax, unweighted),
        (Attention::None, Loss::Focal, weighted),
        (Attention::None, Loss::Ldam, unweighted),
    ] {
        let folder = tempfile::tempdir()?;
        let config = RunConfig {
            attention,
            loss,
            class_weights,
            ..short()
        };
        trained(folder.path(), &config)?;
        let found = verified(folder.path(), &Control::default())?;
        let found = found.ok_or_else(|| anyhow::anyhow!("stopped"))?;
        let same = same_sign(&found, &found.shares);
        assert!(same > 0.85, "{attention:?}, {loss:?}: {same}");
        // The batches are augmented, unlike the images whose loss is measured.
        for k in 0..6 {
            let ratio = found.train[k * 7] / found.shares[k * 7];
            assert!(
                ratio > 0.6 && ratio < 1.6,
                "{attention:?}, {loss:?}, {k}: {ratio}"
            );
        }
    }
    Ok(())
}

#[test]
fn a_stop_writes_nothing() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    trained(folder.path(), &short())?;
    let control = Control::default();
    control.stop();
    assert!(verified(folder.path(), &control).is_ok_and(|found| found.is_none()));
    assert!(!folder.path().join("verify").exists());
    Ok(())
}
