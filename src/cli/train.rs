//! `train` and `resume`.

use std::path::{Path, PathBuf};

use clap::Args;

use super::config_arguments::ConfigArguments;
use super::output::say;
use super::report::Report;
use crate::run::log;
use crate::train::Control;

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
        report.take(&message);
    })?)
}

/// A control that Ctrl+C stops at the next step, after which a checkpoint is written. Where the handler cannot be set,
/// Ctrl+C ends the program at once, and the steps since the last checkpoint are lost.
pub(super) fn stop_on_interrupt() -> Control {
    let control = Control::default();
    let handle = control.clone();
    let _ = ctrlc::set_handler(move || handle.stop());
    control
}
