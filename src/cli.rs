//! The commands that need no window: `train`, `resume`, `summary`, `findings`, `export`, `data`.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};

use crate::config::{Attention, DataSource, DeviceKind, Profile, RunConfig, Size, Width};
use crate::data;
use crate::figure::{self, export};
use crate::findings;
use crate::run::event::{Event, Split};
use crate::run::log::{self, Loaded};
use crate::run::probe_file::ProbeTensors;
use crate::run::{Ending, Run, Scope};
use crate::train::{self, Control, Message};

/// See how the classes of an imbalanced data set pull a network's weights against each other.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
pub struct Arguments {
    /// Run directories to open in the window; the recorded sample runs where none is named.
    pub runs: Vec<PathBuf>,
    /// Print frame times and input latency when the window is closed.
    #[arg(long, hide = true)]
    pub frame_times: bool,
    /// What to do without a window.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// A command without a window.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train one network and record the run.
    Train(Box<TrainArguments>),
    /// Go on with a run that was stopped or killed.
    Resume {
        /// The run directory.
        run: PathBuf,
    },
    /// Print what runs reached.
    Summary {
        /// Run directories.
        #[arg(required = true)]
        runs: Vec<PathBuf>,
        /// As JSON, one object for each run.
        #[arg(long)]
        json: bool,
    },
    /// Print what stands out in a run beyond noise, the most pressing first.
    Findings(FindingsArguments),
    /// Write a figure of a run as PNG.
    Export(ExportArguments),
    /// Show what a data source holds.
    Data(DataArguments),
}

/// Fields of [`RunConfig`] that say where images come from. What is not given comes from `--config` or the default.
#[derive(Debug, Default, Args)]
pub struct SourceArguments {
    /// A configuration in TOML; the other options override its fields.
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
    /// Attention gate: none, branch (CSBA) or shared.
    #[arg(long)]
    attention: Option<Attention>,
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

/// Arguments of `findings`.
#[derive(Debug, Args)]
pub struct FindingsArguments {
    /// The run directory.
    run: PathBuf,
    /// A second run: findings of both, and what attention changes where they differ in nothing else.
    #[arg(long, value_name = "RUN")]
    against: Option<PathBuf>,
    /// As JSON, one object for each finding.
    #[arg(long)]
    json: bool,
}

/// Arguments of `export`.
#[derive(Debug, Args)]
pub struct ExportArguments {
    /// The run directory.
    run: PathBuf,
    /// Which figure.
    #[arg(long, value_name = "NAME", value_parser = parse_figure)]
    figure: figure::Kind,
    /// Layer, block (such as `branch2`), `backbone` or `network`.
    #[arg(long, default_value = "backbone")]
    layer: String,
    /// Step to look at; the last one by default.
    #[arg(long)]
    step: Option<u64>,
    /// Two classes, by name or number, for `pair-cosine`.
    #[arg(long, num_args = 2, value_names = ["A", "B"])]
    pair: Option<Vec<String>>,
    /// Size in points, as WIDTHxHEIGHT.
    #[arg(long, default_value = "800x600")]
    size: Size,
    /// Pixels per point.
    #[arg(long, default_value_t = 2.0)]
    scale: f32,
    /// Light on dark.
    #[arg(long)]
    dark: bool,
    /// The file to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Arguments of `data`.
#[derive(Debug, Args)]
pub struct DataArguments {
    #[command(flatten)]
    source: SourceArguments,
    /// Write a sheet of sample images, one row a class in the order printed.
    #[arg(long, value_name = "FILE")]
    sheet: Option<PathBuf>,
}

/// Runs a command; the exit code is 0, 1 for a failure, 2 for wrong usage.
pub fn run(command: Command) -> ExitCode {
    let result = match command {
        Command::Train(arguments) => train(&arguments),
        Command::Resume { run } => resume(&run),
        Command::Summary { runs, json } => summary(&runs, json),
        Command::Findings(arguments) => print_findings(&arguments),
        Command::Export(arguments) => export_figure(&arguments),
        Command::Data(arguments) => show_data(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let usage = error.downcast_ref::<Usage>().is_some();
            let code = fail(&format!("{error:#}"));
            if usage { ExitCode::from(2) } else { code }
        }
    }
}

/// Says on stderr, in one sentence, what went wrong.
pub fn fail(error: &dyn Display) -> ExitCode {
    #[expect(
        clippy::print_stderr,
        reason = "the one place where a command reports its failure"
    )]
    {
        eprintln!("crosscurrent: {error}");
    }
    ExitCode::FAILURE
}

