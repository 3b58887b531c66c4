//! The application: its state, what happens between frames, and the layout of the window.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::action::Action;
use super::background::{self, Background, Discard, Dropped, Purpose, Reply};
use super::browser::Browser;
use super::commands::{self, Palette};
use super::data_panel::{self, Data};
use super::draft::{Draft, absolute};
use super::export_dialog::{Export, ExportDraft, Exported, export_ui};
use super::findings_panel::{Findings, Source};
use super::images_panel::{self, Images};
use super::navigation::{History, Place};
use super::notice::{Notice, in_full, notice_ui};
use super::page::Page;
use super::queue::{End, Queue};
use super::restore::Restoring;
use super::runs::{RunEntry, RunId, Runs, State, state_at_rest};
use super::settings::Settings;
use super::waker::Waker;
use super::worker::{Job, Trainer, Update, Worker, trainer};
use super::{
    figures_panel, findings_panel, runs_panel, setup_panel, time_panel, top_bar, training_panel,
};
use crate::config::Attention;
use crate::figure::{Kind, View, locked};
use crate::run::event::Event;
use crate::run::log::{Followed, Loaded};
use crate::run::notes::Notes;
use crate::train::Message;

/// Messages are taken in for at most this long per frame.
const DRAIN_FOR: Duration = Duration::from_millis(10);

/// A folder that is dropped with more runs than this is listed, and none of them opened.
const OPENED_AT_ONCE: usize = 4;

/// After this long, closing the window no longer waits for training to stop.
const CLOSE_AFTER: Duration = Duration::from_secs(10);

/// What the application starts with.
pub struct Options {
    /// Run directories to open; where none is named, those that were open last.
    pub runs: Vec<PathBuf>,
    /// Run directories to open where there are none of either.
    pub samples: Vec<PathBuf>,
    /// Folder that new runs go to.
    pub output: PathBuf,
    /// What does the training.
    pub trainer: Trainer,
    /// What moves a run's directory to the trash.
    pub discard: Discard,
    /// Where the window remembers how it was left; nowhere if none.
    pub settings: Option<PathBuf>,
    /// Bytes of probe tensors that are kept in memory.
    pub probe_memory: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            runs: Vec::new(),
            samples: Vec::new(),
            output: PathBuf::from("runs"),
            trainer: trainer(),
            discard: background::trash(),
            settings: None,
            probe_memory: super::runs::PROBE_MEMORY_BYTES,
        }
    }
}

/// The application, apart from the window it is shown in.
pub struct App {
    pub(crate) runs: Runs,
    /// What is looked at.
    pub(crate) view: Place,
    pub(crate) draft: Draft,
    pub(crate) worker: Option<Worker>,
    /// What is trained after that.
    pub(crate) queue: Queue,
    /// Names of runs that failed, and why, until the notice of it is dismissed.
    pub(crate) failed: Vec<(String, String)>,
    pub(crate) notice: Option<Notice>,
    pub(crate) export: Option<ExportDraft>,
    pub(crate) findings: Findings,
    pub(crate) images: Images,
    pub(crate) data: Data,
    pub(crate) browser: Browser,
    /// The image whose view is to be shown, while its runs are looked for.
    pub(super) restoring: Option<Restoring>,
    /// What goes to the clipboard with the next frame.
    copied: Option<egui::OutputCommand>,
    pub(crate) run_to_open: String,
    /// The list of commands, while it is open.
    pub(crate) palette: Option<Palette>,
    /// The figure whose explanation is open.
    pub(crate) explained: Option<Kind>,
    /// Whether the list of keys is open.
    pub(crate) is_keyboard_open: bool,
    pub(crate) history: History,
    /// What was remembered last, and where.
    pub(super) settings: Settings,
    pub(super) settings_path: Option<PathBuf>,
    /// What the file holds.
    pub(super) saved: Settings,
    pub(super) is_saving: bool,
    /// When changes of the settings were last looked for, in window seconds.
    pub(super) looked_for_changes_at: f64,
    pub(super) background: Background,
    waker: Waker,
    trainer: Trainer,
    pub(super) discard: Discard,
    /// When this frame is, in window seconds.
    pub(super) now: f64,
    /// When the user asked to close the window while training was under way.
    closing_since: Option<Instant>,
}

