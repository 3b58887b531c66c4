//! Every figure of constructed runs: small and large, light and dark, whole and with parts missing.

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

#[test]
fn every_figure_of_every_run_is_drawn_at_every_size() {
    for (what, sample) in samples() {
        let views = [
            View::default(),
            chosen(),
            // Selections that fit another run on screen, but not this one.
            View {
                scope: Scope::Group("branch9".to_owned()),
                step: Some(1_000_000),
                pair: Some((0, 500)),
                class: Some(500),
                confused: Some((500, 0)),
                ..View::default()
            },
        ];
        for (i, view) in views.iter().enumerate() {
            for &kind in Kind::ALL {
                for size in SIZES {
                    // Large figures differ from others in their size alone.
                    if size[0] > 1000.0 && i != 1 {
                        continue;
                    }
                    let dark = (i + size[0] as usize / 20).is_multiple_of(2);
                    let subject = sample.subject();
                    let said = said(kind, subject, &[subject], view, &options(size, dark));
                    if let Some(sentence) = said {
                        let whole = sentence.len() > 20 && sentence.ends_with('.');
                        assert!(whole, "{what}, {}: {sentence}", kind.name());
                    }
                }
            }
        }
    }
}

/// Two complete runs, beside each other and as groups with their seeds: no figure is empty at any size.
#[test]
fn no_figure_of_whole_runs_is_empty() {
    let groups = groups();
    let all: Vec<Subject<'_>> = groups.iter().map(Sample::subject).collect();
    let pair = [all[0], all[3]];
    for &kind in Kind::ALL {
        let shown = if kind.compares_groups() {
            &all[..]
        } else {
            &pair
        };
        for (i, size) in SIZES.into_iter().enumerate() {
            let options = options(size, i % 2 == 0);
            let said = said(kind, all[3], shown, &chosen(), &options);
            assert_eq!(said, None, "{} at {size:?}", kind.name());
        }
    }
}

const NO_EVALUATION: &str = "The first evaluation comes before the first step.";
const NO_PROBE: &str = "The first probe comes before the first step.";
const UNREAD: &str = "The probe of step 30 is being read, or its file is missing.";
const DAMAGED: &str =
    "The probe of step 30 does not fit the layers of the run: its file is damaged.";
const NO_PAIR: &str =
    "Click a cell of the matrix, or a bar of a class's ledger, to follow two classes.";
const NO_GATES: &str = "No probe with gates is read; train a network with branch attention.";
const NOT_ALIKE: &str =
    "Two or more branches whose gates tell four or more classes apart can be compared.";
const UNMEASURED: &str = "Bird-drop is not among the 20 of 100 classes that are measured with batch norm as in training; \
                          choose frozen to see it.";
const NO_F1: &str = "No class has an F1 yet: none was there or predicted.";

/// The name of a run, and the sentences of its figures.
type Said = (&'static str, &'static [(&'static str, &'static [Kind])]);

