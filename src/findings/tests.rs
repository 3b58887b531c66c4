//! Every rule on runs made up so that it must speak, with the class, the place and the time it must name; and runs in
//! which there is nothing to be found.

use super::*;
use crate::config::{Attention, RunConfig};
use crate::gradient::gram::Gram;
use crate::random::Random;
use crate::run::CLASSIFIER;
use crate::run::event::{Event, FORMAT, Layer, Normalise, ProbeSet, Split};

const STEPS_PER_EPOCH: u64 = 50;
/// Length of the made-up gradients of a layer.
const WEIGHTS: usize = 48;
const LAYERS: [&str; 7] = [
    "stem.conv1",
    "branch1.conv1",
    "branch1.conv2",
    "branch2.conv1",
    "branch2.conv2",
    "fuse.conv",
    CLASSIFIER,
];

/// Gradient of a class without its noise: (probe, layer, class) → [WEIGHTS].
type Signal = fn(u64, &str, usize) -> Vec<f64>;

/// A run to be made up: ten probes, one an epoch.
struct Made {
    seed: u64,
    counts: Vec<usize>,
    pieces: usize,
    probes: u64,
    signal: Signal,
    /// Standard deviation of every number of a piece's gradient, by class.
    noise: fn(usize) -> f64,
    /// Whether every probe has the same noise, as where the network hardly moves any more.
    is_frozen: bool,
    attention: Attention,
    f1: fn(u64, usize) -> Option<f64>,
    loss: fn(u64) -> Option<f64>,
    gates: Option<fn(usize, usize, usize) -> f32>,
}

impl Default for Made {
    fn default() -> Self {
        Self {
            seed: 0,
            counts: vec![2000, 900, 400, 200, 100, 40],
            pieces: 4,
            probes: 10,
            signal: own,
            noise: |_| 0.3,
            is_frozen: false,
            attention: Attention::None,
            f1: |_, _| Some(0.6),
            loss: |_| Some(0.8),
            gates: None,
        }
    }
}

/// Every class pulls in a direction of its own: no conflict.
fn own(_: u64, _: &str, class: usize) -> Vec<f64> {
    let mut gradient = vec![0.0; WEIGHTS];
    gradient[class % WEIGHTS] = 1.0;
    gradient
}

fn none(_: u64, _: &str, _: usize) -> Vec<f64> {
    vec![0.0; WEIGHTS]
}

/// Classes 0 and 5 pull against each other in branch2.conv1, from epoch 4 on.
fn opposed(probe: u64, layer: &str, class: usize) -> Vec<f64> {
    let mut gradient = own(probe, layer, class);
    if layer == "branch2.conv1" && probe >= 4 {
        gradient[WEIGHTS - 1] = match class {
            0 => 4.0,
            5 => -4.0,
            _ => 0.0,
        };
    }
    gradient
}

struct Sample {
    run: Run,
    probes: BTreeMap<u64, Arc<ProbeTensors>>,
}

impl Sample {
    fn subject(&self) -> Subject<'_> {
        Subject {
            run: &self.run,
            probes: &self.probes,
        }
    }

    fn find(&self) -> Vec<Finding> {
        find(&[self.subject()])
    }

    fn of(&self, kind: Kind) -> Vec<Finding> {
        let found = self.find();
        found.into_iter().filter(|x| x.kind == kind).collect()
    }
}

impl Made {
    fn classes(&self) -> usize {
        self.counts.len()
    }

