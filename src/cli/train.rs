//! `train` and `resume`, with their progress on the terminal.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::{Usage, number, say};
use crate::config::{
    Attention, ClassWeights, DataSource, DeviceKind, Loss, Profile, RunConfig, Sampler, Size, Width,
};
use crate::run::event::{Event, Split};
use crate::run::log;
use crate::sweep::one_line;
use crate::train::{Control, Message};

/// Fields of [`RunConfig`] that say where images come from. What is not given comes from `--config` or the default.
#[derive(Debug, Default, Args)]
pub struct SourceArguments {
    /// A configuration in TOML, or the `run.toml` of a run; the other options override its fields.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// `solar` (built in) or `folder:PATH` (root/class/… or root/{train,val,test}/class/…).
    #[arg(long, value_name = "SPEC")]
    data: Option<DataSource>,
    /// Resize images to WIDTHxHEIGHT.
    #[arg(long, value_name = "WxH")]
    size: Option<Size>,
    /// 1 (grey) or 3 (RGB).
    #[arg(long)]
    channels: Option<usize>,
    /// List and skip files that cannot be decoded.
    #[arg(long)]
    skip_unreadable: bool,
    /// Cut the training images to this imbalance factor n_max/n_min.
    #[arg(long)]
    imbalance: Option<f64>,
    /// Long-tail profile: exp or step.
    #[arg(long)]
    profile: Option<Profile>,
    /// Validation images per class; 0 for none.
    #[arg(long)]
    val: Option<usize>,
    /// Seed of subset, split and probe.
    #[arg(long)]
    data_seed: Option<u64>,
}

/// Arguments of `train`.
#[derive(Debug, Args)]
pub struct TrainArguments {
    #[command(flatten)]
    source: SourceArguments,
    /// Attention gate: none, branch (CSBA), shared, constant (a learned constant for each channel), or wide (none, and
    /// as many parameters as branch).
    #[arg(long)]
    attention: Option<Attention>,
    #[command(flatten)]
    balance: BalanceArguments,
    /// Scale of the channel counts: 1, 1/2 or 1/4.
    #[arg(long)]
    width: Option<Width>,
    /// Passes over the training images.
    #[arg(long)]
    epochs: Option<u32>,
    /// Images per step.
    #[arg(long)]
    batch: Option<usize>,
    /// Peak learning rate.
    #[arg(long)]
    lr: Option<f64>,
    /// SGD momentum.
    #[arg(long)]
    momentum: Option<f64>,
    /// Weight decay.
    #[arg(long)]
    weight_decay: Option<f64>,
    /// Weight decay of the attention gates; by default that of all parameters.
    #[arg(long)]
    gate_decay: Option<f64>,
    /// Share of all steps that warm up.
    #[arg(long)]
    warmup: Option<f64>,
    /// Seed of initialisation, order and augmentation.
    #[arg(long)]
    seed: Option<u64>,
    /// Steps between evaluations.
    #[arg(long)]
    eval_every: Option<u64>,
    /// Steps between gradient probes.
    #[arg(long)]
    probe_every: Option<u64>,
    /// Probe images per class.
    #[arg(long)]
    probe_images: Option<usize>,
    /// cpu, cuda or metal.
    #[arg(long)]
    device: Option<DeviceKind>,
    /// Faster matrix products on a CUDA device, with inputs rounded to 10 bits of mantissa (TF32); other devices always
    /// compute in full f32.
    #[arg(long)]
    tf32: bool,
    /// Threads for tensor work.
    #[arg(long)]
    threads: Option<usize>,
    /// Directory of the run; by default a new one under `runs`.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// What makes rare classes count more.
#[derive(Debug, Default, Args)]
struct BalanceArguments {
    /// Loss: ce, focal, ldam, balanced-softmax or logit-adjusted.
    #[arg(long)]
    loss: Option<Loss>,
    /// γ of the focal loss.
    #[arg(long)]
    gamma: Option<f64>,
    /// τ of the logit-adjusted loss.
    #[arg(long)]
    tau: Option<f64>,
    /// Class weights in the loss: none, inverse (1/n) or effective (effective number of images).
    #[arg(long)]
    class_weights: Option<ClassWeights>,
    /// β of the effective number of images.
    #[arg(long)]
    beta: Option<f64>,
    /// Share of the epochs after which class weights apply (deferred re-weighting).
    #[arg(long, value_name = "SHARE")]
    weights_from: Option<f64>,
    /// Which images an epoch sees: instance, square-root, balanced or progressive.
    #[arg(long)]
    sampler: Option<Sampler>,
    /// τ of post-hoc logit adjustment.
    #[arg(long, value_name = "TAU")]
    post_hoc: Option<f64>,
}

impl BalanceArguments {
    fn apply(&self, config: &mut RunConfig) {
        set(&mut config.loss, self.loss);
        set(&mut config.class_weights, self.class_weights);
        set(&mut config.sampler, self.sampler);
        config.gamma = self.gamma.or(config.gamma);
        config.tau = self.tau.or(config.tau);
        config.beta = self.beta.or(config.beta);
        config.weights_from = self.weights_from.or(config.weights_from);
        config.post_hoc = self.post_hoc.or(config.post_hoc);
    }
}

/// The configuration in a file of its own or in a run's `run.toml`.
fn parse_config(text: &str) -> Result<RunConfig, toml::de::Error> {
    #[derive(serde::Deserialize)]
    struct Recorded {
        config: RunConfig,
    }
    let table: toml::Table = toml::from_str(text)?;
    if table.contains_key("config") {
        return toml::from_str::<Recorded>(text).map(|recorded| recorded.config);
    }
    toml::from_str(text)
}

impl SourceArguments {
    pub(super) fn config(&self) -> anyhow::Result<RunConfig> {
        let mut config = match &self.config {
            None => RunConfig::default(),
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .with_context(|| format!("cannot read the configuration {}", path.display()))?;
                parse_config(&text).map_err(|error| {
                    let error = one_line(&error);
                    Usage(format!("{error}, in the configuration {}", path.display()))
                })?
            }
        };
        set(&mut config.data, self.data.clone());
        set(&mut config.imbalance, self.imbalance);
        set(&mut config.profile, self.profile);
        set(&mut config.data_seed, self.data_seed);
        config.size = self.size.or(config.size);
        config.channels = self.channels.or(config.channels);
        config.val = self.val.or(config.val);
        config.skip_unreadable |= self.skip_unreadable;
        Ok(config)
    }
}

