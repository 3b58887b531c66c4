//! `fork`: a new run from a checkpoint of another one, with other settings.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use super::config_arguments::ChangeArguments;
use super::output::say;
use super::report::Report;
use super::train::{stop_on_signals, watched};
use crate::run::event::Event;
use crate::run::log;
use crate::train::Message;

/// Arguments of `fork`.
#[derive(Debug, Args)]
pub struct ForkArguments {
    /// The run directory to go on from; it stays as it is.
    run: PathBuf,
    /// Go on from the latest checkpoint at or before this step; by default from the latest of all whose loss is not more
    /// than ten times that at the start. A run keeps two checkpoints, the last and the best one.
    #[arg(long, value_name = "STEP")]
    at: Option<u64>,
    /// Directory of the new run; by default a new one beside the other, named after it.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    changes: ChangeArguments,
}

impl ForkArguments {
    /// The run that is named.
    pub(super) fn run(&self) -> &Path {
        &self.run
    }
}

pub(super) fn fork(arguments: &ForkArguments) -> anyhow::Result<()> {
    let parent = &arguments.run;
    let started = log::load(parent)?.run.started;
    let started = started.with_context(|| format!("no header: {}", parent.display()))?;
    let config = arguments.changes.over(started.config)?;
    let out = arguments.out.clone();
    let out = out.unwrap_or_else(|| log::new_fork_dir(parent, &[]));
    say(format!("writing the run to {}", out.display()));
    for warning in config.warnings() {
        say(format!("note: {warning}"));
    }
    let (control, received) = stop_on_signals();
    let report = Report::new(config.epochs, &out);
    watched(report, &received, |emit| {
        let mut emit = after_history(emit);
        crate::train::fork(parent, &out, &config, arguments.at, &control, &mut emit)
    })
}

/// Passes messages on, except for the events of the other run, which lie between the new header and its resumption.
fn after_history(emit: &mut (dyn FnMut(Message) + Send)) -> impl FnMut(Message) + Send {
    let mut goes_on = false;
    move |message| {
        goes_on |= matches!(message, Message::Event(Event::Resumed { .. }));
        let is_new = matches!(message, Message::Event(Event::Started(_)))
            || !matches!(message, Message::Event(_));
        if goes_on || is_new {
            emit(message);
        }
    }
}