impl App {
    /// The application before its first frame.
    pub fn new(options: Options) -> Self {
        let waker = Waker::default();
        let load = options.settings.as_deref().map(Settings::load);
        let (settings, problem) = load.unwrap_or_default();
        let mut app = Self {
            runs: Runs::new(options.probe_memory),
            view: settings.place.clone(),
            draft: Draft::new(&options.output),
            worker: None,
            queue: Queue::default(),
            failed: Vec::new(),
            notice: None,
            export: None,
            findings: Findings::default(),
            images: Images::default(),
            data: Data::default(),
            browser: Browser::default(),
            restoring: None,
            copied: None,
            run_to_open: String::new(),
            palette: None,
            explained: None,
            is_keyboard_open: false,
            history: History::default(),
            saved: settings.clone(),
            settings,
            settings_path: options.settings,
            is_saving: false,
            looked_for_changes_at: 0.0,
            background: Background::new(waker.clone()),
            waker,
            trainer: options.trainer,
            discard: options.discard,
            now: 0.0,
            closing_since: None,
        };
        app.browser.folders = app.settings.folders.clone();
        app.browser.order = app.settings.order.clone();
        app.restore_queue();
        if let Some(problem) = problem {
            app.tell(problem, true);
        }
        if options.runs.is_empty() {
            app.reopen(options.samples);
        } else {
            app.open_all(options.runs);
        }
        app
    }

    /// Whether work in the background is not done, or its results not yet taken in. Training does not count.
    pub fn is_busy(&self) -> bool {
        self.background.is_busy()
    }

    /// Whether a run is still being read; its probes may take longer.
    pub fn is_opening(&self) -> bool {
        self.runs.are_opening()
    }

    /// Whether training is under way.
    pub fn is_training(&self) -> bool {
        self.worker.is_some()
    }

    /// The page that is shown.
    pub(super) fn page(&self) -> Page {
        self.view.page
    }

    /// Turns to a page.
    pub fn show(&mut self, page: Page) {
        self.view.page = page;
    }

    /// What every figure shows: the part of the network, the moment and the pair.
    pub fn figure_view(&mut self) -> &mut View {
        &mut self.view.figure
    }

    /// What happens between frames: takes in what threads report, and asks them for what is needed next.
    pub fn logic(&mut self, ctx: &egui::Context) {
        self.waker.frame_begins(ctx);
        let now = ctx.input(|input| input.time);
        self.now = now;
        let deadline = Instant::now() + DRAIN_FOR;
        while let Some(reply) = self.background.next_reply() {
            self.take_reply(reply);
        }
        while self.take_update() {
            if Instant::now() >= deadline {
                ctx.request_repaint();
                break;
            }
        }
        for file in ctx.input(|input| input.raw.dropped_files.clone()) {
            self.look_at(file.path().to_path_buf());
        }
        self.go_on_restoring();
        self.ask_for_probes();
        self.ask_for_findings(ctx, now);
        let wanted = images_panel::wanted(self);
        for wanted in self.images.ask(wanted) {
            self.background.read_images(wanted);
        }
        self.ask_for_samples(ctx, now);
        if let Some(config) = self.draft.scan_due(now) {
            self.background.scan(config);
        } else if let Some(secs) = self.draft.scan_waits(now) {
            ctx.request_repaint_after(Duration::from_secs_f64(secs));
        }
        self.look_for_runs(ctx, now);
        self.follow_others(ctx, now);
        self.keep_settings(ctx);
        self.close_if_asked(ctx);
    }

    /// The frame before took so long: messages of the training thread wait the longer, the longer frames take.
    pub fn frame_took(&self, time: Duration) {
        self.waker.frame_took(time);
    }

