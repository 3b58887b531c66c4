//! `sweep-job`: what a job of Slurm calls to train its run of a sweep, or to compare all of them.

use std::env::VarError;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;

use super::work::{Outcome, Work};
use crate::cli::compare;
use crate::cli::output::{Signalled, Usage, say};
use crate::cli::train::stop_on_signals;
use crate::run::log::{RunError, checkpoint_to_resume};
use crate::signals::Signal;
use crate::slurm;
use crate::sweep::Planned;
use crate::train::checkpoint::progress_if_finite;

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
    let before = step_kept(&entry.dir);
    let outcome = Work::new(folder, control, 1).one(&run);
    match (outcome, received.first()) {
        (Ok(Outcome::Finished), _) => {
            say(format!("{} is finished", run.name));
            Ok(())
        }
        (Ok(Outcome::Busy), _) => Err(RunError::Busy { path: entry.dir }.into()),
        // Reading the images is stopped by an error.
        (Ok(Outcome::Stopped) | Err(_), Some(signal)) => {
            let has_trained = step_kept(&entry.dir) > before;
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

/// The step of the checkpoint that training goes on from; 0 where there is none. A log may hold steps beyond it, which are
/// trained again.
fn step_kept(dir: &Path) -> u64 {
    let found = checkpoint_to_resume(dir);
    let progress = found.and_then(|(_, path)| progress_if_finite(&path).ok().flatten());
    progress.map_or(0, |progress| progress.step)
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

#[cfg(test)]
mod tests {
    use safetensors::tensor::Dtype;

    use super::*;
    use crate::run::log::{checkpoint_path, write_tensors};

    /// What was trained since is not in the checkpoint, so that the steps of a log do not count.
    #[test]
    fn the_step_that_is_kept_is_that_of_the_checkpoint() -> anyhow::Result<()> {
        let run = tempfile::tempdir()?;
        assert_eq!(step_kept(run.path()), 0);
        let progress = serde_json::to_string(&crate::train::checkpoint::Progress {
            step: 12,
            ..Default::default()
        })?;
        let path = checkpoint_path(run.path(), "last");
        let weight = (
            "weight",
            Dtype::F32,
            vec![1],
            0.5_f32.to_le_bytes().to_vec(),
        );
        let metadata = std::collections::HashMap::from([("progress".to_owned(), progress)]);
        write_tensors(&path, &[weight], Some(metadata))?;
        assert_eq!(step_kept(run.path()), 12);
        Ok(())
    }
}
