//! What the program found, ranked, with a click to the evidence.

use super::action::Action;
use super::app::App;

pub(crate) fn findings_ui(_ui: &mut egui::Ui, _app: &mut App, _actions: &mut Vec<Action>) {}
