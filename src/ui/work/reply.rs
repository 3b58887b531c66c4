//! The answers of threads.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::dropped::Dropped;
use super::export::Exported;
use crate::config::RunConfig;
use crate::data::Summary;
use crate::figure::Order;
use crate::findings::Finding;
use crate::run::log::{self, Followed, Loaded};
use crate::run::mirrored;
use crate::run::notes::Notes;
use crate::samples::Samples;
use crate::ui::state::action::Purpose;
use crate::ui::state::draft::Checked;
use crate::ui::state::run_table::Found;
use crate::ui::state::runs::{ProbeReply, RunId};
use crate::ui::state::{findings, images, samples};

/// A run that was read from its beginning.
pub(crate) struct Opened {
    pub(crate) loaded: Loaded,
    pub(crate) notes: Notes,
    /// Why the notes could not be read, if they could not.
    pub(crate) notes_error: Option<String>,
    /// The address of the run that it is a copy of.
    pub(crate) original: Option<String>,
}

impl Opened {
    /// Reads the run in a directory; a sentence where its log cannot be read.
    pub(super) fn read(dir: &Path) -> Result<Self, String> {
        let mut loaded = log::load(dir).map_err(|error| error.to_string())?;
        let (notes, notes_error) = match Notes::load(dir) {
            Ok(notes) => (notes, None),
            Err(error) => (Notes::default(), Some(error.to_string())),
        };
        loaded.notes.extend(notes_error.clone());
        Ok(Self {
            loaded,
            notes,
            notes_error,
            original: mirrored::of(dir).map(|mark| mark.original()),
        })
    }
}

/// The outcome of a piece of work.
pub(crate) enum Reply {
    /// A run was read from its beginning, or the sentence says why not.
    Run(RunId, Result<Box<Opened>, String>),
    /// The newest events of a run were read, or the sentence says why not.
    Followed(RunId, Result<Followed, String>),
    /// Probe files were read, each with its tensors or an error.
    Probes(Vec<ProbeReply>),
    /// The data of this configuration was looked through.
    Scanned(Box<RunConfig>, Result<Arc<Summary>, String>),
    /// What a check of all images of this configuration has found, or the sentence that says why they were not checked.
    Checked(Box<RunConfig>, Result<Checked, String>),
    /// A dialog was closed; `None` if the user cancelled it or the system offers no dialogs.
    Chosen(Purpose, Option<PathBuf>),
    /// An order of classes was found, or the sentence says why not.
    Ordered(Result<Order, String>),
    /// Runs were looked through for findings, or the sentence says why not.
    Found(findings::Key, Result<Vec<Finding>, String>),
    /// Images of a cell of the confusion matrix were read, or the sentence says why not.
    Images(images::Key, Result<images::Read, String>),
    /// Samples of the data were read, or the sentence says why not.
    Samples(Box<samples::Key>, Result<Samples, String>),
    /// The images with this fingerprint are in a folder, or the sentence says why they are not.
    Located(String, Result<PathBuf, String>),
    /// Folders were looked through for runs, or the sentence says why not.
    RunsFound(Result<Vec<Found>, String>),
    /// A run's name and notes were written, or the sentence says why not.
    NotesSaved(PathBuf, Result<Notes, String>),
    /// The window's settings were written, or the sentence says why not.
    SettingsSaved(Result<(), String>),
    /// A folder was shown in the file manager, or the sentence says why not.
    Revealed(Result<(), String>),
    /// A run was moved to the trash, or the sentence says why not.
    Discarded(PathBuf, Result<(), String>),
    /// The server of an address can be reached again, or the sentence says why not.
    Connection(Result<(), String>),
    /// The kind of file or folder that was dropped on the window or typed as a path.
    Dropped(Dropped),
    /// Figures were written, or made for the clipboard, or the sentence says why not.
    Exported(Result<Exported, String>),
    /// The work could not be begun; the sentence says why.
    Failed(String),
}