    fn started(&self) -> Started {
        let names = [
            "Airplane", "Car", "Bird", "Cat", "Deer", "Truck", "Frog", "Horse",
        ];
        let name = |k: usize| {
            names
                .get(k)
                .map_or_else(|| format!("Class {k}"), ToString::to_string)
        };
        let layer = |(row, name): (usize, &&str)| Layer {
            name: (*name).to_owned(),
            group: name.split('.').next().unwrap_or("").to_owned(),
            kind: "conv".to_owned(),
            shape: vec![8],
            params: WEIGHTS,
            inputs: Vec::new(),
            gram: Some(row),
        };
        Started {
            format: FORMAT,
            id: "made".to_owned(),
            parent: None,
            created_unix_secs: 0,
            code_version: String::new(),
            instruction_set: String::new(),
            config: RunConfig {
                attention: self.attention,
                ..RunConfig::default()
            },
            classes: (0..self.classes()).map(name).collect(),
            train_counts: self.counts.clone(),
            val_counts: vec![100; self.classes()],
            test_counts: vec![0; self.classes()],
            image: [8, 8, 3],
            normalise: Normalise {
                mean: vec![0.5; 3],
                std: vec![0.2; 3],
            },
            layers: LAYERS.iter().enumerate().map(layer).collect(),
            probe: ProbeSet {
                pieces: self.pieces,
                counts: vec![vec![8; self.pieces]; self.classes()],
            },
            steps_per_epoch: STEPS_PER_EPOCH,
            total_steps: self.probes * STEPS_PER_EPOCH,
            data_fingerprint: "0".to_owned(),
        }
    }

    fn tensors(&self, at: u64) -> ProbeTensors {
        let rows = self.classes() * self.pieces;
        let mut tensors = ProbeTensors {
            classes: self.classes(),
            loss: vec![1.0; rows],
            n: vec![8.0; rows],
            ..ProbeTensors::default()
        };
        for (index, layer) in LAYERS.iter().enumerate() {
            let piece = |row: usize| -> Vec<f64> {
                let class = row / self.pieces;
                let probe = if self.is_frozen { 0 } else { at };
                let item = (index * rows + row) as u64;
                let mut random = Random::new(self.seed, "noise", probe, item);
                let noise = (self.noise)(class);
                let signal = (self.signal)(at, layer, class).into_iter();
                signal.map(|x| x + noise * random.normal()).collect()
            };
            let pieces: Vec<_> = (0..rows).map(piece).collect();
            for a in &pieces {
                let dot = |b: &Vec<f64>| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>() as f32;
                tensors.gram.extend(pieces.iter().map(dot));
                tensors.update.push(0.0);
            }
        }
        if let Some(gate) = self.gates {
            for branch in 0..3 {
                let all = (0..self.classes() * 16).map(|at| gate(branch, at / 16, at % 16));
                tensors
                    .gates
                    .insert(format!("branch{}", branch + 1), all.collect());
            }
        }
        tensors
    }

    fn sample(&self) -> Sample {
        let mut sample = Sample {
            run: Run::default(),
            probes: BTreeMap::new(),
        };
        let run = &mut sample.run;
        run.apply(&Event::Started(Box::new(self.started())));
        let shares = run.shares(0);
        for at in 0..self.probes {
            let step = at * STEPS_PER_EPOCH;
            let tensors = self.tensors(at);
            let summary = |gram: Option<Gram>| gram.map(|x| x.summary(&shares)).unwrap_or_default();
            let rows: Vec<usize> = (0..LAYERS.len() - 1).collect();
            run.apply(&Event::Probe(Probe {
                step,
                epoch: at as f64,
                file: String::new(),
                layers: (0..LAYERS.len())
                    .map(|row| summary(tensors.gram_of(&[row])))
                    .collect(),
                backbone: summary(tensors.gram_of(&rows)),
                classifier: summary(tensors.gram_of(&[LAYERS.len() - 1])),
            }));
            sample.probes.insert(step, Arc::new(tensors));
            run.apply(&Event::Eval(self.eval(at)));
            for step in (step..step + STEPS_PER_EPOCH).step_by(5) {
                let noise = 0.05 * Random::new(self.seed, "loss", step, 0).normal();
                run.apply(&Event::Step(Step {
                    step,
                    epoch: step as f64 / STEPS_PER_EPOCH as f64,
                    images: step,
                    wall_secs: 0.0,
                    loss: (self.loss)(step).map(|loss| loss + noise),
                    lr: 0.1,
                    grad_norms: vec![Some(1.0); LAYERS.len()],
                }));
            }
        }
        sample
    }

