//! Every rule is tested on synthetic runs in which it must produce a finding, with the class, the place and the time
//! that the finding must name; and on runs without anything to find.

mod adjustment;
mod compare;
mod conflict;
mod depth;
mod gates;
mod noise;
mod setback;
mod silence;
mod subject;
mod thirds;
mod training;
mod unlearned;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{EndLogits, Finding, HISTORY, Kind, Subject, excerpt, find};
use crate::config::{Attention, RunConfig};
use crate::gradient::gram::Gram;
use crate::network::{CLASSIFIER, Layer, Normalise};
use crate::random::Random;
use crate::run::event::{
    Eval, Event, FORMAT, LogitGradients, Probe, ProbeSet, Split, Started, Step,
};
use crate::run::probe_file::ProbeTensors;
use crate::run::{Run, Scope};

const STEPS_PER_EPOCH: u64 = 50;
/// Length of the synthetic gradients of a layer.
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

/// The description of a synthetic run, which has one probe per epoch.
struct Made {
    seed: u64,
    counts: Vec<usize>,
    pieces: usize,
    probes: u64,
    signal: Signal,
    /// Standard deviation of every number of a piece's gradient, by class.
    noise: fn(usize) -> f64,
    /// Whether every probe has the same noise, as in a network that hardly changes any more.
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

/// Every class has a gradient direction of its own, so there is no conflict.
fn own(_: u64, _: &str, class: usize) -> Vec<f64> {
    let mut gradient = vec![0.0; WEIGHTS];
    gradient[class % WEIGHTS] = 1.0;
    gradient
}

fn none(_: u64, _: &str, _: usize) -> Vec<f64> {
    vec![0.0; WEIGHTS]
}

/// Classes 0 and 5 pull against each other in branch2.conv1 from epoch 4 on.
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
    logits: EndLogits,
}

impl Sample {
    fn subject(&self) -> Subject<'_> {
        Subject {
            run: &self.run,
            probes: &self.probes,
            logits: &self.logits,
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
                training: Vec::new(),
            },
            steps_per_epoch: STEPS_PER_EPOCH,
            total_steps: self.probes * STEPS_PER_EPOCH,
            recorder: None,
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
            logits: EndLogits::default(),
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
                training: None,
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
                    logit_gradients: Some(LogitGradients::new(self.classes())),
                }));
            }
        }
        sample
    }

    /// An evaluation with the F1 scores that 100 images per class give by chance.
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
