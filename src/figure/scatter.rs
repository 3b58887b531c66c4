//! Conflict against confusion.

use egui::Ui;

use super::{Pick, Subject, View, empty_ui};

pub(super) fn scatter_ui(
    ui: &mut Ui,
    _subject: Subject<'_>,
    _shown: &[Subject<'_>],
    _view: &View,
) -> Option<Pick> {
    empty_ui(ui, "to be drawn");
    None
}