    /// F1 as it comes out on 100 images a class.
    fn eval(&self, at: u64) -> Eval {
        let drawn = |k: usize| {
            let f1 = (self.f1)(at, k)?;
            let mut random = Random::new(self.seed, "eval", at, k as u64);
            Some((0..100).filter(|_| random.uniform() < f1).count() as f64 / 100.0)
        };
        let f1: Vec<_> = (0..self.classes()).map(drawn).collect();
        let defined = f1.iter().flatten().count();
        let mean = f1.iter().flatten().sum::<f64>() / defined.max(1) as f64;
        let support = |f1: &Option<f64>| if f1.is_some() { 100 } else { 0 };
        Eval {
            step: at * STEPS_PER_EPOCH,
            epoch: at as f64,
            split: Split::Val,
            loss: Some(1.0),
            accuracy: Some(mean),
            balanced_accuracy: Some(mean),
            macro_f1: Some(mean),
            macro_f1_classes: defined,
            precision: f1.clone(),
            recall: f1.clone(),
            support: f1.iter().map(support).collect(),
            f1,
            confusion: vec![vec![0; self.classes()]; self.classes()],
        }
    }
}

fn assert_says(finding: &Finding, words: &[&str]) {
    for word in words {
        assert!(
            finding.sentence.contains(word),
            "`{word}` is missing in: {}",
            finding.sentence
        );
    }
}

/// How many of `runs` have any finding, each with another seed; at least one finding is printed.
fn false_findings(runs: u64, made: impl Fn(u64) -> Made) -> u64 {
    let mut with_findings = 0;
    for seed in 0..runs {
        let found = made(seed).sample().find();
        if let Some(first) = found.first() {
            with_findings += 1;
            println!("seed {seed}: {}", first.sentence);
        }
    }
    with_findings
}

#[test]
fn pure_noise_is_silent() {
    let mut total = 0;
    let mut found = 0;
    for (classes, is_frozen) in [
        (2, true),
        (3, false),
        (3, true),
        (6, false),
        (6, true),
        (10, true),
    ] {
        let runs = 40;
        let noisy = false_findings(runs, |seed| Made {
            seed: 1000 * classes + 100 * u64::from(is_frozen) + seed,
            counts: (0..classes).map(|k| 2000 >> k.min(6)).collect(),
            signal: none,
            noise: |_| 1.0,
            is_frozen,
            ..Made::default()
        });
        println!("{classes} classes, frozen {is_frozen}: {noisy} of {runs}");
        (total, found) = (total + runs, found + noisy);
    }
    assert!(
        20 * found < total,
        "{found} of {total} noise runs have findings"
    );
}

/// Gradients with directions of their own and noise that stays the same at every probe: no pair conflicts, no class is
/// unlearned.
#[test]
fn signals_without_conflict_are_silent() {
    let mut total = 0;
    let mut found = 0;
    for (classes, pieces) in [(4, 4), (6, 4), (10, 4), (24, 2)] {
        let runs = if classes > 10 { 10 } else { 40 };
        let noisy = false_findings(runs, |seed| Made {
            seed: 1000 * classes + seed,
            counts: (0..classes).map(|k| 2000 >> k.min(6)).collect(),
            pieces,
            is_frozen: true,
            ..Made::default()
        });
        println!("{classes} classes: {noisy} of {runs}");
        (total, found) = (total + runs, found + noisy);
    }
    assert!(20 * found < total, "{found} of {total} runs have findings");
}

#[test]
fn little_is_silent() {
    let silent = |made: Made| assert_eq!(made.sample().find(), []);
    // A single probe, however clear.
    silent(Made {
        signal: opposed,
        probes: 1,
        ..Made::default()
    });
    // A single class; two classes, which always pull apart near a stationary point.
    silent(Made {
        counts: vec![500],
        ..Made::default()
    });
    let two = Made {
        counts: vec![500, 100],
        signal: |_, _, class| vec![if class == 0 { 1.0 } else { -0.8 }; WEIGHTS],
        ..Made::default()
    };
    let two = two.sample();
    assert_eq!(two.of(Kind::Conflict), []);
    assert_eq!(two.of(Kind::Depth), []);
    // No header, no evaluation.
    assert_eq!(find(&[]), []);
    let mut sample = Made::default().sample();
    sample.run.evals.clear();
    sample.run.steps.clear();
    assert_eq!(sample.find(), []);
    sample.run.started = None;
    assert_eq!(sample.find(), []);
}

