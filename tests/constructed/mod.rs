//! Runs whose numbers are computed from simple formulas instead of trained, with the layers of the real network: for tests
//! and benchmarks of what is drawn from runs.

use std::collections::BTreeMap;
use std::path::Path;

use crosscurrent::config::{Attention, RunConfig, Width};
use crosscurrent::gradient::gram::{ConflictSummary, Gram};
use crosscurrent::model::{Classifier, Layout, Spec};
use crosscurrent::random::Random;
use crosscurrent::run::event::{
    End, Eval, Event, FORMAT, Layer, LogitGradients, Normalise, Probe, ProbeSet, Split, Started,
    Step, Summaries,
};
use crosscurrent::run::log::{Writer, probe_file};
use crosscurrent::run::probe_file::ProbeTensors;
use crosscurrent::run::{BatchNorm, CLASSIFIER, Thirds};
use crosscurrent::train::probe::measured_classes;

const CLASSES: [&str; 6] = [
    "Clean",
    "Dusty",
    "Bird-drop",
    "Electrical-damage",
    "Physical-damage",
    "Snow-covered",
];
const COUNTS: [usize; 6] = [1000, 549, 301, 165, 50, 90];
/// Length of the class gradients, which are constructed, too.
const WEIGHTS: usize = 64;

/// A run to be constructed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Constructed {
    pub(crate) attention: Attention,
    /// Number of classes; from the seventh on, a class has a number for a name.
    pub(crate) classes: usize,
    /// Steps of the whole run, which has four epochs.
    pub(crate) steps: u64,
    /// Steps between two logged steps.
    pub(crate) step_every: u64,
    /// Steps between two evaluations.
    pub(crate) eval_every: u64,
    /// Steps between two probes.
    pub(crate) probe_every: u64,
    /// Whether class gradients are recorded with batch norm as in training, too; a run of format 1 lacks them.
    pub(crate) has_training: bool,
}

impl Constructed {
    /// Every event of the finished run, in order; [`Self::write`] adds the files of the probes.
    pub(crate) fn events(&self) -> Vec<Event> {
        let started = self.started();
        let mut events = vec![Event::Started(Box::new(started))];
        for step in 0..=self.steps {
            if step > 0 && step.is_multiple_of(self.step_every) {
                events.push(Event::Step(self.step(step)));
            }
            if step.is_multiple_of(self.eval_every) {
                events.push(Event::Eval(self.eval(step, Split::Val)));
            }
            if step.is_multiple_of(self.probe_every) || step == self.steps {
                events.push(Event::Probe(self.probe(step)));
            }
        }
        events.push(Event::Eval(self.eval(self.steps, Split::Test)));
        events.push(Event::Finished(End {
            step: self.steps,
            message: String::new(),
        }));
        events
    }

    /// Writes the run directory with every event before the first for which `until` holds; with all events if it holds
    /// for none.
    pub(crate) fn write(&self, dir: &Path, until: impl Fn(&Event) -> bool) -> anyhow::Result<()> {
        let mut writer = Writer::create(dir)?;
        for event in self.events().iter().take_while(|event| !until(event)) {
            self.write_event(&mut writer, dir, event)?;
        }
        Ok(())
    }

    /// Appends one event to the log; before a probe's event, writes the probe's file.
    pub(crate) fn write_event(
        &self,
        writer: &mut Writer,
        dir: &Path,
        event: &Event,
    ) -> anyhow::Result<()> {
        if let Event::Probe(probe) = event {
            let frozen = self.tensors(probe.step, BatchNorm::Frozen);
            let training = self.tensors(probe.step, BatchNorm::AsInTraining);
            let training = self.has_training.then_some(&training);
            frozen.save(&dir.join(&probe.file), training)?;
        }
        Ok(writer.write(event)?)
    }

    /// Names of the classes.
    fn names(&self) -> Vec<String> {
        let other = |k| format!("Class {k}");
        (0..self.classes)
            .map(|k| CLASSES.get(k).map_or_else(|| other(k), ToString::to_string))
            .collect()
    }

    /// Pieces into which a probe cuts each class.
    fn pieces(&self) -> usize {
        if self.classes > 20 { 2 } else { 4 }
    }

    /// Training images of each class.
    fn counts(&self) -> Vec<usize> {
        (0..self.classes).map(|k| COUNTS[k % 6]).collect()
    }

