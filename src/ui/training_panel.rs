//! Start, pause, stop, and how far training is.

use super::action::Action;
use super::app::App;
use super::queue_panel;
use super::runs::{RunEntry, variant_name};
use super::widgets::{duration, grouped};
use super::worker::{Job, Worker};
use crate::run::Run;

/// Logged steps that the present speed is measured over.
const SPEED_OVER_STEPS: usize = 20;

pub(crate) fn training_ui(ui: &mut egui::Ui, app: &App, actions: &mut Vec<Action>) {
    ui.add_space(6.0);
    buttons_ui(ui, app, actions);
    if let Some(worker) = &app.worker {
        let entry = worker
            .current_dir()
            .and_then(|dir| app.runs.at_dir(dir))
            .and_then(|id| app.runs.get(id));
        progress_ui(ui, worker, app.queue.waiting().len(), entry);
    }
    queue_panel::queue_ui(ui, app, actions);
    ui.add_space(6.0);
}

fn buttons_ui(ui: &mut egui::Ui, app: &App, actions: &mut Vec<Action>) {
    let reason = app.draft.reason_not_to_start();
    let (paused, stopping) = app.worker.as_ref().map_or((false, false), |worker| {
        (worker.control.is_paused(), worker.control.is_stopped())
    });
    let steers = app.worker.is_some() && !stopping;
    let width = (ui.available_width() - 2.0 * ui.spacing().item_spacing.x) / 3.0;
    let size = egui::vec2(width, 28.0);
    ui.horizontal(|ui| {
        let (text, help) = match app.worker {
            None => ("Start", "Train the chosen networks"),
            Some(_) => (
                "Add to queue",
                "Train the chosen networks after what is being trained and waits",
            ),
        };
        let mut start = egui::Button::new(egui::RichText::new(text).strong()).min_size(size);
        if reason.is_none() && app.worker.is_none() {
            start = start.fill(ui.visuals().selection.bg_fill);
        }
        let start = ui
            .add_enabled(reason.is_none(), start)
            .on_hover_text(help)
            .on_disabled_hover_text(reason.unwrap_or_default());
        if start.clicked() {
            actions.push(Action::Start);
        }
        let (text, help, action) = if paused {
            ("Resume", "Go on with training", Action::Resume)
        } else {
            ("Pause", "Let training wait at the next step", Action::Pause)
        };
        let pause = ui
            .add_enabled(steers, egui::Button::new(text).min_size(size))
            .on_hover_text(help)
            .on_disabled_hover_text("Nothing is being trained");
        if pause.clicked() {
            actions.push(action);
        }
        let (text, help) = if stopping {
            ("Stopping…", "Training ends after the present step")
        } else {
            ("Stop", "Nothing is being trained")
        };
        let stop = ui
            .add_enabled(steers, egui::Button::new(text).min_size(size))
            .on_hover_text("End training after the present step; it can be continued later")
            .on_disabled_hover_text(help);
        if stop.clicked() {
            actions.push(Action::Stop);
        }
    });
}

fn progress_ui(ui: &mut egui::Ui, worker: &Worker, waiting: usize, entry: Option<&RunEntry>) {
    let of = match worker.done + 1 + waiting {
        0 | 1 => String::new(),
        count => format!("run {} of {count}: ", worker.done + 1),
    };
    let variant = match worker.current.as_ref().map(|current| &current.job) {
        Some(Job::Train { config, .. }) => Some(config.attention),
        _ => entry.and_then(RunEntry::attention),
    };
    let title = format!("{of}{}", variant.map_or("continuing", variant_name));
    let mut letters = title.chars();
    let title: String = letters
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .chain(letters)
        .collect();
    let run = entry.map(|entry| &*entry.run);
    let progress = Progress::of(worker, run);
    ui.label(title);
    let bar = egui::ProgressBar::new(progress.done)
        .desired_height(16.0)
        .text(format!("{:.0} %", 100.0 * progress.done));
    ui.add(bar).accessible_name("Progress of the run");
    ui.label(egui::RichText::new(progress.words).small().weak());
}

struct Progress {
    /// In [0, 1].
    done: f32,
    words: String,
}

impl Progress {
    fn of(worker: &Worker, run: Option<&Run>) -> Self {
        if let Some((done, total)) = worker.loading {
            return Self {
                done: done as f32 / total.max(1) as f32,
                words: format!(
                    "reading images, {} of {}",
                    grouped(done as u64),
                    grouped(total as u64)
                ),
            };
        }
        let started = run.and_then(|run| run.started.as_ref());
        let (Some(run), Some(started)) = (run, started) else {
            return Self {
                done: 0.0,
                words: "getting ready".to_owned(),
            };
        };
        let step = run.last_step();
        let mut words = Vec::new();
        if let Some((images, steps)) = speed(run) {
            let left = started.total_steps.saturating_sub(step) as f64 / steps;
            words.push(format!("{images:.0} images/s"));
            words.push(format!("{} left", duration(left)));
        }
        let epoch = step as f64 / started.steps_per_epoch.max(1) as f64;
        words.insert(0, format!("epoch {epoch:.1} of {}", started.config.epochs));
        Self {
            done: (step as f32 / started.total_steps.max(1) as f32).min(1.0),
            words: words.join(" · "),
        }
    }
}

/// Images and steps per second over the last logged steps; none before there are two.
pub(super) fn speed(run: &Run) -> Option<(f64, f64)> {
    let last = run.steps.last()?;
    let first = &run.steps[run.steps.len().saturating_sub(SPEED_OVER_STEPS)];
    let secs = last.wall_secs - first.wall_secs;
    (secs > 0.0).then(|| {
        let images = last.images.saturating_sub(first.images) as f64;
        let steps = last.step.saturating_sub(first.step) as f64;
        (images / secs, steps / secs)
    })
}
