//! Mean gates by class and channel.
use super::*;
pub(super) fn table(_: Subject<'_>, _: &View) -> table::Table {
    table::Table::default()
}
pub(super) fn gates_ui(ui: &mut Ui, _subject: Subject<'_>, _view: &View) -> Option<Pick> {
    empty_ui(ui, "to be drawn");
    None
}