#[test]
fn the_pair_that_pulls_apart_is_named_with_layer_and_time() {
    let sample = Made {
        signal: opposed,
        ..Made::default()
    }
    .sample();
    let found = sample.of(Kind::Conflict);
    assert_eq!(found.len(), 1);
    assert_says(
        &found[0],
        &[
            "Truck and Airplane",
            "most in branch2.conv1",
            "since epoch 4",
            "cosine −0.",
        ],
    );
    let evidence = &found[0].evidence;
    assert_eq!(evidence.pair, Some((5, 0)));
    assert_eq!(evidence.scope, Some(Scope::Backbone));
    assert_eq!(evidence.step, Some(9 * STEPS_PER_EPOCH));
}

/// Cars and birds fight harder than trucks and airplanes, but both are frequent.
#[test]
fn a_rare_class_against_a_frequent_one_comes_first() {
    let signal: Signal = |probe, layer, class| {
        let mut gradient = opposed(probe, layer, class);
        if layer == "fuse.conv" {
            gradient[WEIGHTS - 2] = match class {
                1 => 6.0,
                2 => -6.0,
                _ => 0.0,
            };
        }
        gradient
    };
    let found = Made {
        signal,
        ..Made::default()
    }
    .sample()
    .of(Kind::Conflict);
    assert_eq!(found[0].evidence.pair, Some((5, 0)));
    assert!(
        found[0].detail.contains("So do Bird × Car"),
        "{}",
        found[0].detail
    );
}

/// What has ended is not said to last.
#[test]
fn conflict_that_is_over_is_not_found() {
    let signal: Signal = |probe, layer, class| opposed(9 - probe, layer, class);
    let sample = Made {
        signal,
        ..Made::default()
    }
    .sample();
    assert_eq!(sample.of(Kind::Conflict), []);
    assert_eq!(sample.of(Kind::Unlearned), []);
}

#[test]
fn a_class_that_is_unlearned_is_named_with_the_culprit_and_the_time() {
    let sample = Made {
        signal: opposed,
        ..Made::default()
    }
    .sample();
    let found = sample.of(Kind::Unlearned);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_says(
        &found[0],
        &[
            "Truck is being unlearned, most by Airplane",
            "since epoch 4 in the backbone",
            "nats",
        ],
    );
    let evidence = &found[0].evidence;
    assert_eq!((evidence.class, evidence.pair), (Some(5), Some((5, 0))));
}

/// Only so many probes are looked back at: what holds in all of them may have begun before.
#[test]
fn what_began_before_the_probes_looked_at_says_so() {
    let mut sample = Made {
        signal: opposed,
        probes: 10 + HISTORY as u64,
        ..Made::default()
    }
    .sample();
    for _ in 0..2 {
        for kind in [Kind::Conflict, Kind::Unlearned] {
            assert_says(&sample.of(kind)[0], &["since epoch 10 or earlier"]);
        }
        // What a thread is handed knows it too.
        sample.run = excerpt(&sample.run);
    }
}

