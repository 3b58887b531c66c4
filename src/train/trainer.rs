//! The training loop of one run.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use candle_core::{Device, Tensor};

use crate::config::RunConfig;
use crate::data::batches::{Batch, Loader, eval_batch, steps_per_epoch};
use crate::data::{self, Dataset};
use crate::gradient::gram::ConflictSummary;
use crate::gradient::probe;
use crate::model::{Mode, Net, ParamSpec, Spec};
use crate::random::Random;
use crate::run::event::{End, Eval, Event, FORMAT, Layer, Probe, ProbeSet, Split, Started, Step};
use crate::run::log::{self, RunError, RunFile, Writer};
use crate::run::{Ending, Run, Scope};

use super::checkpoint::{self, Progress};
use super::criterion;
use super::memory::{self, Work};
use super::metrics::Predictions;
use super::schedule::learning_rate;
use super::sgd::Sgd;
use super::{Control, Message, TrainError, device};

/// Images of an evaluation that go through the network at a time, at most.
const EVAL_BATCH: usize = 250;
/// Training images that set the running statistics before the first step.
const NORM_IMAGES: usize = 512;
/// Training steps logged per epoch, at most.
const LOGGED_PER_EPOCH: u64 = 50;

type Emit<'a> = &'a mut (dyn FnMut(Message) + Send);

/// The header of a run, and whether it was cut so early that little is lost by training it anew: without a checkpoint and
/// within its first epoch. Later than that its checkpoints may have been taken away, and what it recorded is kept.
pub(super) fn read_header(dir: &Path) -> Result<(Started, bool), TrainError> {
    // The log's header says first whether the run can be read at all.
    let loaded = log::load(dir)?;
    let last_step = loaded.run.last_step();
    let is_open = !loaded.running && loaded.run.ending.is_none();
    let Some(started) = loaded.run.started else {
        return Err(RunError::not_a_run(dir).into());
    };
    let has_checkpoint = ["last", "best"].map(|name| log::checkpoint_path(dir, name).exists());
    let is_early =
        is_open && !has_checkpoint.contains(&true) && last_step <= started.steps_per_epoch;
    Ok((started, is_early))
}

/// Trains a new run.
pub(super) fn start(
    dir: &Path,
    config: &RunConfig,
    control: &Control,
    emit: Emit<'_>,
) -> Result<(), TrainError> {
    if let Some(error) = config.validate().into_iter().next() {
        return Err(error.into());
    }
    let device = device::open(config.device, config.tf32)
        .map_err(|reason| TrainError::Device(format!("{reason}; choose the device `cpu`")))?;
    // Before the images are read, so that a directory that cannot be written is known at once.
    let writer = Writer::create(dir)?;
    let data = load_data(config, control, emit).inspect_err(|_| log::remove_empty(dir))?;
    let mut trainer = Trainer::new(dir, config, data, device, writer, control, emit)?;
    let result = trainer.begin().and_then(|()| trainer.train());
    trainer.close(result)
}

/// Goes on with a run from its last checkpoint.
pub(super) fn resume(
    dir: &Path,
    config: &RunConfig,
    control: &Control,
    emit: Emit<'_>,
) -> Result<(), TrainError> {
    let writer = Writer::append(dir)?;
    let loaded = log::load(dir)?;
    if matches!(loaded.run.ending, Some(Ending::Finished(_))) {
        return Err(TrainError::Finished(dir.to_owned()));
    }
    let device = device::open(config.device, config.tf32).map_err(|reason| {
        TrainError::Device(format!(
            "{reason}, and this run was started on one; resume it where there is one"
        ))
    })?;
    let data = load_data(config, control, emit)?;
    let fingerprint = loaded
        .run
        .started
        .as_ref()
        .map(|started| started.data_fingerprint.clone());
    let mut trainer = Trainer::new(dir, config, data, device, writer, control, emit)?;
    if fingerprint != Some(trainer.data.fingerprint()) {
        return Err(TrainError::DataChanged(config.data.to_string()));
    }
    trainer.run = loaded.run;
    let path = log::checkpoint_path(dir, "last");
    trainer.progress =
        checkpoint::load(&path, &mut trainer.net, &mut trainer.sgd, &trainer.device)?;
    trainer.base_secs = trainer.progress.wall_secs;
    let step = trainer.progress.step;
    let result = trainer
        .emit(Event::Resumed { step })
        .and_then(|()| trainer.train());
    trainer.close(result)
}

