//! The part of the window that acts: it takes actions and the reports of threads, and changes the state.
//!
//! Between frames [`App::logic`] takes in the reports of threads, and asks them for the data needed next. [`App::ui`]
//! draws, collects the actions that the user asked for, and does them afterwards. May import every other module of the
//! window except `window` and `frame_times`.

mod act;
mod ask;
mod browse;
mod close;
mod draw;
mod export;
mod open;
mod options;
mod remember;
mod replies;
mod restore;
mod restore_progress;
mod select;
mod training;

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crate::figure::{self, View};
use crate::ui::state::State;
use crate::ui::state::draft::Draft;
use crate::ui::state::notice::{About, Notice};
use crate::ui::state::place::Page;
use crate::ui::state::runs::Runs;
use crate::ui::state::settings::Settings;
use crate::ui::work::{Background, Discard, Trainer, Waker, Worker};
pub use options::Options;
use restore_progress::Restoring;

/// In each frame, messages of the training thread are taken in for at most this long.
const DRAIN_FOR: Duration = Duration::from_millis(10);

/// The application, without the system's window that shows it.
pub struct App {
    /// Everything that is drawn.
    pub(super) state: State,
    /// The training thread; `Some` for as long as `state.training` is.
    worker: Option<Worker>,
    /// The exported image whose view is to be shown, while its runs are looked for and opened.
    restoring: Option<Restoring>,
    /// The image or text that goes to the clipboard with the next frame.
    copied: Option<egui::OutputCommand>,
    /// The settings as they stand now.
    settings: Settings,
    /// The file of the settings; `None` if they are not kept.
    settings_path: Option<PathBuf>,
    /// The settings as they were last written to the file.
    saved: Settings,
    /// Whether a thread is writing the settings.
    is_saving: bool,
    /// When changes of the settings were last looked for, in window seconds.
    looked_for_changes_at: f64,
    background: Background,
    waker: Waker,
    trainer: Trainer,
    discard: Discard,
    /// Whether runs were closed or read anew since the last frame, so that figures keep values of what is gone.
    has_closed_runs: bool,
    /// The time of this frame, in window seconds.
    now: f64,
    /// Whether the window closes as soon as the training has ended that was under way when it was asked to close.
    is_closing: bool,
    /// Whether the system has asked to close the window since the last frame.
    signalled: Arc<AtomicBool>,
    /// Why the system has asked to close the window, if it has.
    stop_reason: Arc<OnceLock<String>>,
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
        state.located = settings.located.clone();
        if let Some(kept) = settings.experiment.clone() {
            state.draft.restore(kept);
        }
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
            background: Background::new(waker.clone(), options.ssh),
            waker,
            trainer: options.trainer,
            discard: options.discard,
            has_closed_runs: false,
            now: 0.0,
            is_closing: false,
            signalled: Arc::default(),
            stop_reason: Arc::default(),
        };
        app.restore_queue();
        if let Some(problem) = problem {
            app.tell(problem, true);
        }
        if options.runs.is_empty() {
            let is_new = app.settings_path.is_some() && app.settings.runs.is_empty();
            app.state.is_first_run =
                is_new && !app.settings.knows_first_steps && !options.samples.is_empty();
            app.reopen(options.samples);
        } else {
            app.open_all(options.runs);
        }
        app
    }

    /// Whether work in the background is under way, or its results have not been taken in yet. Training does not count.
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

    /// The view that every figure follows: the part of the network, the moment and the selection.
    pub fn figure_view(&mut self) -> &mut View {
        &mut self.state.view.figure
    }

    /// The work between two frames: takes in the reports of threads, and asks them for the data needed next.
    pub fn logic(&mut self, ctx: &egui::Context) {
        self.waker.frame_begins(ctx);
        let now = ctx.input(|input| input.time);
        self.now = now;
        if std::mem::take(&mut self.has_closed_runs) {
            figure::forget(ctx);
        }
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
        self.agree_on_classes();
        self.agree_on_batch_norm(ctx);
        self.offer_pair(ctx);
        self.ask_for_probes();
        self.ask_for_findings(ctx, now);
        self.ask_for_images();
        self.ask_for_samples(ctx, now);
        self.ask_for_scan(ctx, now);
        self.look_for_runs(ctx, now);
        self.follow_others(ctx, now);
        self.keep_settings(ctx);
        self.close_if_asked(ctx);
    }

    /// Takes in how long the last frame took. The longer frames take, the longer the window waits before it redraws for
    /// messages of the training thread.
    pub fn frame_took(&self, time: Duration) {
        self.waker.frame_took(time);
    }

    /// The settings, from which the window takes its colours and its size.
    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    fn tell(&mut self, text: impl Into<String>, is_error: bool) {
        self.state.notice = Some(Notice {
            about: About::Past,
            text: text.into(),
            is_error,
            since: self.now,
        });
    }

    /// Shows an error until what it complains of is well again, or the user has read it.
    fn complain(&mut self, about: About, text: String) {
        self.tell(text, true);
        if let Some(notice) = &mut self.state.notice {
            notice.about = about;
        }
    }

    /// Takes an error away whose cause is gone.
    fn is_well(&mut self, about: About) {
        self.state.notice.take_if(|notice| notice.about == about);
    }
}