/// Class 1 is against class 0 in every piece alike; class 2 is more so on average, but not in every piece.
#[test]
fn a_culprit_is_told_apart_from_noise_or_not_named() {
    let gram = |of_class_2: [f32; 4]| {
        let gradients = [[1.0; 4], [-1.0; 4], of_class_2].concat();
        let products = gradients
            .iter()
            .flat_map(|x| gradients.iter().map(move |y| x * y));
        let products: Vec<f32> = products.collect();
        Gram::new(3, &[8.0; 12], &products, &[0.0; 12]).unwrap()
    };
    let most =
        |of_class_2| conflict::most_harmful(&gram(of_class_2), 0.1, &[0.4, 0.3, 0.3], 0, 4.0);
    let (culprit, nats, error) = most([-2.0, -2.1, -1.9, -2.0]).unwrap();
    assert_eq!(culprit, 2);
    // 0.1 · 0.3 · 2, and the standard error of that mean of four.
    assert!((nats - 0.06).abs() < 1e-6, "{nats}");
    let sd = (0.02_f64 / 3.0).sqrt();
    assert!((error - 0.03 * sd / 2.0).abs() < 1e-6, "{error}");
    assert_eq!(most([-9.0, 5.0, -8.0, 4.0]), None);
    assert_eq!(most([2.0; 4]).map(|(culprit, ..)| culprit), Some(1));
}

/// In the backbone as a whole trucks are learned, in one layer they are not.
#[test]
fn unlearning_in_one_layer_alone_is_found_there() {
    let signal: Signal = |probe, layer, class| {
        let mut gradient = opposed(probe.max(4), layer, class);
        if layer == "stem.conv1" && (class == 0 || class == 5) {
            gradient[WEIGHTS - 2] = 8.0;
        }
        gradient
    };
    let found = Made {
        signal,
        ..Made::default()
    }
    .sample()
    .of(Kind::Unlearned);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_says(&found[0], &["Truck", "since epoch 1 in branch2.conv1"]);
}

#[test]
fn where_conflict_exceeds_noise_and_where_nothing_is_resolved() {
    // All classes but the first two pull apart along one axis in branch1.conv2; fuse.conv is noise.
    let signal: Signal = |probe, layer, class| match layer {
        "branch1.conv2" => {
            let mut gradient = own(probe, layer, class);
            gradient[WEIGHTS - 1] = if class % 2 == 0 { 3.0 } else { -3.0 };
            gradient
        }
        "fuse.conv" => none(probe, layer, class),
        _ => own(probe, layer, class).iter().map(|x| 10.0 * x).collect(),
    };
    let sample = Made {
        signal,
        seed: 3,
        ..Made::default()
    }
    .sample();
    let found = sample.of(Kind::Depth);
    assert_says(
        &found[0],
        &["most in branch1.conv2", "interference 0.", "noise floor 0."],
    );
    assert_eq!(
        found[0].evidence.scope,
        Some(Scope::Layer("branch1.conv2".to_owned()))
    );
}

#[test]
fn the_layer_in_which_nothing_is_resolved_is_named() {
    let mut sample = Made {
        signal: |probe, layer, class| {
            let mut gradient = own(probe, layer, class);
            gradient[WEIGHTS - 1] = if class % 2 == 0 { 3.0 } else { -3.0 };
            gradient
        },
        ..Made::default()
    }
    .sample();
    for probe in &mut sample.run.probes {
        (probe.layers[5].resolved, probe.layers[5].conflicting) = (0, 0);
    }
    let found = sample.of(Kind::Depth);
    assert_says(&found[0], &["throughout the backbone"]);
    assert_says(
        &found[1],
        &["Nothing is resolved in fuse.conv: 0 of 15 pairs"],
    );
}

#[test]
fn a_class_whose_gradient_is_noise_is_named() {
    let made = Made {
        noise: |class| if class == 5 { 6.0 } else { 0.1 },
        ..Made::default()
    };
    let mut sample = made.sample();
    if let Some(started) = &mut sample.run.started {
        started.probe.counts[5] = vec![1, 1, 1, 0];
    }
    let found = sample.of(Kind::Noise);
    assert_eq!(found.len(), 1);
    assert_says(&found[0], &["Truck's gradient is noise: 3 probe images"]);
    assert_eq!(found[0].evidence.class, Some(5));
}

fn gated(gates: fn(usize, usize, usize) -> f32) -> Vec<Finding> {
    Made {
        gates: Some(gates),
        ..Made::default()
    }
    .sample()
    .of(Kind::Gates)
}

