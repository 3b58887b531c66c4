//! Where the files of a run lie in its directory.

use std::path::{Path, PathBuf};

use super::error::RunError;
use super::event::Split;
use crate::config::{DataSource, RunConfig};

/// A path under `parent` for a new run, named after the run's data and attention. No such directory exists yet, and the
/// path is not among those in `taken`.
pub fn new_run_dir(parent: &Path, config: &RunConfig, taken: &[PathBuf]) -> PathBuf {
    let data = match &config.data {
        DataSource::Solar => "solar".to_owned(),
        DataSource::Folder(path) => match path.file_name() {
            Some(name) => name.to_string_lossy().into_owned(),
            None => "folder".to_owned(),
        },
    };
    let name = format!("{data}-{}", config.attention);
    let candidates =
        std::iter::once(name.clone()).chain((2..).map(|number| format!("{name}-{number}")));
    let free = candidates
        .map(|name| parent.join(name))
        .find(|path| !path.exists() && !taken.contains(path));
    free.unwrap_or_else(|| parent.join(name))
}

/// A path beside a run for a fork of it, named after it. No such directory exists yet, and the path is not among those
/// in `taken`.
pub fn new_fork_dir(parent: &Path, taken: &[PathBuf]) -> PathBuf {
    // Paths such as `.` have no name.
    let parent = &std::path::absolute(parent).unwrap_or_else(|_| parent.to_owned());
    let name = parent.file_name().unwrap_or_default().to_string_lossy();
    let candidates = (1..u32::MAX).map(|number| match number {
        1 => parent.with_file_name(format!("{name}-fork")),
        number => parent.with_file_name(format!("{name}-fork-{number}")),
    });
    let mut candidates = candidates.into_iter();
    let free = candidates.find(|path| !path.exists() && !taken.contains(path));
    free.unwrap_or_else(|| parent.with_extension("fork"))
}

/// The folders that a run's files are written to.
const FOLDERS: [&str; 4] = ["probes", "predictions", "checkpoints", "verify"];

/// Refuses a run whose log, or a folder of which, is a link that leads out of the run: writing there would change files of
/// others. Files that are written whole replace a link of their name.
///
/// # Errors
/// Where there is such a link; its path is named.
pub fn refuse_links(run: &Path) -> Result<(), RunError> {
    let root = run.canonicalize();
    let leads_out = |path: &PathBuf| {
        let is_link = path
            .symlink_metadata()
            .is_ok_and(|found| found.is_symlink());
        let target = || path.canonicalize().ok();
        // A link that leads nowhere would be made a file or folder of elsewhere.
        let stays = |root: &PathBuf| target().is_some_and(|target| target.starts_with(root));
        is_link && !root.as_ref().is_ok_and(stays)
    };
    let folders = FOLDERS.iter().map(|folder| run.join(folder));
    let mut parts = folders.chain([events_path(run)]);
    match parts.find(leads_out) {
        Some(path) => Err(RunError::LeadsOut { path }),
        None => Ok(()),
    }
}

/// Path of a run's configuration.
pub fn config_path(run: &Path) -> PathBuf {
    run.join("run.toml")
}

/// Path of a run's log.
pub fn events_path(run: &Path) -> PathBuf {
    run.join("events.jsonl")
}

/// Path of a probe's tensors, relative to the run directory.
pub fn probe_file(step: u64) -> String {
    format!("probes/{step:08}.safetensors")
}

/// Path of the effects that were measured at the checkpoint of a step, relative to the run directory.
pub fn verification_file(step: u64) -> String {
    format!("verify/{step:08}.safetensors")
}

/// Path of a checkpoint; `which` is `last` or `best`.
pub fn checkpoint_path(run: &Path, which: &str) -> PathBuf {
    run.join("checkpoints").join(format!("{which}.safetensors"))
}

/// Path of a run's labels and split indices.
pub fn data_path(run: &Path) -> PathBuf {
    run.join("data.safetensors")
}

/// Path of the predictions of an evaluation, relative to the run directory.
pub fn predictions_file(step: u64, split: Split) -> String {
    let split = match split {
        Split::Train => "train",
        Split::Val => "val",
        Split::Test => "test",
    };
    format!("predictions/{step:08}-{split}.safetensors")
}
