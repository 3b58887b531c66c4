//! The application: its state, what happens between frames, and the layout of the window.

mod browse;
mod remember;
mod restore;
mod select;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::config::Attention;
use crate::figure::{Kind, View, locked};
use crate::run::event::Event;
use crate::run::log::{Followed, Loaded};
use crate::run::notes::Notes;
use crate::train::Message;
use crate::ui::app::restore::Restoring;
use crate::ui::overlays::commands::{self, Palette};
use crate::ui::overlays::export_dialog::{Export, ExportDraft, Exported, export_ui};
use crate::ui::overlays::notice::{Notice, in_full, notice_ui};
use crate::ui::pages::columns as figures_panel;
use crate::ui::pages::data as data_panel;
use crate::ui::pages::mistakes as images_panel;
use crate::ui::pages::overview as findings_panel;
use crate::ui::pages::overview::Source;
use crate::ui::panels::open_runs as runs_panel;
use crate::ui::panels::setup as setup_panel;
use crate::ui::panels::time as time_panel;
use crate::ui::panels::top_bar;
use crate::ui::panels::training as training_panel;
use crate::ui::state::State;
use crate::ui::state::action::Action;
use crate::ui::state::draft::{Draft, absolute};
use crate::ui::state::page::Page;
use crate::ui::state::queue::{End, Waiting};
use crate::ui::state::runs::{RunEntry, RunId, RunState, Runs, state_at_rest};
use crate::ui::state::settings::Settings;
use crate::ui::state::training::Training;
use crate::ui::work::background::{self, Background, Discard, Dropped, Purpose, Reply};
use crate::ui::work::waker::Waker;
use crate::ui::work::worker::{Job, Report, Trainer, Update, Worker, trainer};

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
            probe_memory: crate::ui::state::runs::PROBE_MEMORY_BYTES,
        }
    }
}

/// The application, apart from the window it is shown in.
pub struct App {
    /// Everything that is drawn.
    pub(super) state: State,
    /// The training thread; there while `state.training` is.
    worker: Option<Worker>,
    /// The image whose view is to be shown, while its runs are looked for.
    pub(super) restoring: Option<Restoring>,
    /// What goes to the clipboard with the next frame.
    copied: Option<egui::OutputCommand>,
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
        let runs = Runs::new(options.probe_memory);
        let draft = Draft::new(&options.output);
        let mut state = State::new(runs, settings.place.clone(), draft);
        state.browser.folders = settings.folders.clone();
        state.browser.order = settings.order.clone();
        let mut app = Self {
            state,
            worker: None,
            restoring: None,
            copied: None,
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
        self.state.runs.are_opening()
    }

    /// Whether training is under way.
    pub fn is_training(&self) -> bool {
        self.state.is_training()
    }

    /// The page that is shown.
    pub(super) fn page(&self) -> Page {
        self.state.view.page
    }

    /// Turns to a page.
    pub fn show(&mut self, page: Page) {
        self.state.view.page = page;
    }