/// A number in [0, 1) for a class and a channel.
fn dice(class: usize, channel: usize, purpose: &str) -> f32 {
    Random::new(0, purpose, class as u64, channel as u64).uniform() as f32
}

#[test]
fn gates_that_do_little_are_named() {
    let saturated = gated(|_, class, channel| {
        if channel < 12 {
            0.999
        } else {
            dice(class, channel, "")
        }
    });
    assert_says(&saturated[0], &["75 ± 0 % of the gates are saturated"]);
    let alike = gated(|branch, class, channel| {
        0.2 + 0.5 * dice(branch, channel, "channel") + 0.002 * dice(class, channel, "")
    });
    assert_says(
        &alike[0],
        &["alike", "standard deviation over classes 0.000"],
    );
    // Classes lie along a line of their own length, in another order of channels in each branch.
    let same = gated(|branch, class, channel| {
        0.1 + 0.8 * class as f32 / 6.0 * ((channel + 5 * branch) % 16) as f32 / 16.0
    });
    assert_says(&same[0], &["all 3 branches", "correlation 1.000"]);
}

#[test]
fn gates_that_tell_classes_apart_are_silent() {
    assert_eq!(
        gated(|branch, class, channel| 0.1 + 0.8 * dice(class, channel, ["a", "b", "c"][branch])),
        []
    );
}

#[test]
fn a_class_that_is_never_right_is_named() {
    let found = Made {
        f1: |at, k| match k {
            5 => Some(if at < 3 { 0.5 } else { 0.0 }),
            3 => None,
            _ => Some(0.6),
        },
        ..Made::default()
    }
    .sample()
    .of(Kind::Score);
    assert_eq!(found.len(), 2);
    assert_says(
        &found[0],
        &["Truck is never recognised", "(F1 0,", "recall below 3.0 %"],
    );
    assert_eq!(found[0].evidence.class, Some(5));
    assert_says(&found[1], &["Cat has 0 validation images"]);
}

#[test]
fn overfitting_needs_both_sides() {
    let falling: fn(u64, usize) -> Option<f64> = |at, _| {
        Some(if at < 5 {
            0.9
        } else {
            0.9 - 0.15 * (at - 5) as f64
        })
    };
    let learning: fn(u64) -> Option<f64> = |step| Some(1.5 - 0.002 * step as f64);
    let overfitted = Made {
        f1: falling,
        loss: learning,
        ..Made::default()
    };
    let found = overfitted.sample().of(Kind::Overfitting);
    assert_eq!(found.len(), 1);
    assert_says(
        &found[0],
        &[
            "Validation macro-F1 falls since epoch 5",
            "while the training loss falls",
        ],
    );
    let no_learning = Made {
        f1: falling,
        ..Made::default()
    };
    assert_eq!(no_learning.sample().of(Kind::Overfitting), []);
    let no_fall = Made {
        loss: learning,
        ..Made::default()
    };
    assert_eq!(no_fall.sample().find(), []);
}

#[test]
fn a_loss_in_trouble_comes_first() {
    let lost = Made {
        signal: opposed,
        loss: |step| (step < 300).then_some(0.8),
        ..Made::default()
    };
    let found = lost.sample().find();
    assert_says(&found[0], &["not a number since epoch 6"]);
    assert_eq!(found[0].evidence.step, Some(300));
    let leap = Made {
        loss: |step| Some(if step == 350 { 3.0 } else { 0.8 }),
        ..Made::default()
    };
    let found = leap.sample().find();
    assert_eq!(found.len(), 1);
    assert_says(&found[0], &["leaps from 0.8", "to 2.9", "at epoch 7"]);
}

/// A pair of runs whose interference is 0.4 and 0.3, and whose rare classes have these F1.
fn pair(after: f64, f1: [fn(u64, usize) -> Option<f64>; 2]) -> [Sample; 2] {
    let made = |attention, f1| Made {
        attention,
        f1,
        signal: none,
        noise: |_| 1.0,
        ..Made::default()
    };
    let mut both = [
        made(Attention::None, f1[0]).sample(),
        made(Attention::Branch, f1[1]).sample(),
    ];
    for (sample, level) in both.iter_mut().zip([0.4, after]) {
        for (index, probe) in sample.run.probes.iter_mut().enumerate() {
            probe.backbone.interference = Some(level + 0.01 * ((index * 7) % 3) as f64);
            probe.backbone.floor = Some(0.02);
        }
    }
    both
}

