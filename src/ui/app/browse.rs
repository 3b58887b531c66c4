//! The actions of the page of runs: looking through folders, showing, renaming and discarding runs.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::App;
use crate::run::notes::Notes;
use crate::ui::state::draft::absolute;
use crate::ui::state::place::Page;
use crate::ui::state::run_table::{DEPTH, Found};
use crate::ui::state::runs::{RunId, RunState};

/// How often folders are looked through while the page is open.
const LOOK_EVERY_SECS: f64 = 5.0;

impl App {
    /// Looks through folders now and then, while the page of runs is open.
    pub(super) fn look_for_runs(&mut self, ctx: &egui::Context, now: f64) {
        if self.state.view.page != Page::Runs {
            if let Some(edit) = self.state.browser.unsaved() {
                self.background.save_notes(edit.dir, edit.notes);
            }
            return;
        }
        let since = self.state.browser.looked_at.map(|at| now - at);
        let is_due = since.is_none_or(|since| since >= LOOK_EVERY_SECS);
        if is_due {
            self.look();
        }
        ctx.request_repaint_after(Duration::from_secs_f64(LOOK_EVERY_SECS));
    }

    /// Looks through folders now, unless a thread is already doing so.
    pub(super) fn look(&mut self) {
        if self.state.browser.is_looking {
            return;
        }
        self.state.browser.is_looking = true;
        self.state.browser.looked_at = Some(self.now);
        let places = self.places();
        self.background
            .look_for_runs(places, self.state.browser.found.clone(), self.now);
    }

    /// The folders in which runs are looked for, each with the depth of the search: the folder that new runs go to and
    /// the folders that the user named, and the folders that hold open runs, without their subfolders.
    fn places(&self) -> Vec<(PathBuf, usize)> {
        let output = absolute(Path::new(self.state.draft.output.trim()));
        let deep = self.state.browser.folders.iter().cloned().chain([output]);
        let mut places: Vec<_> = deep.map(|folder| (folder, DEPTH)).collect();
        for entry in self.state.runs.iter() {
            let beside = entry.dir.parent().map(|parent| (parent.to_owned(), 1));
            places.extend(beside.filter(|place| !places.contains(place)));
        }
        places
    }

    pub(super) fn runs_found(&mut self, found: Vec<Found>) {
        self.state.browser.is_looking = false;
        for found in &found {
            // Another process goes on with a run that was thought to be over.
            let entry = self
                .state
                .runs
                .at_dir(&found.dir)
                .and_then(|id| self.state.runs.get_mut(id));
            if let Some(entry) = entry
                && found.is_running()
                && entry.state.is_at_rest()
            {
                entry.state = RunState::Elsewhere;
            }
        }
        self.state.browser.list(found);
        for (dir, sentence) in std::mem::take(&mut self.state.browser.not_opened) {
            self.state.browser.mark(&dir, Some(&sentence));
        }
    }

    /// Takes in that a run cannot be opened; the sentence says why.
    pub(super) fn not_opened(&mut self, id: RunId, sentence: &str) {
        let Some(dir) = self.state.runs.get(id).map(|entry| entry.dir.clone()) else {
            return;
        };
        self.state.browser.to_continue.remove(&dir);
        if !self.state.browser.mark(&dir, Some(sentence)) {
            self.state
                .browser
                .not_opened
                .insert(dir, sentence.to_owned());
        }
    }

    /// Takes in that a run was opened, and continues its training if the user asked for that.
    pub(super) fn is_open(&mut self, id: RunId) {
        let Some(entry) = self.state.runs.get(id) else {
            return;
        };
        let (dir, can_continue) = (entry.dir.clone(), entry.can_continue());
        self.state.browser.not_opened.remove(&dir);
        self.state.browser.mark(&dir, None);
        if self.state.browser.to_continue.remove(&dir) && can_continue {
            self.resume_run(id);
        }
    }

    /// Continues the training of a run. A run that is not open is opened first, since its earlier steps are in its log.
    pub(super) fn continue_dir(&mut self, dir: PathBuf) {
        if let Some(id) = self.state.runs.at_dir(&dir) {
            return self.resume_run(id);
        }
        self.state.browser.to_continue.insert(dir.clone());
        self.open(dir);
    }

    /// Opens those of these runs that are not open yet.
    pub(super) fn open_others(&mut self, dirs: Vec<PathBuf>) {
        for dir in dirs {
            if self.state.runs.at_dir(&dir).is_none() {
                self.open(dir);
            }
        }
    }

    /// Opens the runs of a group, and compares the group to the baseline on the page Compare.
    pub(super) fn compare_all(&mut self, dirs: Vec<PathBuf>) {
        let first = dirs.first().cloned();
        self.open_others(dirs);
        self.state.view.compare.other = first.and_then(|dir| self.state.runs.at_dir(&dir));
        self.state.view.page = Page::Compare;
    }

    /// Makes the next frame of the page of runs look through the folders again.
    fn look_again(&mut self) {
        self.state.browser.looked_at = None;
    }

    pub(super) fn add_folder(&mut self, folder: PathBuf) {
        let folder = absolute(&folder);
        if !self.state.browser.folders.contains(&folder) {
            self.state.browser.folders.push(folder);
        }
        self.look_again();
    }

    pub(super) fn forget_folder(&mut self, folder: &Path) {
        self.state.browser.folders.retain(|known| known != folder);
        self.look_again();
    }

    /// Opens a run if it is not open yet, and shows it on the right or on the left.
    pub(super) fn show_dir(&mut self, dir: PathBuf, right: bool) {
        if self.state.runs.at_dir(&dir).is_none() {
            self.open(dir.clone());
        }
        let Some(id) = self.state.runs.at_dir(&dir) else {
            return;
        };
        if right {
            self.show_right(id);
        } else {
            self.show_left(id);
        }
    }

    pub(super) fn notes_saved(&mut self, dir: &Path, notes: &Notes) {
        if let Some(id) = self.state.runs.at_dir(dir) {
            self.state.runs.rename(id, notes);
            self.state.browser.rounds += 1;
        }
        self.look_again();
    }

    /// Moves a run to the trash, unless this window is training it or it waits in the queue.
    pub(super) fn discard(&mut self, dir: PathBuf) {
        let entry = self
            .state
            .runs
            .at_dir(&dir)
            .and_then(|id| self.state.runs.get(id));
        let is_ours = entry.is_some_and(|entry| entry.state.is_ours());
        let waits = self
            .state
            .queue
            .waiting()
            .iter()
            .any(|waiting| waiting.job.dir() == dir);
        if is_ours || waits {
            let text = "Not moved to the trash: the run is being trained or waits for it; stop it or take it out first";
            return self.tell(text, true);
        }
        self.background.discard(dir, self.discard.clone());
    }

    pub(super) fn discarded(&mut self, dir: &Path) {
        if let Some(id) = self.state.runs.at_dir(dir) {
            self.remove(id);
        }
        if self.state.browser.selected.as_deref() == Some(dir) {
            self.state.browser.selected = None;
        }
        let mut found = self.state.browser.found.as_ref().clone();
        found.retain(|found| found.dir != dir);
        self.state.browser.found = std::sync::Arc::new(found);
        self.state.browser.rounds += 1;
        self.look_again();
        self.tell(format!("Moved to the trash: {}", dir.display()), false);
    }
}
