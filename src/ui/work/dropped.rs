//! Finds out what kind of file or folder was dropped on the window, or typed as a path.

use std::path::{Path, PathBuf};

use super::remotes::Remotes;
use crate::figure::export::{Restored, read_view};
use crate::remote::Address;
use crate::run::log::{self, RunError};
use crate::sweep::{State, Sweep, SweepError};
use crate::ui::state::draft::absolute;
use crate::ui::state::queue::Job;
use crate::ui::state::run_table::DEPTH;
use crate::ui::state::words::count;

/// The kind of file or folder that a path leads to.
pub(crate) enum Dropped {
    /// A run directory.
    Run(PathBuf),
    /// A folder with these run directories in it or below.
    Runs(PathBuf, Vec<PathBuf>),
    /// An exported figure, with the view that it shows.
    Figure(Box<Restored>),
    /// A sweep: the jobs that remain to be trained, and a sentence that counts them.
    Sweep(Vec<Job>, String),
    /// Any other folder, which is taken for one with images to train on.
    Images(PathBuf),
    /// A file or folder that the window cannot open; the sentence says so.
    Nothing(String),
}

/// The jobs of a sweep that remain to be trained, and a sentence that counts them. The runs of the sweep go to a folder
/// in `output` that bears the name of the sweep.
fn sweep_jobs(path: &Path, output: &Path) -> Result<(Vec<Job>, String), SweepError> {
    let sweep = Sweep::read(path)?;
    let folder = output.join(&sweep.name);
    let (mut jobs, mut there) = (Vec::new(), 0);
    for run in sweep.runs {
        let dir = folder.join(&run.name);
        let state = run.state(&folder)?;
        if state == State::Anew {
            log::clear(&dir)?;
        }
        match state {
            State::New | State::Anew => jobs.push(Job::Train {
                dir,
                config: Box::new(run.config),
            }),
            State::Cut => jobs.push(Job::Resume { dir }),
            State::Busy | State::Finished => there += 1,
        }
    }
    let mut said = format!("{}: {} to train", sweep.name, count(jobs.len()));
    if there > 0 {
        said += &format!(", {} there already", count(there));
    }
    Ok((jobs, said + "."))
}

/// The run, or the runs in the folder, at a path or an address that the user gave; a sentence if there are none.
pub(super) fn look_for_run(path: PathBuf, remotes: &Remotes) -> Dropped {
    match Address::of(&path) {
        Ok(None) => {}
        Ok(Some(address)) => return look_at_server(&address, remotes),
        Err(error) => return Dropped::Nothing(error.to_string()),
    }
    match look_for_runs(absolute(&path)) {
        Ok(found) => found,
        Err(path) => Dropped::Nothing(RunError::not_a_run(&path).to_string()),
    }
}

/// The run, or the runs in the folder, at an address.
fn look_at_server(address: &Address, remotes: &Remotes) -> Dropped {
    match remotes.open(address) {
        Err(sentence) => Dropped::Nothing(sentence),
        Ok((_, runs)) if runs.is_empty() => {
            Dropped::Nothing(format!("there is no run in this folder: {address}"))
        }
        Ok((folder, runs)) if runs == [folder.clone()] => Dropped::Run(folder),
        Ok((folder, runs)) => Dropped::Runs(folder, runs),
    }
}

/// The run at a path, or the runs in the folder there. Gives the path back as the error if there are no runs.
fn look_for_runs(path: PathBuf) -> Result<Dropped, PathBuf> {
    if log::events_path(&path).is_file() {
        return Ok(Dropped::Run(path));
    }
    let mut runs = log::runs_in(&path);
    if runs.is_empty() {
        runs = log::runs_under(&path, DEPTH);
    }
    if runs.is_empty() {
        return Err(path);
    }
    Ok(Dropped::Runs(path, runs))
}

/// Finds out what kind of file or folder was dropped. The runs of a sweep go to a folder in `output`.
pub(super) fn look_at(path: PathBuf, output: &Path) -> Dropped {
    let path = match look_for_runs(path) {
        Ok(found) => return found,
        Err(path) => path,
    };
    if path.is_dir() {
        return Dropped::Images(path);
    }
    let ends_in = |ending: &str| {
        path.extension()
            .is_some_and(|end| end.eq_ignore_ascii_case(ending))
    };
    if ends_in("toml") {
        return match sweep_jobs(&path, output) {
            Ok((jobs, said)) => Dropped::Sweep(jobs, said),
            Err(error) => Dropped::Nothing(error.to_string()),
        };
    }
    if !ends_in("png") {
        return Dropped::Nothing(format!(
            "Only a run folder, a folder of runs, an image folder, a sweep or an exported figure can be dropped here: {}",
            path.display()
        ));
    }
    let bytes = std::fs::read(&path).map_err(|error| error.to_string());
    match bytes.and_then(|bytes| read_view(&bytes)) {
        Ok(restored) => Dropped::Figure(Box::new(restored)),
        Err(sentence) => Dropped::Nothing(format!("{sentence}: {}", path.display())),
    }
}
