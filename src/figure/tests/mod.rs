//! Every figure of constructed runs: small and large, light and dark, whole and with parts missing.

mod content;
mod looks;
mod view;

use std::collections::BTreeMap;
use std::sync::Arc;

use egui::vec2;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;

use super::*;
use crate::config::{Attention, RunConfig};
use crate::figure::facts::thirds::NONE_RARE;
use crate::figure::kit::text::SAID;
use crate::figure::one_class::verified::NOT_VERIFIED;
use crate::figure::testing::{chart, scales, verification};
use crate::gradient::gram::ConflictSummary;
use crate::random::Random;
use crate::run::event::{
    End, Eval, Event, FORMAT, Layer, LogitGradients, Normalise, Probe, ProbeSet, Split, Started,
    Step, Summaries,
};
use crate::run::probe_file::ProbeTensors;
use crate::run::probes::Probes;
use crate::run::{BatchNorm, CLASSIFIER, Run, Scope, Thirds};
use egui::Ui;

const STEPS_PER_EPOCH: u64 = 50;
const PIECES: usize = 4;

/// A run and the probe tensors that are loaded.
struct Sample {
    name: String,
    run: Run,
    probes: Probes,
}

impl Sample {
    fn subject(&self) -> Subject<'_> {
        Subject {
            name: &self.name,
            run: &self.run,
            probes: &self.probes,
        }
    }

    fn empty() -> Self {
        Self {
            name: "solar, seed 0".to_owned(),
            run: Run::default(),
            probes: Probes::new(),
        }
    }

    fn started(classes: usize) -> Self {
        let mut sample = Self::empty();
        sample
            .run
            .apply(&Event::Started(Box::new(started(classes))));
        sample
    }

    /// A run with `moments` probes and evaluations, and three times as many logged steps. With 3 classes or more,
    /// class 1 has no image to probe; one evaluation and one step have no loss, and at first a class has no F1.
    fn new(classes: usize, moments: u64) -> Self {
        let mut sample = Self::started(classes);
        for moment in 0..moments {
            let step = moment * 30;
            let epoch = step as f64 / STEPS_PER_EPOCH as f64;
            let (probe, tensors) = probe(classes, step, epoch);
            sample.probes.insert(step, Arc::new(tensors));
            sample.run.apply(&Event::Probe(probe));
            sample
                .run
                .apply(&Event::Eval(eval(classes, step, epoch, Split::Val)));
            for i in 1..=3 {
                sample
                    .run
                    .apply(&Event::Step(train_step(classes, step + 10 * i)));
            }
        }
        let last = sample.run.last_step();
        let verified = Arc::new(verification(classes, last));
        sample.probes.verified.insert(last, verified);
        let epoch = last as f64 / STEPS_PER_EPOCH as f64;
        sample
            .run
            .apply(&Event::Eval(eval(classes, last, epoch, Split::Test)));
        sample
    }

    /// Leaves the measure with batch norm as in training to every n-th class.
    fn measure_every(&mut self, n: usize) {
        if let Some(started) = &mut self.run.started {
            started.probe.training.retain(|k| k % n == 0);
        }
        for tensors in self.probes.whole.values_mut() {
            let images = Arc::make_mut(tensors).n.iter_mut().enumerate();
            let others = images.filter(|(row, _)| !(row / PIECES).is_multiple_of(n));
            others.for_each(|(_, images)| *images = 0.0);
        }
    }

    /// Shows the run with batch norm frozen.
    fn freeze(&mut self) {
        self.run.show(BatchNorm::Frozen);
        for tensors in self.probes.whole.values_mut() {
            *tensors = Arc::new(*tensors.frozen.clone().unwrap());
        }
    }

    /// Makes the run one of a group, a little apart from the others of the group: attention helps rare classes and
    /// lowers conflict.
    fn become_one_of(&mut self, name: &str, attention: Attention, help: f64, seed: u64) {
        self.name = format!("{name}-{seed}");
        if let Some(started) = &mut self.run.started {
            started.id.clone_from(&self.name);
            started.config.attention = attention;
            started.config.seed = seed;
        }
        let noise = |item: u64| 0.06 * Random::new(seed, name, 0, item).normal();
        for eval in &mut self.run.evals {
            for (k, f1) in eval.f1.iter_mut().enumerate() {
                let gain = help * k as f64 / 5.0 + noise(k as u64);
                *f1 = f1.map(|f1| (f1 + gain).clamp(0.0, 1.0));
            }
            let gain = help / 2.0 + noise(10);
            eval.macro_f1 = eval.macro_f1.map(|f1| (f1 + gain).clamp(0.0, 1.0));
        }
        for probe in &mut self.run.probes {
            let layers = probe.layers.iter_mut().chain([&mut probe.backbone]);
            for (at, summary) in layers.enumerate() {
                let factor = 1.0 - 2.0 * help + noise(20 + at as u64);
                summary.interference = summary.interference.map(|x| x * factor);
            }
        }
    }
}

