//! The loop: one step after the other.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use candle_core::{Device, Tensor};

use crate::config::RunConfig;
use crate::data::Dataset;
use crate::data::batches::{Batch, Loader, eval_batch, steps_per_epoch};
use crate::model::{Layout, Mode, Net, NormUpdate, Spec};
use crate::network::{Layer, Normalise};
use crate::ops::Part;
use crate::run::Run;
use crate::run::event::{End, Event, LogitGradients, Started, Step};
use crate::run::log::Writer;

use super::super::cadence::Cadence;
use super::super::checkpoint::{self, Progress};
use super::super::control::{Control, Emit};
use super::super::ema::Ema;
use super::super::error::TrainError;
use super::super::memory::Work;
use super::super::optimiser::{self, Optimiser};
use super::super::schedule::learning_rate;
use super::super::{criterion, probe, sam};

/// Training steps logged per epoch: at least this many, but fewer than twice as many. A shorter epoch logs every step.
const LOGGED_PER_EPOCH: u64 = 50;
/// With more classes than this, the gradients at their logits are logged at as many times fewer steps as there are more
/// classes, or they would fill the log.
const LOGITS_AT_EVERY_STEP: usize = 20;

/// The gradient of a step.
struct Gradient {
    /// Value of the loss on the batch.
    loss: f64,
    /// Statistics of the batch.
    norms: NormUpdate,
    /// Gradients of all parameters, in parameter order.
    grads: Vec<Tensor>,
}

/// A run under way.
pub(in crate::train) struct Trainer<'a> {
    pub(super) dir: &'a Path,
    pub(super) config: &'a RunConfig,
    pub(super) data: Arc<Dataset>,
    pub(super) normalise: Normalise,
    pub(super) device: Device,
    pub(super) net: Net,
    /// The average of the weights, which is evaluated in their place; none where they are not averaged.
    pub(super) ema: Option<Ema>,
    pub(super) optimiser: Box<dyn Optimiser>,
    pub(super) progress: Progress,
    pub(super) writer: Writer,
    pub(super) control: &'a Control,
    pub(super) watcher: Emit<'a>,
    /// The run as the events emitted so far describe it.
    pub(super) run: Run,
    /// Probe images by piece, [K·S].
    pub(super) pieces: Vec<Vec<u32>>,
    /// Classes whose gradients are measured with batch norm as in training; none where a run of format 1 goes on,
    /// which does not have that measure. Without batch norm, where both measures are one, all classes with images.
    pub(super) measured: Vec<usize>,
    /// Steps between two probes; none where only step 0, the best and the last step are probed.
    pub(super) probe_every: Option<u64>,
    /// Training images per class, `[K]`.
    pub(super) train_counts: Vec<usize>,
    pub(super) steps_per_epoch: u64,
    pub(super) total_steps: u64,
    /// When this process began to train, later by the length of all pauses.
    pub(super) clock: Instant,
    /// Seconds of training before this process started.
    pub(super) base_secs: f64,
}

impl<'a> Trainer<'a> {
    /// Everything that a run needs, before its first step.
    pub(in crate::train) fn new(
        dir: &'a Path,
        config: &'a RunConfig,
        data: Arc<Dataset>,
        device: Device,
        writer: Writer,
        control: &'a Control,
        watcher: Emit<'a>,
    ) -> Result<Self, TrainError> {
        let classes = data.classes.len();
        let spec = Spec {
            image: [data.height, data.width, data.channels],
            classes,
            width: config.width,
            attention: config.attention,
            layout: Layout::of(config),
            classifier: criterion::classifier(config),
        };
        let images = data.probe_indices(config.probe_images, config.data_seed);
        let steps_per_epoch = steps_per_epoch(&data, config.batch);
        let train_counts = data.counts(&data.train);
        let net = Net::new(spec.clone(), config.seed, &device).map_err(|error| {
            TrainError::from(error).explained(&device, (&spec, config), Work::Step, config.batch)
        })?;
        let net = net.with_exact_convolutions(config.exact_convolutions);
        let measured = match net.mixes_images() {
            true => probe::measured_classes(&train_counts),
            false => (0..classes).filter(|&k| train_counts[k] > 0).collect(),
        };
        Ok(Self {
            dir,
            config,
            normalise: data.normalise(),
            optimiser: optimiser::of(config, net.params().specs()),
            net,
            ema: None,
            progress: Progress {
                // With smoothed labels, images pull at the logits of all classes.
                logit_gradients: (config.smoothing() <= 0.0).then(|| LogitGradients::new(classes)),
                ..Progress::default()
            },
            writer,
            control,
            watcher,
            run: Run::default(),
            pieces: probe::cut(&images, probe::pieces_for(classes)),
            measured,
            probe_every: Cadence::of(config, &train_counts).every,
            train_counts,
            steps_per_epoch,
            total_steps: steps_per_epoch * u64::from(config.epochs),
            clock: Instant::now(),
            base_secs: 0.0,
            data,
            device,
        })
    }

