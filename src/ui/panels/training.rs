//! Buttons that start, pause and stop training, and its progress.

use super::queue::queue_ui;
use crate::config::Attention;
use crate::ui::state::State;
use crate::ui::state::action::Action;
use crate::ui::state::queue::Job;
use crate::ui::state::runs::RunEntry;
use crate::ui::state::training::{Progress, Training};
use crate::ui::state::words::capitalised;

pub(crate) fn training_ui(ui: &mut egui::Ui, state: &State, actions: &mut Vec<Action>) {
    ui.add_space(6.0);
    buttons_ui(ui, state, actions);
    if let Some(training) = &state.training {
        let waiting = state.queue.waiting().len();
        progress_ui(ui, training, waiting, state.run_in_training());
    }
    queue_ui(ui, state, actions);
    ui.add_space(6.0);
}

fn buttons_ui(ui: &mut egui::Ui, state: &State, actions: &mut Vec<Action>) {
    let reason = state.draft.reason_not_to_start();
    let (paused, stopping) = state.training.as_ref().map_or((false, false), |training| {
        (training.control.is_paused(), training.control.is_stopped())
    });
    let steers = state.training.is_some() && !stopping;
    let width = (ui.available_width() - 2.0 * ui.spacing().item_spacing.x) / 3.0;
    let size = egui::vec2(width, 28.0);
    ui.horizontal(|ui| {
        let (text, help) = match state.training {
            None => ("Start", "Train the chosen networks"),
            Some(_) => (
                "Add to queue",
                "Train the chosen networks after what is being trained and waits",
            ),
        };
        let mut start = egui::Button::new(egui::RichText::new(text).strong()).min_size(size);
        if reason.is_none() && state.training.is_none() {
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

fn progress_ui(ui: &mut egui::Ui, training: &Training, waiting: usize, entry: Option<&RunEntry>) {
    let of = match training.done + 1 + waiting {
        0 | 1 => String::new(),
        count => format!("run {} of {count}: ", training.done + 1),
    };
    let variant = match training.current.as_ref().map(|current| &current.job) {
        Some(Job::Train { config, .. }) => Some(config.attention),
        _ => entry.and_then(RunEntry::attention),
    };
    let title = format!("{of}{}", variant.map_or("continuing", Attention::label));
    let run = entry.map(|entry| &*entry.run);
    let progress = Progress::of(training, run);
    ui.label(capitalised(&title));
    let bar = egui::ProgressBar::new(progress.done)
        .desired_height(16.0)
        .text(format!("{:.0} %", 100.0 * progress.done));
    ui.add(bar).accessible_name("Progress of the run");
    ui.label(egui::RichText::new(progress.words).small().weak());
}
