//! The settings that the window remembers from one start to the next.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::export_draft::Habit;
use super::place::Place;
use super::queue::Waiting;
use super::run_table::Order;

/// The settings. Fields that a file lacks have their defaults, so that older files stay readable.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    /// Whether light (`true`) or dark colours were chosen; `None` follows the system.
    pub(crate) light: Option<bool>,
    /// Size of everything, 1 as the system has it.
    pub(crate) zoom: Option<f32>,
    /// Width and height of the window, in points.
    pub(crate) window: Option<[f32; 2]>,
    /// Width of the panel on the left, in points.
    pub(crate) panel: Option<f32>,
    /// Page, scope, class and the like; no moment.
    pub(crate) place: Place,
    /// Directories of the open runs, in the order of the list.
    pub(crate) runs: Vec<PathBuf>,
    /// The run that is shown left.
    pub(crate) left: Option<PathBuf>,
    /// The run on the right; kept while only one is shown.
    pub(crate) right: Option<PathBuf>,
    /// Whether both are shown.
    pub(crate) side_by_side: bool,
    /// Jobs that wait for training, or did when the window was closed.
    pub(crate) queue: Vec<Waiting>,
    /// How figures were exported last.
    pub(crate) export: Habit,
    /// Folders that are looked through for runs.
    pub(crate) folders: Vec<PathBuf>,
    /// How the page of runs lists them.
    pub(crate) order: Order,
}
