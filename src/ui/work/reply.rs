//! The answers of threads.

use std::path::PathBuf;
use std::sync::Arc;

use super::dropped::Dropped;
use super::export::Exported;
use crate::config::RunConfig;
use crate::data::Summary;
use crate::figure::Order;
use crate::findings::Finding;
use crate::run::log::{Followed, Loaded};
use crate::run::notes::Notes;
use crate::samples::Samples;
use crate::ui::state::action::Purpose;
use crate::ui::state::run_table::Found;
use crate::ui::state::runs::{ProbeReply, RunId};
use crate::ui::state::{findings, images, samples};

/// The outcome of a piece of work.
pub(crate) enum Reply {
    /// A run was read.
    Run(RunId, Result<Box<(Loaded, Notes)>, String>),
    /// A run was read on.
    Followed(RunId, Result<Followed, String>),
    /// Probe files were read.
    Probes(Vec<ProbeReply>),
    /// The data of this configuration was looked through.
    Scanned(Box<RunConfig>, Result<Arc<Summary>, String>),
    /// A dialog was closed; `None` where it was cancelled or the system offers no dialogs.
    Chosen(Purpose, Option<PathBuf>),
    /// An order of classes was found, or why not.
    Ordered(Result<Order, String>),
    /// Runs were looked through for findings, or why not.
    Found(findings::Key, Result<Vec<Finding>, String>),
    /// Images of a cell of the confusion matrix were read, or why not.
    Images(images::Key, Result<images::Read, String>),
    /// Samples of the data were read, or why not.
    Samples(Box<samples::Key>, Result<Samples, String>),
    /// Folders were looked through for runs, or why not.
    RunsFound(Result<Vec<Found>, String>),
    /// A run's name and notes were written, or why not.
    NotesSaved(PathBuf, Result<Notes, String>),
    /// The window's settings were written, or why not.
    SettingsSaved(Result<(), String>),
    /// A folder was shown in the file manager, or why not.
    Revealed(Result<(), String>),
    /// A run was moved to the trash, or why not.
    Discarded(PathBuf, Result<(), String>),
    /// A path that was dropped on the window or typed into it was looked at.
    Dropped(Dropped),
    /// Figures were written, or made for the clipboard.
    Exported(Result<Exported, String>),
    /// The work failed, and nothing waits for its answer; the sentence says why.
    Failed(String),
}