/// Sentences that figures of a run show at step 35 in place of their content; all other figures have content.
const MISSING: [Said; 14] = [
    (
        "no header",
        &[
            (NO_EVALUATION, EVALUATED),
            ("The loss appears with the first steps.", &[Kind::Loss]),
            (
                "The ratio appears with the first steps.",
                &[Kind::GradientRatio],
            ),
            (NO_PROBE, PROBED),
            (NOT_VERIFIED, &[Kind::Verified]),
            (NO_PAIR, &[Kind::PairCosine, Kind::PairDepth]),
            (NO_GATES, &[Kind::GatesTime]),
            (NOT_ALIKE, &[Kind::GatesAlike]),
            (
                "The network appears when a run starts.",
                &[Kind::Architecture],
            ),
        ],
    ),
    (
        "header alone",
        &[
            (NO_EVALUATION, EVALUATED),
            ("The loss appears with the first steps.", &[Kind::Loss]),
            (
                "The ratio appears with the first steps.",
                &[Kind::GradientRatio],
            ),
            (NO_PROBE, PROBED),
            (NOT_VERIFIED, &[Kind::Verified]),
            (NO_PROBE, &[Kind::PairDepth]),
            (NO_GATES, &[Kind::GatesTime]),
            (NOT_ALIKE, &[Kind::GatesAlike]),
            (
                "This part of the network has no probe of the two classes yet.",
                &[Kind::PairCosine],
            ),
        ],
    ),
    // Before the first step the gates of all classes are alike.
    ("one moment", &[(NOT_ALIKE, &[Kind::GatesAlike])]),
    (
        "one class",
        &[
            (NO_F1, &[Kind::ClassF1]),
            (NO_PAIR, &[Kind::PairCosine, Kind::PairDepth]),
            (
                "No pair of classes is in significant conflict (3 SE) in any layer at any moment.",
                &[Kind::Peaks],
            ),
            (NONE_RARE, OF_THIRDS),
            (NOT_ALIKE, &[Kind::GatesAlike]),
            (
                "No pair of classes has gradients that could conflict.",
                &[Kind::ConflictTime],
            ),
            (
                "No pair of classes has both a cosine and images.",
                &[Kind::ConflictConfusion],
            ),
        ],
    ),
    (
        "two classes",
        &[
            (NO_F1, &[Kind::ClassF1]),
            (NO_PAIR, &[Kind::PairCosine, Kind::PairDepth]),
            (NONE_RARE, OF_THIRDS),
            (NOT_ALIKE, &[Kind::GatesAlike]),
        ],
    ),
    ("six classes", &[]),
    ("thirteen classes", &[]),
    ("a hundred classes", &[(NOT_ALIKE, &[Kind::GatesAlike])]),
    (
        "probes not read",
        &[
            (
                UNREAD,
                &[
                    Kind::ConflictMatrix,
                    Kind::BatchNormDifference,
                    Kind::RareConflicts,
                    Kind::Ledger,
                    Kind::WhatIf,
                    Kind::Gates,
                    Kind::GateDistance,
                    Kind::ConflictConfusion,
                ],
            ),
            (NO_GATES, &[Kind::GatesTime]),
            (NOT_ALIKE, &[Kind::GatesAlike]),
            (
                "The probes are being read, or their files are missing.",
                &[Kind::LedgerTime],
            ),
            (
                "This part of the network has no probe of the two classes yet.",
                &[Kind::PairCosine],
            ),
        ],
    ),
    (
        "tensors cut short",
        &[(
            DAMAGED,
            &[
                Kind::ConflictMatrix,
                Kind::BatchNormDifference,
                Kind::RareConflicts,
                Kind::Ledger,
                Kind::WhatIf,
                Kind::ConflictConfusion,
            ],
        )],
    ),
    (
        "twenty of a hundred measured",
        &[(
            UNMEASURED,
            &[
                Kind::PairCosine,
                Kind::PairDepth,
                Kind::Ledger,
                Kind::LedgerTime,
                Kind::LedgerDepth,
            ],
        )],
    ),
    (
        "batch norm frozen",
        &[
            (
                "`solar, seed 0` is shown with batch norm frozen; the difference shows where it is shown as in training.",
                &[Kind::BatchNormDifference],
            ),
            (
                "No rare × frequent conflict is resolved at this moment: of 2 pairs in 9 layers, 2 have a negative cosine \
                 anywhere, and none is significant (3 SE).",
                &[Kind::RareConflicts],
            ),
        ],
    ),
    ("no loss is a number", &[]),
    ("never evaluated", &[(NO_EVALUATION, EVALUATED)]),
];

const EVALUATED: &[Kind] = &[
    Kind::ClassF1,
    Kind::Scores,
    Kind::Confusion,
    Kind::ConflictConfusion,
    Kind::ClassScores,
];

const OF_THIRDS: &[Kind] = &[Kind::ThirdsTime, Kind::RareConflicts];

const PROBED: &[Kind] = &[
    Kind::ThirdsTime,
    Kind::Layer,
    Kind::RareConflicts,
    Kind::GradNorms,
    Kind::DepthProfile,
    Kind::ConflictMatrix,
    Kind::BatchNormDifference,
    Kind::DepthTime,
    Kind::Peaks,
    Kind::Ledger,
    Kind::LedgerTime,
    Kind::ConflictTime,
    Kind::LedgerDepth,
    Kind::WhatIf,
    Kind::Gates,
    Kind::GateDistance,
];

