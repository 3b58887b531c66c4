//! Starts, steers and follows training.

use std::path::{Path, PathBuf};

use super::App;
use crate::config::{Field, RunConfig};
use crate::findings::Setting;
use crate::run::event::Event;
use crate::run::log::new_fork_dir;
use crate::train::Message;
use crate::ui::state::notice::About;
use crate::ui::state::queue::{End, Job, Waiting};
use crate::ui::state::runs::{RunId, RunState, state_at_rest};
use crate::ui::state::training::Training;
use crate::ui::state::words::failures;
use crate::ui::work::{Opened, Report, Update, Worker};

/// A notice shows at most this many sentences of a job.
const SHOWN_SENTENCES: usize = 6;

/// At most this many sentences are kept with a run: there may be one for each image that cannot be decoded.
const KEPT_SENTENCES: usize = 30;

impl App {
    pub(super) fn start(&mut self) {
        self.train(self.state.draft.jobs(&self.taken()));
    }

    /// Trains the experiment as set up, without the images that cannot be decoded.
    pub(super) fn skip_and_train(&mut self) {
        // As if the box had been ticked, which shows what was last written in its place.
        if let Some(field) = Field::named("skip_unreadable") {
            self.state.draft.typed(field, "true".to_owned());
        }
        self.start();
    }

    /// Directories that jobs will write or are writing.
    fn taken(&self) -> Vec<PathBuf> {
        let waiting = self.state.queue.waiting();
        let waiting = waiting.iter().map(|waiting| waiting.job.dir());
        let current = self.state.training.as_ref().and_then(Training::current_dir);
        waiting.chain(current).map(Path::to_path_buf).collect()
    }

    /// Goes on from a checkpoint of the run in a directory, in a new run beside it.
    pub(super) fn fork(&mut self, parent: PathBuf, config: Box<RunConfig>, at: Option<u64>) {
        let dir = new_fork_dir(&parent, &self.taken());
        self.train(vec![Job::Fork {
            parent,
            dir,
            config,
            at,
        }]);
    }

    /// Sets the experiment up as a run was, but for `settings`.
    pub(super) fn set_up(&mut self, id: RunId, settings: &[Setting]) {
        let entry = self.state.runs.get(id);
        let started = entry.and_then(|entry| entry.run.started.as_ref());
        let Some(config) = started.map(|started| started.config.clone()) else {
            return;
        };
        match self.state.draft.set_up(config, settings) {
            Ok(()) => {
                let changes: Vec<String> = settings
                    .iter()
                    .map(|setting| format!("{} = {}", setting.field, setting.value))
                    .collect();
                self.tell(format!(
                    "The setup on the left is that of the run with {}. Press Start to train it.",
                    changes.join(", ")
                ), false);
            }
            Err(reason) => self.complain(About::Past, reason),
        }
    }

    pub(super) fn resume_run(&mut self, id: RunId) {
        if let Some(entry) = self.state.runs.get(id) {
            let dir = entry.dir.clone();
            self.train(vec![Job::Resume { dir }]);
        }
    }

    /// Trains runs one after the other, as if the user had pressed Start: behind the jobs that wait if training is
    /// under way, otherwise at once.
    pub fn train(&mut self, jobs: Vec<Job>) {
        if self.state.is_training() {
            self.state.queue.add(jobs, End::Back);
            return;
        }
        self.state.notice = None;
        self.state.failed.clear();
        self.state.queue.add(jobs, End::Front);
        self.go_on();
    }

    /// Starts the training of the jobs that wait, unless it is under way.
    pub(super) fn go_on(&mut self) {
        if self.state.is_training() || self.state.queue.is_empty() {
            return;
        }
        self.state.draft.stop_checking();
        let training = Training::default();
        let started = Worker::start(
            self.state.queue.clone(),
            training.control.clone(),
            self.trainer.clone(),
            self.waker.clone(),
        );
        match started {
            Ok(worker) => {
                self.worker = Some(worker);
                self.state.training = Some(training);
            }
            Err(error) => self.tell(
                format!("The system gives no thread to train in: {error}."),
                true,
            ),
        }
    }

    pub(super) fn pause(&mut self, paused: bool) {
        let Some(training) = &self.state.training else {
            return;
        };
        if paused {
            training.control.pause();
        } else {
            training.control.resume();
        }
        let state = if paused {
            RunState::Paused
        } else {
            RunState::Running
        };
        if let Some(entry) = self
            .current_run()
            .and_then(|id| self.state.runs.get_mut(id))
            && entry.state != RunState::Loading
        {
            entry.state = state;
        }
    }

    pub(super) fn stop(&mut self) {
        if let Some(training) = &self.state.training {
            training.control.stop();
        }
    }

    fn current_run(&self) -> Option<RunId> {
        Some(self.state.run_in_training()?.id)
    }

    /// Takes in one report of the training thread; `false` if there is none to take now.
    pub(super) fn take_update(&mut self) -> bool {
        let Some(report) = self.worker.as_ref().map(Worker::next_report) else {
            return false;
        };
        match report {
            Report::Update(Update::Began(waiting, known)) => {
                self.began(*waiting, known.map(|known| *known));
            }
            Report::Update(Update::Message(message)) => self.take_message(*message),
            Report::Update(Update::Ended(result)) => self.ended(result),
            Report::NoneYet => return false,
            Report::Over => {
                let training = self.state.training.take();
                let is_stopped = training.is_some_and(|x| x.control.is_stopped());
                self.worker = None;
                if !is_stopped {
                    // A job may have been added after the thread found the queue empty.
                    self.go_on();
                }
                return false;
            }
        }
        true
    }

