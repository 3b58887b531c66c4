//! Opens runs, takes in their logs, and takes runs off the list.

use std::path::{Path, PathBuf};

use super::App;
use crate::run::log::Followed;
use crate::ui::state::action::Purpose;
use crate::ui::state::draft::absolute;
use crate::ui::state::notice::About;
use crate::ui::state::runs::{RunId, RunState};
use crate::ui::work::{Opened, drop_elsewhere};

impl App {
    /// Puts a run on the list and reads it. The first run is shown on the left, the second on the right.
    pub(super) fn open(&mut self, dir: PathBuf) {
        let dir = absolute(&dir);
        if let Some(id) = self.state.runs.at_dir(&dir) {
            self.show_left(id);
            return;
        }
        let id = self.state.runs.add(dir.clone(), RunState::Opening);
        if self.state.view.left.is_none() {
            self.state.view.left = Some(id);
        } else if self.state.view.right.is_none() {
            self.state.view.right = Some(id);
        }
        self.background.read_run(id, dir);
    }

    pub(super) fn remove(&mut self, id: RunId) {
        if let Some(removed) = self.state.runs.remove(id) {
            self.has_closed_runs = true;
            self.background.closed(&removed.dir);
            drop_elsewhere(removed);
        }
        self.state.history.forget(id);
        self.state.view.forget(id);
        if self.state.view.left == Some(id) {
            self.state.view.left = self.state.view.right.take();
        }
        if self.state.view.left.is_none() {
            self.state.view.left = self.state.runs.iter().next().map(|entry| entry.id);
        }
        self.state.view.side_by_side &= self.state.view.right.is_some();
    }

    /// Takes in a run that was read from its beginning.
    pub(super) fn opened(&mut self, id: RunId, opened: Opened) {
        self.take_over(id, opened);
        self.is_open(id);
    }

    /// Puts what was read of a run on the list. Of a run that this window trains by now, the window knows more than the
    /// log told when it was read.
    pub(super) fn take_over(&mut self, id: RunId, opened: Opened) {
        let now = self.now;
        let Some(entry) = self.state.runs.get_mut(id) else {
            return;
        };
        if !entry.state.is_ours() {
            entry.read(opened.loaded, now);
        }
        entry.original = opened.original;
        self.state.runs.rename(id, &opened.notes);
        if let Some(entry) = self.state.runs.get_mut(id) {
            entry.notes_error = opened.notes_error;
        }
    }

    /// Takes in the newest events of a run that another process trains, or the sentence that says why its log cannot be
    /// read.
    pub(super) fn followed(&mut self, id: RunId, result: Result<Followed, String>) {
        let now = self.now;
        let Some(entry) = self.state.runs.get_mut(id) else {
            return;
        };
        entry.is_being_read = false;
        if entry.state.is_ours() {
            return;
        }
        match result {
            Ok(followed) => {
                match followed {
                    Followed::News(news) => entry.read_on(news, now),
                    Followed::Anew(loaded) => {
                        entry.read(*loaded, now);
                        self.has_closed_runs = true;
                    }
                }
                self.is_well(About::Reaching(id));
            }
            Err(sentence) => {
                let was_there = !matches!(entry.state, RunState::Unreachable(_));
                entry.state = RunState::Unreachable(sentence.clone());
                if was_there {
                    let text = format!("{} is shown as it was last read: {sentence}", entry.name);
                    self.complain(About::Reaching(id), text);
                }
            }
        }
    }

    /// Opens what a path or an address leads to that the user typed.
    pub(super) fn open_path(&mut self, path: &Path) {
        let ends_in = |ending: &str| {
            let extension = path.extension();
            extension.is_some_and(|end| end.eq_ignore_ascii_case(ending))
        };
        if ends_in("png") || ends_in("toml") {
            self.look_at(absolute(path));
        } else {
            self.background.look_for_run(path.to_owned());
        }
    }

    /// Looks whether a folder holds the images that a run was trained on, on another thread.
    fn locate(&mut self, run: RunId, folder: PathBuf) {
        let entry = self.state.runs.get(run);
        if let Some(started) = entry.and_then(|entry| entry.run.started.as_ref()) {
            let text = format!(
                "Comparing the images in {} with those of the run…",
                folder.display()
            );
            self.background.locate(started.clone(), folder);
            self.tell(text, false);
        }
    }

    /// Takes in that the images with a fingerprint are in a folder, or the sentence that says why they are not.
    pub(super) fn located(&mut self, fingerprint: String, found: Result<PathBuf, String>) {
        match found {
            Ok(folder) => {
                let text = format!(
                    "The images are in {}; this is kept for all runs trained on them.",
                    folder.display()
                );
                self.state.located.keep(fingerprint, folder);
                self.state.images.read_again();
                self.tell(text, false);
            }
            Err(sentence) => self.tell(sentence, true),
        }
    }

    pub(super) fn chosen(&mut self, purpose: Purpose, path: Option<PathBuf>) {
        let Some(path) = path else {
            return;
        };
        match purpose {
            Purpose::ImageFolder => {
                self.state.draft.folder = path.display().to_string();
                self.state.draft.use_folder_anew();
            }
            Purpose::RunFolder => self.background.look_for_run(path),
            Purpose::FolderOfRuns => self.add_folder(path),
            Purpose::Sweep | Purpose::ExportedFigure => self.look_at(path),
            Purpose::ImagesOf(run) => self.locate(run, path),
            Purpose::ExportFile | Purpose::ExportFolder => {
                if let Some(export) = &mut self.state.export {
                    export.chosen(path);
                }
            }
        }
    }
}
