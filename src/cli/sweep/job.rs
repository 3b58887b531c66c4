//! `sweep-job`: what a job of Slurm calls to train its run of a sweep, or to compare all of them.

use std::env::VarError;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;

use super::work::{Outcome, Work};
use crate::cli::compare;
use crate::cli::output::{Signalled, Usage, say};
use crate::cli::train::stop_on_signals;
use crate::run::glance::Glance;
use crate::run::log::RunError;
use crate::signals::Signal;
use crate::slurm;
use crate::sweep::Planned;

/// Arguments of `sweep-job`.
#[derive(Debug, Args)]
pub struct JobArguments {
    /// The list of the runs of a submission.
    list: PathBuf,
    /// Line of the list, from 0, of the first task of the array.
    #[arg(long, value_name = "LINE", default_value_t = 0)]
    from: usize,
    /// Compare the runs of the sweep instead.
    #[arg(long)]
    compare: bool,
}

/// The task of an array that this process is.
struct Task {
    job: u64,
    index: usize,
}

pub(in crate::cli) fn job(arguments: &JobArguments) -> anyhow::Result<()> {
    if arguments.compare {
        let entry = slurm::entry(&arguments.list, 0)?;
        let folder = entry.dir.parent().unwrap_or(Path::new("."));
        return compare::show(folder);
    }
    let task = Task {
        job: variable("SLURM_ARRAY_JOB_ID")?,
        index: variable("SLURM_ARRAY_TASK_ID")?,
    };
    let entry = slurm::entry(&arguments.list, arguments.from + task.index)?;
    let (folder, name) = (entry.dir.parent(), entry.dir.file_name());
    let run = Planned {
        name: name.unwrap_or_default().to_string_lossy().into_owned(),
        config: entry.config,
        seed_index: 0,
    };
    let folder = folder.unwrap_or(Path::new(".")).to_owned();
    let (control, received) = stop_on_signals();
    let before = last_step(&entry.dir);
    let outcome = Work::new(folder, control, 1).one(&run);
    match (outcome, received.first()) {
        (Ok(Outcome::Finished), _) => {
            say(format!("{} is finished", run.name));
            Ok(())
        }
        (Ok(Outcome::Busy), _) => Err(RunError::Busy { path: entry.dir }.into()),
        // Reading the images is stopped by an error.
        (Ok(Outcome::Stopped) | Err(_), Some(signal)) => {
            let has_trained = last_step(&entry.dir) > before;
            go_on_later(&task, signal, has_trained)?;
            Err(Signalled(signal).into())
        }
        (Ok(Outcome::Stopped), None) => Ok(()),
        (Err(error), None) => Err(error),
    }
}

/// Queues the task again where Slurm takes it to be running still: its time is nearly over, or it has to make room, and it
/// would otherwise end as failed. A task that was cancelled must not come back, and one that somebody else has queued again
/// needs nothing more.
fn go_on_later(task: &Task, signal: Signal, has_trained: bool) -> anyhow::Result<()> {
    let Task { job, index } = *task;
    let state = slurm::state_of(job, index)?;
    if state.as_deref() != Some("RUNNING") {
        let state = state.as_deref().unwrap_or("gone");
        say(format!(
            "stopped; Slurm has this task as {state}, so that it is not queued again here"
        ));
        return Ok(());
    }
    if signal.is_before_end_of_time() && !has_trained {
        say(
            "stopped before a single step, and not queued again: the time of the job is too short; submit the sweep with \
             more, such as --set time=4:00:00",
        );
        return Ok(());
    }
    slurm::requeue(job, index)?;
    say(format!(
        "stopped; the task {job}_{index} is queued again and goes on from the checkpoint"
    ));
    Ok(())
}

/// The last step that a run has recorded; 0 where it has recorded none.
fn last_step(dir: &Path) -> u64 {
    Glance::read(dir).map_or(0, |glance| glance.step)
}

/// A number that Slurm gives its jobs.
fn variable<T: FromStr>(name: &str) -> anyhow::Result<T> {
    let value = std::env::var(name);
    let value = value.and_then(|text| text.parse().map_err(|_| VarError::NotPresent));
    value.map_err(|_| {
        Usage(format!(
            "{name} is not set: jobs that `crosscurrent sweep --slurm` submits call this command"
        ))
        .into()
    })
}
