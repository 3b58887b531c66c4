//! What can go wrong with a run directory.

use std::path::{Path, PathBuf};

use super::event::{NEWEST_FORMAT, Started};
use crate::text::{one_line, shown, visible};

/// What can go wrong with a run directory. Every message names the fault, the remedy, and the path last.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A file could not be read or written.
    #[error("cannot {action}: {error}: {}", shown(path))]
    Io {
        /// What was attempted.
        action: String,
        /// The file or directory.
        path: PathBuf,
        /// The system's reason.
        error: std::io::Error,
    },
    /// The contents of a file are not valid.
    #[error("damaged file ({reason}); {remedy}: {}", shown(path))]
    Damaged {
        /// What is wrong with the file.
        reason: String,
        /// What to do, and what works without the file.
        remedy: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// A tensor holds numbers that are not finite.
    #[error(
        "`{tensor}` is not finite at its number {at}, so that nothing can be drawn from it: either training had diverged when \
         it was measured, or the file is damaged: {}",
        shown(path)
    )]
    NotFinite {
        /// Name of the tensor.
        tensor: String,
        /// The place of the first such number among all of the tensor, from 0.
        at: usize,
        /// The file.
        path: PathBuf,
    },
    /// The run was written by a newer version of the program.
    #[error(
        "the run has format {found}, this version reads up to {NEWEST_FORMAT}; update Crosscurrent to open it: {}",
        shown(path)
    )]
    Newer {
        /// The version of the format that was found.
        found: u32,
        /// The run directory.
        path: PathBuf,
    },
    /// Another process is writing the run.
    #[error(
        "another process is writing this run; stop it first, or choose another directory: {}",
        shown(path)
    )]
    Busy {
        /// The run directory.
        path: PathBuf,
    },
    /// The directory holds a run already.
    #[error(
        "there is a run here already; resume it, or choose another directory: {}",
        shown(path)
    )]
    Exists {
        /// The run directory.
        path: PathBuf,
    },
    /// The checkpoint that a run would go on from is gone, and too much is recorded to begin anew.
    #[error(
        "the checkpoint of this run is gone, so that it cannot go on; its log is kept as it is: restore the checkpoint from a \
         copy, or train in another directory: {}",
        shown(path)
    )]
    NoCheckpoint {
        /// The file of the checkpoint.
        path: PathBuf,
    },
    /// A part of a run is a link that leads out of the run.
    #[error(
        "this part of the run is a link that leads out of it, where nothing is written; put what it leads to in its place: {}",
        shown(path)
    )]
    LeadsOut {
        /// The link.
        path: PathBuf,
    },
    /// The run is a copy of one on another machine.
    #[error(
        "this is a copy of a run on another machine, which is only read here; train it and take notes there: {}",
        visible(original)
    )]
    Mirrored {
        /// Address of the run.
        original: String,
    },
    /// There is no such directory.
    #[error("there is no such directory; check the path: {}", shown(path))]
    Missing {
        /// The directory.
        path: PathBuf,
    },
    /// Another program recorded the run, and this one cannot do with it what it does with its own.
    #[error(
        "{recorder} trained this run, and only its own training script can {action}: {}",
        shown(path)
    )]
    Recorded {
        /// The program that recorded it.
        recorder: String,
        /// What was attempted.
        action: &'static str,
        /// The run directory.
        path: PathBuf,
    },
    /// The directory holds no run.
    #[error(
        "this is not a run (it has no events.jsonl); name a directory that `crosscurrent train` wrote: {}",
        shown(path)
    )]
    NotARun {
        /// The directory.
        path: PathBuf,
    },
}

impl RunError {
    pub(crate) fn io(action: &str, path: &Path, error: std::io::Error) -> Self {
        Self::Io {
            action: action.to_owned(),
            path: path.to_owned(),
            error,
        }
    }

    /// Refuses a run that another program trained, with which `action` cannot be done.
    ///
    /// # Errors
    /// Where another program trained it.
    pub fn refuse_recorded(
        started: &Started,
        dir: &Path,
        action: &'static str,
    ) -> Result<(), Self> {
        match &started.recorder {
            None => Ok(()),
            Some(recorder) => Err(Self::Recorded {
                recorder: recorder.name.clone(),
                action,
                path: dir.to_owned(),
            }),
        }
    }

    /// The error for a path without a run: the directory is missing, or it holds no run.
    pub(crate) fn not_a_run(path: &Path) -> Self {
        let path = path.to_owned();
        if path.exists() {
            Self::NotARun { path }
        } else {
            Self::Missing { path }
        }
    }

    /// The error for a file that is not valid; what to do follows from the file's place in the run.
    pub(crate) fn damaged(path: &Path, reason: impl ToString) -> Self {
        Self::to_repair(path, reason.to_string(), remedy(path))
    }

    /// The error for a line of a log, after its header.
    pub(super) fn damaged_line(path: &Path, number: usize, reason: &str) -> Self {
        let remedy = "repair that line or delete it, which loses nothing else";
        Self::to_repair(path, format!("line {number} {reason}"), remedy)
    }

    /// The error for a log that cannot be read as one run.
    pub(super) fn damaged_header(path: &Path, reason: impl ToString) -> Self {
        let remedy = "restore it from a copy; no other file of the run is affected";
        Self::to_repair(path, reason.to_string(), remedy)
    }

    /// The error for a log in which nothing was recorded.
    pub(super) fn no_header(path: &Path) -> Self {
        let reason = "it has no header; the run ended before its first step";
        Self::to_repair(
            path,
            reason.to_owned(),
            "nothing was recorded, so train again",
        )
    }

    fn to_repair(path: &Path, reason: String, remedy: &'static str) -> Self {
        Self::Damaged {
            // Libraries quote what they find in the file.
            reason: visible(&one_line(&reason)).into_owned(),
            remedy,
            path: path.to_owned(),
        }
    }
}

/// What to do about a damaged file of a run, by its place in the run's directory.
fn remedy(path: &Path) -> &'static str {
    let name =
        |path: Option<&std::ffi::OsStr>| path.unwrap_or_default().to_string_lossy().into_owned();
    let folder = name(path.parent().and_then(Path::file_name));
    match (folder.as_str(), name(path.file_name()).as_str()) {
        ("probes", _) => {
            "restore it from a copy; all that is not drawn from this probe is still there"
        }
        ("predictions", _) => {
            "restore it from a copy; scores and confusions are in the log and still there"
        }
        ("verify", _) => "delete it and run `crosscurrent verify` again",
        ("checkpoints", "last.safetensors") => {
            "restore it from a copy, or delete it to go on from the best checkpoint; what the run has recorded is still there"
        }
        ("checkpoints", _) => "restore it from a copy; what the run has recorded is still there",
        (_, "data.safetensors") => {
            "restore it from a copy; all that shows no single image is still there"
        }
        (_, "notes.json") => {
            "repair or delete it; it holds the name and the notes of the run alone"
        }
        _ => "restore it from a copy",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_damaged_file_is_a_reason_to_train_again() {
        for file in [
            "events.jsonl",
            "run.toml",
            "notes.json",
            "data.safetensors",
            "probes/00000003.safetensors",
            "predictions/00000003-val.safetensors",
            "verify/00000003.safetensors",
            "checkpoints/last.safetensors",
        ] {
            let path = Path::new("run").join(file);
            let said = RunError::damaged(&path, "cut short").to_string();
            assert!(!said.contains("train again"), "{said}");
            assert!(said.ends_with(file) && said.contains("cut short"), "{said}");
        }
    }
}