/// Where something is missing, the figures that need it say so, and no others.
#[test]
fn figures_say_what_they_lack() {
    let options = options([420.0, 300.0], false);
    let mut wrong = Vec::new();
    for ((what, sample), (name, sentences)) in samples().into_iter().zip(MISSING) {
        assert_eq!(what, name);
        for &kind in Kind::ALL {
            // Figures that compare runs have nothing to say of one run alone.
            let of_two = [
                Kind::ConflictDifference,
                Kind::DepthTimeDifference,
                Kind::ConfusionDifference,
            ];
            if kind.compares_groups() || of_two.contains(&kind) {
                continue;
            }
            let subject = sample.subject();
            let found = said(kind, subject, &[subject], &chosen(), &options);
            let known = sentences.iter().find(|(_, kinds)| kinds.contains(&kind));
            let wanted = known.map(|(sentence, _)| *sentence);
            if found.as_deref() != wanted {
                wrong.push(format!("{what}, {}: {found:?}", kind.name()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The picks of a click on the widget called `label`.
fn picked(kind: Kind, classes: usize, label: &str) -> Vec<Pick> {
    let sample = Sample::new(classes, 2);
    let view = View::default();
    let draw = move |ui: &mut Ui, picks: &mut Vec<Pick>| {
        let subject = sample.subject();
        picks.extend(figure_ui(ui, kind, subject, &[subject], &view));
    };
    let mut harness = Harness::builder()
        .with_size(vec2(700.0, 400.0))
        .with_context_setup(style::install)
        .build_ui_state(draw, Vec::new());
    harness.run();
    harness.get_by_label(label).click();
    harness.run();
    harness.into_state()
}

#[test]
fn clicks_pick_the_cell_layer_or_moment_under_the_pointer() {
    let pair = picked(Kind::ConflictMatrix, 6, "Clean × Bird-drop");
    assert_eq!(pair, [Pick::Pair(0, 2)]);
    // A class has no pair with itself.
    assert_eq!(picked(Kind::ConflictMatrix, 6, "Clean × Clean"), []);
    // Many classes share one widget, whose middle lies on the diagonal.
    assert_eq!(picked(Kind::ConflictMatrix, 41, "Conflict matrix"), []);
    for (label, scope) in [
        ("branch2.gate", Scope::Layer("branch2.gate".to_owned())),
        ("branch1", Scope::Group("branch1".to_owned())),
        ("Backbone", Scope::Backbone),
        ("Whole network", Scope::Network),
    ] {
        let picks = picked(Kind::Architecture, 6, label);
        assert_eq!(picks, [Pick::Scope(scope)], "{label}");
    }
    // A pooling layer has no gradients.
    assert_eq!(picked(Kind::Architecture, 6, "stem.pool"), []);
    let middle = picked(Kind::Loss, 6, Kind::Loss.title());
    assert!(
        matches!(middle[..], [Pick::Step(1..=59)]),
        "{middle:?} of 60 steps"
    );
    let layer = picked(Kind::DepthProfile, 6, Kind::DepthProfile.title());
    assert!(
        matches!(layer[..], [Pick::Scope(Scope::Layer(_))]),
        "{layer:?}"
    );
}

/// A hundred classes in cells of less than a pixel: none of them may vanish.
#[test]
fn a_crowded_matrix_has_all_its_rows() {
    let sample = Sample::new(100, 1);
    let view = View::default();
    let image = figure_png(
        Kind::ConflictMatrix,
        sample.subject(),
        &view,
        &options([340.0, 200.0], false),
    );
    let is_red = |pixel: &image::Rgba<u8>| pixel[0] > pixel[2].saturating_add(60);
    // Left of the colour bar.
    let inside = image.width() / 2..image.width() * 3 / 5;
    let rows: Vec<_> = (0..image.height())
        .filter(|&y| inside.clone().any(|x| is_red(image.get_pixel(x, y))))
        .collect();
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
        panic!("no red at all");
    };
    assert!(last - first >= 40, "{rows:?}");
    assert!(
        rows.windows(2).all(|pair| pair[1] - pair[0] <= 8),
        "{rows:?}"
    );
}

/// A name that only another version knows does not make the rest of the view unreadable.
#[test]
fn an_order_of_another_version_is_as_listed() -> anyhow::Result<()> {
    let read = |order: &str| serde_json::from_str::<View>(&format!("{{\"order\":{order}}}"));
    assert_eq!(read(r#"{"Similarity":[1,0]}"#)?, View::default());
    assert_eq!(read(r#""Latest""#)?, View::default());
    assert_eq!(read(r#""Name""#)?.order, Order::Name);
    let found = Order::Similarity(vec!["Dusty".to_owned(), "Clean".to_owned()]);
    let kept = read(&serde_json::to_string(&found)?)?;
    assert_eq!(kept.order, found);
    let classes = |names: [&str; 2]| names.map(str::to_owned).to_vec();
    assert!(found.applies_to(&classes(["Clean", "Dusty"])));
    assert!(!found.applies_to(&classes(["Clean", "Cat"])));
    Ok(())
}

#[test]
fn runs_side_by_side_share_their_scales() {
    let (short, long) = (Sample::new(6, 2), Sample::new(6, 8));
    let view = View::default();
    let context = egui::Context::default();
    for &kind in Kind::ALL.iter().filter(|kind| kind.is_chart()) {
        let of = |subjects: &[Subject<'_>]| scales(&context, kind, subjects, &view);
        let both = of(&[short.subject(), long.subject()]);
        assert_eq!(
            both,
            of(&[long.subject(), short.subject()]),
            "{}",
            kind.name()
        );
        if kind == Kind::Loss {
            assert_ne!(both, of(&[short.subject()]));
            assert_eq!(both, of(&[long.subject()]));
        }
    }
}

/// Values that are remembered from an earlier frame equal values made anew.
#[test]
fn a_chart_follows_its_run_and_the_view() {
    let whole = Sample::new(6, 5);
    let lived = egui::Context::default();
    let mut sample = Sample::started(6);
    let mut events: Vec<Event> = whole.run.steps.iter().cloned().map(Event::Step).collect();
    events.extend(whole.run.evals.iter().cloned().map(Event::Eval));
    events.extend(whole.run.probes.iter().cloned().map(Event::Probe));
    events.sort_by_key(Event::step);
    let twice = events.clone().into_iter().filter(|event| event.step() > 60);
    let resumed = std::iter::once(Event::Resumed { step: 60 });
    for event in events.clone().into_iter().chain(resumed).chain(twice) {
        sample.run.apply(&event);
        // A probe's file is read a little later.
        let read = whole.probes.whole.range(..event.step().saturating_sub(10));
        sample.probes.whole = read.map(|(step, probe)| (*step, probe.clone())).collect();
        for view in [
            View::default(),
            View {
                step: Some(35),
                pair: Some((0, 2)),
                ..View::default()
            },
            View {
                scope: Scope::Group("branch2".to_owned()),
                pair: Some((0, 3)),
                ..View::default()
            },
        ] {
            for &kind in Kind::ALL.iter().filter(|kind| kind.is_chart()) {
                let chart = |ctx: &egui::Context| {
                    format!("{:?}", chart(ctx, kind, sample.subject(), &view))
                };
                let anew = chart(&egui::Context::default());
                assert_eq!(chart(&lived), anew, "{} after {event:?}", kind.name());
            }
        }
    }
}

/// Writes every figure for a person to look at: `FIGURE_SHOTS=folder cargo test --release --lib figure:: -- --ignored`
#[test]
#[ignore = "writes images for a person to look at"]
fn shots() -> anyhow::Result<()> {
    let Some(folder) = std::env::var_os("FIGURE_SHOTS").map(std::path::PathBuf::from) else {
        println!("skipped: FIGURE_SHOTS names no folder");
        return Ok(());
    };
    std::fs::create_dir_all(&folder)?;
    let view = View {
        scope: Scope::Layer("branch2.conv2".to_owned()),
        step: Some(60),
        pair: Some((0, 2)),
        ..View::default()
    };
    for (classes, moments) in [(2, 3), (6, 9), (12, 30), (100, 2)] {
        let sample = Sample::new(classes, moments);
        for &kind in Kind::ALL {
            for (size, dark) in [([760.0, 520.0], false), ([340.0, 230.0], true)] {
                let image = figure_png(kind, sample.subject(), &view, &options(size, dark));
                let look = if dark { "dark" } else { "light" };
                let name = format!("{}-{classes}-{look}.png", kind.name());
                export::write_png(&folder.join(name), &image)?;
            }
        }
    }
    Ok(())
}

/// Lightness of a colour (CIE L*), roughly what the eye makes of it.
fn lightness(color: egui::Color32) -> f32 {
    let rgba = egui::Rgba::from(color);
    116.0 * (0.2126 * rgba.r() + 0.7152 * rgba.g() + 0.0722 * rgba.b()).cbrt() - 16.0
}

#[test]
fn colours_are_stable_and_seen_on_both_themes() {
    let colors: Vec<_> = (0..12).map(palette::class).collect();
    for (k, a) in colors.iter().enumerate() {
        assert!(
            !colors[..k].contains(a),
            "class {k} has the colour of another"
        );
        assert!(
            (30.0..85.0).contains(&lightness(*a)),
            "{a:?} has lightness {}",
            lightness(*a)
        );
    }
    for dark in [false, true] {
        assert_ne!(
            palette::diverging(-1.0, dark),
            palette::diverging(1.0, dark)
        );
        let (low, high) = (
            palette::diverging(-3.0, dark),
            palette::diverging(3.0, dark),
        );
        assert_eq!(
            (low, high),
            (
                palette::diverging(-1.0, dark),
                palette::diverging(1.0, dark)
            )
        );
        for value in [-1.0, -0.4, 0.0, 0.4, 1.0] {
            let background = palette::diverging(value, dark);
            let contrast = (lightness(palette::text_on(background)) - lightness(background)).abs();
            assert!(contrast > 40.0, "text on {value}: {contrast}");
        }
    }
}

/// Small images of every figure of two constructed runs or of six, light and dark, against the images that somebody
/// last looked at. `UPDATE_SNAPSHOTS=1 cargo test --release --lib figures_look` writes the images anew: look at them
/// before they are committed.
#[test]
fn figures_look_as_they_did() -> anyhow::Result<()> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    let update = std::env::var_os("UPDATE_SNAPSHOTS").is_some();
    let (first, second) = (Sample::new(6, 6), Sample::new(6, 8));
    let groups = groups();
    let groups: Vec<Subject<'_>> = groups.iter().map(Sample::subject).collect();
    let pair = [
        Subject {
            name: "baseline",
            ..first.subject()
        },
        Subject {
            name: "attention",
            ..second.subject()
        },
    ];
    let view = View {
        scope: Scope::Layer("branch2.conv2".to_owned()),
        step: Some(120),
        pair: Some((0, 4)),
        class: Some(4),
        order: Order::Frequency,
        ..View::default()
    };
    let mut changed = Vec::new();
    for &kind in Kind::ALL {
        for dark in [false, true] {
            let options = options([380.0, 280.0], dark);
            let (subject, shown) = if kind.compares_groups() {
                (groups[3], &groups[..])
            } else {
                (pair[1], &pair[..])
            };
            let image = figure_png_among(kind, subject, shown, &view, &options);
            let look = if dark { "dark" } else { "light" };
            let path = folder.join(format!("{}-{look}.png", kind.name()));
            if update {
                std::fs::create_dir_all(&folder)?;
                image.save(&path)?;
                continue;
            }
            let before = image::open(&path)?.to_rgba8();
            anyhow::ensure!(before.dimensions() == image.dimensions(), "{path:?}");
            // Another processor may round the edge of a letter or a line in another way.
            let differs = |(a, b): &(&image::Rgba<u8>, &image::Rgba<u8>)| {
                let steps = a.0.iter().zip(b.0).map(|(a, b)| a.abs_diff(b));
                steps.max().unwrap_or(0) > 32
            };
            let count = image.pixels().zip(before.pixels()).filter(differs).count();
            // A thin line has more pixels than this.
            if count > 24 {
                changed.push(format!("{} ({count} pixels)", path.display()));
            }
        }
    }
    anyhow::ensure!(changed.is_empty(), "these look otherwise: {changed:?}");
    Ok(())
}
