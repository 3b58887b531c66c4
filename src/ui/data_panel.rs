//! The images of the data set.

use super::action::Action;
use super::app::App;

pub(crate) fn data_ui(ui: &mut egui::Ui, _app: &mut App, _actions: &mut Vec<Action>) {
    ui.weak("to be drawn");
}