fn load_data(
    config: &RunConfig,
    control: &Control,
    emit: Emit<'_>,
) -> Result<Arc<Dataset>, TrainError> {
    // Decoding threads report through a channel: `emit` belongs to this thread.
    let (sender, receiver) = crossbeam_channel::unbounded();
    let loaded = std::thread::scope(|scope| {
        let loader = scope.spawn(move || {
            data::load(config, &|done, total| {
                let _ = sender.send((done, total));
                !control.is_stopped()
            })
        });
        for (done, total) in receiver {
            emit(Message::Loading { done, total });
        }
        loader.join()
    });
    let loaded = match loaded {
        Ok(loaded) => loaded?,
        Err(panic) => std::panic::resume_unwind(panic),
    };
    for note in loaded.notes {
        emit(Message::Notice(note));
    }
    Ok(Arc::new(loaded.dataset))
}

struct Trainer<'a> {
    dir: &'a Path,
    config: &'a RunConfig,
    data: Arc<Dataset>,
    normalise: crate::run::event::Normalise,
    device: Device,
    net: Net,
    sgd: Sgd,
    progress: Progress,
    writer: Writer,
    control: &'a Control,
    watcher: Emit<'a>,
    /// Everything emitted so far.
    run: Run,
    /// Probe images by piece, [K·S].
    pieces: Vec<Vec<u32>>,
    /// Training images per class, `[K]`.
    train_counts: Vec<usize>,
    steps_per_epoch: u64,
    total_steps: u64,
    clock: Instant,
    /// Seconds trained before this process.
    base_secs: f64,
}

