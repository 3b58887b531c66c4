//! Groups of runs, with paired statistics.

use super::action::Action;
use super::app::App;

pub(crate) fn compare_ui(ui: &mut egui::Ui, _app: &mut App, _actions: &mut Vec<Action>) {
    ui.weak("to be drawn");
}