    /// What every figure shows: the part of the network, the moment and the pair.
    pub fn figure_view(&mut self) -> &mut View {
        &mut self.state.view.figure
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
        let wanted = images_panel::wanted(&mut self.state);
        for wanted in self.state.images.ask(wanted) {
            self.background.read_images(wanted);
        }
        self.ask_for_samples(ctx, now);
        if let Some(config) = self.state.draft.scan_due(now) {
            self.background.scan(config);
        } else if let Some(secs) = self.state.draft.scan_waits(now) {
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
        let mut actions = commands::keys(ui.ctx(), &self.state);
        // The window is cleared in the colour of panels: filling them once more would be half the work of a frame where
        // the processor draws.
        let clear = egui::Color32::TRANSPARENT;
        let panel = egui::Frame::side_top_panel(ui.style()).fill(clear);
        let central = egui::Frame::central_panel(ui.style()).fill(clear);
        egui::Panel::top("top").frame(panel).show(ui, |ui| {
            top_bar::top_bar_ui(ui, &self.state, &mut actions);
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
                        training_panel::training_ui(ui, &self.state, &mut actions);
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
                            runs_panel::runs_ui(ui, &mut self.state, &mut actions);
                            ui.separator();
                            setup_panel::setup_ui(ui, &mut self.state.draft, &mut actions);
                        });
                    });
            });
        self.settings.panel = Some(setup.response.rect.width());
        egui::Panel::bottom("time").frame(panel).show(ui, |ui| {
            time_panel::time_ui(ui, &self.state, &mut actions);
        });
        egui::CentralPanel::default().frame(central).show(ui, |ui| {
            figures_panel::figures_ui(ui, &mut self.state, &mut actions);
        });
        if let Some(export) = &mut self.state.export {
            export_ui(ui.ctx(), export, &mut actions);
        }
        if let Some(copied) = self.copied.take() {
            ui.ctx().send_cmd(copied);
        }
        notice_ui(ui.ctx(), &mut self.state.notice, self.now, &mut actions);
        hovering_ui(ui.ctx());
        commands::windows_ui(ui.ctx(), &mut self.state, &mut actions);
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
        self.state.notice = Some(Notice {
            text: text.into(),
            is_error,
            since: self.now,
        });
    }

    fn apply(&mut self, action: Action, ctx: &egui::Context) {
        ctx.request_repaint();
        let before = self.state.view.clone();
        let is_way = matches!(action, Action::Back | Action::Forward);
        self.act(action, ctx);
        if !is_way {
            self.state.history.moved(before, &self.state.view);
        }
    }

    fn act(&mut self, action: Action, ctx: &egui::Context) {
        match action {
            Action::Back => {
                let place = self.state.history.back(&self.state.view);
                self.state.view = place.unwrap_or_else(|| self.state.view.clone());
            }
            Action::Forward => {
                let place = self.state.history.forward(&self.state.view);
                self.state.view = place.unwrap_or_else(|| self.state.view.clone());
            }
            Action::TogglePalette => {
                self.state.palette = match self.state.palette {
                    Some(_) => None,
                    None => Some(Palette::default()),
                };
            }
            Action::SetTime(axis) => self.state.view.figure.time = axis,
            Action::Start => self.start(),
            Action::Pause => self.pause(true),
            Action::Resume => self.pause(false),
            Action::Stop => self.stop(),
            Action::Continue(id) => self.resume_run(id),
            Action::ContinueDir(dir) => self.continue_dir(dir),
            Action::GoOn => self.go_on(),
            Action::ShiftJob(id, by) => self.state.queue.shift(id, by),
            Action::CancelJob(id) => self.state.queue.cancel(id),
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
                self.state.view.page = Page::Runs;
                self.state.browser.to_trash = Some(dir);
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
            Action::CompareTo(run) => self.state.view.compare.baseline = Some(run),
            Action::Compare(run) => self.state.view.compare.other = Some(run),
            Action::Show(page) => self.state.view.page = page,
            Action::GoTo(step) => self.state.view.figure.step = step,
            Action::StepBy(count) => self.step_by(count),
            Action::SetTheme(theme) => ctx.set_theme(theme),
            Action::Choose(purpose, start) => self.background.choose(purpose, &start),
            Action::AskExport(kind, id, sizes) => self.ask_export(kind, id, &sizes, ctx.theme()),
            Action::Export => self.write_export(ctx.theme()),
            Action::CopyFigure => self.copy_figure(ctx.theme()),
            Action::CancelExport => self.state.export = None,
            Action::HideImages => self.state.view.figure.confused = None,
            Action::NoClass => self.state.view.figure.class = None,
            Action::ClearSelection => self.clear_selection(),
            Action::ShowCurves => self.state.view.figure.hidden.clear(),
            Action::ExplainFigure(kind) => self.state.explained = kind,
            Action::ToggleKeyboard => self.state.is_keyboard_open = !self.state.is_keyboard_open,
            Action::Dismiss => {
                self.state.notice = None;
                self.state.failed.clear();
            }
        }
    }

    // --- training ---

    fn start(&mut self) {
        let waiting = self.state.queue.waiting();
        let waiting = waiting.iter().map(|waiting| waiting.job.dir());
        let current = self.state.training.as_ref().and_then(Training::current_dir);
        let taken: Vec<PathBuf> = waiting.chain(current).map(Path::to_path_buf).collect();
        self.train(self.state.draft.jobs(&taken));
    }

    pub(super) fn resume_run(&mut self, id: RunId) {
        if let Some(entry) = self.state.runs.get(id) {
            let dir = entry.dir.clone();
            self.train(vec![Job::Resume { dir }]);
        }
    }

    /// Trains runs one after the other, as if Start had been pressed: after those that wait while training is under
    /// way, and else at once.
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

    /// Trains what waits.
    fn go_on(&mut self) {
        if self.state.is_training() || self.state.queue.is_empty() {
            return;
        }
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

    /// What waited when the window was closed waits again; it goes on when it is asked to.
    fn restore_queue(&mut self) {
        let kept = std::mem::take(&mut self.settings.queue);
        if kept.is_empty() {
            return;
        }
        let text = format!(
            "Training was under way or waiting when the window was closed ({}); go on with it at the bottom left.",
            crate::ui::panels::queue::count(kept.len())
        );
        self.state.queue.restore(kept);
        self.tell(text, false);
    }

    fn pause(&mut self, paused: bool) {
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

    fn stop(&mut self) {
        if let Some(training) = &self.state.training {
            training.control.stop();
        }
    }

    fn current_run(&self) -> Option<RunId> {
        Some(self.state.run_in_training()?.id)
    }

    /// Takes in one report of the training thread; false where none is waiting.
    fn take_update(&mut self) -> bool {
        let Some(report) = self.worker.as_ref().map(Worker::next_report) else {
            return false;
        };
        match report {
            Report::Update(Update::Began(waiting)) => self.began(*waiting),
            Report::Update(Update::Message(message)) => self.take_message(*message),
            Report::Update(Update::Ended(result)) => self.ended(result),
            Report::NoneYet => return false,
            Report::Over => {
                let training = self.state.training.take();
                let is_stopped = training.is_some_and(|x| x.control.is_stopped());
                self.worker = None;
                if !is_stopped {
                    // Added just when the thread had found nothing to do.
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
            _ => None,
        };
        match message {
            Message::Notice(text) => return self.tell(text, false),
            Message::Event(event) => self.take_event(&event),
            Message::Loading { .. } => {}
        }
        if let Some(training) = &mut self.state.training {
            training.loading = loading;
        }
    }

    /// A job begins: puts its run on the list and shows it, the first of a pair left, the second right; unless one looks
    /// at something else than the run of the job before it.
    fn began(&mut self, waiting: Waiting) {
        let Some(training) = &mut self.state.training else {
            return;
        };
        let (dir, is_second) = (waiting.job.dir().to_path_buf(), waiting.is_second);
        let before = training.current.replace(waiting);
        training.loading = None;
        let id = match self.state.runs.at_dir(&dir) {
            Some(id) => id,
            None => self.state.runs.add(dir, RunState::Loading),
        };
        if let Some(entry) = self.state.runs.get_mut(id) {
            entry.state = RunState::Loading;
        }
        let shown = self.state.view.shown();
        let before = before.map(|before| self.state.runs.at_dir(before.job.dir()));
        // Where the run before recorded nothing, it is not on the list any more.
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
        // The log grows by what this window knows already.
        entry.position = None;
        entry.state = match &entry.run.ending {
            Some(_) => state_at_rest(&entry.run, false),
            None if is_paused => RunState::Paused,
            None => RunState::Running,
        };
    }

    fn ended(&mut self, result: Result<(), String>) {
        if let Some(training) = &mut self.state.training {
            training.done += 1;
        }
        let Some(id) = self.current_run() else { return };
        let Some(entry) = self.state.runs.get_mut(id) else {
            return;
        };
        let name = entry.name.clone();
        if entry.run.started.is_none() {
            // Nothing was recorded: there is no run to show.
            self.remove(id);
        } else {
            entry.state = match (&result, &entry.run.ending) {
                (Err(sentence), None) => RunState::Failed(sentence.clone()),
                _ => state_at_rest(&entry.run, false),
            };
        }
        if let Err(sentence) = result {
            self.state.failed.push((name, sentence));
            self.tell(crate::ui::panels::queue::failures(&self.state.failed), true);
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
                self.state.runs.take_probes(replies, &shown, &view);
            }
            Reply::Scanned(config, result) => self.state.draft.scanned(&config, result),
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
                self.state.findings.take(key, found.unwrap_or_default());
            }
            Reply::Ordered(order) => self.ordered(order.ok()),
            Reply::Samples(key, read) => self.state.data.take(*key, read),
            Reply::Images(key, read) => self.state.images.take(&key, read),
            Reply::Dropped(dropped) => self.take_dropped(dropped),
            Reply::RunsFound(Ok(found)) => self.runs_found(found),
            Reply::RunsFound(Err(sentence)) => {
                self.state.browser.is_looking = false;
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
        let output = self.state.draft.output_dir();
        self.background.take_dropped(path, output);
    }

    /// Trains what neither waits nor is being trained.
    fn queue_new(&mut self, mut jobs: Vec<Job>) {
        let waiting = self.state.queue.waiting();
        let current = self.state.training.as_ref().and_then(Training::current_dir);
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
                    let before = self.state.view.clone();
                    self.state.view.page = Page::Runs;
                    self.state.history.moved(before, &self.state.view);
                }
            }
            Dropped::Images(dir) => {
                self.state.draft.folder = dir.display().to_string();
                self.state.draft.use_folder(true);
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
        if let Some(entry) = self.state.runs.get_mut(id) {
            entry.read(loaded, now);
            self.state.runs.rename(id, notes);
        }
        self.is_open(id);
    }

    /// A run that another process trains was read on.
    fn followed(&mut self, id: RunId, result: Result<Followed, String>) {
        let now = self.now;
        let Some(entry) = self.state.runs.get_mut(id) else {
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
                let was_there = !matches!(entry.state, RunState::Unreachable(_));
                entry.state = RunState::Unreachable(sentence.clone());
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
                self.state.draft.folder = path.display().to_string();
                self.state.draft.use_folder(true);
            }
            Purpose::RunFolder => self.background.look_for_run(path),
            Purpose::FolderOfRuns => self.add_folder(path),
            Purpose::Sweep => self.look_at(path),
            Purpose::ExportFile | Purpose::ExportFolder => {
                if let Some(export) = &mut self.state.export {
                    export.chosen(path);
                }
            }
        }
    }

    /// Whose probes are looked at, and at which step; none is the last.
    fn probes_looked_at(&self) -> (Vec<RunId>, View) {
        let view = self.state.view.figure.clone();
        if self.state.view.page == Page::Compare {
            (
                self.state.view.compare.finished(&self.state.runs),
                View { step: None, ..view },
            )
        } else {
            (self.state.view.shown(), view)
        }
    }

    fn ask_for_probes(&mut self) {
        let (shown, view) = self.probes_looked_at();
        let wanted = if self.state.view.page == Page::Compare {
            self.state.runs.wanted_last_probes(&shown)
        } else {
            self.state.runs.wanted_probes(&shown, &view)
        };
        if !wanted.is_empty() {
            // Who moved the slider waits for it; a new probe of a live run comes with the next redraw.
            self.background.read_probes(wanted, view.step.is_some());
        }
    }

    /// Looks through the runs shown for what stands out, on the page that says so.
    fn ask_for_findings(&mut self, ctx: &egui::Context, now: f64) {
        let shown = self.state.view.shown();
        if shown.is_empty() || self.state.view.page != Page::Overview {
            return;
        }
        let entries = || shown.iter().filter_map(|&id| self.state.runs.get(id));
        let Some(key) = findings_panel::key(entries()) else {
            return;
        };
        match self.state.findings.ask(&key, now) {
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
        let Some(key) = data_panel::wanted(&self.state) else {
            self.state.data.forget();
            return;
        };
        match self.state.data.ask(&key, now) {
            Ok(()) => self.background.read_samples(key),
            Err(Some(secs)) => ctx.request_repaint_after(Duration::from_secs_f64(secs)),
            Err(None) => {}
        }
    }

    /// Reads on in the logs of runs that other processes write.
    fn follow_others(&mut self, ctx: &egui::Context, now: f64) {
        let mut soonest = f64::INFINITY;
        for entry in self.state.runs.iter_mut() {
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
        match (asked, self.closing_since, &self.state.training) {
            (true, None, Some(training)) => {
                training.control.stop();
                let dir = training.current_dir().map(Path::to_path_buf);
                let waiting = self.state.queue.waiting().len();
                if let Some(dir) = dir
                    && waiting > 0
                {
                    // What is under way goes on before what waits.
                    self.state.queue.add(vec![Job::Resume { dir }], End::Front);
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
            (false, Some(since), training) => {
                if training.is_none() || since.elapsed() > CLOSE_AFTER {
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
        self.state.runs.remove(id);
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

    pub(super) fn show_left(&mut self, id: RunId) {
        if self.state.view.right == Some(id) {
            self.state.view.right = self.state.view.left;
        }
        self.state.view.left = Some(id);
    }

    pub(super) fn show_right(&mut self, id: RunId) {
        if self.state.view.left == Some(id) {
            let mut others = self.state.runs.iter().map(|entry| entry.id);
            let other = self
                .state
                .view
                .right
                .or_else(|| others.find(|&other| other != id));
            let Some(other) = other else { return };
            self.state.view.left = Some(other);
        }
        self.state.view.right = Some(id);
        self.state.view.side_by_side = true;
    }

    /// Turning it on without a run for the right takes the first other one, of another variant if there is one.
    fn show_side_by_side(&mut self, on: bool) {
        self.state.view.side_by_side = on;
        if !on || self.state.view.right.is_some() {
            return;
        }
        let left = self.state.view.left.and_then(|id| self.state.runs.get(id));
        let Some(left) = left else { return };
        let attention: Option<Attention> = left.attention();
        let others = || self.state.runs.iter().filter(|entry| entry.id != left.id);
        let other = others()
            .find(|entry| entry.attention() != attention)
            .or_else(|| others().next());
        self.state.view.right = other.map(|entry| entry.id);
        self.state.view.side_by_side = self.state.view.right.is_some();
    }

    fn lock_scales(&mut self, on: bool, ctx: &egui::Context) {
        self.state.view.figure.ranges = if on {
            let shown = self.state.view.shown();
            let entries = shown.iter().filter_map(|&id| self.state.runs.get(id));
            let subjects: Vec<_> = entries.map(RunEntry::subject).collect();
            locked(ctx, &subjects, &self.state.view.figure)
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
        if let Some(entry) = self.state.runs.get(id) {
            let run = (id, entry.name.as_str());
            let draft = ExportDraft::new(kind, run, self.state.view.page, sizes);
            let draft = draft.like(&self.settings.export, theme);
            self.state.export = Some(draft.among(self.state.view.compare.order(&self.state.runs)));
        }
    }

    fn write_export(&mut self, theme: egui::Theme) {
        let Some(export) = self.state.export.take() else {
            return;
        };
        self.settings.export = export.habit(theme);
        let job = export.job(&self.state.runs, &self.state.view);
        self.run_export(job);
    }

    fn copy_figure(&mut self, theme: egui::Theme) {
        let Some(export) = self.state.export.take() else {
            return;
        };
        self.settings.export = export.habit(theme);
        let job = export.copy_job(&self.state.runs, &self.state.view);
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
