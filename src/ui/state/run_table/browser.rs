//! The state of the page of runs: its table, the run whose details are shown, and the folders that are looked through.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::found::Found;
use super::order::Order;
use super::row::Row;
use super::table::Table;
use crate::run::notes::Notes;
use crate::ui::state::runs::Runs;

/// Name and notes as edited, of the run whose details are shown.
#[derive(Clone, Debug)]
pub(crate) struct Edit {
    pub(crate) dir: PathBuf,
    pub(crate) notes: Notes,
}

/// The page's state.
#[derive(Default)]
pub(crate) struct Browser {
    /// Folders that were named, beside the one that new runs go to.
    pub(crate) folders: Vec<PathBuf>,
    /// A folder being named.
    pub(crate) folder_to_add: String,
    pub(crate) found: Arc<Vec<Found>>,
    pub(crate) order: Order,
    /// The run whose details are shown.
    pub(crate) selected: Option<PathBuf>,
    pub(crate) edit: Option<Edit>,
    /// Runs that could not be opened and were not looked at since, and why.
    pub(crate) not_opened: BTreeMap<PathBuf, String>,
    /// Runs that are to be trained on once they are open.
    pub(crate) to_continue: BTreeSet<PathBuf>,
    /// The run that would be moved to the trash, while that is asked.
    pub(crate) to_trash: Option<PathBuf>,
    pub(crate) table: Arc<Table>,
    /// Fingerprint of the runs, and the order, that the table was made from.
    made_from: Option<(u64, Order)>,
    /// Counts the times that folders were looked through.
    pub(crate) rounds: u64,
    /// When folders were last looked through, in window seconds.
    pub(crate) looked_at: Option<f64>,
    pub(crate) is_looking: bool,
}

impl Browser {
    /// Lists the runs that were found. Why a run could not be opened is kept while its log stands as it did: it may
    /// have been learned while folders were looked through.
    pub(crate) fn list(&mut self, mut found: Vec<Found>) {
        for found in &mut found {
            let mut known = self.found.iter().filter(|known| known.stamp.is_some());
            found.open_error = known
                .find(|known| known.dir == found.dir && known.stamp == found.stamp)
                .and_then(|known| known.open_error.clone());
        }
        self.found = Arc::new(found);
        self.rounds += 1;
    }

    /// Notes in the list why a run could not be opened, or that it could; false where it is not listed yet.
    pub(crate) fn mark(&mut self, dir: &Path, open_error: Option<&str>) -> bool {
        let found = Arc::make_mut(&mut self.found);
        let Some(found) = found.iter_mut().find(|found| found.dir == dir) else {
            return false;
        };
        found.open_error = open_error.map(str::to_owned);
        self.rounds += 1;
        true
    }

    /// Makes the table anew where anything that it shows has changed.
    pub(crate) fn update(&mut self, runs: &Runs) {
        let known = (fingerprint(runs, self.rounds), self.order.clone());
        if self.made_from.as_ref() != Some(&known) {
            self.table = Arc::new(Table::new(runs, &self.found, &self.order));
            self.made_from = Some(known);
        }
    }

    /// Ends editing; gives name and notes where they differ from those in the file.
    pub(crate) fn unsaved(&mut self) -> Option<Edit> {
        let edit = self.edit.take()?;
        let mut rows = self.table.rows.iter();
        let row = rows.find(|row| row.dir == edit.dir)?;
        (row.notes != edit.notes).then_some(edit)
    }

    /// Runs that are listed, could be opened and are not.
    pub(crate) fn unopened(&self) -> Vec<PathBuf> {
        let rows = self.table.rows.iter();
        rows.filter(|row| row.open.is_none() && row.glance.is_some())
            .map(|row| row.dir.clone())
            .collect()
    }

    /// The row whose details are shown.
    pub(crate) fn selected_row(&self) -> Option<Row> {
        let selected = self.selected.as_ref()?;
        let mut rows = self.table.rows.iter();
        rows.find(|row| row.dir == *selected).cloned()
    }
}

/// A number that changes with anything of the open runs that the table shows.
fn fingerprint(runs: &Runs, rounds: u64) -> u64 {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    rounds.hash(&mut hasher);
    for entry in runs.iter() {
        entry.id.hash(&mut hasher);
        entry.name.hash(&mut hasher);
        entry.state.word().hash(&mut hasher);
        entry.run.started.is_some().hash(&mut hasher);
        entry.run.revisions.steps.hash(&mut hasher);
        entry.run.revisions.evals.hash(&mut hasher);
        entry.run.revisions.probes.hash(&mut hasher);
    }
    hasher.finish()
}
