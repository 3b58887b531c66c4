//! The bar at the lower edge, always of one height: the run that is being trained, its progress, and the buttons that
//! pause and stop it.

use egui::{Align, Button, Label, Layout, ProgressBar, RichText, vec2};

use crate::config::Attention;
use crate::ui::state::State;
use crate::ui::state::action::Action;
use crate::ui::state::queue::{self, Job};
use crate::ui::state::runs::RunEntry;
use crate::ui::state::training::{Progress, Training};
use crate::ui::state::words::count;

/// Height of the bar without its margins, in points.
pub(crate) const HEIGHT: f32 = 26.0;
/// Width of a button, in points: that of the longest word it can have, so that it never moves.
const BUTTON: f32 = 74.0;
/// Width of the words on the progress, in points, and the share of the bar that they take at most.
const WORDS: (f32, f32) = (320.0, 0.34);
/// Width of the name of the run, in points, and the share of the bar that it takes at most.
const NAME: (f32, f32) = (300.0, 0.26);

pub(crate) fn progress_ui(ui: &mut egui::Ui, state: &State, actions: &mut Vec<Action>) {
    let width = ui.available_width();
    let size = vec2(width, HEIGHT);
    ui.allocate_ui_with_layout(size, Layout::right_to_left(Align::Center), |ui| {
        buttons_ui(ui, state.training.as_ref(), actions);
        let Some(training) = &state.training else {
            idle_ui(ui, state.queue.waiting().len());
            return;
        };
        let entry = state.run_in_training();
        let progress = Progress::of(training, entry.map(|entry| &*entry.run));
        let part = |ui: &mut egui::Ui, (most, share): (f32, f32), align, text: RichText| {
            let size = vec2(most.min(share * width), HEIGHT);
            let layout = match align {
                Align::Max => Layout::right_to_left(Align::Center),
                Align::Min | Align::Center => Layout::left_to_right(Align::Center),
            };
            ui.allocate_ui_with_layout(size, layout, |ui| {
                ui.set_min_width(size.x);
                ui.add(Label::new(text).truncate());
            });
        };
        part(ui, WORDS, Align::Min, RichText::new(progress.words).weak());
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            let title = title(training, state.queue.waiting().len(), entry);
            part(ui, NAME, Align::Min, RichText::new(title));
            let bar = ProgressBar::new(progress.done)
                .desired_width(ui.available_width())
                .desired_height(14.0)
                .text(RichText::new(format!("{:.0} %", 100.0 * progress.done)).small());
            ui.add(bar).accessible_name("Progress of the run");
        });
    });
}

/// What stands in the bar while nothing is trained.
fn idle_ui(ui: &mut egui::Ui, waiting: usize) {
    let mut text = "Nothing is being trained".to_owned();
    if waiting > 0 {
        let verb = if waiting == 1 { "waits" } else { "wait" };
        text.push_str(&format!("; {} {verb}", count(waiting)));
    }
    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
        ui.add(Label::new(RichText::new(text).weak()).truncate());
    });
}

/// The place of the run among those to be trained, its variant and its name.
fn title(training: &Training, waiting: usize, entry: Option<&RunEntry>) -> String {
    let of = match training.done + 1 + waiting {
        0 | 1 => String::new(),
        count => format!("Run {} of {count}: ", training.done + 1),
    };
    let job = training.current.as_ref().map(|current| &current.job);
    let variant = match job {
        Some(Job::Train { config, .. } | Job::Fork { config, .. }) => Some(config.attention),
        _ => entry.and_then(RunEntry::attention),
    };
    let variant = variant.map_or("continuing", Attention::label);
    let name = job.map(|job| queue::name_of(job.dir()));
    match name {
        Some(name) => format!("{of}{variant} · {name}"),
        None => format!("{of}{variant}"),
    }
}

fn buttons_ui(ui: &mut egui::Ui, training: Option<&Training>, actions: &mut Vec<Action>) {
    let state = training.map(|x| (x.control.is_paused(), x.control.is_stopped()));
    let (paused, stopping) = state.unwrap_or((false, false));
    let steers = training.is_some() && !stopping;
    let size = vec2(BUTTON, HEIGHT - 2.0);
    let (text, help) = if stopping {
        ("Stopping…", "Training ends after the present step")
    } else {
        ("Stop", "Nothing is being trained")
    };
    let stop = ui
        .add_enabled(steers, Button::new(text).min_size(size))
        .on_hover_text("End training after the present step; it can be continued later")
        .on_disabled_hover_text(help);
    if stop.clicked() {
        actions.push(Action::Stop);
    }
    let (text, help, action) = if paused {
        ("Resume", "Go on with training", Action::Resume)
    } else {
        ("Pause", "Let training wait at the next step", Action::Pause)
    };
    let pause = ui
        .add_enabled(steers, Button::new(text).min_size(size))
        .on_hover_text(help)
        .on_disabled_hover_text("Nothing is being trained");
    if pause.clicked() {
        actions.push(action);
    }
}