    /// The classes that are measured with batch norm as in training, too.
    fn measured(&self) -> Vec<usize> {
        if self.has_training {
            measured_classes(&self.counts())
        } else {
            Vec::new()
        }
    }

    /// The layers of the network at a quarter of its width.
    fn layers(&self) -> Vec<Layer> {
        let spec = Spec {
            image: [32, 32, 3],
            classes: self.classes,
            width: Width::Quarter,
            attention: self.attention,
            layout: Layout::default(),
            classifier: Classifier::Linear,
        };
        spec.layers()
    }

    fn started(&self) -> Started {
        Started {
            format: if self.has_training { FORMAT } else { 1 },
            id: format!("constructed-{}", self.attention),
            parent: None,
            created_unix_secs: 1_700_000_000,
            code_version: env!("CARGO_PKG_VERSION").to_owned(),
            instruction_set: "none".to_owned(),
            config: RunConfig {
                attention: self.attention,
                imbalance: 20.0,
                epochs: 4,
                ..RunConfig::default()
            },
            classes: self.names(),
            train_counts: self.counts(),
            val_counts: vec![50; self.classes],
            test_counts: vec![100; self.classes],
            image: [32, 32, 3],
            normalise: Normalise {
                mean: vec![0.5; 3],
                std: vec![0.25; 3],
            },
            layers: self.layers(),
            probe: ProbeSet {
                pieces: self.pieces(),
                counts: vec![vec![8; self.pieces()]; self.classes],
                training: self.measured(),
            },
            steps_per_epoch: self.steps.div_ceil(4),
            total_steps: self.steps,
            recorder: None,
            data_fingerprint: "0".to_owned(),
        }
    }

    /// Share of the steps that are done at `step`, in [0, 1].
    fn done(&self, step: u64) -> f64 {
        step as f64 / self.steps as f64
    }

    /// Noise that is the same in every process.
    fn random(&self, purpose: &str, step: u64, item: usize) -> Random {
        let seed = self.attention.name().len() as u64;
        Random::new(seed, purpose, step, item as u64)
    }

    fn step(&self, step: u64) -> Step {
        let rows = self.layers().iter().filter(|x| x.gram.is_some()).count();
        let mut random = self.random("step", step, 0);
        Step {
            step,
            epoch: 4.0 * self.done(step),
            images: step * 128,
            wall_secs: step as f64 * 0.4,
            loss: Some(1.8 * (-2.0 * self.done(step)).exp() + 0.15 * random.uniform()),
            lr: 0.1 * (1.0 - self.done(step)),
            grad_norms: (0..rows).map(|_| Some(0.5 + random.uniform())).collect(),
            logit_gradients: Some(self.logit_gradients(step)),
        }
    }

    /// Rare classes are pushed down harder than they are pulled up, and less so as training goes on.
    fn logit_gradients(&self, step: u64) -> LogitGradients {
        let counts = self.counts();
        let most = COUNTS.iter().copied().max().unwrap_or(1) as f64;
        let positive: Vec<f64> = counts
            .iter()
            .map(|&n| n as f64 * (1 + step) as f64)
            .collect();
        let ratio = |n: usize| (n as f64 / most).powf(1.0 - 0.7 * self.done(step));
        LogitGradients {
            negative: positive
                .iter()
                .zip(&counts)
                .map(|(sum, &n)| sum / ratio(n))
                .collect(),
            positive,
        }
    }

    fn eval(&self, step: u64, split: Split) -> Eval {
        let help = if self.attention == Attention::Branch {
            0.25
        } else {
            0.0
        };
        let f1: Vec<_> = (0..self.classes)
            .map(|k| {
                let share = (COUNTS[k % 6] as f64 / 1000.0).powf(0.35 - help);
                let noise = 0.04 * self.random("eval", step, k).normal();
                Some((share * (1.0 - (-4.0 * self.done(step)).exp()) + noise).clamp(0.0, 1.0))
            })
            .collect();
        let mean = f1.iter().flatten().sum::<f64>() / self.classes as f64;
        Eval {
            step,
            epoch: 4.0 * self.done(step),
            split,
            loss: Some(1.9 * (-1.7 * self.done(step)).exp() + 0.1),
            accuracy: Some((0.3 + 0.8 * mean).min(1.0)),
            balanced_accuracy: Some(mean),
            macro_f1: Some(mean),
            macro_f1_classes: self.classes,
            precision: f1.clone(),
            recall: f1.clone(),
            f1,
            support: vec![50; self.classes],
            confusion: vec![vec![0; self.classes]; self.classes],
        }
    }

