//! A run: what training said so far, reduced from its events, and its directory on disk.
//!
//! [`Run::apply`] is the only reducer: a live run, a replayed one, a sample and a test all go through it.
//!
//! ```text
//! <run>/run.toml                                  configuration, format and code version, instruction set
//! <run>/events.jsonl                              append-only, one Event a line, first line the header
//! <run>/data.safetensors                          labels u16 [N], train/val/test/probe indices u32; metadata: fingerprint, files
//! <run>/probes/<step:08>.safetensors              gram f32 [L, K·S, K·S], update f32 [L, K·S], loss f32 [K·S], n f32 [K·S],
//!                                                 gates/<branch> f32 [K, channels]; row a·S+s is piece s of class a
//! <run>/predictions/<step:08>-<split>.safetensors class u16 [N], confidence f32 [N], at `best` and last also logits f32 [N, K]
//! <run>/checkpoints/{last,best}.safetensors       parameters (PyTorch names, shapes), buffers, optimiser state, progress
//! <run>/notes.json                                name on screen and free text, written by hand or in the window
//! ```
//!
//! Every file but the log is written whole (temporary file, fsync, rename) before the event that names it. One writer
//! at a time holds the lock on `events.jsonl`; readers never write. Steps count optimiser steps taken; `epoch` is a
//! fraction of epochs done; losses are nats; `wall_secs` seconds.

pub mod class_rows;
pub mod event;
pub(crate) mod gates;
pub mod glance;
pub mod log;
pub mod notes;
pub mod predictions;
pub mod probe_file;
pub mod probes;
pub mod read;
pub mod recorded_data;

use crate::balance;
use crate::config::Loss;
use serde::{Deserialize, Serialize};

use event::{End, Eval, Event, Probe, Split, Started, Step};

/// The reduced state of a run: all that overviews draw. Probe tensors stay on disk until a matrix is opened.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Run {
    /// The header; none until it was read.
    pub started: Option<Started>,
    /// Logged training steps, in order.
    pub steps: Vec<Step>,
    /// Evaluations, in order.
    pub evals: Vec<Eval>,
    /// Probes, in order.
    pub probes: Vec<Probe>,
    /// How the run ended; none while it runs, or where it was killed.
    pub ending: Option<Ending>,
    /// How often each part has changed.
    pub revisions: Revisions,
}

/// How often the parts of a run have changed: what was made from a part is up to date while its number stands. Runs
/// that hold the same are equal, whatever they went through.
#[derive(Clone, Copy, Debug, Default)]
pub struct Revisions {
    /// Of [`Run::steps`].
    pub steps: u64,
    /// Of [`Run::evals`].
    pub evals: u64,
    /// Of [`Run::probes`].
    pub probes: u64,
    /// Of probes that were there before: until then, each says what it said.
    pub known_probes: u64,
}

impl PartialEq for Revisions {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    /// All epochs were trained.
    Finished(End),
    /// Stopped by the user; can be resumed.
    Stopped(End),
    /// Could not go on.
    Failed(End),
}

