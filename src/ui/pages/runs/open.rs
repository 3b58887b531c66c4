//! The part of the window's state that the page of runs shows besides its own part.

use crate::ui::state::run_table::Row;
use crate::ui::state::runs::{RunId, Runs};

/// The open runs, the runs that are shown, and whether training is under way.
pub(crate) struct Open<'a> {
    /// The open runs.
    pub(crate) runs: &'a Runs,
    /// The runs that are shown, from left to right.
    pub(crate) shown: Vec<RunId>,
    /// Whether training is under way.
    pub(crate) is_training: bool,
}

impl Open<'_> {
    /// "L" or "R" if a run is shown on the left or on the right.
    pub(super) fn side_of(&self, row: &Row) -> Option<&'static str> {
        let id = row.open?;
        if self.shown.first() == Some(&id) {
            Some("L")
        } else if self.shown.get(1) == Some(&id) {
            Some("R")
        } else {
            None
        }
    }
}