    /// Writes what does not change during a run, and measures the untrained network.
    pub(in crate::train) fn begin(&mut self) -> Result<(), TrainError> {
        self.record_start()?;
        self.set_norms()?;
        self.average();
        self.measure()
    }

    /// Begins the average of the weights, where the configuration asks for one.
    fn average(&mut self) {
        let decay = self.config.ema_decay;
        self.ema = decay.map(|decay| Ema::new(&self.net, decay));
    }

    /// Takes up what the run directory has recorded so far, and a checkpoint.
    pub(in crate::train) fn restore(
        &mut self,
        run: Run,
        checkpoint: &Path,
    ) -> Result<(), TrainError> {
        let started = run.started.as_ref();
        let is_same = started.is_some_and(|started| {
            is_data_of(&self.data, started) && started.steps_per_epoch == self.steps_per_epoch
        });
        if !is_same {
            return Err(TrainError::DataChanged(self.config.data.to_string()));
        }
        if let Some(started) = started {
            self.measured.clone_from(&started.probe.training);
            if self.measured.is_empty() {
                // Format 1 probed twice an epoch unless told otherwise.
                let twice = (self.steps_per_epoch / 2).max(1);
                self.probe_every = self.config.probe_every.or(Some(twice));
            }
        }
        self.run = run;
        self.average();
        self.progress = checkpoint::load(
            checkpoint,
            &mut self.net,
            self.ema.as_mut(),
            &mut *self.optimiser,
            &self.device,
        )?;
        self.base_secs = self.progress.wall_secs;
        self.keep_best()
    }

    /// Trains on after [`Self::restore`].
    pub(in crate::train) fn go_on(&mut self) -> Result<(), TrainError> {
        let step = self.progress.step;
        self.emit(Event::Resumed { step })?;
        self.train()
    }

    /// Trains to the end, or until the run is stopped.
    pub(in crate::train) fn train(&mut self) -> Result<(), TrainError> {
        let mut loader = Loader::start(
            self.data.clone(),
            &self.normalise,
            self.config,
            self.progress.step,
        );
        while self.progress.step < self.total_steps {
            let asked = Instant::now();
            let goes_on = self.control.wait();
            // A pause is no training time.
            self.clock += asked.elapsed();
            if !goes_on {
                self.save("last")?;
                let step = self.progress.step;
                return self.emit(Event::Stopped(End {
                    step,
                    message: self.control.stopped_for().unwrap_or_default(),
                }));
            }
            let Some(batch) = loader.next_batch() else {
                break;
            };
            self.step(batch)?;
            self.measure()?;
        }
        self.finish()
    }

    /// One step: forward, backward, new parameters, and an event where it is due.
    fn step(&mut self, batch: Batch) -> Result<(), TrainError> {
        let step = self.progress.step + 1;
        let size = batch.labels.len();
        let lr = learning_rate(self.config, step - 1, self.total_steps);
        let Gradient { loss, norms, grads } = self.gradient(batch, lr)?;
        let params = self
            .optimiser
            .step(self.net.params().values(), &grads, lr)?;
        self.net.params_mut().set(params)?;
        self.net.update_norms(&norms);
        if let Some(ema) = &mut self.ema {
            ema.update(&self.net, step)?;
        }
        self.progress.step = step;
        self.progress.epoch = step / self.steps_per_epoch;
        self.progress.step_in_epoch = step % self.steps_per_epoch;
        self.progress.images += size as u64;
        self.progress.last_lr = lr;
        self.progress.wall_secs = self.base_secs + self.clock.elapsed().as_secs_f64();
        let every = (self.steps_per_epoch / LOGGED_PER_EPOCH).max(1);
        let is_due = |every: u64| step.is_multiple_of(every) || step == self.total_steps;
        if is_due(every) {
            let rarer = self
                .data
                .classes
                .len()
                .div_ceil(LOGITS_AT_EVERY_STEP)
                .max(1);
            let sums = self.progress.logit_gradients.as_ref();
            let event = Step {
                step,
                epoch: self.epoch(),
                images: self.progress.images,
                wall_secs: self.progress.wall_secs,
                loss: Some(loss),
                lr,
                grad_norms: self.layer_norms(&grads)?,
                logit_gradients: sums.filter(|_| is_due(every * rarer as u64)).cloned(),
            };
            self.emit(Event::Step(event))?;
        }
        Ok(())
    }