    /// Draws the whole window and does what was asked for in it.
    pub fn ui(&mut self, ui: &mut egui::Ui) {
        let mut actions = commands::keys(ui.ctx(), self);
        // The window is cleared in the colour of panels: filling them once more would be half the work of a frame where
        // the processor draws.
        let clear = egui::Color32::TRANSPARENT;
        let panel = egui::Frame::side_top_panel(ui.style()).fill(clear);
        let central = egui::Frame::central_panel(ui.style()).fill(clear);
        egui::Panel::top("top").frame(panel).show(ui, |ui| {
            top_bar::top_bar_ui(ui, self, &mut actions);
        });
        let width = self.settings.panel.unwrap_or(316.0);
        let setup = egui::Panel::left("setup")
            .default_size(width.clamp(280.0, 440.0))
            .size_range(280.0..=440.0)
            .frame(panel)
            .show(ui, |ui| {
                egui::Panel::bottom("training")
                    .frame(egui::Frame::NONE)
                    .show(ui, |ui| {
                        training_panel::training_ui(ui, self, &mut actions);
                    });
                egui::ScrollArea::vertical()
                    .auto_shrink(false)
                    .show(ui, |ui| {
                        // The scroll bar floats: without a margin it would lie on the numbers.
                        let margin = egui::Margin {
                            right: 8,
                            ..egui::Margin::ZERO
                        };
                        egui::Frame::NONE.inner_margin(margin).show(ui, |ui| {
                            runs_panel::runs_ui(ui, self, &mut actions);
                            ui.separator();
                            setup_panel::setup_ui(ui, &mut self.draft, &mut actions);
                        });
                    });
            });
        self.settings.panel = Some(setup.response.rect.width());
        egui::Panel::bottom("time").frame(panel).show(ui, |ui| {
            time_panel::time_ui(ui, self, &mut actions);
        });
        egui::CentralPanel::default().frame(central).show(ui, |ui| {
            figures_panel::figures_ui(ui, self, &mut actions);
        });
        if let Some(export) = &mut self.export {
            export_ui(ui.ctx(), export, &mut actions);
        }
        if let Some(copied) = self.copied.take() {
            ui.ctx().send_cmd(copied);
        }
        notice_ui(ui.ctx(), &mut self.notice, self.now, &mut actions);
        hovering_ui(ui.ctx());
        commands::windows_ui(ui.ctx(), self, &mut actions);
        for action in actions {
            self.apply(action, ui.ctx());
        }
        self.remember(ui.ctx());
    }