impl Run {
    /// A run from its events.
    pub fn replay<'a>(events: impl IntoIterator<Item = &'a Event>) -> Self {
        let mut run = Self::default();
        events.into_iter().for_each(|event| run.apply(event));
        run
    }

    /// Takes in one event. The only way a `Run` changes.
    pub fn apply(&mut self, event: &Event) {
        let (steps, evals, probes, known_probes) = match event {
            Event::Step(_) => (1, 0, 0, 0),
            Event::Eval(_) => (0, 1, 0, 0),
            Event::Probe(probe) => {
                let is_known = self.probes.iter().any(|x| x.step == probe.step);
                (0, 0, 1, u64::from(is_known))
            }
            Event::Resumed { .. } => (1, 1, 1, 1),
            _ => (0, 0, 0, 0),
        };
        self.revisions.steps += steps;
        self.revisions.evals += evals;
        self.revisions.probes += probes;
        self.revisions.known_probes += known_probes;
        match event {
            Event::Started(started) => {
                *self = Self {
                    started: Some((**started).clone()),
                    ..Self::default()
                }
            }
            Event::Step(step) => self.steps.push(step.clone()),
            // Best and last are evaluated once more at the end, so evaluations and probes may come late, or again
            // where a run was killed just then: kept in order of step, the last word counts.
            Event::Eval(eval) => {
                self.evals
                    .retain(|x| (x.step, x.split) != (eval.step, eval.split));
                let at = self.evals.partition_point(|x| x.step <= eval.step);
                self.evals.insert(at, eval.clone());
            }
            Event::Probe(probe) => {
                self.probes.retain(|x| x.step != probe.step);
                let at = self.probes.partition_point(|x| x.step <= probe.step);
                self.probes.insert(at, probe.clone());
            }
            Event::Resumed { step } => {
                self.steps.retain(|x| x.step <= *step);
                self.evals.retain(|x| x.step <= *step);
                self.probes.retain(|x| x.step <= *step);
                self.ending = None;
            }
            Event::Finished(end) => self.ending = Some(Ending::Finished(end.clone())),
            Event::Stopped(end) => self.ending = Some(Ending::Stopped(end.clone())),
            Event::Failed(end) => self.ending = Some(Ending::Failed(end.clone())),
        }
    }

    /// Evaluations of one split, in order.
    pub fn evals_of(&self, split: Split) -> impl DoubleEndedIterator<Item = &Eval> {
        self.evals.iter().filter(move |eval| eval.split == split)
    }

    /// The last step anything is known of.
    pub fn last_step(&self) -> u64 {
        let ending = match &self.ending {
            Some(Ending::Finished(end) | Ending::Stopped(end) | Ending::Failed(end)) => end.step,
            None => 0,
        };
        let last = [
            self.steps.last().map(|x| x.step),
            self.evals.last().map(|x| x.step),
            self.probes.last().map(|x| x.step),
        ];
        last.into_iter().flatten().fold(ending, u64::max)
    }

    /// The best validation evaluation so far: highest macro-F1, the earliest of equals.
    pub fn best(&self) -> Option<&Eval> {
        let mut best: Option<&Eval> = None;
        for eval in self.evals_of(Split::Val) {
            if eval.macro_f1 > best.and_then(|best| best.macro_f1) {
                best = Some(eval);
            }
        }
        best
    }

    /// Index of the newest probe taken at or before `step`; the first one where all are later.
    pub fn probe_at(&self, step: u64) -> Option<usize> {
        if self.probes.is_empty() {
            return None;
        }
        Some(
            self.probes
                .partition_point(|probe| probe.step <= step)
                .saturating_sub(1),
        )
    }

    /// Each class's share of the gradient of the step after `step`, `[K]`: of the loss the run minimises where that is
    /// (weighted) cross-entropy, else as if it were. Empty before the header.
    pub fn shares(&self, step: u64) -> Vec<f64> {
        let Some(started) = &self.started else {
            return Vec::new();
        };
        let epoch = step / started.steps_per_epoch.max(1);
        balance::step_shares(&started.config, &started.train_counts, epoch)
    }

    /// Whether the run minimises (weighted) cross-entropy, so that the probe's class gradients make up its steps.
    pub fn minimises_cross_entropy(&self) -> bool {
        let started = self.started.as_ref();
        started.is_none_or(|started| started.config.loss == Loss::Ce)
    }

    /// Gram rows of every layer that `scope` covers, in layer order.
    pub fn gram_rows(&self, scope: &Scope) -> Vec<usize> {
        let layers = self.started.iter().flat_map(|started| &started.layers);
        layers
            .filter(|layer| scope.covers(layer))
            .filter_map(|layer| layer.gram)
            .collect()
    }
}

/// A part of the network that a Gram matrix can be asked of.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// One layer, by name.
    Layer(String),
    /// One block, by group name, such as `branch2`.
    Group(String),
    /// All layers but the classifier.
    Backbone,
    /// Every layer.
    Network,
}

impl Scope {
    /// Whether a layer belongs to the scope.
    pub fn covers(&self, layer: &event::Layer) -> bool {
        match self {
            Self::Layer(name) => layer.name == *name,
            Self::Group(group) => layer.group == *group,
            Self::Backbone => layer.group != CLASSIFIER,
            Self::Network => true,
        }
    }

    /// Name on screen and on the command line.
    pub fn name(&self) -> &str {
        match self {
            Self::Layer(name) | Self::Group(name) => name,
            Self::Backbone => "backbone",
            Self::Network => "network",
        }
    }

    /// The scope called `name` in a run's layer table: a layer, a block, `backbone` or `network`.
    pub fn find(name: &str, started: &Started) -> Option<Self> {
        match name {
            "backbone" => Some(Self::Backbone),
            "network" => Some(Self::Network),
            _ if started.layers.iter().any(|layer| layer.name == name) => {
                Some(Self::Layer(name.to_owned()))
            }
            _ if started.layers.iter().any(|layer| layer.group == name) => {
                Some(Self::Group(name.to_owned()))
            }
            _ => None,
        }
    }
}

/// Group and layer name of the last layer, whose class gradients conflict by construction.
pub const CLASSIFIER: &str = "classifier";