/// A value that cannot work: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Usage(String);

fn parse_figure(name: &str) -> Result<figure::Kind, String> {
    figure::Kind::ALL
        .iter()
        .copied()
        .find(|kind| kind.name() == name)
        .ok_or_else(|| {
            let names: Vec<_> = figure::Kind::ALL.iter().map(|kind| kind.name()).collect();
            format!("no such figure; there are {}", names.join(", "))
        })
}

impl SourceArguments {
    fn config(&self) -> anyhow::Result<RunConfig> {
        let mut config = match &self.config {
            None => RunConfig::default(),
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .with_context(|| format!("cannot read the configuration {}", path.display()))?;
                let parsed = toml::from_str(&text).map_err(|error| one_line(&error));
                parsed.map_err(|error| {
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
        set(&mut config.width, self.width);
        set(&mut config.epochs, self.epochs);
        set(&mut config.batch, self.batch);
        set(&mut config.lr, self.lr);
        set(&mut config.momentum, self.momentum);
        set(&mut config.weight_decay, self.weight_decay);
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

fn checked(config: RunConfig) -> anyhow::Result<RunConfig> {
    match config.validate().into_iter().next() {
        Some(error) => Err(Usage(error.to_string()).into()),
        None => Ok(config),
    }
}

/// A TOML error spans lines to point at the place; one sentence will do.
fn one_line(error: &toml::de::Error) -> String {
    error.message().replace('\n', " ")
}

fn train(arguments: &TrainArguments) -> anyhow::Result<()> {
    let config = arguments.config()?;
    let out = arguments
        .out
        .clone()
        .unwrap_or_else(|| log::new_run_dir(Path::new("runs"), &config));
    say(format!("writing the run to {}", out.display()));
    let control = stop_on_interrupt();
    let mut report = Report::new(config.epochs, &out);
    Ok(train::run(&out, &config, &control, &mut |message| {
        report.take(&message)
    })?)
}

fn resume(run: &Path) -> anyhow::Result<()> {
    let epochs = log::load(run)?
        .run
        .started
        .map_or(0, |started| started.config.epochs);
    let control = stop_on_interrupt();
    let mut report = Report::new(epochs, run);
    Ok(train::resume(run, &control, &mut |message| {
        report.take(&message)
    })?)
}

/// Ctrl+C stops at the next step, with a checkpoint. Where the handler cannot be set, it just ends the program, which
/// costs the steps since the last checkpoint.
fn stop_on_interrupt() -> Control {
    let control = Control::default();
    let handle = control.clone();
    let _ = ctrlc::set_handler(move || handle.stop());
    control
}

/// Prints to stdout.
fn say(line: impl Display) {
    println!("{line}");
}

/// Progress of a run: a bar on a terminal, a line for each evaluation in a log.
struct Report {
    bar: ProgressBar,
    epochs: u32,
    run: PathBuf,
    loading: bool,
    last: String,
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
        }
    }

    fn take(&mut self, message: &Message) {
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

fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"))
}

/// What a run reached: one row of `summary`.
#[derive(Debug, serde::Serialize)]
struct Row {
    run: String,
    state: &'static str,
    data: String,
    attention: Attention,
    width: Width,
    seed: u64,
    step: u64,
    total_steps: u64,
    /// Test macro-F1 at the last step, as recorded.
    test_macro_f1: Option<f64>,
    test_accuracy: Option<f64>,
    test_balanced_accuracy: Option<f64>,
    /// Test macro-F1 at the step of the best validation macro-F1.
    best_test_macro_f1: Option<f64>,
    best_val_macro_f1: Option<f64>,
    rarest_class: String,
    rarest_test_f1: Option<f64>,
    backbone_interference: Option<f64>,
    backbone_floor: Option<f64>,
    classifier_interference: Option<f64>,
    notes: Vec<String>,
}

impl Row {
    fn new(path: &Path, loaded: &Loaded) -> anyhow::Result<Self> {
        let run = &loaded.run;
        let started = run
            .started
            .as_ref()
            .with_context(|| format!("no header: {}", path.display()))?;
        let test_at = |step: u64| run.evals_of(Split::Test).find(|eval| eval.step == step);
        let last = run.evals_of(Split::Test).next_back();
        let best = run.best();
        let rarest = started
            .train_counts
            .iter()
            .enumerate()
            .min_by_key(|(_, n)| **n)
            .map_or(0, |(k, _)| k);
        let probe = run.probes.last();
        Ok(Self {
            run: path.file_name().map_or_else(
                || path.display().to_string(),
                |name| name.to_string_lossy().into_owned(),
            ),
            state: state(run, loaded.running),
            data: started.config.data.to_string(),
            attention: started.config.attention,
            width: started.config.width,
            seed: started.config.seed,
            step: run.last_step(),
            total_steps: started.total_steps,
            test_macro_f1: last.and_then(|eval| eval.macro_f1),
            test_accuracy: last.and_then(|eval| eval.accuracy),
            test_balanced_accuracy: last.and_then(|eval| eval.balanced_accuracy),
            best_test_macro_f1: best
                .and_then(|best| test_at(best.step))
                .and_then(|eval| eval.macro_f1),
            best_val_macro_f1: best.and_then(|best| best.macro_f1),
            rarest_class: started.classes.get(rarest).cloned().unwrap_or_default(),
            rarest_test_f1: last.and_then(|eval| eval.f1.get(rarest).copied().flatten()),
            backbone_interference: probe.and_then(|probe| probe.backbone.interference),
            backbone_floor: probe.and_then(|probe| probe.backbone.floor),
            classifier_interference: probe.and_then(|probe| probe.classifier.interference),
            notes: loaded.notes.clone(),
        })
    }
}

/// The state of a run in one word.
fn state(run: &Run, running: bool) -> &'static str {
    match &run.ending {
        _ if running => "running",
        Some(Ending::Finished(_)) => "finished",
        Some(Ending::Stopped(_)) => "stopped",
        Some(Ending::Failed(_)) => "failed",
        None => "interrupted",
    }
}

fn summary(runs: &[PathBuf], json: bool) -> anyhow::Result<()> {
    let rows = runs
        .iter()
        .map(|run| Row::new(run, &log::load(run)?))
        .collect::<anyhow::Result<Vec<_>>>()?;
    if json {
        say(serde_json::to_string_pretty(&rows)?);
        return Ok(());
    }
    let mut table = vec![
        [
            "run",
            "attention",
            "width",
            "seed",
            "state",
            "step",
            "macro-F1 test",
            "at best val",
            "best val",
            "accuracy",
            "balanced",
            "rarest class F1",
            "interference (floor)",
            "classifier",
        ]
        .map(str::to_owned),
    ];
    for row in &rows {
        table.push([
            row.run.clone(),
            row.attention.to_string(),
            row.width.to_string(),
            row.seed.to_string(),
            row.state.to_owned(),
            format!("{}/{}", row.step, row.total_steps),
            number(row.test_macro_f1),
            number(row.best_test_macro_f1),
            number(row.best_val_macro_f1),
            number(row.test_accuracy),
            number(row.test_balanced_accuracy),
            format!("{} {}", row.rarest_class, number(row.rarest_test_f1)),
            format!(
                "{} ({})",
                number(row.backbone_interference),
                number(row.backbone_floor)
            ),
            number(row.classifier_interference),
        ]);
    }
    print_table(&table);
    for row in &rows {
        row.notes
            .iter()
            .for_each(|note| say(format!("{}: {note}", row.run)));
    }
    Ok(())
}

fn print_findings(arguments: &FindingsArguments) -> anyhow::Result<()> {
    let dirs: Vec<&PathBuf> = [&arguments.run]
        .into_iter()
        .chain(&arguments.against)
        .collect();
    let mut runs = Vec::new();
    for dir in &dirs {
        let run = log::load(dir)?.run;
        let classes = run.started.as_ref().map_or(0, |x| x.classes.len());
        let mut probes = BTreeMap::new();
        for probe in run.probes.iter().rev().take(findings::HISTORY) {
            let tensors = ProbeTensors::load(&dir.join(&probe.file), classes)?;
            probes.insert(probe.step, Arc::new(tensors));
        }
        runs.push((run, probes));
    }
    let subjects: Vec<_> = runs
        .iter()
        .map(|(run, probes)| findings::Subject { run, probes })
        .collect();
    let found = findings::find(&subjects);
    if arguments.json {
        say(serde_json::to_string_pretty(&found)?);
        return Ok(());
    }
    if found.is_empty() {
        say("Nothing stands out beyond noise so far.");
    }
    for finding in &found {
        let run = match dirs.get(finding.evidence.run) {
            Some(dir) if dirs.len() > 1 => format!("{}: ", dir.display()),
            _ => String::new(),
        };
        say(format!(
            "{run}{}.\n    {}",
            finding.sentence, finding.detail
        ));
    }
    Ok(())
}

fn print_table<const N: usize>(rows: &[[String; N]]) {
    let widths: [usize; N] = std::array::from_fn(|column| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    });
    for row in rows {
        let cells: Vec<_> = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        say(cells.join("  ").trim_end());
    }
}

fn export_figure(arguments: &ExportArguments) -> anyhow::Result<()> {
    let loaded = log::load(&arguments.run)?;
    let started = loaded
        .run
        .started
        .as_ref()
        .context("the run has no header")?;
    let scope = Scope::find(&arguments.layer, started).ok_or_else(|| {
        let names: Vec<_> = started
            .layers
            .iter()
            .filter(|layer| layer.gram.is_some())
            .map(|layer| layer.name.as_str())
            .collect();
        Usage(format!(
            "`{}` is no layer of this run; there are {}, and the blocks, backbone, network",
            arguments.layer,
            names.join(", ")
        ))
    })?;
    let class = |name: &String| {
        let found = started.classes.iter().position(|class| class == name);
        found
            .or_else(|| name.parse().ok().filter(|&k| k < started.classes.len()))
            .ok_or_else(|| {
                Usage(format!(
                    "`{name}` is no class of this run; there are {}",
                    started.classes.join(", ")
                ))
            })
    };
    let pair = match arguments.pair.as_deref() {
        Some([a, b]) => Some((class(a)?, class(b)?)),
        _ => None,
    };
    let view = figure::View {
        scope,
        step: arguments.step,
        pair,
        ..figure::View::default()
    };
    let probes = load_probes(&arguments.run, &loaded.run, arguments.figure, &view)?;
    let name = arguments
        .run
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let subject = figure::Subject {
        name: &name,
        run: &loaded.run,
        probes: &probes,
    };
    let options = export::Options {
        size: [arguments.size.width as f32, arguments.size.height as f32],
        scale: arguments.scale,
        dark: arguments.dark,
    };
    options.validate()?;
    let image = figure::figure_png(arguments.figure, subject, &view, &options);
    export::write_png(&arguments.out, &image)?;
    say(format!("wrote {}", arguments.out.display()));
    Ok(())
}

/// The probe tensors that a figure needs: every one for a curve, the one at the cursor for a matrix.
fn load_probes(
    dir: &Path,
    run: &Run,
    kind: figure::Kind,
    view: &figure::View,
) -> anyhow::Result<BTreeMap<u64, Arc<ProbeTensors>>> {
    let classes = run
        .started
        .as_ref()
        .map_or(0, |started| started.classes.len());
    let at_cursor = run.probe_at(view.step.unwrap_or(u64::MAX));
    let wanted = |index: usize| match kind {
        figure::Kind::PairCosine => view.pair.is_some(),
        figure::Kind::ConflictMatrix => Some(index) == at_cursor,
        _ => false,
    };
    let mut probes = BTreeMap::new();
    for (_, probe) in run
        .probes
        .iter()
        .enumerate()
        .filter(|(index, _)| wanted(*index))
    {
        probes.insert(
            probe.step,
            Arc::new(ProbeTensors::load(&dir.join(&probe.file), classes)?),
        );
    }
    Ok(probes)
}

fn show_data(arguments: &DataArguments) -> anyhow::Result<()> {
    let config = checked(arguments.source.config()?)?;
    let loaded = data::load(&config, &|_, _| true)?;
    let data = &loaded.dataset;
    loaded
        .notes
        .iter()
        .for_each(|note| say(format!("note: {note}")));
    say(format!(
        "{} images, {} wide × {} high, {}; fingerprint {}",
        data.labels.len(),
        data.width,
        data.height,
        if data.channels == 1 { "grey" } else { "RGB" },
        data.fingerprint()
    ));
    let mut table = vec![["class", "train", "validation", "test"].map(str::to_owned)];
    let (train, val, test) = (
        data.counts(&data.train),
        data.counts(&data.val),
        data.counts(&data.test),
    );
    for (k, class) in data.classes.iter().enumerate() {
        table.push([
            class.clone(),
            train[k].to_string(),
            val[k].to_string(),
            test[k].to_string(),
        ]);
    }
    let sum = |counts: &[usize]| counts.iter().sum::<usize>().to_string();
    table.push(["all".to_owned(), sum(&train), sum(&val), sum(&test)]);
    print_table(&table);
    if let Some(path) = &arguments.sheet {
        export::write_png(path, &data::sheet(data, 12))?;
        say(format!("wrote {}", path.display()));
    }
    Ok(())
}
