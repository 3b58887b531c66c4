//! The settings that the window remembers from one start to the next.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::export_draft::Habit;
use super::located::Located;
use super::place::Place;
use super::queue::Waiting;
use super::run_table::Order;

/// The settings. A field that the file lacks has its default, so that files of older versions stay readable.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    /// Whether light (`true`) or dark colours were chosen; `None` follows the system.
    pub(crate) light: Option<bool>,
    /// The zoom factor of the whole window; 1 is the size that the system sets.
    pub(crate) zoom: Option<f32>,
    /// Width and height of the window, in points.
    pub(crate) window: Option<[f32; 2]>,
    /// Width of the panel on the left, in points.
    pub(crate) panel: Option<f32>,
    /// The page, the scope, the class and the rest of the view; the step is not kept.
    pub(crate) place: Place,
    /// Directories of the open runs, in the order of the list.
    pub(crate) runs: Vec<PathBuf>,
    /// Directory of the run on the left.
    pub(crate) left: Option<PathBuf>,
    /// Directory of the run on the right, which is kept while only one run is shown.
    pub(crate) right: Option<PathBuf>,
    /// Whether both runs are shown.
    pub(crate) side_by_side: bool,
    /// The jobs that wait for training, or waited when the window was closed.
    pub(crate) queue: Vec<Waiting>,
    /// The settings of the last export.
    pub(crate) export: Habit,
    /// Folders that are looked through for runs.
    pub(crate) folders: Vec<PathBuf>,
    /// Whether the card for new users was put away.
    pub(crate) knows_first_steps: bool,
    /// Where the images of runs are on this machine.
    pub(crate) located: Located,
    /// The data, the imbalance and the epochs of the experiment that was last set up.
    pub(crate) experiment: Option<Experiment>,
    /// The order and the grouping of the table of runs.
    pub(crate) order: Order,
}

/// What is kept of the experiment being set up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Experiment {
    /// The image folder as typed, and whether it is chosen rather than the built-in data.
    pub(crate) folder: String,
    pub(crate) uses_folder: bool,
    pub(crate) imbalance: f64,
    pub(crate) epochs: u32,
}