impl TrainArguments {
    fn config(&self) -> anyhow::Result<RunConfig> {
        let mut config = self.source.config()?;
        set(&mut config.attention, self.attention);
        self.balance.apply(&mut config);
        set(&mut config.width, self.width);
        set(&mut config.epochs, self.epochs);
        set(&mut config.batch, self.batch);
        set(&mut config.lr, self.lr);
        set(&mut config.momentum, self.momentum);
        set(&mut config.weight_decay, self.weight_decay);
        config.gate_decay = self.gate_decay.or(config.gate_decay);
        set(&mut config.warmup, self.warmup);
        set(&mut config.seed, self.seed);
        set(&mut config.probe_images, self.probe_images);
        set(&mut config.device, self.device);
        config.tf32 |= self.tf32;
        config.eval_every = self.eval_every.or(config.eval_every);
        config.probe_every = self.probe_every.or(config.probe_every);
        config.threads = self.threads.or(config.threads);
        checked(config)
    }
}

fn set<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
}

pub(super) fn checked(config: RunConfig) -> anyhow::Result<RunConfig> {
    match config.validate().into_iter().next() {
        Some(error) => Err(Usage(error.to_string()).into()),
        None => Ok(config),
    }
}

pub(super) fn train(arguments: &TrainArguments) -> anyhow::Result<()> {
    let config = arguments.config()?;
    let out = arguments
        .out
        .clone()
        .unwrap_or_else(|| log::new_run_dir(Path::new("runs"), &config, &[]));
    say(format!("writing the run to {}", out.display()));
    for warning in config.warnings() {
        say(format!("note: {warning}"));
    }
    let control = stop_on_interrupt();
    let mut report = Report::new(config.epochs, &out);
    Ok(crate::train::run(
        &out,
        &config,
        &control,
        &mut |message| report.take(&message),
    )?)
}

