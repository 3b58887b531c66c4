//! A run that was found in a folder.

use std::path::PathBuf;
use std::time::SystemTime;

use crate::run::glance::Glance;
use crate::run::notes::Notes;

/// The folder that new runs go to, and folders that the user named, are searched down to this depth.
pub(crate) const DEPTH: usize = 3;

/// A run directory that was found.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) dir: PathBuf,
    /// Length and time of the log: while they stay the same, the log need not be read again.
    pub(crate) stamp: Option<Stamp>,
    /// When its log was last seen to be longer than before, in window seconds.
    pub(crate) grew_at: Option<f64>,
    /// Summary of its log, or why the log cannot be read.
    pub(crate) glance: Result<Glance, String>,
    /// Why the run could not be opened, until its log changes. A glance does not see all of a log, so that it misses
    /// some damage.
    pub(crate) open_error: Option<String>,
    pub(crate) notes: Notes,
    /// Why the notes cannot be read, if they cannot.
    pub(crate) notes_error: Option<String>,
    /// Address of the run on another machine that this is a copy of.
    pub(crate) original: Option<String>,
}

impl Found {
    /// The id in the header of its log; `None` if the log cannot be read.
    pub(crate) fn id(&self) -> Option<&str> {
        Some(&self.glance.as_ref().ok()?.started.id)
    }

    /// Whether a process is writing its log.
    pub(crate) fn is_running(&self) -> bool {
        self.glance.as_ref().is_ok_and(|glance| glance.running)
    }
}

/// Length in bytes and time of the last change of a log.
pub(crate) type Stamp = (u64, SystemTime);