    fn take_message(&mut self, message: Message) {
        let loading = match &message {
            Message::Loading { done, total } => Some((*done, *total)),
            Message::Event(_) | Message::Notice(_) => None,
        };
        match message {
            Message::Notice(text) => return self.tell_of_job(&text),
            Message::Event(event) => self.take_event(&event),
            Message::Loading { .. } => {}
        }
        if let Some(training) = &mut self.state.training {
            training.loading = loading;
        }
    }

    /// Shows a sentence of the trainer, below those of the same job that are still shown, and keeps it with the run.
    fn tell_of_job(&mut self, text: &str) {
        let training = self.state.training.as_ref();
        let Some(job) = training.and_then(|training| training.current.as_ref()) else {
            return self.tell(text, false);
        };
        let about = About::Job(job.id);
        let entry = self
            .current_run()
            .and_then(|id| self.state.runs.get_mut(id));
        if let Some(entry) = entry
            && entry.notes.len() < KEPT_SENTENCES
            && entry.notes.iter().all(|note| note != text)
        {
            entry.notes.push(text.to_owned());
        }
        let now = self.now;
        let shown = self.state.notice.as_mut();
        if let Some(notice) = shown.filter(|notice| notice.about == about) {
            notice.since = now;
            match notice.text.lines().count() {
                lines if lines < SHOWN_SENTENCES => notice.text.push_str(&format!("\n{text}")),
                SHOWN_SENTENCES => notice.text.push_str("\n…"),
                _ => {}
            }
            return;
        }
        self.tell(text, false);
        if let Some(notice) = &mut self.state.notice {
            notice.about = about;
        }
    }

    /// Takes in that a job begins: puts its run on the list and shows it, the first run of a pair on the left, the
    /// second on the right. If the user looks at another run than that of the previous job, the runs shown stay as they
    /// are. `known` is what was recorded before of a run that training goes on with.
    fn began(&mut self, waiting: Waiting, known: Option<Opened>) {
        let Some(training) = &mut self.state.training else {
            return;
        };
        let (dir, is_second) = (waiting.job.dir().to_path_buf(), waiting.is_second);
        let before = training.current.replace(waiting);
        training.loading = None;
        let id = match self.state.runs.at_dir(&dir) {
            Some(id) => id,
            None => self.state.runs.add(dir, RunState::Opening),
        };
        let entry = self.state.runs.get(id);
        if let Some(known) = known
            && entry.is_some_and(|entry| entry.run.started.is_none())
        {
            self.take_over(id, known);
        }
        if let Some(entry) = self.state.runs.get_mut(id) {
            entry.state = RunState::Loading;
        }
        let shown = self.state.view.shown();
        let before = before.map(|before| self.state.runs.at_dir(before.job.dir()));
        // If the previous run recorded nothing, it is no longer on the list.
        let watches = before.is_none_or(|id| id.is_none_or(|id| shown.contains(&id)));
        if shown.contains(&id) || !watches {
            return;
        }
        if is_second && before.flatten().is_some() {
            self.state.view.right = Some(id);
            self.state.view.side_by_side = true;
        } else {
            self.state.view.left = Some(id);
            self.state.view.side_by_side = false;
        }
        self.state.view.figure.step = None;
    }

    fn take_event(&mut self, event: &Event) {
        let is_paused = self
            .state
            .training
            .as_ref()
            .is_some_and(|training| training.control.is_paused());
        let Some(entry) = self
            .current_run()
            .and_then(|id| self.state.runs.get_mut(id))
        else {
            return;
        };
        entry.apply(event);
        // This window writes the log, so that it need not read the log to follow the run.
        entry.position = None;
        entry.state = match &entry.run.ending {
            Some(_) => state_at_rest(&entry.run, false),
            None if is_paused => RunState::Paused,
            None => RunState::Running,
        };
    }

    fn ended(&mut self, result: Result<(), String>) {
        let mut stopped = None;
        if let Some(training) = &mut self.state.training {
            training.done += 1;
            let current = training.current.as_ref().map(|current| current.job.clone());
            stopped = current.filter(|_| training.control.is_stopped());
        }
        let Some(id) = self.current_run() else { return };
        let Some(entry) = self.state.runs.get_mut(id) else {
            return;
        };
        let name = entry.name.clone();
        // A run that could not be continued is what it was before: nothing was written to it.
        let is_untouched = entry.state == RunState::Loading;
        if entry.run.started.is_none() {
            // Nothing was recorded: there is no run to show.
            self.remove(id);
        } else {
            entry.state = match (&result, &entry.run.ending) {
                (Err(sentence), None) if !is_untouched => RunState::Failed(sentence.clone()),
                _ => state_at_rest(&entry.run, false),
            };
        }
        let Err(sentence) = result else { return };
        match stopped.filter(|_| is_untouched) {
            // The reading of images was cut short, which is no failure.
            Some(_) if self.is_closing => {}
            Some(job) => {
                self.state.queue.add(vec![job], End::Front);
                self.tell("Stopped before its first step; it waits again.", false);
            }
            None => {
                self.state.failed.push((name, sentence));
                self.tell(failures(&self.state.failed), true);
            }
        }
    }
}

#[cfg(test)]
mod tests;
