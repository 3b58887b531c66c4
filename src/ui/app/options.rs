//! The options that the application starts with.

use std::path::PathBuf;

use crate::remote::Ssh;
use crate::ui::state::runs::PROBE_MEMORY_BYTES;
use crate::ui::work::{Discard, Trainer, trainer, trash, usual_path};

/// The options that the application starts with.
pub struct Options {
    /// Run directories to open. If the list is empty, the runs are opened that were open when the window was last
    /// closed.
    pub runs: Vec<PathBuf>,
    /// Run directories to open if `runs` is empty and no run was open when the window was last closed.
    pub samples: Vec<PathBuf>,
    /// Folder that new runs go to.
    pub output: PathBuf,
    /// The function that trains a run.
    pub trainer: Trainer,
    /// The function that moves a run's directory to the trash.
    pub discard: Discard,
    /// File in which the window keeps its settings from one start to the next; `None` to keep nothing.
    pub settings: Option<PathBuf>,
    /// How servers are reached whose runs are opened.
    pub ssh: Ssh,
    /// Number of bytes of probe tensors that are kept in memory.
    pub probe_memory: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            runs: Vec::new(),
            samples: Vec::new(),
            output: PathBuf::from("runs"),
            trainer: trainer(),
            discard: trash(),
            settings: None,
            ssh: Ssh::default(),
            probe_memory: PROBE_MEMORY_BYTES,
        }
    }
}

impl Options {
    /// The options of the real window, which keeps its settings in the user's folder for settings.
    pub(crate) fn of_window(runs: Vec<PathBuf>, samples: Vec<PathBuf>) -> Self {
        Self {
            runs,
            samples,
            settings: usual_path(),
            ..Self::default()
        }
    }
}
