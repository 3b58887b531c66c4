//! Who helps and who hurts a class.

use egui::Ui;

use super::chart::Chart;
use super::{Pick, Subject, View, empty_ui};

pub(super) fn ledger_ui(
    ui: &mut Ui,
    _subject: Subject<'_>,
    _shown: &[Subject<'_>],
    _view: &View,
) -> Option<Pick> {
    empty_ui(ui, "to be drawn");
    None
}

pub(super) fn over_time(_subject: Subject<'_>, _view: &View) -> Chart {
    Chart::default()
}