    /// The event of a probe, summarised from the probe's tensors.
    fn probe(&self, step: u64) -> Probe {
        let Summaries {
            layers,
            backbone,
            classifier,
        } = self.summaries(step, BatchNorm::Frozen);
        let training = || self.summaries(step, BatchNorm::AsInTraining);
        Probe {
            step,
            epoch: 4.0 * self.done(step),
            file: probe_file(step),
            layers,
            backbone,
            classifier,
            training: self.has_training.then(training),
        }
    }

    /// The summaries of a probe measured in one way.
    fn summaries(&self, step: u64, batch_norm: BatchNorm) -> Summaries {
        let tensors = self.tensors(step, batch_norm);
        let counts = self.counts();
        let total = counts.iter().sum::<usize>() as f64;
        let priors: Vec<_> = counts.iter().map(|n| *n as f64 / total).collect();
        let thirds = Thirds::of(&counts);
        let summary = |rows: &[usize]| {
            let gram: Option<Gram> = tensors.gram_of(rows);
            gram.map_or_else(ConflictSummary::default, |gram| ConflictSummary {
                thirds: gram.thirds(&thirds.head, &thirds.tail).map(Box::new),
                ..gram.summary(&priors)
            })
        };
        let layers = self.layers();
        let rows = |classifier: bool| -> Vec<usize> {
            let of = layers
                .iter()
                .filter(|x| (x.group == CLASSIFIER) == classifier);
            of.filter_map(|layer| layer.gram).collect()
        };
        Summaries {
            layers: (0..tensors.layers()).map(|row| summary(&[row])).collect(),
            backbone: summary(&rows(false)),
            classifier: summary(&rows(true)),
        }
    }

    /// The tensors of a probe: products of constructed gradients (see [`Self::gradient`]); the updates are 0. Classes that
    /// are not measured in this way have no images.
    fn tensors(&self, step: u64, batch_norm: BatchNorm) -> ProbeTensors {
        let rows = self.classes * self.pieces();
        let layers = self.layers();
        let measured = self.measured();
        let images = |row: usize| {
            let is_frozen = batch_norm == BatchNorm::Frozen;
            let is_measured = is_frozen || measured.contains(&(row / self.pieces()));
            if is_measured { 8.0 } else { 0.0 }
        };
        let mut probe = ProbeTensors {
            classes: self.classes,
            loss: vec![1.0; rows],
            n: (0..rows).map(images).collect(),
            gates: BTreeMap::new(),
            ..ProbeTensors::default()
        };
        let trained = layers.iter().filter(|layer| layer.gram.is_some());
        for (layer, _) in trained.enumerate() {
            let pieces: Vec<_> = (0..rows)
                .map(|row| self.gradient(step, layer, row, batch_norm))
                .collect();
            for a in &pieces {
                for b in &pieces {
                    probe.gram.push(a.iter().zip(b).map(|(x, y)| x * y).sum());
                }
                probe.update.push(0.0);
            }
        }
        probe
    }

    /// The gradient of a layer for `row`, one piece of one class, `[WEIGHTS]`. Frequent and rare classes pull in opposite
    /// directions along the first eight weights, by an amount that differs between layers and is smaller with branch
    /// attention, and with batch norm as in training; to that comes a share of the class's own and noise.
    fn gradient(&self, step: u64, layer: usize, row: usize, batch_norm: BatchNorm) -> Vec<f32> {
        let class = row / self.pieces();
        let rare = class % 6 >= 3;
        let through = match batch_norm {
            BatchNorm::AsInTraining => 0.7,
            BatchNorm::Frozen => 1.0,
        };
        let strength = 0.3 + 0.7 * ((layer as f64 * 0.7).sin().abs());
        let pull = if self.attention == Attention::Branch {
            0.35
        } else {
            0.8
        } * strength
            * through;
        let size = (1.0 - 0.6 * self.done(step)) * if rare { 1.8 } else { 0.9 }
            / (1.0 + 0.1 * layer as f64);
        let mut own = self.random("class", layer as u64, class);
        let mut noise = self.random("piece", step, layer * 1000 + row);
        let axis = if rare { -pull } else { pull };
        let value = |at: usize| {
            let common = if at < 8 { axis } else { 0.0 };
            size * (common + 0.3 * own.normal() + 0.4 * noise.normal())
        };
        (0..WEIGHTS).map(value).map(|x| x as f32).collect()
    }
}
