//! `sweep --list`: the state of every run, and of the jobs of Slurm that will train it.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use crate::cli::output::say;
use crate::slurm::{self, Queued, SlurmError};
use crate::sweep::{Planned, State};

pub(super) fn list(folder: &Path, runs: &[&Planned]) -> anyhow::Result<()> {
    let asked = queued(folder);
    let none = BTreeMap::new();
    let tasks = asked.as_ref().unwrap_or(&none);
    for run in runs {
        let state = run.state(folder)?;
        let task = tasks.get(OsStr::new(&run.name));
        let task = task.map_or_else(String::new, |task| format!("  {}", task_in_words(task)));
        say(format!("{}  {}{task}", in_words(state), run.name));
    }
    if let Err(error) = asked {
        say(format!("note: the queue of Slurm is not shown: {error}"));
    }
    Ok(())
}

/// The tasks in Slurm's queue that will train runs in a folder, by the name of the run's directory. Slurm is asked only where
/// the sweep was submitted to it.
pub(super) fn queued(folder: &Path) -> Result<BTreeMap<OsString, Queued>, SlurmError> {
    let arrays = slurm::find(folder)?;
    if arrays.is_empty() {
        return Ok(BTreeMap::new());
    }
    // A folder may be written in several ways, as by a link, and a copy of it holds the submissions of the other one.
    let own = fs::canonicalize(folder).ok();
    let name_of = |task: &Queued| {
        let (_, dirs) = arrays.iter().find(|(job, _)| *job == task.job)?;
        let dir = dirs.get(task.task)?;
        let is_here = fs::canonicalize(dir.parent()?).ok() == own;
        dir.file_name().filter(|_| is_here).map(OsStr::to_owned)
    };
    let tasks = slurm::queue()?.into_iter();
    Ok(tasks
        .filter_map(|task| Some((name_of(&task)?, task)))
        .collect())
}

pub(super) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// A task of Slurm in words: `job 12_3 PENDING (Resources)`.
fn task_in_words(task: &Queued) -> String {
    let reason = task.reason.as_ref();
    let reason = reason.map_or_else(String::new, |reason| format!(" ({reason})"));
    format!("job {}_{} {}{reason}", task.job, task.task, task.state)
}

fn in_words(state: State) -> &'static str {
    match state {
        State::New | State::Anew => "to do   ",
        State::Cut => "cut     ",
        State::Busy => "running ",
        State::Finished => "finished",
    }
}
