//! Everything that a run can be trained with: optimisers, schedules, smoothed labels, mixed images, averaged weights and SAM.
//! Whatever it is, a run is repeatable, and stopping and resuming it changes no bit.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use candle_core::{Device, Tensor};
use crosscurrent::config::{Attention, Loss, Optimizer, RunConfig, Schedule};
use crosscurrent::data::batches::Loader;
use crosscurrent::model::{Classifier, Layout, Mode, Net, Spec};
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
                ..plain.clone()
            },
        ),
        (
            "smoothed and mixed, with averaged weights",
            RunConfig {
                label_smoothing: Some(0.1),
                mixup: Some(0.4),
                cutmix: Some(1.0),
                cutout: Some(5),
                ema_decay: Some(0.7),
                ..plain.clone()
            },
        ),
        (
            "SAM, averaged, on LDAM with mixed images",
            RunConfig {
                sam_rho: Some(0.05),
                ema_decay: Some(0.5),
                loss: Loss::Ldam,
                mixup: Some(0.4),
                lr: Some(0.05),
                ..plain.clone()
            },
        ),
        (
            "experts, mixed and smoothed",
            RunConfig {
                attention: Attention::Experts,
                mixup: Some(0.4),
                label_smoothing: Some(0.1),
                ..plain.clone()
            },
        ),
        (
            "SAM with AdamW",
            RunConfig {
                optimizer: Optimizer::AdamW,
                sam_rho: Some(0.1),
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

/// The weights of a checkpoint whose names begin with `prefix`, by the rest of their names.
fn weights(dir: &Path, which: &str, prefix: &str) -> Result<BTreeMap<String, Vec<f32>>> {
    let tensors = tensors(dir, which)?.into_iter();
    let own = tensors.filter_map(|(name, bytes)| {
        let name = name.strip_prefix(prefix)?.to_owned();
        let is_float = !name.ends_with("num_batches_tracked");
        let (words, _) = bytes.as_chunks::<4>();
        let values = words.iter().map(|word| f32::from_le_bytes(*word)).collect();
        (is_float && !name.contains('/')).then_some((name, values))
    });
    Ok(own.collect())
}

/// A checkpoint has the averaged weights and batch-norm buffers under the names of the network, where whoever loads them
/// finds them, and those that training goes on with beside them. The averages follow from what was trained, step by step.
#[test]
fn a_checkpoint_holds_averages_and_trained_weights() -> Result<()> {
    let root = tempfile::tempdir()?;
    let data = root.path().join("data");
    images(&data)?;
    let plain = config(&data);
    let averaged = RunConfig {
        ema_decay: Some(0.5),
        ..plain.clone()
    };
    let at = |step: u64, config: &RunConfig, name: &str| -> Result<std::path::PathBuf> {
        let dir = root.path().join(format!("{name} {step}"));
        train_until(&dir, config, step)?;
        Ok(dir)
    };
    let trained = (1..4).map(|step| at(step, &plain, "plain"));
    let trained = trained.collect::<Result<Vec<_>>>()?;
    let dir = at(3, &averaged, "averaged")?;
    // What is trained is what would be trained without an average.
    let last = weights(&trained[2], "last", "")?;
    assert_eq!(weights(&dir, "last", "training/")?, last);
    // Step 0 has the weights from before training: those of a run with a rate so small that nothing moves.
    let still = RunConfig {
        lr: Some(1e-30),
        ..plain
    };
    let before = weights(&at(1, &still, "still")?, "last", "")?;
    let found = weights(&dir, "last", "")?;
    assert_eq!(found.len(), last.len());
    let name = "branch2.conv1.weight";
    let mut mean: Vec<f64> = before[name].iter().map(|x| f64::from(*x)).collect();
    for (step, dir) in (1..4).zip(&trained) {
        let kept = (1.0 + f64::from(step)) / (10.0 + f64::from(step));
        let new = &weights(dir, "last", "")?[name];
        let values = mean.iter_mut().zip(new);
        values.for_each(|(mean, new)| {
            *mean = kept.min(0.5) * *mean + (1.0 - kept.min(0.5)) * f64::from(*new);
        });
    }
    for (found, wanted) in found[name].iter().zip(&mean) {
        assert!(
            (f64::from(*found) - wanted).abs() < 1e-6,
            "{found}, not {wanted}"
        );
    }
    assert_ne!(
        found["stem.bn1.running_mean"],
        last["stem.bn1.running_mean"]
    );
    Ok(())
}

/// A step of SAM without momentum and weight decay is a plain step along the gradient at the weights moved uphill, on the
/// same batch; the running statistics are those of the pass at the present weights.
#[test]
fn a_step_of_sam_takes_the_gradient_uphill() -> Result<()> {
    const RHO: f64 = 0.5;
    let root = tempfile::tempdir()?;
    let data = root.path().join("data");
    images(&data)?;
    let plain = RunConfig {
        momentum: 0.0,
        weight_decay: Some(0.0),
        schedule: Schedule::Constant,
        warmup: 0.0,
        lr: Some(0.25),
        ..config(&data)
    };
    let sam = RunConfig {
        sam_rho: Some(RHO),
        ..plain.clone()
    };
    let of = |name: &str, config: &RunConfig| -> Result<BTreeMap<String, Vec<f32>>> {
        let dir = root.path().join(name);
        train_until(&dir, config, 1)?;
        weights(&dir, "last", "")
    };
    let (with_sam, without) = (of("SAM", &sam)?, of("plain", &plain)?);
    for (name, values) in &with_sam {
        if name.contains("running") {
            assert_eq!(values, &without[name], "{name}");
        }
    }

    // The same by hand, with the network and the first batch of the run.
    let loaded = crosscurrent::data::load(&plain, &|_, _| true)?.dataset;
    let normalise = loaded.normalise();
    let [h, w, c] = [loaded.height, loaded.width, loaded.channels];
    let spec = Spec {
        image: [h, w, c],
        classes: 3,
        width: plain.width,
        attention: plain.attention,
        layout: Layout::default(),
        classifier: Classifier::Linear,
    };
    let mut loader = Loader::start(Arc::new(loaded), &normalise, &plain, 0);
    let batch = loader.next_batch().context("a batch")?;
    let x = Tensor::from_vec(batch.images, (batch.labels.len(), h, w, c), &Device::Cpu)?;
    let gradient = |net: &Net| -> Result<Vec<Tensor>> {
        let out = net.forward(&net.weights(), &x, Mode::Train)?;
        Ok(out.cross_entropy(&batch.labels)?.backward()?)
    };
    let step = |net: &Net, grads: &[Tensor], size: f64| -> Result<Vec<Tensor>> {
        let pairs = net.params().values().iter().zip(grads);
        let moved = pairs.map(|(param, grad)| param + (grad * size)?);
        Ok(moved.collect::<candle_core::Result<_>>()?)
    };
    let net = Net::new(spec, plain.seed, &Device::Cpu)?;
    let grads = gradient(&net)?;
    let mut square = 0.0;
    for grad in &grads {
        let values = grad.flatten_all()?.to_vec1::<f32>()?.into_iter();
        square += values.map(|x| f64::from(x).powi(2)).sum::<f64>();
    }
    let mut uphill = net.clone();
    uphill
        .params_mut()
        .set(step(&net, &grads, RHO / square.sqrt())?)?;
    let moved = step(&net, &gradient(&uphill)?, -0.25)?;
    for ((spec, wanted), start) in net
        .params()
        .specs()
        .iter()
        .zip(moved)
        .zip(net.params().values())
    {
        let wanted = wanted.flatten_all()?.to_vec1::<f32>()?;
        let start = start.flatten_all()?.to_vec1::<f32>()?;
        let largest = wanted.iter().zip(&start).map(|(a, b)| (a - b).abs());
        let largest = largest.fold(0.0, f32::max);
        for (found, wanted) in with_sam[&spec.name].iter().zip(&wanted) {
            let error = (found - wanted).abs();
            assert!(
                error <= 1e-3 * largest + 1e-7,
                "{}: {error} of {largest}",
                spec.name
            );
        }
        let name = spec.name.as_str();
        assert_ne!(
            with_sam[name], without[name],
            "{name}: the plain step is another"
        );
    }
    Ok(())
}
