//! The check of the ledger: what the share of each class in real training steps does to the loss of every class, beside
//! what a probe predicts.
//!
//! At a checkpoint the next training batches are taken as training would take them. Of each class, its share of the
//! batches' mean gradient is applied alone, by a small step; the running statistics are estimated anew, as they would
//! follow in training; then the loss of every class is measured on fixed images. A probe of the same network, in both
//! ways of treating batch norm, says what it expects to first order.

mod effects;
mod shares;
mod subject;

use std::path::Path;

use crate::class_balance;
use crate::config::{DataSource, RunConfig};
use crate::run::log;
use crate::run::probe_file::ProbeTensors;
use crate::run::verification::{Facts, Verification};

use self::effects::{Effects, Losses};
use self::shares::Shares;
use self::subject::Subject;
use super::control::{Control, Emit};
use super::error::TrainError;
use super::probe::{self, Mix};
use super::start::on_threads;

/// What is verified, and how thoroughly.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The checkpoint, `last` or `best`.
    pub checkpoint: String,
    /// The images, where they no longer lie where the run was trained on them.
    pub data: Option<DataSource>,
    /// Training batches whose shares are averaged.
    pub batches: usize,
    /// Images of each class that the probe takes, at most; as many as the run's probes where none are given.
    pub probe_images: Option<usize>,
    /// Images of each class whose loss is measured, at most.
    pub images: usize,
}

/// How far a verification has come.
pub type Report<'a> = &'a mut (dyn FnMut(usize, usize) + Send);

/// Measures at a checkpoint of the run in `dir` what the shares of classes do, and writes it beside the run. `report`
/// hears how many parts are done, of how many. `None` where `control` stopped it.
///
/// # Errors
/// Where the run, its checkpoint, its images or its device cannot be used.
pub fn verify(
    dir: &Path,
    request: &Request,
    control: &Control,
    emit: Emit<'_>,
    report: Report<'_>,
) -> Result<Option<Verification>, TrainError> {
    let loaded = log::load(dir)?;
    loaded.refuse_recorded(dir, "verify it")?;
    let run = loaded.run;
    // Said before the long work, and not after it.
    log::refuse_links(dir)?;
    let Some(started) = run.started else {
        return Err(log::RunError::not_a_run(dir).into());
    };
    if let Some(reason) = no_shares(&started.config) {
        return Err(TrainError::Unverifiable(reason));
    }
    on_threads(started.config.threads, || {
        let Some(subject) = Subject::read(
            dir,
            started,
            request.data.as_ref(),
            &request.checkpoint,
            control,
            emit,
        )?
        else {
            return Ok(None);
        };
        let found = subject.verify(request, control, report)?;
        if let Some(found) = &found {
            found.save(&dir.join(log::verification_file(found.facts.step)))?;
        }
        Ok(found)
    })
}

/// Why the gradient of a step is no sum of shares of single classes; `None` where it is one.
fn no_shares(config: &RunConfig) -> Option<&'static str> {
    if config.mixes() {
        return Some(
            "there is nothing to verify: this run trains on mixed images, of which each is of two classes (`mixup`, \
             `cutmix`)",
        );
    }
    (config.smoothing() > 0.0).then_some(
        "there is nothing to verify: this run smooths its labels, so that each image is of all classes \
         (`label_smoothing`)",
    )
}

impl Subject {
    fn verify(
        mut self,
        request: &Request,
        control: &Control,
        report: Report<'_>,
    ) -> Result<Option<Verification>, TrainError> {
        let measured = probe::measured_classes(&self.counts);
        // The probe counts as one part, as do the shares of a batch and the measurement of all losses.
        let parts = 1 + request.batches + measured.len() + 1;
        let mut done = 0;
        let mut go_on = move |report: &mut (dyn FnMut(usize, usize) + Send)| {
            done += 1;
            report(done, parts);
            !control.is_stopped()
        };
        let classes = self.data.classes.len();
        let mut found = Verification {
            classes,
            facts: Facts {
                step: self.progress.step,
                lr: self.progress.last_lr,
                batches: request.batches,
                probe_images: request.probe_images.unwrap_or(self.config.probe_images),
                images: request.images,
                loss: self.loss_in_words(),
                ..Facts::default()
            },
            ..Verification::default()
        };
        self.predict(&measured, &mut found)?;
        if !go_on(report) {
            return Ok(None);
        }
        let drawn = shares::batches(&self, request.batches);
        let mut shares = Shares::new(&self, &measured);
        for batch in &drawn {
            shares.add(&self, batch)?;
            if !go_on(report) {
                return Ok(None);
            }
        }
        let shares = shares.mean(drawn.len());
        found.shares = shares.predicted(classes);
        let effects = Effects::new(&self, &drawn, request.images)?;
        found.facts.held_out = effects.held_out().to_owned();
        found.facts.step_sizes = vec![0.0; classes];
        let untouched = effects.losses(&mut self)?;
        if !go_on(report) {
            return Ok(None);
        }
        let empty = vec![f32::NAN; classes * classes];
        found.train.clone_from(&empty);
        if untouched[1].iter().any(Option::is_some) {
            found.held_out.clone_from(&empty);
        }
        let mut go_on = || go_on(report);
        let finished = self.measure(
            &measured, &shares, &effects, &untouched, &mut found, &mut go_on,
        )?;
        Ok(finished.then_some(found))
    }

