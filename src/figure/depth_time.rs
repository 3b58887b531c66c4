//! Interference by layer and moment.

use egui::Ui;

use super::{Pick, Subject, View, empty_ui};

pub(super) fn depth_time_ui(
    ui: &mut Ui,
    _subject: Subject<'_>,
    _shown: &[Subject<'_>],
    _view: &View,
) -> Option<Pick> {
    empty_ui(ui, "to be drawn");
    None
}
