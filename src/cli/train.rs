//! `train` and `resume`.

use std::path::{Path, PathBuf};

use clap::Args;

use super::config_arguments::ConfigArguments;
use super::output::{Signalled, say};
use super::report::Report;
use crate::data::DataError;
use crate::run::log;
use crate::signals::{self, Received};
use crate::train::{Control, Message, TrainError};

/// Arguments of `train`.
#[derive(Debug, Args)]
pub struct TrainArguments {
    #[command(flatten)]
    config: ConfigArguments<false>,
    /// Directory of the run; by default a new one under `runs`.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(super) fn train(arguments: &TrainArguments) -> anyhow::Result<()> {
    let config = arguments.config.read()?;
    let out = arguments
        .out
        .clone()
        .unwrap_or_else(|| log::new_run_dir(Path::new("runs"), &config, &[]));
    say(format!("writing the run to {}", out.display()));
    for warning in config.warnings() {
        say(format!("note: {warning}"));
    }
    let (control, received) = stop_on_signals();
    watched(Report::new(config.epochs, &out), &received, |emit| {
        crate::train::run(&out, &config, &control, emit)
    })
}

pub(super) fn resume(run: &Path) -> anyhow::Result<()> {
    let epochs = log::load(run)?
        .run
        .started
        .map_or(0, |started| started.config.epochs);
    let (control, received) = stop_on_signals();
    watched(Report::new(epochs, run), &received, |emit| {
        crate::train::resume(run, &control, emit)
    })
}

/// Trains, and reports on it. Where a signal stopped it before its end, that is the result.
pub(super) fn watched(
    mut report: Report,
    received: &Received,
    train: impl FnOnce(&mut (dyn FnMut(Message) + Send)) -> Result<(), TrainError>,
) -> anyhow::Result<()> {
    let mut emit = |message: Message| report.take(&message);
    let result = train(&mut emit);
    match (result, received.first()) {
        (Ok(()), Some(signal)) if !report.has_finished() => Err(Signalled(signal).into()),
        (Err(error), Some(signal)) if was_cancelled(&error) => {
            say("stopped before the first step; nothing was recorded");
            Err(Signalled(signal).into())
        }
        (result, _) => Ok(result?),
    }
}

/// Whether an error says that reading the images was stopped.
pub(super) fn was_cancelled(error: &TrainError) -> bool {
    matches!(error, TrainError::Data(DataError::Cancelled))
}

/// A control that signals such as that of Ctrl+C stop at the next step, after which a checkpoint is written.
pub(super) fn stop_on_signals() -> (Control, Received) {
    let control = Control::default();
    let handle = control.clone();
    let received = signals::watch(move |signal| handle.stop_for(signal.reason()));
    (control, received)
}