    /// The gradient of the step after the present one, on its batch. With SAM, it is that at the weights moved uphill by the
    /// gradient at the present ones; loss, pulls and batch statistics are those at the present weights.
    fn gradient(&mut self, batch: Batch, lr: f64) -> Result<Gradient, TrainError> {
        let step = self.progress.step + 1;
        let finite = |loss: f64| match loss.is_finite() {
            true => Ok(loss),
            false => Err(TrainError::Diverged {
                what: "the loss",
                step,
                lr,
            }),
        };
        let [h, w, c] = self.net.spec().image;
        let shape = (batch.labels.len(), h, w, c);
        let images = Tensor::from_vec(batch.images, shape, &self.device)?;
        let epoch = self.progress.epoch;
        let criteria = criterion::criteria(self.config, &self.train_counts, epoch);
        let parts: Vec<Part<'_>> = match &batch.mixed {
            None => vec![(1.0, batch.labels.as_slice())],
            Some(mixed) => vec![
                (mixed.share, batch.labels.as_slice()),
                (1.0 - mixed.share, mixed.labels.as_slice()),
            ],
        };
        let mut out = self
            .net
            .forward(&self.net.weights(), &images, Mode::Train)?;
        let norms = std::mem::take(&mut out.norms);
        let loss = out.mixed_loss(&parts, &criteria)?;
        let value = finite(loss.value)?;
        if let Some(sums) = &mut self.progress.logit_gradients {
            sums.add(&loss.pulls.positive, &loss.pulls.negative);
        }
        let mut grads = loss.backward()?;
        if let Some(rho) = self.config.sam_rho {
            let mut moved = self.net.clone();
            let params = sam::uphill(self.net.params().values(), &grads, rho)?;
            moved.params_mut().set(params)?;
            let out = moved.forward(&moved.weights(), &images, Mode::Train)?;
            let loss = out.mixed_loss(&parts, &criteria)?;
            finite(loss.value)?;
            grads = loss.backward()?;
        }
        Ok(Gradient {
            loss: value,
            norms,
            grads,
        })
    }

    /// Norm of the gradient of each layer, by Gram row; none where the norm is not finite.
    fn layer_norms(&self, grads: &[Tensor]) -> Result<Vec<Option<f64>>, TrainError> {
        // All squares are read at once, because every reading makes a device wait.
        let squares = grads.iter().map(|grad| grad.sqr()?.sum_all());
        let squares = Tensor::stack(&squares.collect::<Result<Vec<_>, _>>()?, 0)?;
        let squares = squares.to_vec1::<f32>()?;
        let params = self.net.params().specs();
        let layers = self.net.spec().layers();
        let norm = |layer: &Layer| {
            let own = params.iter().zip(&squares);
            let own = own.filter(|(param, _)| param.layer_is(&layer.name));
            let square: f64 = own.map(|(_, &square)| f64::from(square)).sum();
            square.is_finite().then(|| square.sqrt())
        };
        let layers = layers.iter().filter(|layer| layer.gram.is_some());
        Ok(layers.map(norm).collect())
    }

    /// Images as the network sees them, not augmented: [n, H, W, C].
    pub(super) fn images(&self, indices: &[u32]) -> candle_core::Result<Tensor> {
        let [h, w, c] = self.net.spec().image;
        let values = eval_batch(&self.data, indices, &self.normalise);
        Tensor::from_vec(values, (indices.len(), h, w, c), &self.device)
    }

    /// Epochs trained so far, with fractions.
    pub(super) fn epoch(&self) -> f64 {
        self.progress.step as f64 / self.steps_per_epoch as f64
    }
}

/// Whether these are the images of a run: the same pixels and labels, and as many of each class in each split. If folders of
/// splits were renamed, the pixels alone may still be the same.
pub(in crate::train) fn is_data_of(data: &Dataset, started: &Started) -> bool {
    let counts = [&data.train, &data.val, &data.test].map(|split| data.counts(split));
    let [train, val, test] = &counts;
    *train == started.train_counts
        && *val == started.val_counts
        && *test == started.test_counts
        && data.fingerprint() == started.data_fingerprint
}
