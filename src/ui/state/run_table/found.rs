//! A run that was found in a folder.

use std::path::PathBuf;
use std::time::SystemTime;

use crate::run::glance::Glance;
use crate::run::notes::Notes;

/// Folders that new runs go to, or that were named, are looked through down to this depth.
pub(crate) const DEPTH: usize = 3;

/// A run directory that was found.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) dir: PathBuf,
    /// Length and time of the log; while they stand, the glance is up to date.
    pub(crate) stamp: Option<Stamp>,
    /// When its log was last seen to be longer than before, in window seconds.
    pub(crate) grew_at: Option<f64>,
    /// Summary of its log, or why the log cannot be read.
    pub(crate) glance: Result<Glance, String>,
    /// Why it could not be opened, while its log stands as it did then: a glance does not see all of a log.
    pub(crate) open_error: Option<String>,
    pub(crate) notes: Notes,
}

impl Found {
    /// The id in the header of its log; `None` where the log cannot be read.
    pub(crate) fn id(&self) -> Option<&str> {
        Some(&self.glance.as_ref().ok()?.started.id)
    }

    /// Whether a process writes its log.
    pub(crate) fn is_running(&self) -> bool {
        self.glance.as_ref().is_ok_and(|glance| glance.running)
    }
}

/// Length and time of a log.
pub(crate) type Stamp = (u64, SystemTime);