impl<'a> Trainer<'a> {
    fn new(
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
            classifier: criterion::classifier(config),
        };
        let images = data.probe_indices(config.probe_images, config.data_seed);
        let steps_per_epoch = steps_per_epoch(&data, config.batch);
        let train_counts = data.counts(&data.train);
        let net = Net::new(spec.clone(), config.seed, &device).map_err(|error| {
            memory::explain(error.into(), &device, &spec, Work::Step, config.batch)
        })?;
        Ok(Self {
            dir,
            config,
            normalise: data.normalise(),
            sgd: optimiser(config, &net),
            net,
            progress: Progress::default(),
            writer,
            control,
            watcher,
            run: Run::default(),
            pieces: probe::cut(&images, probe::pieces_for(classes)),
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
    fn begin(&mut self) -> Result<(), TrainError> {
        let instruction_set = device::describe(&self.device);
        let file = RunFile {
            format: FORMAT,
            code_version: env!("CARGO_PKG_VERSION").to_owned(),
            instruction_set: instruction_set.clone(),
            config: self.config.clone(),
        };
        let path = log::config_path(self.dir);
        let text = toml::to_string(&file).map_err(|e| RunError::damaged(&path, e))?;
        log::write_whole(&path, text.as_bytes())?;
        self.write_data_file()?;
        let created = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let id = Random::new(
            created.as_nanos() as u64,
            "run",
            u64::from(std::process::id()),
            0,
        )
        .next_u64();
        let classes = self.data.classes.len();
        let started = Started {
            format: FORMAT,
            id: format!("{id:016x}"),
            parent: None,
            created_unix_secs: created.as_secs(),
            code_version: file.code_version,
            instruction_set,
            config: self.config.clone(),
            classes: self.data.classes.clone(),
            train_counts: self.train_counts.clone(),
            val_counts: self.data.counts(&self.data.val),
            test_counts: self.data.counts(&self.data.test),
            image: self.net.spec().image,
            normalise: self.normalise.clone(),
            layers: self.net.spec().layers(),
            probe: ProbeSet {
                pieces: self.pieces.len() / classes,
                counts: self
                    .pieces
                    .chunks(self.pieces.len() / classes)
                    .map(piece_lengths)
                    .collect(),
            },
            steps_per_epoch: self.steps_per_epoch,
            total_steps: self.total_steps,
            data_fingerprint: self.data.fingerprint(),
        };
        self.emit(Event::Started(Box::new(started)))?;
        self.set_norms()?;
        self.measure()
    }

    /// One pass over some training images sets the running statistics, or the first probe would see a network whose
    /// activations are not normalised. Training itself uses the batch's own statistics and is not affected.
    fn set_norms(&mut self) -> Result<(), TrainError> {
        let mut indices = self.data.train.clone();
        Random::new(self.config.data_seed, "norms", 0, 0).shuffle(&mut indices);
        indices.truncate(NORM_IMAGES);
        let weights = self.net.weights();
        let mut updates = Vec::new();
        for batch in indices.chunks(self.config.batch) {
            let out = self
                .net
                .forward(&weights, &self.images(batch)?, Mode::Train)?;
            updates.push(out.norms);
        }
        self.net.set_norms(&updates);
        Ok(())
    }

    fn train(&mut self) -> Result<(), TrainError> {
        let mut loader = Loader::start(
            self.data.clone(),
            &self.normalise,
            self.config,
            self.progress.step,
        );
        while self.progress.step < self.total_steps {
            if !self.control.wait() {
                self.save("last")?;
                let step = self.progress.step;
                return self.emit(Event::Stopped(End {
                    step,
                    message: "stopped by the user".to_owned(),
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

    fn step(&mut self, batch: Batch) -> Result<(), TrainError> {
        let step = self.progress.step + 1;
        let size = batch.labels.len();
        let [h, w, c] = self.net.spec().image;
        let images = Tensor::from_vec(batch.images, (size, h, w, c), &self.device)?;
        let mut out = self
            .net
            .forward(&self.net.weights(), &images, Mode::Train)?;
        let norms = std::mem::take(&mut out.norms);
        let epoch = self.progress.epoch;
        let criterion = criterion::criterion(self.config, &self.train_counts, epoch);
        let loss = out.loss(&batch.labels, &criterion)?;
        let value = loss.value;
        let lr = learning_rate(
            self.config.lr,
            self.config.warmup,
            step - 1,
            self.total_steps,
        );
        if !value.is_finite() {
            return Err(TrainError::Diverged { step, lr });
        }
        let grads = loss.backward()?;
        let params = self.sgd.step(self.net.params().values(), &grads, lr)?;
        self.net.params_mut().set(params)?;
        self.net.update_norms(&norms);
        self.progress.step = step;
        self.progress.epoch = step / self.steps_per_epoch;
        self.progress.step_in_epoch = step % self.steps_per_epoch;
        self.progress.images += size as u64;
        self.progress.last_lr = lr;
        self.progress.wall_secs = self.base_secs + self.clock.elapsed().as_secs_f64();
        let every = (self.steps_per_epoch / LOGGED_PER_EPOCH).max(1);
        if step.is_multiple_of(every) || step == self.total_steps {
            let event = Step {
                step,
                epoch: self.epoch(),
                images: self.progress.images,
                wall_secs: self.progress.wall_secs,
                loss: Some(value),
                lr,
                grad_norms: self.layer_norms(&grads)?,
            };
            self.emit(Event::Step(event))?;
        }
        Ok(())
    }

    /// Norm of the gradient by Gram row.
    fn layer_norms(&self, grads: &[Tensor]) -> Result<Vec<Option<f64>>, TrainError> {
        // All of them are read at once: every reading makes a device wait.
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

    /// Evaluates and probes where the current step is due for it, and writes a checkpoint after an evaluation.
    fn measure(&mut self) -> Result<(), TrainError> {
        let step = self.progress.step;
        let ends = step == 0 || step == self.total_steps;
        let eval_every = self
            .config
            .eval_every
            .unwrap_or((self.steps_per_epoch / 4).max(1));
        let probe_every = self
            .config
            .probe_every
            .unwrap_or((self.steps_per_epoch / 2).max(1));
        let evaluate = ends || step.is_multiple_of(eval_every);
        let mut best = false;
        if evaluate && !self.data.val.is_empty() {
            let eval = self.evaluate(Split::Val, false)?;
            best = eval.macro_f1 > self.progress.best_macro_f1;
            if best {
                self.progress.best_step = Some(step);
                self.progress.best_macro_f1 = eval.macro_f1;
            }
        }
        if ends || step.is_multiple_of(probe_every) {
            self.probe()?;
        }
        if best {
            self.save("best")?;
        }
        if evaluate {
            self.save("last")?;
        }
        Ok(())
    }

    /// The last step's and the best step's test results and probes.
    fn finish(&mut self) -> Result<(), TrainError> {
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

    fn measure_best(&mut self) -> Result<(), TrainError> {
        let path = log::checkpoint_path(self.dir, "best");
        let (last, lr) = (self.progress.clone(), self.sgd.state().1);
        let last_params = self.net.params().values().to_vec();
        let (last_norms, last_buffers) = (self.net.norms().to_vec(), self.sgd.state().0.to_vec());
        self.progress = checkpoint::load(&path, &mut self.net, &mut self.sgd, &self.device)?;
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
        self.sgd.restore(last_buffers, lr);
        self.progress = last;
        Ok(())
    }

    /// Evaluates one split and writes its predictions, with logits where `logits` is set.
    fn evaluate(&mut self, split: Split, logits: bool) -> Result<Eval, TrainError> {
        let indices = match split {
            Split::Train => self.data.train.clone(),
            Split::Val => self.data.val.clone(),
            Split::Test => self.data.test.clone(),
        };
        let classes = self.data.classes.len();
        let weights = self.net.weights();
        let adjustment = criterion::post_hoc(self.config, &self.train_counts);
        let mut predictions = Predictions::default();
        // On a device with memory of its own, what trains can also be evaluated.
        let at_once = match self.device {
            Device::Cpu => EVAL_BATCH,
            _ => EVAL_BATCH.min(self.config.batch),
        };
        for chunk in indices.chunks(at_once) {
            let out = self
                .net
                .forward(&weights, &self.images(chunk)?, Mode::Eval)?;
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

    fn probe(&mut self) -> Result<(), TrainError> {
        let counts = piece_lengths(&self.pieces);
        let update = self.sgd.last_update()?;
        let tensors = probe::probe(
            &self.net,
            &counts,
            |piece| self.images(&self.pieces[piece]),
            update.as_deref(),
        )
        .map_err(|error| {
            let pieces = self.pieces.len() / self.data.classes.len();
            let largest = counts.iter().copied().max().unwrap_or(0);
            self.explained(error.into(), Work::Probe { pieces }, largest)
        })?;
        let file = log::probe_file(self.progress.step);
        tensors.save(&self.dir.join(&file))?;
        let shares = self.run.shares(self.progress.step);
        let summary = |scope: &Scope| -> ConflictSummary {
            let gram = tensors.gram_of(&self.run.gram_rows(scope));
            gram.map(|gram| gram.summary(&shares)).unwrap_or_default()
        };
        let rows = 0..tensors.layers();
        let layers = rows
            .filter_map(|row| Some(tensors.gram_of(&[row])?.summary(&shares)))
            .collect();
        let event = Probe {
            step: self.progress.step,
            epoch: self.epoch(),
            file,
            layers,
            backbone: summary(&Scope::Backbone),
            classifier: summary(&Scope::Layer(crate::run::CLASSIFIER.to_owned())),
        };
        self.emit(Event::Probe(event))
    }

    /// Images as the network sees them, not augmented: [n, H, W, C].
    fn images(&self, indices: &[u32]) -> candle_core::Result<Tensor> {
        let [h, w, c] = self.net.spec().image;
        let values = eval_batch(&self.data, indices, &self.normalise);
        Tensor::from_vec(values, (indices.len(), h, w, c), &self.device)
    }

    fn epoch(&self) -> f64 {
        self.progress.step as f64 / self.steps_per_epoch as f64
    }

    /// Writes a checkpoint; the log goes to disk first, so that no checkpoint is ahead of it.
    fn save(&self, which: &str) -> Result<(), TrainError> {
        self.writer.sync()?;
        checkpoint::save(
            &log::checkpoint_path(self.dir, which),
            &self.net,
            &self.sgd,
            &self.progress,
        )
    }

    fn emit(&mut self, event: Event) -> Result<(), TrainError> {
        self.writer.write(&event)?;
        self.run.apply(&event);
        (self.watcher)(Message::Event(event));
        Ok(())
    }

    /// Records why a run failed; what it recorded before stays.
    fn close(mut self, result: Result<(), TrainError>) -> Result<(), TrainError> {
        let Err(error) = result else {
            return self.writer.sync().map_err(Into::into);
        };
        let error = self.explained(error, Work::Step, self.config.batch);
        let end = End {
            step: self.progress.step,
            message: error.to_string(),
        };
        // The log may be what failed (a full disk): the first error is the one to report.
        let _ = self.emit(Event::Failed(end));
        Err(error)
    }

    fn explained(&self, error: TrainError, work: Work, images: usize) -> TrainError {
        memory::explain(error, &self.device, self.net.spec(), work, images)
    }

    fn write_data_file(&self) -> Result<(), TrainError> {
        let data = &self.data;
        let probe: Vec<u32> = self.pieces.concat();
        let mut metadata = HashMap::from([("fingerprint".to_owned(), data.fingerprint())]);
        if let Some(files) = &data.files {
            let path = log::data_path(self.dir);
            metadata.insert(
                "files".to_owned(),
                serde_json::to_string(files).map_err(|e| RunError::damaged(&path, e))?,
            );
        }
        let splits = [
            ("train", &data.train),
            ("val", &data.val),
            ("test", &data.test),
            ("probe", &probe),
        ];
        Ok(log::write_data(
            &log::data_path(self.dir),
            &data.labels,
            &splits,
            metadata,
        )?)
    }
}

/// Gates may decay otherwise than the rest: batch norm behind them makes up for any scale they lose.
fn optimiser(config: &RunConfig, net: &Net) -> Sgd {
    let sgd = Sgd::new(config.momentum, config.weight_decay);
    let Some(gate_decay) = config.gate_decay else {
        return sgd;
    };
    let decay = |param: &ParamSpec| {
        if param.name.contains(".gate.") {
            gate_decay
        } else {
            config.weight_decay
        }
    };
    sgd.with_decays(net.params().specs().iter().map(decay).collect())
}

fn piece_lengths(pieces: &[Vec<u32>]) -> Vec<usize> {
    pieces.iter().map(Vec::len).collect()
}