pub(super) fn resume(run: &Path) -> anyhow::Result<()> {
    let epochs = log::load(run)?
        .run
        .started
        .map_or(0, |started| started.config.epochs);
    let control = stop_on_interrupt();
    let mut report = Report::new(epochs, run);
    Ok(crate::train::resume(run, &control, &mut |message| {
        report.take(&message)
    })?)
}

/// Ctrl+C stops at the next step, with a checkpoint. Where the handler cannot be set, it just ends the program, which
/// costs the steps since the last checkpoint.
pub(super) fn stop_on_interrupt() -> Control {
    let control = Control::default();
    let handle = control.clone();
    let _ = ctrlc::set_handler(move || handle.stop());
    control
}

/// Progress of a run: a bar on a terminal, a line for each evaluation in a log.
pub(super) struct Report {
    bar: ProgressBar,
    epochs: u32,
    run: PathBuf,
    loading: bool,
    last: String,
    /// Whether evaluations are told.
    in_full: bool,
}

impl Report {
    fn new(epochs: u32, run: &Path) -> Self {
        let bar = if std::io::stderr().is_terminal() {
            ProgressBar::new(0)
        } else {
            ProgressBar::hidden()
        };
        Self {
            bar,
            epochs,
            run: run.to_owned(),
            loading: true,
            last: String::new(),
            in_full: true,
        }
    }

    /// Without a line for every evaluation.
    pub(super) fn brief(epochs: u32, run: &Path) -> Self {
        Self {
            in_full: false,
            ..Self::new(epochs, run)
        }
    }

    pub(super) fn take(&mut self, message: &Message) {
        match message {
            Message::Loading { done, total } => {
                self.style("reading images {wide_bar} {pos}/{len}");
                self.bar.set_length(*total as u64);
                self.bar.set_position(*done as u64);
            }
            Message::Notice(notice) => self.line(format!("note: {notice}")),
            Message::Event(event) => self.event(event),
        }
    }

    fn style(&self, template: &str) {
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
    }

    fn event(&mut self, event: &Event) {
        if self.loading {
            self.loading = false;
            self.style("{msg} {wide_bar} step {pos}/{len} {eta}");
        }
        match event {
            Event::Eval(_) if !self.in_full => {}
            Event::Started(started) => {
                self.bar.set_length(started.total_steps);
                let count: usize = started.layers.iter().map(|layer| layer.params).sum();
                self.line(format!(
                    "{} training images in {} classes, {count} parameters, {}",
                    started.train_counts.iter().sum::<usize>(),
                    started.classes.len(),
                    started.instruction_set
                ));
            }
            Event::Step(step) => {
                self.bar.set_position(step.step);
                let rate = step.images as f64 / step.wall_secs.max(1e-9);
                self.last = format!(
                    "epoch {:.2}/{} loss {} {rate:.0} images/s",
                    step.epoch,
                    self.epochs,
                    number(step.loss)
                );
                self.bar.set_message(self.last.clone());
            }
            Event::Eval(eval) => {
                let split = match eval.split {
                    Split::Train => "train",
                    Split::Val => "validation",
                    Split::Test => "test",
                };
                self.line(format!(
                    "step {} epoch {:.2} {split}: macro-F1 {} accuracy {} loss {}  {}",
                    eval.step,
                    eval.epoch,
                    number(eval.macro_f1),
                    number(eval.accuracy),
                    number(eval.loss),
                    self.last
                ));
            }
            Event::Probe(_) => {}
            Event::Resumed { step } => {
                let total = log::load(&self.run)
                    .ok()
                    .and_then(|loaded| loaded.run.started);
                self.bar
                    .set_length(total.map_or(0, |started| started.total_steps));
                self.line(format!("resumed after step {step}"));
            }
            Event::Finished(end) | Event::Stopped(end) => {
                self.bar.finish_and_clear();
                let word = if matches!(event, Event::Finished(_)) {
                    "finished"
                } else {
                    "stopped"
                };
                say(format!("{word} after step {}", end.step));
            }
            Event::Failed(_) => self.bar.finish_and_clear(),
        }
    }

    fn line(&self, line: String) {
        if self.bar.is_hidden() {
            say(line)
        } else {
            self.bar.suspend(|| say(line))
        }
    }
}
