//! The list of open runs.

use std::path::{Path, PathBuf};

use super::entry::RunEntry;
use super::run_state::{RunId, RunState};
use crate::run::notes::{Notes, distinct};

/// Probe tensors are kept up to this many bytes, those nearest to the cursor first. The probes at the cursor, and the
/// rows of the classes that are followed over time, are always kept.
pub(crate) const PROBE_MEMORY_BYTES: usize = 512 << 20;

/// The runs on the list, in the order in which they were added.
pub(crate) struct Runs {
    pub(super) entries: Vec<RunEntry>,
    next_id: RunId,
    pub(super) probes_under_way: bool,
    /// Number of bytes of probe tensors that are kept.
    pub(super) probe_memory: usize,
}

impl Default for Runs {
    fn default() -> Self {
        Self::new(PROBE_MEMORY_BYTES)
    }
}

impl Runs {
    /// An empty list, which keeps this many bytes of probe tensors.
    pub(crate) fn new(probe_memory: usize) -> Self {
        Self {
            entries: Vec::new(),
            next_id: 0,
            probes_under_way: false,
            probe_memory,
        }
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &RunEntry> {
        self.entries.iter()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut RunEntry> {
        self.entries.iter_mut()
    }

    pub(crate) fn get(&self, id: RunId) -> Option<&RunEntry> {
        self.entries.iter().find(|entry| entry.id == id)
    }

    pub(crate) fn get_mut(&mut self, id: RunId) -> Option<&mut RunEntry> {
        self.entries.iter_mut().find(|entry| entry.id == id)
    }

    /// Whether any run is still being read; its probes may take longer.
    pub(crate) fn are_opening(&self) -> bool {
        self.entries
            .iter()
            .any(|entry| entry.state == RunState::Opening)
    }

    pub(crate) fn at_dir(&self, dir: &Path) -> Option<RunId> {
        let entry = self.entries.iter().find(|entry| entry.dir == dir)?;
        Some(entry.id)
    }

    /// Adds a run whose log was not read yet.
    pub(crate) fn add(&mut self, dir: PathBuf, state: RunState) -> RunId {
        let id = self.next_id;
        self.next_id += 1;
        self.entries.push(RunEntry::new(id, dir, state));
        self.tell_apart();
        id
    }

    /// Gives a run its notes, and the name in them, or that of its directory if they hold none.
    pub(crate) fn rename(&mut self, id: RunId, notes: &Notes) {
        if let Some(entry) = self.get_mut(id) {
            entry.own_name = notes.name_of(&entry.dir);
            entry.user_notes = notes.clone();
            entry.notes_error = None;
        }
        self.tell_apart();
    }

    /// Takes a run off the list. Its probe tensors may be large, so that the caller should drop it on another thread.
    pub(crate) fn remove(&mut self, id: RunId) -> Option<RunEntry> {
        let at = self.entries.iter().position(|entry| entry.id == id)?;
        let removed = self.entries.remove(at);
        self.tell_apart();
        Some(removed)
    }

    /// Gives every run a name of its own: the same names that the command line gives the same runs in the same order.
    fn tell_apart(&mut self) {
        let names = distinct(self.entries.iter().map(|entry| entry.own_name.clone()));
        for (entry, name) in self.entries.iter_mut().zip(names) {
            entry.name = name;
        }
    }

    /// The steps at which any of the runs `shown` has a probe, in order.
    pub(crate) fn probe_steps(&self, shown: &[RunId]) -> Vec<u64> {
        let entries = shown.iter().filter_map(|&id| self.get(id));
        let mut steps: Vec<u64> = entries
            .flat_map(|entry| entry.run.probes.iter().map(|probe| probe.step))
            .collect();
        steps.sort_unstable();
        steps.dedup();
        steps
    }
}