/// Finished runs without and with attention, of three seeds each, that end with a probe and an evaluation.
fn groups() -> Vec<Sample> {
    let mut runs = Vec::new();
    for (name, attention, help) in [
        ("baseline", Attention::None, 0.0),
        ("attention", Attention::Branch, 0.12),
    ] {
        for seed in 0..3 {
            let mut sample = Sample::new(6, 6);
            let step = sample.run.last_step();
            let (probe, tensors) = probe(6, step, step as f64 / STEPS_PER_EPOCH as f64);
            sample.probes.insert(step, Arc::new(tensors));
            sample.run.apply(&Event::Probe(probe));
            let end = End {
                step,
                message: String::new(),
            };
            sample.run.apply(&Event::Finished(end));
            sample.become_one_of(name, attention, help, seed);
            runs.push(sample);
        }
    }
    runs
}

fn names(classes: usize) -> Vec<String> {
    let known = [
        "Clean",
        "Dusty",
        "Bird-drop",
        "Electrical-damage",
        "Physical-damage",
        "Snow-covered",
        "Hot-Spot-Multi",
        "Offline-Module",
    ];
    let other = |k| format!("Class {k}");
    (0..classes)
        .map(|k| known.get(k).map_or_else(|| other(k), ToString::to_string))
        .collect()
}

/// Another network than the program's own: a stem, two lanes of unequal length, and a classifier.
fn layers() -> Vec<Layer> {
    let table: [(&str, &str, &[&str]); 13] = [
        ("stem.conv1", "conv", &[]),
        ("stem.bn1", "batch_norm", &["stem.conv1"]),
        ("stem.pool", "max_pool", &["stem.bn1"]),
        ("branch1.conv1", "conv", &["stem.pool"]),
        ("branch1.bn1", "batch_norm", &["branch1.conv1"]),
        ("branch2.conv1", "conv", &["stem.pool"]),
        ("branch2.bn1", "batch_norm", &["branch2.conv1"]),
        ("branch2.conv2", "conv", &["branch2.bn1"]),
        ("branch2.gate", "gate", &["branch2.conv2"]),
        ("fuse.concat", "concat", &["branch1.bn1", "branch2.gate"]),
        ("fuse.conv", "conv", &["fuse.concat"]),
        ("fuse.pool", "mean_pool", &["fuse.conv"]),
        (CLASSIFIER, "linear", &["fuse.pool"]),
    ];
    let mut rows = 0..;
    table
        .into_iter()
        .map(|(name, kind, inputs)| {
            let trained = !(kind.ends_with("pool") || kind == "concat");
            Layer {
                name: name.to_owned(),
                group: name.split('.').next().unwrap_or(name).to_owned(),
                kind: kind.to_owned(),
                shape: vec![16, 16, 24],
                params: if trained { 1234 } else { 0 },
                inputs: inputs.iter().map(ToString::to_string).collect(),
                gram: trained.then(|| rows.next()).flatten(),
            }
        })
        .collect()
}

fn train_counts(classes: usize) -> Vec<usize> {
    (0..classes).map(|k| 1000 / (k + 1)).collect()
}

fn started(classes: usize) -> Started {
    Started {
        format: FORMAT,
        id: "sample".to_owned(),
        parent: None,
        created_unix_secs: 0,
        code_version: "0".to_owned(),
        instruction_set: "none".to_owned(),
        config: RunConfig::default(),
        classes: names(classes),
        train_counts: train_counts(classes),
        val_counts: vec![10; classes],
        test_counts: vec![10; classes],
        image: [32, 32, 3],
        normalise: Normalise {
            mean: vec![0.5; 3],
            std: vec![0.25; 3],
        },
        layers: layers(),
        probe: ProbeSet {
            pieces: PIECES,
            counts: vec![vec![8; PIECES]; classes],
            training: (0..classes).collect(),
        },
        steps_per_epoch: STEPS_PER_EPOCH,
        total_steps: 400,
        recorder: None,
        data_fingerprint: "0".to_owned(),
    }
}

fn train_step(classes: usize, step: u64) -> Step {
    let noise = Random::new(0, "step", 0, step).uniform();
    Step {
        step,
        epoch: step as f64 / STEPS_PER_EPOCH as f64,
        images: 128 * step,
        wall_secs: step as f64,
        loss: (step != 100).then(|| 1.6 * (-(step as f64) / 200.0).exp() + 0.4 * noise),
        lr: 0.1,
        grad_norms: Vec::new(),
        logit_gradients: Some(logit_gradients(classes, step)),
    }
}

