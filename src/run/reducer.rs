//! The state of a run, reduced from its events. [`Run::apply`] is the only reducer.

use super::event::{BatchNorm, End, Eval, Event, Probe, Split, Started, Step};
use super::scope::Scope;
use super::thirds::Thirds;
use crate::class_balance;
use crate::config::Sampler;
use crate::gradient::gram::{ConflictSummary, Gram};

/// The reduced state of a run: all that overviews draw. The tensors of probes stay on disk until a figure needs them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Run {
    /// The header; `None` until it has been read.
    pub started: Option<Started>,
    /// Logged training steps, in order.
    pub steps: Vec<Step>,
    /// Evaluations, in order of their steps.
    pub evals: Vec<Eval>,
    /// Probes, in order of their steps, with the summaries of [`Run::batch_norm`] alone: nothing that is made of a run
    /// can mix the two ways of measuring.
    pub probes: Vec<Probe>,
    /// The same probes as they were recorded.
    recorded: Vec<Probe>,
    /// The way of treating batch norm that was asked for.
    asked: BatchNorm,
    /// How the run ended; `None` while it runs, or where its process was killed.
    pub ending: Option<Ending>,
    /// How often each part has changed.
    pub revisions: Revisions,
}

/// How often each part of a run has changed: a picture made from a part is up to date as long as the part's number
/// stays the same. All values compare equal, so that runs with the same contents are equal whatever their history.
#[derive(Clone, Copy, Debug, Default)]
pub struct Revisions {
    /// Changes of [`Run::steps`].
    pub steps: u64,
    /// Changes of [`Run::evals`].
    pub evals: u64,
    /// Changes of [`Run::probes`].
    pub probes: u64,
    /// Changes that replaced or may have removed probes. As long as this number stays the same, probes were only added.
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
    /// The user stopped the run; it can be resumed.
    Stopped(End),
    /// Training could not go on.
    Failed(End),
}