fn compared(samples: &[Sample; 2]) -> Vec<Finding> {
    let [a, b] = samples;
    let found = find(&[a.subject(), b.subject()]);
    found
        .into_iter()
        .filter(|x| x.kind == Kind::Comparison)
        .collect()
}

#[test]
fn what_attention_changes_is_said_with_its_uncertainty() {
    let even: fn(u64, usize) -> Option<f64> = |_, _| Some(0.6);
    let better: fn(u64, usize) -> Option<f64> = |_, k| Some(if k >= 4 { 0.95 } else { 0.6 });
    let found = compared(&pair(0.3, [even, even]));
    assert_says(
        &found[0],
        &[
            "Branch attention lowers the backbone's conflict by 2",
            "± 0",
            "but does not change the rare classes' F1 beyond noise",
        ],
    );
    assert_eq!(found[0].evidence.run, 1);
    assert!(found[0].detail.contains("One run each"));
    let found = compared(&pair(0.3, [even, better]));
    assert_says(
        &found[0],
        &[
            "lowers the backbone's conflict",
            "and raises the rare classes' F1 by 0.",
        ],
    );
    let found = compared(&pair(0.4, [even, better]));
    assert_says(
        &found[0],
        &[
            "does not change the backbone's conflict beyond noise",
            "but raises",
        ],
    );
    // Nothing changes; or too much does, to say what of.
    assert_eq!(compared(&pair(0.4, [even, even])), []);
    let mut other = pair(0.3, [even, even]);
    if let Some(started) = &mut other[1].run.started {
        started.config.seed = 1;
    }
    assert_eq!(compared(&other), []);
}

/// The order of two runs is that of the window, not that of a comparison.
#[test]
fn the_baseline_is_the_one_without_attention() {
    let even: fn(u64, usize) -> Option<f64> = |_, _| Some(0.6);
    let [a, b] = pair(0.3, [even, even]);
    let found = compared(&[b, a]);
    assert_says(&found[0], &["Branch attention lowers"]);
    assert_eq!(found[0].evidence.run, 0);
}

/// A run longer than what is looked back at, as its excerpt.
#[test]
fn an_excerpt_tells_the_same() {
    let sample = Made {
        signal: opposed,
        probes: 40,
        ..Made::default()
    }
    .sample();
    let excerpt = Sample {
        run: excerpt(&sample.run),
        probes: sample.probes.clone(),
    };
    let found = sample.find();
    assert!(!found.is_empty());
    assert_eq!(found, excerpt.find());
    assert!(
        excerpt
            .run
            .steps
            .iter()
            .all(|step| step.grad_norms.is_empty())
    );
}

#[test]
fn numbers_have_the_digits_that_their_error_leaves() {
    assert_eq!(rounded(0.012_345, 0.001_2), "0.0123");
    assert_eq!(rounded(16.23, 1.6), "16.2");
    assert_eq!(rounded(1234.0, 310.0), "1234");
    assert_eq!(rounded(1.23e-7, 2e-8), "1.2e-7");
    assert_eq!(
        (signed(-0.43, 2), signed(-0.001, 2)),
        ("−0.43".to_owned(), "0.00".to_owned())
    );
    assert_eq!(
        (epoch(12.0), epoch(4.84)),
        ("12".to_owned(), "4.8".to_owned())
    );
}

#[test]
fn since_walks_back_over_single_gaps() {
    use recent::since;
    assert_eq!(since(&[false, true, true, true]), Some(1));
    assert_eq!(since(&[true, true, false]), None);
    assert_eq!(since(&[true, false, true, true, true, true]), Some(0));
    assert_eq!(since(&[true, false, false, true, true]), Some(3));
    assert_eq!(since(&[]), None);
}