    /// What the window starts with: colours, and the size it had.
    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) fn tell(&mut self, text: impl Into<String>, is_error: bool) {
        self.notice = Some(Notice {
            text: text.into(),
            is_error,
            since: self.now,
        });
    }

    fn apply(&mut self, action: Action, ctx: &egui::Context) {
        ctx.request_repaint();
        let before = self.view.clone();
        let is_way = matches!(action, Action::Back | Action::Forward);
        self.act(action, ctx);
        if !is_way {
            self.history.moved(before, &self.view);
        }
    }

    fn act(&mut self, action: Action, ctx: &egui::Context) {
        match action {
            Action::Back => {
                let place = self.history.back(&self.view);
                self.view = place.unwrap_or_else(|| self.view.clone());
            }
            Action::Forward => {
                let place = self.history.forward(&self.view);
                self.view = place.unwrap_or_else(|| self.view.clone());
            }
            Action::TogglePalette => {
                self.palette = match self.palette {
                    Some(_) => None,
                    None => Some(Palette::default()),
                };
            }
            Action::SetTime(axis) => self.view.figure.time = axis,
            Action::Start => self.start(),
            Action::Pause => self.pause(true),
            Action::Resume => self.pause(false),
            Action::Stop => self.stop(),
            Action::Continue(id) => self.resume_run(id),
            Action::ContinueDir(dir) => self.continue_dir(dir),
            Action::GoOn => self.go_on(),
            Action::ShiftJob(id, by) => self.queue.shift(id, by),
            Action::CancelJob(id) => self.queue.cancel(id),
            Action::Open(dir) => self.background.look_for_run(absolute(&dir)),
            Action::OpenAll(dirs) => self.open_others(dirs),
            Action::CompareAll(dirs) => self.compare_all(dirs),
            Action::ShowDir(dir, right) => self.show_dir(dir, right),
            Action::AddFolder(dir) => self.add_folder(dir),
            Action::ForgetFolder(dir) => self.forget_folder(&dir),
            Action::SaveNotes(dir, notes) => self.background.save_notes(dir, notes),
            Action::Reveal(dir) => self.background.reveal(dir),
            Action::AskTrash(dir) => {
                // The page that asks.
                self.view.page = Page::Runs;
                self.browser.to_trash = Some(dir);
            }
            Action::Trash(dir) => self.discard(dir),
            Action::Remove(id) => self.remove(id),
            Action::ShowLeft(id) => self.show_left(id),
            Action::ShowRight(id) => self.show_right(id),
            Action::SideBySide(on) => self.show_side_by_side(on),
            Action::Pick(pick) => self.pick(pick),
            Action::OrderBySimilarity => self.order_by_similarity(),
            Action::LockScales(on) => self.lock_scales(on, ctx),
            Action::ShowEvidence(id, page, evidence) => self.show_evidence(id, page, evidence),
            Action::CompareTo(run) => self.view.compare.baseline = Some(run),
            Action::Compare(run) => self.view.compare.other = Some(run),
            Action::Show(page) => self.view.page = page,
            Action::GoTo(step) => self.view.figure.step = step,
            Action::StepBy(count) => self.step_by(count),
            Action::SetTheme(theme) => ctx.set_theme(theme),
            Action::Choose(purpose, start) => self.background.choose(purpose, &start),
            Action::AskExport(kind, id, sizes) => self.ask_export(kind, id, &sizes, ctx.theme()),
            Action::Export => self.write_export(ctx.theme()),
            Action::CopyFigure => self.copy_figure(ctx.theme()),
            Action::CancelExport => self.export = None,
            Action::HideImages => self.view.figure.confused = None,
            Action::NoClass => self.view.figure.class = None,
            Action::ClearSelection => self.clear_selection(),
            Action::ShowCurves => self.view.figure.hidden.clear(),
            Action::ExplainFigure(kind) => self.explained = kind,
            Action::ToggleKeyboard => self.is_keyboard_open = !self.is_keyboard_open,
            Action::Dismiss => {
                self.notice = None;
                self.failed.clear();
            }
        }
    }

    // --- training ---

    fn start(&mut self) {
        let waiting = self.queue.waiting();
        let waiting = waiting.iter().map(|waiting| waiting.job.dir());
        let current = self.worker.as_ref().and_then(Worker::current_dir);
        let taken: Vec<PathBuf> = waiting.chain(current).map(Path::to_path_buf).collect();
        self.train(self.draft.jobs(&taken));
    }

    pub(super) fn resume_run(&mut self, id: RunId) {
        if let Some(entry) = self.runs.get(id) {
            let dir = entry.dir.clone();
            self.train(vec![Job::Resume { dir }]);
        }
    }

    /// Trains runs one after the other, as if Start had been pressed: after those that wait while training is under
    /// way, and else at once.
    pub fn train(&mut self, jobs: Vec<Job>) {
        if self.worker.is_some() {
            self.queue.add(jobs, End::Back);
            return;
        }
        self.notice = None;
        self.failed.clear();
        self.queue.add(jobs, End::Front);
        self.go_on();
    }

    /// Trains what waits.
    fn go_on(&mut self) {
        if self.worker.is_some() || self.queue.is_empty() {
            return;
        }
        let started = Worker::start(self.queue.clone(), self.trainer.clone(), self.waker.clone());
        match started {
            Ok(worker) => self.worker = Some(worker),
            Err(error) => self.tell(
                format!("The system gives no thread to train in: {error}."),
                true,
            ),
        }
    }

    /// What waited when the window was closed waits again; it goes on when it is asked to.
    fn restore_queue(&mut self) {
        let kept = std::mem::take(&mut self.settings.queue);
        if kept.is_empty() {
            return;
        }
        let text = format!(
            "Training was under way or waiting when the window was closed ({}); go on with it at the bottom left.",
            super::queue_panel::count(kept.len())
        );
        self.queue.restore(kept);
        self.tell(text, false);
    }

    fn pause(&mut self, paused: bool) {
        let Some(worker) = &self.worker else { return };
        if paused {
            worker.control.pause();
        } else {
            worker.control.resume();
        }
        let state = if paused {
            State::Paused
        } else {
            State::Running
        };
        if let Some(entry) = self.current_run().and_then(|id| self.runs.get_mut(id))
            && entry.state != State::Loading
        {
            entry.state = state;
        }
    }

    fn stop(&mut self) {
        if let Some(worker) = &self.worker {
            worker.control.stop();
        }
    }

    fn current_run(&self) -> Option<RunId> {
        self.runs.at_dir(self.worker.as_ref()?.current_dir()?)
    }

    /// Takes in one report of the training thread; false where none is waiting.
    fn take_update(&mut self) -> bool {
        let Some(worker) = &mut self.worker else {
            return false;
        };
        match worker.updates.try_recv() {
            Ok(Update::Began(waiting)) => {
                let is_second = waiting.is_second;
                let before = worker.current.replace(*waiting);
                worker.loading = None;
                self.began(is_second, before.map(|before| before.job));
                true
            }
            Ok(Update::Message(message)) => {
                self.take_message(*message);
                true
            }
            Ok(Update::Ended(result)) => {
                self.ended(result);
                true
            }
            Err(crossbeam_channel::TryRecvError::Empty) => false,
            Err(crossbeam_channel::TryRecvError::Disconnected) => {
                let is_stopped = worker.control.is_stopped();
                self.worker = None;
                if !is_stopped {
                    // Added just when the thread had found nothing to do.
                    self.go_on();
                }
                false
            }
        }
    }

    fn take_message(&mut self, message: Message) {
        let loading = match &message {
            Message::Loading { done, total } => Some((*done, *total)),
            _ => None,
        };
        match message {
            Message::Notice(text) => return self.tell(text, false),
            Message::Event(event) => self.take_event(&event),
            Message::Loading { .. } => {}
        }
        if let Some(worker) = &mut self.worker {
            worker.loading = loading;
        }
    }

    /// Puts the run of the current job on the list and shows it, the first of a pair left, the second right; unless one
    /// looks at something else than the run `before` it.
    fn began(&mut self, is_second: bool, before: Option<Job>) {
        let Some(worker) = &self.worker else { return };
        let Some(dir) = worker.current_dir().map(Path::to_path_buf) else {
            return;
        };
        let id = match self.runs.at_dir(&dir) {
            Some(id) => id,
            None => self.runs.add(dir, State::Loading),
        };
        if let Some(entry) = self.runs.get_mut(id) {
            entry.state = State::Loading;
        }
        let shown = self.view.shown();
        let before = before.map(|job| self.runs.at_dir(job.dir()));
        // Where the run before recorded nothing, it is not on the list any more.
        let watches = before.is_none_or(|id| id.is_none_or(|id| shown.contains(&id)));
        if shown.contains(&id) || !watches {
            return;
        }
        if is_second && before.flatten().is_some() {
            self.view.right = Some(id);
            self.view.side_by_side = true;
        } else {
            self.view.left = Some(id);
            self.view.side_by_side = false;
        }
        self.view.figure.step = None;
    }

    fn take_event(&mut self, event: &Event) {
        let is_paused = self
            .worker
            .as_ref()
            .is_some_and(|worker| worker.control.is_paused());
        let Some(entry) = self.current_run().and_then(|id| self.runs.get_mut(id)) else {
            return;
        };
        entry.apply(event);
        // The log grows by what this window knows already.
        entry.position = None;
        entry.state = match &entry.run.ending {
            Some(_) => state_at_rest(&entry.run, false),
            None if is_paused => State::Paused,
            None => State::Running,
        };
    }

    fn ended(&mut self, result: Result<(), String>) {
        if let Some(worker) = &mut self.worker {
            worker.done += 1;
        }
        let Some(id) = self.current_run() else { return };
        let Some(entry) = self.runs.get_mut(id) else {
            return;
        };
        let name = entry.name.clone();
        if entry.run.started.is_none() {
            // Nothing was recorded: there is no run to show.
            self.remove(id);
        } else {
            entry.state = match (&result, &entry.run.ending) {
                (Err(sentence), None) => State::Failed(sentence.clone()),
                _ => state_at_rest(&entry.run, false),
            };
        }
        if let Err(sentence) = result {
            self.failed.push((name, sentence));
            self.tell(super::queue_panel::failures(&self.failed), true);
        }
    }

    // --- what threads found ---

    fn take_reply(&mut self, reply: Reply) {
        match reply {
            Reply::Run(id, Ok(read)) => {
                let (loaded, notes) = *read;
                self.opened(id, loaded, &notes);
            }
            Reply::Run(id, Err(sentence)) => {
                self.not_opened(id, &sentence);
                self.remove(id);
                self.tell(in_full(&sentence), true);
            }
            Reply::Followed(id, result) => self.followed(id, result),
            Reply::Probes(replies) => {
                let (shown, view) = self.probes_looked_at();
                self.runs.take_probes(replies, &shown, &view);
            }
            Reply::Scanned(config, result) => self.draft.scanned(&config, result),
            Reply::Chosen(purpose, path) => self.chosen(purpose, path),
            Reply::Exported(Ok(exported)) => self.exported(exported),
            Reply::Exported(Err(sentence)) => self.tell(format!("Not exported: {sentence}"), true),
            Reply::Found(key, found) => {
                if let Err(sentence) = &found {
                    self.tell(
                        format!("Nothing is looked for that stands out: {sentence}"),
                        true,
                    );
                }
                self.findings.take(key, found.unwrap_or_default());
            }
            Reply::Ordered(order) => self.ordered(order.ok()),
            Reply::Samples(key, read) => self.data.take(*key, read),
            Reply::Images(key, read) => self.images.take(&key, read),
            Reply::Dropped(dropped) => self.take_dropped(dropped),
            Reply::RunsFound(Ok(found)) => self.runs_found(found),
            Reply::RunsFound(Err(sentence)) => {
                self.browser.is_looking = false;
                self.tell(format!("Folders are not looked through: {sentence}"), true);
            }
            Reply::NotesSaved(dir, Ok(notes)) => self.notes_saved(&dir, &notes),
            Reply::NotesSaved(_, Err(sentence)) => {
                self.tell(format!("The notes are not kept: {sentence}"), true);
            }
            Reply::SettingsSaved(result) => self.settings_saved(result),
            Reply::Revealed(Ok(())) => {}
            Reply::Revealed(Err(sentence)) => {
                self.tell(format!("Not shown in a file manager: {sentence}"), true);
            }
            Reply::Discarded(dir, Ok(())) => self.discarded(&dir),
            Reply::Discarded(_, Err(sentence)) => {
                self.tell(format!("Not moved to the trash: {sentence}"), true);
            }
            Reply::Failed(sentence) => self.tell(sentence, true),
        }
    }

    /// Looks at what was dropped or chosen, off this thread.
    fn look_at(&mut self, path: PathBuf) {
        let output = self.draft.output_dir();
        self.background.take_dropped(path, output);
    }

    /// Trains what neither waits nor is being trained.
    fn queue_new(&mut self, mut jobs: Vec<Job>) {
        let waiting = self.queue.waiting();
        let current = self.worker.as_ref().and_then(Worker::current_dir);
        let known: Vec<&Path> = waiting.iter().map(|x| x.job.dir()).chain(current).collect();
        jobs.retain(|job| !known.contains(&job.dir()));
        if !jobs.is_empty() {
            self.train(jobs);
        }
    }

    fn take_dropped(&mut self, dropped: Dropped) {
        match dropped {
            Dropped::Run(dir) => self.open(dir),
            Dropped::Runs(folder, dirs) => {
                self.add_folder(folder);
                if dirs.len() <= OPENED_AT_ONCE {
                    dirs.into_iter().for_each(|dir| self.open(dir));
                } else {
                    let before = self.view.clone();
                    self.view.page = Page::Runs;
                    self.history.moved(before, &self.view);
                }
            }
            Dropped::Images(dir) => {
                self.draft.folder = dir.display().to_string();
                self.draft.use_folder(true);
                self.tell(
                    "The next experiment trains on the images of the folder that was dropped; \
                     see the left panel.",
                    false,
                );
            }
            Dropped::Figure(restored) => self.restore(*restored),
            Dropped::Sweep(jobs, said) => {
                self.queue_new(jobs);
                self.tell(said, false);
            }
            Dropped::Nothing(sentence) => self.tell(in_full(&sentence), true),
        }
    }

    /// A run was read from its beginning.
    fn opened(&mut self, id: RunId, loaded: Loaded, notes: &Notes) {
        let now = self.now;
        if let Some(entry) = self.runs.get_mut(id) {
            entry.read(loaded, now);
            self.runs.rename(id, notes);
        }
        self.is_open(id);
    }

    /// A run that another process trains was read on.
    fn followed(&mut self, id: RunId, result: Result<Followed, String>) {
        let now = self.now;
        let Some(entry) = self.runs.get_mut(id) else {
            return;
        };
        entry.is_being_read = false;
        if entry.state.is_ours() {
            return;
        }
        match result {
            Ok(Followed::News(news)) => entry.read_on(news, now),
            Ok(Followed::Anew(loaded)) => entry.read(*loaded, now),
            Err(sentence) => {
                let was_there = !matches!(entry.state, State::Unreachable(_));
                entry.state = State::Unreachable(sentence.clone());
                if was_there {
                    let text = format!("{} is shown as it was last read: {sentence}", entry.name);
                    self.tell(text, true);
                }
            }
        }
    }

    fn chosen(&mut self, purpose: Purpose, path: Option<PathBuf>) {
        let Some(path) = path else {
            return;
        };
        match purpose {
            Purpose::ImageFolder => {
                self.draft.folder = path.display().to_string();
                self.draft.use_folder(true);
            }
            Purpose::RunFolder => self.background.look_for_run(path),
            Purpose::FolderOfRuns => self.add_folder(path),
            Purpose::Sweep => self.look_at(path),
            Purpose::ExportFile | Purpose::ExportFolder => {
                if let Some(export) = &mut self.export {
                    export.chosen(path);
                }
            }
        }
    }

    /// Whose probes are looked at, and at which step; none is the last.
    fn probes_looked_at(&self) -> (Vec<RunId>, View) {
        let view = self.view.figure.clone();
        if self.view.page == Page::Compare {
            (
                self.view.compare.finished(&self.runs),
                View { step: None, ..view },
            )
        } else {
            (self.view.shown(), view)
        }
    }

    fn ask_for_probes(&mut self) {
        let (shown, view) = self.probes_looked_at();
        let wanted = if self.view.page == Page::Compare {
            self.runs.wanted_last_probes(&shown)
        } else {
            self.runs.wanted_probes(&shown, &view)
        };
        if !wanted.is_empty() {
            // Who moved the slider waits for it; a new probe of a live run comes with the next redraw.
            self.background.read_probes(wanted, view.step.is_some());
        }
    }

    /// Looks through the runs shown for what stands out, on the page that says so.
    fn ask_for_findings(&mut self, ctx: &egui::Context, now: f64) {
        let shown = self.view.shown();
        if shown.is_empty() || self.view.page != Page::Overview {
            return;
        }
        let entries = || shown.iter().filter_map(|&id| self.runs.get(id));
        let Some(key) = findings_panel::key(entries()) else {
            return;
        };
        match self.findings.ask(&key, now) {
            Ok(()) => {
                let sources = entries().map(Source::new).collect();
                self.background.find(key, sources);
            }
            Err(Some(secs)) => ctx.request_repaint_after(Duration::from_secs_f64(secs)),
            Err(None) => {}
        }
    }

    /// Reads sample images, on the page that shows them.
    fn ask_for_samples(&mut self, ctx: &egui::Context, now: f64) {
        let Some(key) = data_panel::wanted(self) else {
            self.data.forget();
            return;
        };
        match self.data.ask(&key, now) {
            Ok(()) => self.background.read_samples(key),
            Err(Some(secs)) => ctx.request_repaint_after(Duration::from_secs_f64(secs)),
            Err(None) => {}
        }
    }

    /// Reads on in the logs of runs that other processes write.
    fn follow_others(&mut self, ctx: &egui::Context, now: f64) {
        let mut soonest = f64::INFINITY;
        for entry in self.runs.iter_mut() {
            let Some(mut wait) = entry.follow_in(now) else {
                continue;
            };
            if wait <= 0.0 && !entry.is_being_read {
                entry.is_being_read = true;
                entry.followed_at = now;
                let position = entry.position.clone();
                self.background
                    .follow(entry.id, entry.dir.clone(), position);
                wait = entry.follow_in(now).unwrap_or(wait);
            }
            // One that is being read reports back.
            if wait > 0.0 {
                soonest = soonest.min(wait);
            }
        }
        if soonest.is_finite() {
            ctx.request_repaint_after(Duration::from_secs_f64(soonest));
        }
    }

    /// Closing while training stops the run first, so that its checkpoint is written; closing again does not wait.
    fn close_if_asked(&mut self, ctx: &egui::Context) {
        let asked = ctx.input(|input| input.viewport().close_requested());
        match (asked, self.closing_since, &self.worker) {
            (true, None, Some(worker)) => {
                worker.control.stop();
                let dir = worker.current_dir().map(Path::to_path_buf);
                let waiting = self.queue.waiting().len();
                if let Some(dir) = dir
                    && waiting > 0
                {
                    // What is under way goes on before what waits.
                    self.queue.add(vec![Job::Resume { dir }], End::Front);
                }
                self.closing_since = Some(Instant::now());
                ctx.send_viewport_cmd(egui::ViewportCommand::CancelClose);
                ctx.request_repaint_after(Duration::from_millis(100));
                let mut text =
                    "Stopping training; the window closes when its checkpoint is written."
                        .to_owned();
                if waiting > 0 && self.settings_path.is_some() {
                    text.push_str(" What waits is kept for the next start.");
                } else if waiting > 0 {
                    text.push_str(" What waits is lost.");
                }
                self.tell(text, false);
            }
            (false, Some(since), worker) => {
                if worker.is_none() || since.elapsed() > CLOSE_AFTER {
                    ctx.send_viewport_cmd(egui::ViewportCommand::Close);
                }
                ctx.request_repaint_after(Duration::from_millis(100));
            }
            _ => {}
        }
    }

    // --- runs and what is looked at ---

    /// Puts a run on the list and reads it. The first one is shown left, the second right.
    pub(super) fn open(&mut self, dir: PathBuf) {
        let dir = absolute(&dir);
        if let Some(id) = self.runs.at_dir(&dir) {
            self.show_left(id);
            return;
        }
        let id = self.runs.add(dir.clone(), State::Opening);
        if self.view.left.is_none() {
            self.view.left = Some(id);
        } else if self.view.right.is_none() {
            self.view.right = Some(id);
        }
        self.background.read_run(id, dir);
    }

    pub(super) fn remove(&mut self, id: RunId) {
        self.runs.remove(id);
        self.history.forget(id);
        self.view.forget(id);
        if self.view.left == Some(id) {
            self.view.left = self.view.right.take();
        }
        if self.view.left.is_none() {
            self.view.left = self.runs.iter().next().map(|entry| entry.id);
        }
        self.view.side_by_side &= self.view.right.is_some();
    }

    pub(super) fn show_left(&mut self, id: RunId) {
        if self.view.right == Some(id) {
            self.view.right = self.view.left;
        }
        self.view.left = Some(id);
    }

    pub(super) fn show_right(&mut self, id: RunId) {
        if self.view.left == Some(id) {
            let mut others = self.runs.iter().map(|entry| entry.id);
            let other = self
                .view
                .right
                .or_else(|| others.find(|&other| other != id));
            let Some(other) = other else { return };
            self.view.left = Some(other);
        }
        self.view.right = Some(id);
        self.view.side_by_side = true;
    }

    /// Turning it on without a run for the right takes the first other one, of another variant if there is one.
    fn show_side_by_side(&mut self, on: bool) {
        self.view.side_by_side = on;
        if !on || self.view.right.is_some() {
            return;
        }
        let left = self.view.left.and_then(|id| self.runs.get(id));
        let Some(left) = left else { return };
        let attention: Option<Attention> = left.attention();
        let others = || self.runs.iter().filter(|entry| entry.id != left.id);
        let other = others()
            .find(|entry| entry.attention() != attention)
            .or_else(|| others().next());
        self.view.right = other.map(|entry| entry.id);
        self.view.side_by_side = self.view.right.is_some();
    }

    fn lock_scales(&mut self, on: bool, ctx: &egui::Context) {
        self.view.figure.ranges = if on {
            let shown = self.view.shown();
            let entries = shown.iter().filter_map(|&id| self.runs.get(id));
            let subjects: Vec<_> = entries.map(RunEntry::subject).collect();
            locked(ctx, &subjects, &self.view.figure)
        } else {
            BTreeMap::new()
        };
    }

    // --- export ---

    fn ask_export(
        &mut self,
        kind: Kind,
        id: RunId,
        sizes: &[(Kind, egui::Vec2)],
        theme: egui::Theme,
    ) {
        if let Some(entry) = self.runs.get(id) {
            let run = (id, entry.name.as_str());
            let draft = ExportDraft::new(kind, run, self.view.page, sizes);
            let draft = draft.like(&self.settings.export, theme);
            self.export = Some(draft.among(self.view.compare.order(&self.runs)));
        }
    }

    fn write_export(&mut self, theme: egui::Theme) {
        let Some(export) = self.export.take() else {
            return;
        };
        self.settings.export = export.habit(theme);
        let job = export.job(&self.runs, &self.view);
        self.run_export(job);
    }

    fn copy_figure(&mut self, theme: egui::Theme) {
        let Some(export) = self.export.take() else {
            return;
        };
        self.settings.export = export.habit(theme);
        let job = export.copy_job(&self.runs, &self.view);
        self.run_export(job);
    }

    fn run_export(&mut self, job: Result<Export, String>) {
        match job {
            Ok(export) => self.background.export(export),
            Err(sentence) => self.tell(sentence, true),
        }
    }

    fn exported(&mut self, exported: Exported) {
        let text = match exported {
            Exported::File(path) => {
                let path = std::path::absolute(&path).unwrap_or(path);
                format!("Exported to {}", path.display())
            }
            Exported::Folder(path, count) => {
                format!("Exported {count} files to {}", path.display())
            }
            Exported::Image(image) => {
                self.copied = Some(egui::OutputCommand::CopyImage(image));
                "The figure is on the clipboard".to_owned()
            }
            Exported::Table(table) => {
                self.copied = Some(egui::OutputCommand::CopyText(table));
                "The table is on the clipboard".to_owned()
            }
        };
        self.tell(text, false);
    }
}

/// Says what can be dropped while something is held over the window.
fn hovering_ui(ctx: &egui::Context) {
    if ctx.input(|input| input.raw.hovered_files.is_empty()) {
        return;
    }
    let painter = ctx.layer_painter(egui::LayerId::new(
        egui::Order::Foreground,
        egui::Id::unique("hovering"),
    ));
    let (rect, style) = (ctx.content_rect(), ctx.global_style());
    painter.rect_filled(rect, 0.0, style.visuals.panel_fill.gamma_multiply(0.85));
    painter.text(
        rect.center(),
        egui::Align2::CENTER_CENTER,
        "Drop a run, a folder of runs, an image folder, a sweep or an exported figure",
        egui::FontId::proportional(20.0),
        style.visuals.strong_text_color(),
    );
}
