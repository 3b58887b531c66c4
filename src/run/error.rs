//! What can go wrong with a run directory.

use std::path::{Path, PathBuf};

use super::event::NEWEST_FORMAT;

/// What can go wrong with a run directory. Every message names the fault, the remedy, and the path last.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A file could not be read or written.
    #[error("cannot {action}: {error}: {}", path.display())]
    Io {
        /// What was attempted.
        action: String,
        /// The file or directory.
        path: PathBuf,
        /// The system's reason.
        error: std::io::Error,
    },
    /// The contents of a file are not valid.
    #[error("damaged file ({reason}); restore it from a copy or train again: {}", path.display())]
    Damaged {
        /// What is wrong with the file.
        reason: String,
        /// The file.
        path: PathBuf,
    },
    /// The run was written by a newer version of the program.
    #[error("the run has format {found}, this version reads up to {NEWEST_FORMAT}; update Crosscurrent to open it: {}", path.display())]
    Newer {
        /// The version of the format that was found.
        found: u32,
        /// The run directory.
        path: PathBuf,
    },
    /// Another process is writing the run.
    #[error("another process is writing this run; stop it first, or choose another directory: {}", path.display())]
    Busy {
        /// The run directory.
        path: PathBuf,
    },
    /// The directory holds a run already.
    #[error("there is a run here already; resume it, or choose another directory: {}", path.display())]
    Exists {
        /// The run directory.
        path: PathBuf,
    },
    /// There is no such directory.
    #[error("there is no such directory; check the path: {}", path.display())]
    Missing {
        /// The directory.
        path: PathBuf,
    },
    /// Another program recorded the run, and this one cannot do with it what it does with its own.
    #[error("{recorder} trained this run, and only its own training script can {action}: {}", path.display())]
    Recorded {
        /// The program that recorded it.
        recorder: String,
        /// What was attempted.
        action: &'static str,
        /// The run directory.
        path: PathBuf,
    },
    /// The directory holds no run.
    #[error("this is not a run (it has no events.jsonl); name a directory that `crosscurrent train` wrote: {}", path.display())]
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

    /// The error for a path without a run: the directory is missing, or it holds no run.
    pub(crate) fn not_a_run(path: &Path) -> Self {
        let path = path.to_owned();
        if path.exists() {
            Self::NotARun { path }
        } else {
            Self::Missing { path }
        }
    }

    pub(crate) fn damaged(path: &Path, reason: impl ToString) -> Self {
        Self::Damaged {
            reason: reason.to_string(),
            path: path.to_owned(),
        }
    }
}
