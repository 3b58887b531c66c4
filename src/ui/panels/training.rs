//! The button that starts training, and the list of runs that wait.

use super::queue::queue_ui;
use crate::ui::state::State;
use crate::ui::state::action::Action;

pub(crate) fn training_ui(ui: &mut egui::Ui, state: &State, actions: &mut Vec<Action>) {
    ui.add_space(6.0);
    start_ui(ui, state, actions);
    queue_ui(ui, state, actions);
    ui.add_space(6.0);
}

/// Whether a chosen network is being trained already, or waits.
fn is_queued(state: &State) -> bool {
    let waiting = state.queue.waiting();
    let current = state.training.as_ref().and_then(|x| x.current.as_ref());
    let jobs = waiting.iter().chain(current).map(|waiting| &waiting.job);
    state.draft.is_among(jobs)
}

fn start_ui(ui: &mut egui::Ui, state: &State, actions: &mut Vec<Action>) {
    let reason = state.draft.reason_not_to_start();
    let (text, help) = match &state.training {
        None => ("Start", "Train the chosen networks"),
        Some(_) if is_queued(state) => (
            "Add once more",
            "A network with this configuration and seed is being trained or waits; this trains it a second time",
        ),
        Some(_) => (
            "Add to queue",
            "Train the chosen networks after what is being trained and waits",
        ),
    };
    let size = egui::vec2(ui.available_width(), 28.0);
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
}
