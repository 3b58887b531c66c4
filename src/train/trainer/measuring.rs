//! Measures a run: evaluations and probes.

use candle_core::{Device, Tensor};

use crate::class_balance;
use crate::model::Mode;
use crate::random::Random;
use crate::run::event::{End, Eval, Event, Probe, Split, Summaries};
use crate::run::log;
use crate::run::probe_file::ProbeTensors;

use super::super::error::TrainError;
use super::super::memory::Work;
use super::super::metrics::Predictions;
use super::super::probe::{self, Mix};
use super::super::{checkpoint, criterion};
use super::recording::piece_lengths;
use super::training::Trainer;

/// Images of an evaluation that go through the network at a time, at most.
const EVAL_BATCH: usize = 250;
/// Pixels of as many images as take little memory in an evaluation.
const EVAL_PIXELS: usize = EVAL_BATCH * 64 * 64;
/// Number of training images whose statistics become the running statistics before the first step.
const NORM_IMAGES: usize = 512;

impl Trainer<'_> {
    /// Sets the running statistics by one pass over some training images, since otherwise the first probe would see a
    /// network whose activations are not normalised. Training itself uses the batch's own statistics and is not
    /// affected.
    pub(super) fn set_norms(&mut self) -> Result<(), TrainError> {
        if !self.net.mixes_images() {
            return Ok(());
        }
        let mut indices = self.data.train.clone();
        Random::new(self.config.data_seed, "norms", 0, 0).shuffle(&mut indices);
        indices.truncate(NORM_IMAGES);
        let weights = self.net.weights();
        let mut updates = Vec::new();
        // Batches of about one size, since each counts as much as the others.
        let batches = indices.len().div_ceil(self.config.batch).max(1);
        for batch in indices.chunks(indices.len().div_ceil(batches).max(1)) {
            let out = self
                .net
                .forward(&weights, &self.images(batch)?, Mode::Train)?;
            updates.push(out.norms);
        }
        self.net.set_norms(&updates);
        Ok(())
    }

    /// Evaluates and probes where either is due at the current step, and writes a checkpoint after an evaluation.
    pub(super) fn measure(&mut self) -> Result<(), TrainError> {
        let step = self.progress.step;
        let ends = step == 0 || step == self.total_steps;
        let eval_every = self
            .config
            .eval_every
            .unwrap_or((self.steps_per_epoch / 4).max(1));
        let evaluate = ends || step.is_multiple_of(eval_every);
        let mut best = false;
        if evaluate && !self.data.val.is_empty() {
            let eval = self.evaluate(Split::Val, step == self.total_steps)?;
            best = eval.macro_f1 > self.progress.best_macro_f1;
            if best {
                self.progress.best_step = Some(step);
                self.progress.best_macro_f1 = eval.macro_f1;
            }
        }
        let is_due = |every: u64| step.is_multiple_of(every);
        if ends || self.probe_every.is_some_and(is_due) {
            self.probe()?;
        }
        // The last checkpoint first: where a run is killed between the two, `keep_best` makes the best one of it.
        if evaluate {
            self.save("last")?;
        }
        if best {
            self.save("best")?;
        }
        Ok(())
    }

    /// Evaluates the last and the best step on the test images, and records that the run has finished.
    pub(super) fn finish(&mut self) -> Result<(), TrainError> {
        let last = self.progress.step;
        self.evaluate(Split::Test, true)?;
        match self.progress.best_step {
            None => self.save("best")?,
            Some(best) if best == last => {}
            Some(_) => self.measure_best()?,
        }
        self.emit(Event::Finished(End {
            step: last,
            message: String::new(),
        }))
    }

    /// Evaluates the best step so far, and probes it unless it was probed during training; then restores the last
    /// step's state.
    fn measure_best(&mut self) -> Result<(), TrainError> {
        let path = log::checkpoint_path(self.dir, "best");
        let last = self.progress.clone();
        let last_params = self.net.params().values().to_vec();
        let (last_norms, last_state) = (self.net.norms().to_vec(), self.optimiser.state());
        let last_ema = self.ema.clone();
        self.progress = checkpoint::load(
            &path,
            &mut self.net,
            self.ema.as_mut(),
            &mut *self.optimiser,
            &self.device,
        )?;
        self.evaluate(Split::Test, true)?;
        self.evaluate(Split::Val, true)?;
        if !self
            .run
            .probes
            .iter()
            .any(|probe| probe.step == self.progress.step)
        {
            self.probe()?;
        }
        self.net.params_mut().set(last_params)?;
        self.net.norms_mut().clone_from_slice(&last_norms);
        self.ema = last_ema;
        self.optimiser.restore(last_state, last.step, last.last_lr);
        self.progress = last;
        Ok(())
    }

    /// Evaluates one split and writes its predictions, with logits where `logits` is set. Where weights are averaged, it is
    /// their average that is evaluated.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "any device but the processor has a memory of its own"
    )]
    fn evaluate(&mut self, split: Split, logits: bool) -> Result<Eval, TrainError> {
        let indices = match split {
            Split::Train => self.data.train.clone(),
            Split::Val => self.data.val.clone(),
            Split::Test => self.data.test.clone(),
        };
        let classes = self.data.classes.len();
        let net = match &self.ema {
            Some(ema) => ema.applied(&self.net)?,
            None => self.net.clone(),
        };
        let weights = net.weights();
        let adjustment = criterion::post_hoc(self.config, &self.train_counts);
        let mut predictions = Predictions::default();
        // A batch that could be trained on can also be evaluated. On the CPU, small images take little memory anyway.
        let [height, width, _] = self.net.spec().image;
        let small = match self.device {
            Device::Cpu => EVAL_PIXELS / (height * width).max(1),
            _ => 0,
        };
        let at_once = EVAL_BATCH.min(self.config.batch.max(small));
        for chunk in indices.chunks(at_once) {
            let out = net.forward(&weights, &self.images(chunk)?, Mode::Eval)?;
            let truth: Vec<u16> = chunk
                .iter()
                .map(|&i| self.data.labels[i as usize])
                .collect();
            let mut logits = out.logits.flatten_all()?.to_vec1::<f32>()?;
            for row in logits.chunks_mut(classes) {
                row.iter_mut().zip(&adjustment).for_each(|(z, x)| *z += x);
            }
            predictions.extend(&logits, &truth, classes);
        }
        let eval = predictions.evaluate(classes, split, self.progress.step, self.epoch());
        let name = log::predictions_file(self.progress.step, split);
        log::write_predictions(
            &self.dir.join(name),
            &predictions.class,
            &predictions.confidence,
            logits.then_some(predictions.logits.as_slice()),
        )?;
        self.emit(Event::Eval(eval.clone()))?;
        Ok(eval)
    }

    /// Measures class gradients in both ways of treating batch norm, and writes their products and an event with
    /// summaries: those at the weights that are trained, whatever is evaluated. Without batch norm both ways are one, which
    /// is measured once.
    fn probe(&mut self) -> Result<(), TrainError> {
        let counts = piece_lengths(&self.pieces);
        let update = self.optimiser.last_update()?;
        let frozen = probe::probe(
            &self.net,
            &counts,
            |piece| self.images(&self.pieces[piece]),
            update.as_deref(),
        )
        .map_err(|error| {
            let largest = counts.iter().copied().max().unwrap_or(0);
            self.no_memory_for(error.into(), largest, 1)
        })?;
        let training = match self.net.mixes_images() {
            true => self.probe_as_in_training(update.as_deref())?,
            // Images do not mix: the class gradients that training feels are those of the evaluated network.
            false => (!self.measured.is_empty()).then(|| frozen.clone()),
        };
        let file = log::probe_file(self.progress.step);
        frozen.save(&self.dir.join(&file), training.as_ref())?;
        let Summaries {
            layers,
            backbone,
            classifier,
        } = self.run.summaries(&frozen, self.progress.step);
        let event = Probe {
            step: self.progress.step,
            epoch: self.epoch(),
            file,
            layers,
            backbone,
            classifier,
            training: training.map(|tensors| self.run.summaries(&tensors, self.progress.step)),
        };
        self.emit(Event::Probe(event))
    }

    /// Class gradients with batch norm as in training; `None` in a run that does not record them.
    fn probe_as_in_training(
        &self,
        update: Option<&[Tensor]>,
    ) -> Result<Option<ProbeTensors>, TrainError> {
        if self.measured.is_empty() {
            return Ok(None);
        }
        let config = self.config;
        let shares = class_balance::shares(
            config.sampler,
            &self.train_counts,
            self.progress.epoch,
            config.epochs,
        );
        let mix = Mix {
            pieces: &self.pieces,
            shares: &shares,
            measured: &self.measured,
        };
        let measured = probe::mixed(&self.net, &mix, |images| self.images(images), update);
        let measured = measured.map_err(|error| {
            let classes = self.data.classes.len().max(1);
            let batch = mix.passes().0 / (self.pieces.len() / classes).max(1);
            self.no_memory_for(error.into(), batch, classes)
        });
        measured.map(Some)
    }

    /// The error of a probe that took `images` of so many classes at a time; where memory ran out, with what would fit.
    fn no_memory_for(&self, error: TrainError, images: usize, classes: usize) -> TrainError {
        let pieces = self.pieces.len() / self.data.classes.len().max(1);
        self.explained(error, Work::Probe { pieces, classes }, images)
    }
}