/// Sums at the logits as in training: rare classes begin far from balance and come closer to it.
fn logit_gradients(classes: usize, step: u64) -> LogitGradients {
    let images = 128.0 * step as f64;
    let share =
        |k: usize| 1.0 / (k + 1) as f64 / (0..classes).map(|j| 1.0 / (j + 1) as f64).sum::<f64>();
    let ratio = |k: usize| share(k).powf(1.0 / (1.0 + step as f64 / 100.0));
    let positive: Vec<f64> = (0..classes).map(|k| images * share(k)).collect();
    LogitGradients {
        negative: (0..classes).map(|k| positive[k] / ratio(k)).collect(),
        positive,
    }
}

fn eval(classes: usize, step: u64, epoch: f64, split: Split) -> Eval {
    let f1: Vec<_> = (0..classes)
        .map(|k| {
            let random = Random::new(1, "f1", step, k as u64).uniform();
            let top = 0.95 - 0.8 * k as f64 / classes as f64;
            let learnt = 1.0 - (-(step as f64) / 120.0).exp();
            (k > 1 || step > 90).then_some((top * learnt + 0.06 * random).min(1.0))
        })
        .collect();
    let mean = f1.iter().flatten().sum::<f64>() / f1.iter().flatten().count().max(1) as f64;
    Eval {
        step,
        epoch,
        split,
        loss: (step != 120).then(|| 1.7 * (-(step as f64) / 180.0).exp() + 0.3),
        accuracy: Some(0.3 + 0.7 * mean),
        balanced_accuracy: Some(0.1 + 0.8 * mean),
        macro_f1: Some(mean),
        macro_f1_classes: classes,
        precision: f1.clone(),
        recall: f1.clone(),
        f1,
        support: vec![10; classes],
        confusion: (0..classes)
            .map(|k| {
                let mut row = vec![0; classes];
                row[k] += 7;
                row[(k + 1) % classes] += 2;
                row[(k + 3) % classes] += 1;
                row
            })
            .collect(),
    }
}

/// Three branches of 24 channels, which tell classes apart more in later branches and at later steps; class 1 of three
/// or more has no gates.
fn gates(classes: usize, step: u64) -> BTreeMap<String, Vec<f32>> {
    let gate = |branch: usize, class: usize, channel: usize| {
        if classes > 2 && class == 1 {
            return f32::NAN;
        }
        let item = |class| (branch * 1000 + class * 24 + channel) as u64;
        let common = Random::new(4, "gate", 0, item(900)).normal();
        let own = Random::new(5, "gate", 0, item(class)).normal();
        let apart = (0.3 + branch as f64) * step as f64 / 100.0 / (1.0 + channel as f64);
        (1.0 / (1.0 + (-(0.8 * common + apart * own)).exp())) as f32
    };
    let of = |branch: usize| {
        let rows = (0..classes).flat_map(|class| (0..24).map(move |channel| (class, channel)));
        rows.map(|(class, channel)| gate(branch, class, channel))
            .collect()
    };
    (0..3)
        .map(|at| (format!("branch{}", at + 1), of(at)))
        .collect()
}