    /// Measures what each share does, and gives whether it was not stopped.
    fn measure(
        &mut self,
        measured: &[usize],
        shares: &Shares,
        effects: &Effects,
        untouched: &Losses,
        found: &mut Verification,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<bool, TrainError> {
        let classes = found.classes;
        let start = self.net.params().values().to_vec();
        for (i, &class) in measured.iter().enumerate() {
            let row = &found.shares[class * classes..(class + 1) * classes];
            let size = effects::step_size(row);
            if size > 0.0 {
                self.net
                    .params_mut()
                    .set(shares.applied(&start, i, size)?)?;
                let losses = effects.losses(self)?;
                let change = |split: usize, k: usize| -> f32 {
                    let change = losses[split][k].zip(untouched[split][k]);
                    change.map_or(f32::NAN, |(after, before)| ((after - before) / size) as f32)
                };
                for k in 0..classes {
                    found.train[class * classes + k] = change(0, k);
                    if let Some(held_out) = found.held_out.get_mut(class * classes + k) {
                        *held_out = change(1, k);
                    }
                }
                found.facts.step_sizes[class] = size;
            }
            if !go_on() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What a probe predicts, in both ways of treating batch norm.
    fn predict(&self, measured: &[usize], found: &mut Verification) -> Result<(), TrainError> {
        let classes = self.data.classes.len();
        let images = self
            .data
            .probe_indices(found.facts.probe_images, self.config.data_seed);
        let pieces = probe::cut(&images, probe::pieces_for(classes));
        let counts: Vec<usize> = pieces.iter().map(Vec::len).collect();
        let piece = |row: usize| self.images(&pieces[row]);
        let frozen = probe::probe(&self.net, &counts, piece, None)?;
        let drawn = class_balance::shares(
            self.config.sampler,
            &self.counts,
            self.progress.epoch,
            self.config.epochs,
        );
        let mix = Mix {
            pieces: &pieces,
            shares: &drawn,
            measured,
        };
        let training = probe::mixed(&self.net, &mix, |numbers| self.images(numbers), None)?;
        if self.config.departs_from_class_gradients().is_some() {
            let unknown = vec![f32::NAN; classes * classes];
            found.as_in_training.clone_from(&unknown);
            found.frozen.clone_from(&unknown);
            found.halves = [unknown.clone(), unknown];
            return Ok(());
        }
        let shares = self.step_shares();
        found.as_in_training = predicted(&training, &shares);
        found.frozen = predicted(&frozen, &shares);
        found.halves = [0, 1].map(|half| predicted(&half_of(&training, half), &shares));
        Ok(())
    }
}

/// −π_j ⟨g_j, g_k⟩ over the whole network, `[K, K]`; NaN where a class has no images. On the diagonal only products of
/// different pieces are used, as in the ledger.
fn predicted(tensors: &ProbeTensors, shares: &[f64]) -> Vec<f32> {
    let classes = tensors.classes;
    let layers: Vec<usize> = (0..tensors.layers()).collect();
    let Some(gram) = tensors.gram_of(&layers) else {
        return vec![f32::NAN; classes * classes];
    };
    let pairs = (0..classes).flat_map(|j| (0..classes).map(move |k| (j, k)));
    pairs
        .map(|(j, k)| {
            let effect = gram.influence(1.0, shares, j, k);
            effect.map_or(f32::NAN, |nats| nats as f32)
        })
        .collect()
}

/// The probe with one half of each class's non-empty pieces: the first (0) or the second (1).
fn half_of(tensors: &ProbeTensors, half: usize) -> ProbeTensors {
    let mut kept = tensors.clone();
    let pieces = tensors.n.len() / tensors.classes.max(1);
    for own in kept.n.chunks_mut(pieces.max(1)) {
        let present: Vec<usize> = (0..own.len()).filter(|&s| own[s] > 0.0).collect();
        let (first, second) = present.split_at(present.len() / 2);
        let dropped = if half == 0 { second } else { first };
        dropped.iter().for_each(|&s| own[s] = 0.0);
    }
    kept
}

#[cfg(test)]
mod tests;
