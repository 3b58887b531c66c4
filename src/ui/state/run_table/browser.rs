//! The state of the page of runs: its table, the run whose details are shown, and the folders that are searched.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::found::Found;
use super::order::Order;
use super::row::Row;
use super::table::Table;
use crate::run::notes::Notes;
use crate::ui::state::runs::Runs;

/// The name and the notes of the run whose details are shown, as edited.
#[derive(Clone, Debug)]
pub(crate) struct Edit {
    pub(crate) dir: PathBuf,
    pub(crate) notes: Notes,
    /// Those in the file when editing began.
    pub(crate) saved: Notes,
}

impl Edit {
    /// The name and the notes of a run before anything is typed.
    pub(crate) fn of(row: &Row) -> Self {
        Self {
            dir: row.dir.clone(),
            notes: row.notes.clone(),
            saved: row.notes.clone(),
        }
    }

    /// Takes over what the file holds by now, unless the user has typed something else.
    pub(crate) fn refresh(&mut self, row: &Row) {
        if self.notes == self.saved {
            self.notes = row.notes.clone();
        }
        if self.notes == row.notes {
            self.saved = row.notes.clone();
        }
    }
}

/// The state of the page of runs.
#[derive(Default)]
pub(crate) struct Browser {
    /// Folders that the user named, besides the one that new runs go to.
    pub(crate) folders: Vec<PathBuf>,
    /// The path of a folder to add, as typed.
    pub(crate) folder_to_add: String,
    pub(crate) found: Arc<Vec<Found>>,
    pub(crate) order: Order,
    /// The run whose details are shown.
    pub(crate) selected: Option<PathBuf>,
    pub(crate) edit: Option<Edit>,
    /// Runs that could not be opened and have not been listed since, each with the reason.
    pub(crate) not_opened: BTreeMap<PathBuf, String>,
    /// Runs whose training continues once they are open.
    pub(crate) to_continue: BTreeSet<PathBuf>,
    /// The run that the open dialog asks to move to the trash.
    pub(crate) to_trash: Option<PathBuf>,
    pub(crate) table: Arc<Table>,
    /// The fingerprint of the runs, and the order, that the table was made from.
    made_from: Option<(u64, Order)>,
    /// Counts the times that folders were looked through.
    pub(crate) rounds: u64,
    /// When folders were last looked through, in window seconds.
    pub(crate) looked_at: Option<f64>,
    pub(crate) is_looking: bool,
}

impl Browser {
    /// Lists the runs that were found. The reason why a run could not be opened is kept as long as its log has not
    /// changed, since it may have become known while the folders were being looked through.
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

    /// Notes in the list why a run could not be opened, or `None` if it was opened. Gives `false` if the run is not
    /// listed yet.
    pub(crate) fn mark(&mut self, dir: &Path, open_error: Option<&str>) -> bool {
        let found = Arc::make_mut(&mut self.found);
        let Some(found) = found.iter_mut().find(|found| found.dir == dir) else {
            return false;
        };
        found.open_error = open_error.map(str::to_owned);
        self.rounds += 1;
        true
    }

    /// Makes the table anew if anything that it shows has changed.
    pub(crate) fn update(&mut self, runs: &Runs) {
        let known = (fingerprint(runs, self.rounds), self.order.clone());
        if self.made_from.as_ref() != Some(&known) {
            self.table = Arc::new(Table::new(runs, &self.found, &self.order));
            self.made_from = Some(known);
        }
    }

    /// Ends editing, and gives the name and the notes if they were changed. The row may be hidden by then.
    pub(crate) fn unsaved(&mut self) -> Option<Edit> {
        self.edit.take().filter(|edit| edit.notes != edit.saved)
    }

    /// The runs that are listed, can be read and are not open.
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

/// A number that changes whenever anything changes that the table shows of the open runs.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_notes_are_saved_even_if_the_row_is_hidden_by_then() {
        let edit = |typed: &str| Edit {
            dir: PathBuf::from("run"),
            notes: Notes {
                notes: typed.to_owned(),
                ..Notes::default()
            },
            saved: Notes::default(),
        };
        let mut browser = Browser {
            edit: Some(edit("lr too large")),
            ..Browser::default()
        };
        assert!(browser.table.rows.is_empty() && browser.unsaved().is_some());
        assert!(browser.edit.is_none());
        browser.edit = Some(edit(""));
        assert!(browser.unsaved().is_none(), "nothing was changed");
    }
}
