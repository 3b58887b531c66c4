//! Keeps the window's settings from one start to the next: notes them, writes them a little after they changed, and
//! opens the runs again that were open when the window was last closed.

use std::path::PathBuf;
use std::time::Duration;

use super::App;
use crate::run::log;
use crate::ui::state::queue::{Job, Waiting};
use crate::ui::state::runs::RunState;
use crate::ui::state::settings::Settings;
use crate::ui::state::words::count;

/// Changed settings are written at most this often.
const SAVE_EVERY_SECS: f64 = 2.0;

/// Closing waits at most this long for settings that are being written.
const WAIT_FOR_WRITER: Duration = Duration::from_secs(2);

impl App {
    /// Opens the runs that were open when the window was last closed and that still exist; if there are none, the
    /// samples.
    pub(super) fn reopen(&mut self, samples: Vec<PathBuf>) {
        let mut dirs = self.settings.runs.clone();
        dirs.retain(|dir| log::events_path(dir).is_file());
        if dirs.is_empty() {
            return self.open_all(samples);
        }
        self.open_all(dirs);
        let at = |dir: &Option<PathBuf>| self.state.runs.at_dir(dir.as_deref()?);
        let (left, right) = (at(&self.settings.left), at(&self.settings.right));
        self.state.view.left = left.or(self.state.view.left);
        self.state.view.right = right.filter(|_| right != self.state.view.left);
        self.state.view.side_by_side =
            self.settings.side_by_side && self.state.view.right.is_some();
    }

    /// Opens these run directories, and the runs in those directories that are folders of runs. The first two runs are
    /// shown side by side.
    pub(super) fn open_all(&mut self, dirs: Vec<PathBuf>) {
        for dir in dirs {
            // The window has not been drawn yet, so that looking at the disk delays no frame.
            if log::events_path(&dir).is_file() {
                self.open(dir);
            } else {
                self.background.look_for_run(dir);
            }
        }
        self.state.view.side_by_side = self.state.view.right.is_some();
    }

    /// Puts the jobs back into the queue that were waiting or under way when the window was closed. None of them begins
    /// before the user asks for it. The queue of a window that is still open is left to that window.
    pub(super) fn restore_queue(&mut self) {
        let mut kept = std::mem::take(&mut self.settings.queue);
        // A run that is being written is trained by another window, whose queue this is.
        if kept.is_empty() || kept.iter().any(|x| log::is_being_written(x.job.dir())) {
            return;
        }
        for waiting in &mut kept {
            // A run may have begun after the settings were last written.
            let dir = waiting.job.dir();
            if log::holds_nothing(dir).is_ok_and(|holds_nothing| !holds_nothing) {
                let dir = dir.to_path_buf();
                waiting.job = Job::Resume { dir };
            }
        }
        let text = format!(
            "Training was under way or waiting when the window was closed ({}); go on with it at the bottom left.",
            count(kept.len())
        );
        self.state.queue.restore(kept);
        self.tell(text, false);
    }

    /// Notes the colours, the zoom and the size of the window.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "egui has one preference that is no choice"
    )]
    pub(super) fn remember(&mut self, ctx: &egui::Context) {
        self.settings.light = match ctx.options(|options| options.theme_preference) {
            egui::ThemePreference::System => None,
            chosen => Some(chosen == egui::ThemePreference::Light),
        };
        self.settings.zoom = Some(ctx.zoom_factor());
        let size = ctx.input(|input| input.viewport().inner_rect);
        self.settings.window = size
            .map(|rect| [rect.width(), rect.height()])
            .or(self.settings.window);
    }

    /// Writes settings in the background a little after they changed, so that a crash loses nothing.
    pub(super) fn keep_settings(&mut self, ctx: &egui::Context) {
        let Some(path) = self.settings_path.clone() else {
            return;
        };
        let wait = self.looked_for_changes_at + SAVE_EVERY_SECS - self.now;
        if wait > 0.0 {
            // The input that caused this frame may have changed a setting.
            return ctx.request_repaint_after(Duration::from_secs_f64(wait));
        }
        self.looked_for_changes_at = self.now;
        self.note_runs();
        if self.saved != self.settings && !self.is_saving {
            self.saved = self.settings.clone();
            self.is_saving = true;
            self.background.save_settings(self.settings.clone(), path);
        }
    }

    /// Takes in that settings were written in the background, or the sentence that says why they were not.
    pub(super) fn settings_saved(&mut self, result: Result<(), String>) {
        self.is_saving = false;
        if let Err(sentence) = result {
            self.give_up_saving(sentence);
        }
    }

    /// Shows why settings cannot be written, and does not try again: one notice is enough.
    fn give_up_saving(&mut self, sentence: String) {
        self.settings_path = None;
        self.tell(sentence, true);
    }

    /// Writes the settings, and the notes of a run that are still being edited, when the window closes.
    pub(crate) fn save_settings(&mut self) {
        if let Some(edit) = self.state.browser.unsaved()
            && let Err(error) = edit.notes.save(&edit.dir)
        {
            self.tell(format!("The notes are not kept: {error}"), true);
        }
        if self.is_saving {
            // The settings that a thread is still writing are older than the present ones, and must not replace them.
            self.background.wait_for_settings(WAIT_FOR_WRITER);
        }
        self.note_runs();
        if let Some(path) = &self.settings_path
            && let Err(sentence) = self.settings.save(path)
        {
            self.give_up_saving(sentence);
        }
    }

    /// Notes the open runs, the present place and the jobs that wait.
    fn note_runs(&mut self) {
        let dir = |id: Option<usize>| Some(self.state.runs.get(id?)?.dir.clone());
        let settings = Settings {
            place: self.state.view.clone(),
            runs: self
                .state
                .runs
                .iter()
                .map(|entry| entry.dir.clone())
                .collect(),
            left: dir(self.state.view.left),
            right: dir(self.state.view.right),
            side_by_side: self.state.view.side_by_side,
            queue: self.waiting_jobs(),
            folders: self.state.browser.folders.clone(),
            located: self.state.located.clone(),
            experiment: Some(self.state.draft.kept()),
            order: self.state.browser.order.clone(),
            ..std::mem::take(&mut self.settings)
        };
        self.settings = settings;
    }

    /// The jobs that wait, preceded by the job under way, which would be continued first. The list is empty if no job
    /// waits.
    fn waiting_jobs(&self) -> Vec<Waiting> {
        let mut waiting = self.state.queue.waiting();
        if let Some(job) = self.job_to_continue()
            && !waiting.is_empty()
            && waiting.iter().all(|waiting| waiting.job.dir() != job.dir())
        {
            let id = waiting.iter().map(|waiting| waiting.id + 1).max();
            let first = Waiting {
                id: id.unwrap_or(0),
                job,
                is_second: false,
            };
            waiting.insert(0, first);
        }
        waiting
    }

    /// What is left to do of the job under way: to continue its run, or the job itself while nothing is recorded, since
    /// its images are still being read. `None` if no job is under way.
    pub(super) fn job_to_continue(&self) -> Option<Job> {
        let job = &self.state.training.as_ref()?.current.as_ref()?.job;
        let has_begun = self
            .state
            .run_in_training()
            .is_some_and(|entry| entry.run.started.is_some() && entry.state != RunState::Loading);
        Some(if has_begun {
            Job::Resume {
                dir: job.dir().to_path_buf(),
            }
        } else {
            job.clone()
        })
    }
}