impl Run {
    /// A run from its events.
    pub fn replay<'a>(events: impl IntoIterator<Item = &'a Event>) -> Self {
        let mut run = Self::default();
        events.into_iter().for_each(|event| run.apply(event));
        run
    }

    /// Takes in one event. A `Run` changes in no other way.
    pub fn apply(&mut self, event: &Event) {
        let (steps, evals, probes, known_probes) = match event {
            Event::Step(_) => (1, 0, 0, 0),
            Event::Eval(_) => (0, 1, 0, 0),
            Event::Probe(probe) => {
                let is_known = self.probes.iter().any(|x| x.step == probe.step);
                (0, 0, 1, u64::from(is_known))
            }
            Event::Resumed { .. } => (1, 1, 1, 1),
            Event::Started(_) | Event::Finished(_) | Event::Stopped(_) | Event::Failed(_) => {
                (0, 0, 0, 0)
            }
        };
        self.revisions.steps += steps;
        self.revisions.evals += evals;
        self.revisions.probes += probes;
        self.revisions.known_probes += known_probes;
        match event {
            Event::Started(started) => {
                *self = Self {
                    started: Some((**started).clone()),
                    asked: self.asked,
                    ..Self::default()
                }
            }
            Event::Step(step) => {
                // In a log whose lines were moved, repeated or lost, a step may come late or twice.
                let at = self.steps.partition_point(|x| x.step < step.step);
                match self.steps.get_mut(at).filter(|x| x.step == step.step) {
                    Some(known) => *known = step.clone(),
                    None => self.steps.insert(at, step.clone()),
                }
                self.ending = None;
            }
            // The best and the last step are evaluated once more at the end. Evaluations and probes may therefore
            // arrive out of order, or twice where a run was killed at that moment: they are kept in order of their
            // steps, and a newer one replaces an older one of the same step.
            Event::Eval(eval) => {
                self.evals
                    .retain(|x| (x.step, x.split) != (eval.step, eval.split));
                let at = self.evals.partition_point(|x| x.step <= eval.step);
                self.evals.insert(at, eval.clone());
            }
            Event::Probe(probe) => {
                self.probes.retain(|x| x.step != probe.step);
                self.recorded.retain(|x| x.step != probe.step);
                let at = self.probes.partition_point(|x| x.step <= probe.step);
                self.probes.insert(at, probe.shown_as(self.batch_norm()));
                self.recorded.insert(at, probe.clone());
            }
            Event::Resumed { step } => {
                self.steps.retain(|x| x.step <= *step);
                self.evals.retain(|x| x.step <= *step);
                self.probes.retain(|x| x.step <= *step);
                self.recorded.retain(|x| x.step <= *step);
                self.ending = None;
            }
            Event::Finished(end) => self.ending = Some(Ending::Finished(end.clone())),
            Event::Stopped(end) => self.ending = Some(Ending::Stopped(end.clone())),
            Event::Failed(end) => self.ending = Some(Ending::Failed(end.clone())),
        }
    }

    /// The way of treating batch norm that the class gradients of [`Self::probes`] were measured with: the one asked
    /// for ([`Self::show`]), or frozen where the run has recorded nothing else.
    pub fn batch_norm(&self) -> BatchNorm {
        if self.records_training() {
            self.asked
        } else {
            BatchNorm::Frozen
        }
    }

    /// How batch norm was treated in the class gradients of [`Self::probes`], in words.
    pub fn batch_norm_in_words(&self) -> String {
        let started = self.started.as_ref();
        let mixes_images = started.is_none_or(Started::mixes_images);
        self.batch_norm().in_words(mixes_images)
    }

    /// Probes as they were recorded, in order of their steps.
    pub fn recorded(&self) -> &[Probe] {
        &self.recorded
    }

    /// A run with the same header, end and revisions, these steps and evaluations, and these probes as they were
    /// recorded: what is handed to those who need a part of a run alone.
    pub fn excerpt(&self, steps: Vec<Step>, evals: Vec<Eval>, recorded: Vec<Probe>) -> Self {
        let mut run = Self {
            started: self.started.clone(),
            steps,
            evals,
            probes: Vec::new(),
            recorded,
            asked: self.asked,
            ending: self.ending.clone(),
            revisions: self.revisions,
        };
        run.probes = run.as_shown();
        run
    }

    /// The recorded probes with the summaries of [`Self::batch_norm`] alone.
    fn as_shown(&self) -> Vec<Probe> {
        let shown = self.batch_norm();
        let probes = self.recorded.iter();
        probes.map(|probe| probe.shown_as(shown)).collect()
    }

    /// The way of treating batch norm that was asked for last.
    pub fn asked(&self) -> BatchNorm {
        self.asked
    }

    /// Whether class gradients were recorded with batch norm as in training, too; runs of format 1 lack them.
    pub fn records_training(&self) -> bool {
        let started = self.started.as_ref();
        started.is_some_and(|started| !started.probe.training.is_empty())
    }

    /// Whether the gradients of a class are measured in the way that is shown. With batch norm as in training, that is
    /// only some of the classes where there are many.
    pub fn measures(&self, class: usize) -> bool {
        match (self.batch_norm(), &self.started) {
            (BatchNorm::AsInTraining, Some(started)) => {
                started.probe.training.binary_search(&class).is_ok()
            }
            (BatchNorm::AsInTraining, None) | (BatchNorm::Frozen, _) => true,
        }
    }

    /// Whether the gradients of all classes with training images are measured in the way that is shown, so that a step
    /// is the sum of its measured parts.
    pub fn measures_all(&self) -> bool {
        let counts = self.started.iter().flat_map(|x| &x.train_counts);
        let mut counts = counts.enumerate();
        counts.all(|(k, &n)| n == 0 || self.measures(k)) && self.not_probed().is_none()
    }

    /// The first class with training images of which the probe has none, as can be where a recorder was given a part of
    /// the training set as its probe.
    pub fn not_probed(&self) -> Option<usize> {
        let started = self.started.as_ref()?;
        let mut pairs = started.train_counts.iter().zip(&started.probe.counts);
        pairs.position(|(&n, pieces)| n > 0 && pieces.iter().all(|&piece| piece == 0))
    }

    /// Asks for one way of treating batch norm; gives whether the probes shown have changed. Tensors of probes that
    /// were read before are then those of the other way.
    pub fn show(&mut self, batch_norm: BatchNorm) -> bool {
        let before = self.batch_norm();
        self.asked = batch_norm;
        let changed = self.batch_norm() != before;
        if changed {
            self.probes = self.as_shown();
            self.revisions.probes += 1;
            self.revisions.known_probes += 1;
        }
        changed
    }

    /// Evaluations on one split, in order of their steps.
    pub fn evals_of(&self, split: Split) -> impl DoubleEndedIterator<Item = &Eval> {
        self.evals.iter().filter(move |eval| eval.split == split)
    }

    /// The largest step of any event; 0 before the first event.
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

    /// The best evaluation so far on validation images: the one with the highest macro-F1, the earliest of equals.
    pub fn best(&self) -> Option<&Eval> {
        let mut best: Option<&Eval> = None;
        for eval in self.evals_of(Split::Val) {
            if eval.macro_f1 > best.and_then(|best| best.macro_f1) {
                best = Some(eval);
            }
        }
        best
    }

    /// Share of every class in the gradient of the optimiser step after `step`, `[K]`. The shares are exact where the
    /// run minimises (weighted) cross-entropy; for any other loss they are those that cross-entropy would have. Empty
    /// before the header.
    pub fn shares(&self, step: u64) -> Vec<f64> {
        let Some(started) = &self.started else {
            return Vec::new();
        };
        if let Some(recorder) = &started.recorder {
            let counts = &started.train_counts;
            return if recorder.shares.len() == counts.len() {
                recorder.shares.clone()
            } else {
                class_balance::shares(Sampler::Instance, counts, 0, 1)
            };
        }
        let epoch = step / started.steps_per_epoch.max(1);
        class_balance::step_shares(&started.config, &started.train_counts, epoch)
    }

    /// The summary of a part of the network from its Gram matrix at the probe of `step`: over all pairs of classes, and
    /// over those within and between the frequent and the rare third.
    pub fn summary_of(&self, gram: &Gram, step: u64) -> ConflictSummary {
        let thirds = self.thirds();
        ConflictSummary {
            thirds: gram.thirds(&thirds.head, &thirds.tail).map(Box::new),
            ..gram.summary(&self.shares(step))
        }
    }

    /// The classes in thirds by their training images; all empty before the header.
    pub fn thirds(&self) -> Thirds {
        let started = self.started.as_ref();
        started.map_or_else(Thirds::default, Started::thirds)
    }

    /// Why a step of the run is no sum of the probe's class gradients, as the end of a sentence; `None` where it is one, as
    /// it is for SGD on (weighted) cross-entropy, and before the header.
    pub fn departs_from_class_gradients(&self) -> Option<String> {
        let started = self.started.as_ref()?;
        match &started.recorder {
            Some(recorder) => recorder.departs_from_class_gradients(),
            None => started.config.departs_from_class_gradients(),
        }
    }

    /// Whether the run minimises the cross-entropy whose class gradients are measured, with class weights or without; taken
    /// for granted before the header.
    pub fn minimises_cross_entropy(&self) -> bool {
        self.started
            .as_ref()
            .is_none_or(|started| match &started.recorder {
                Some(recorder) => recorder.cross_entropy,
                None => started.config.minimises_cross_entropy(),
            })
    }

    /// Whether another program trained the network, and a recorder wrote the run.
    pub fn is_recorded(&self) -> bool {
        self.started.as_ref().is_some_and(|x| x.recorder.is_some())
    }

    /// Whether the loss of a step is not a number. A recorder does not have to log the loss; but a loss that is not finite
    /// leaves no finite gradient.
    pub fn has_no_number(&self, step: &Step) -> bool {
        let is_missing = || !self.is_recorded() || step.grad_norms.contains(&None);
        step.loss.map_or_else(is_missing, |loss| !loss.is_finite())
    }

    /// Name of the loss whose class gradients are measured, where the run minimises another one.
    pub fn other_loss_measured(&self) -> Option<&'static str> {
        let started = self.started.as_ref()?;
        match &started.recorder {
            Some(recorder) => (!recorder.cross_entropy).then_some("cross-entropy"),
            None => started.config.other_loss_measured(),
        }
    }

    /// Rows in the Gram tensors of all layers that `scope` covers, in the order of the layer table.
    pub fn gram_rows(&self, scope: &Scope) -> Vec<usize> {
        let layers = self.started.iter().flat_map(|started| &started.layers);
        layers
            .filter(|layer| scope.covers(layer))
            .filter_map(|layer| layer.gram)
            .collect()
    }
}
