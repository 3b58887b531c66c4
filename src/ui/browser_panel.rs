//! All runs in a folder, and the queue of experiments.

use super::action::Action;
use super::app::App;

pub(crate) fn browser_ui(ui: &mut egui::Ui, _app: &mut App, _actions: &mut Vec<Action>) {
    ui.weak("to be drawn");
}