/// A probe of gradients with eight weights a layer: classes share a direction, or are drawn apart by it, under noise.
/// With batch norm frozen the direction matters less.
fn probe(classes: usize, step: u64, epoch: f64) -> (Probe, ProbeTensors) {
    let trained = layers().iter().filter(|layer| layer.gram.is_some()).count();
    let rows = classes * PIECES;
    let missing = |row: usize| classes > 2 && row / PIECES == 1;
    let gradient = |layer: usize, row: usize, strength: f64| -> Vec<f64> {
        if missing(row) {
            return vec![0.0; 8];
        }
        let class = row / PIECES;
        let mut own = Random::new(2, "class", layer as u64, class as u64);
        let mut noise = Random::new(3, "noise", step, (layer * rows + row) as u64);
        let axis = [0.8, -0.8, 0.2][class % 3] * (1.0 - 0.1 * layer as f64) * strength;
        let size = 0.3 / (1.0 + step as f64 / 100.0) * (1.0 + class as f64 / 3.0);
        (0..8)
            .map(|at| {
                let common = if at < 2 { axis } else { 0.0 };
                size * (common + 0.4 * own.normal() + 0.3 * noise.normal())
            })
            .collect()
    };
    let mut tensors = ProbeTensors {
        classes,
        gates: gates(classes, step),
        update: vec![0.0; trained * rows],
        loss: vec![1.0; rows],
        n: (0..rows)
            .map(|row| if missing(row) { 0.0 } else { 8.0 })
            .collect(),
        ..ProbeTensors::default()
    };
    let gram = |strength: f64| -> Vec<f32> {
        let mut gram = Vec::new();
        for layer in 0..trained {
            let pieces = (0..rows).map(|row| gradient(layer, row, strength));
            let pieces: Vec<_> = pieces.collect();
            for a in &pieces {
                let products = pieces
                    .iter()
                    .map(|b| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>());
                gram.extend(products.map(|product| product as f32));
            }
        }
        gram
    };
    let frozen = ProbeTensors {
        gram: gram(0.3),
        ..tensors.clone()
    };
    tensors.gram = gram(1.0);
    let priors = vec![1.0 / classes as f64; classes];
    let thirds = Thirds::of(&train_counts(classes));
    let summaries = |tensors: &ProbeTensors| {
        let summary = |rows: &[usize]| {
            let gram = tensors.gram_of(rows);
            gram.map_or_else(Default::default, |gram| ConflictSummary {
                thirds: gram.thirds(&thirds.head, &thirds.tail).map(Box::new),
                ..gram.summary(&priors)
            })
        };
        Summaries {
            layers: (0..trained).map(|row| summary(&[row])).collect(),
            backbone: summary(&(0..trained - 1).collect::<Vec<_>>()),
            classifier: summary(&[trained - 1]),
        }
    };
    let of_frozen = summaries(&frozen);
    let probe = Probe {
        step,
        epoch,
        file: String::new(),
        layers: of_frozen.layers,
        backbone: of_frozen.backbone,
        classifier: of_frozen.classifier,
        training: Some(summaries(&tensors)),
    };
    tensors.frozen = Some(Box::new(frozen));
    (probe, tensors)
}

fn options(size: [f32; 2], dark: bool) -> export::Options {
    export::Options {
        size,
        scale: 1.0,
        dark,
    }
}

/// A whole run, and runs with parts missing.
fn samples() -> Vec<(&'static str, Sample)> {
    let mut unread = Sample::new(6, 3);
    unread.probes = unread.probes.without_tensors();
    let mut narrower = Sample::new(6, 2);
    // As if the log and the file were of two runs: the log lists more layers than the tensors have.
    let cut = Arc::new(ProbeTensors {
        update: Vec::new(),
        gram: Vec::new(),
        ..ProbeTensors::clone(&narrower.probes.whole[&30])
    });
    narrower.probes.insert(30, cut);
    // Of a hundred classes, twenty are measured with batch norm as in training.
    let mut partly = Sample::new(100, 2);
    partly.measure_every(5);
    let mut frozen = Sample::new(6, 3);
    frozen.freeze();
    let mut lossless = Sample::new(6, 3);
    // JSON has no NaN, so a loss that is NaN is absent.
    lossless
        .run
        .steps
        .iter_mut()
        .for_each(|step| step.loss = None);
    lossless
        .run
        .evals
        .iter_mut()
        .for_each(|eval| eval.loss = None);
    let mut blank = Sample::new(6, 3);
    blank.run.evals.clear();
    vec![
        ("no header", Sample::empty()),
        ("header alone", Sample::started(6)),
        ("one moment", Sample::new(6, 1)),
        ("one class", Sample::new(1, 3)),
        ("two classes", Sample::new(2, 3)),
        ("six classes", Sample::new(6, 8)),
        ("thirteen classes", Sample::new(13, 3)),
        ("a hundred classes", Sample::new(100, 1)),
        ("probes not read", unread),
        ("tensors cut short", narrower),
        ("twenty of a hundred measured", partly),
        ("batch norm frozen", frozen),
        ("no loss is a number", lossless),
        ("never evaluated", blank),
    ]
}

/// Draws a figure; returns the sentence that it shows in place of its content.
fn said(
    kind: Kind,
    subject: Subject<'_>,
    shown: &[Subject<'_>],
    view: &View,
    options: &export::Options,
) -> Option<String> {
    SAID.set(None);
    let image = figure_png_among(kind, subject, shown, view, options);
    let expected = options.size.map(|side| side as u32);
    assert_eq!(image.dimensions(), expected.into(), "{}", kind.name());
    SAID.take()
}

const SIZES: [[f32; 2]; 4] = [
    [120.0, 80.0],
    [16.0, 16.0],
    [420.0, 300.0],
    [1600.0, 1200.0],
];

/// A view in which a layer, a moment, a pair and a class are selected.
fn chosen() -> View {
    View {
        scope: Scope::Layer("branch2.conv2".to_owned()),
        step: Some(35),
        pair: Some((0, 2)),
        class: Some(2),
        ..View::default()
    }
}
