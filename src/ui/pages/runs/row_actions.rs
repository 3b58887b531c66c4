//! The actions on a run of the table.

use crate::ui::state::action::Action;
use crate::ui::state::run_table::Row;
use crate::ui::state::words::continue_help;

/// An action on a run, drawn as a button.
struct Doing {
    text: &'static str,
    help: &'static str,
    /// Why the action is not possible now; `None` if it is.
    hindrance: Option<&'static str>,
    action: Action,
}

impl Doing {
    /// Draws the button; gives whether it was clicked.
    fn button_ui(&self, ui: &mut egui::Ui) -> bool {
        ui.add_enabled(self.hindrance.is_none(), egui::Button::new(self.text))
            .on_hover_text(self.help)
            .on_disabled_hover_text(self.hindrance.unwrap_or_default())
            .clicked()
    }
}

/// The actions on a run; the tooltip of one depends on whether training is under way.
fn doings(row: &Row, is_training: bool) -> Vec<Doing> {
    let doing = |text, help, hindrance, action| Doing {
        text,
        help,
        hindrance,
        action,
    };
    let dir = || row.dir.clone();
    let unreadable = row.glance.is_none().then_some("The run cannot be read");
    let is_ours = row.state.is_ours();
    let is_written = row.glance.as_ref().is_some_and(|glance| glance.running) || is_ours;
    let written = is_written.then_some("The run is being written; stop it first");
    let left = "Open the run and show it, on the left where two are shown";
    let right = "Open the run and show it beside the one on the left";
    let mut doings = vec![
        doing("Show left", left, unreadable, Action::ShowDir(dir(), false)),
        doing(
            "Show right",
            right,
            unreadable,
            Action::ShowDir(dir(), true),
        ),
    ];
    if let Some(id) = row.open {
        let ours = is_ours.then_some("Stop the run before you close it");
        let help = "Take the run off the list of open runs; its files stay";
        doings.push(doing("Close", help, ours, Action::Remove(id)));
    }
    let copied = row
        .original
        .as_ref()
        .map(|_| "This is a copy of a run on another machine");
    if row.is_own() && row.state.can_continue() && copied.is_none() {
        let help = continue_help(is_training);
        let action = Action::ContinueDir(dir());
        doings.push(doing("Continue training", help, None, action));
    }
    let help = "Show the run's folder in the file manager";
    doings.push(doing("Reveal", help, None, Action::Reveal(dir())));
    let help = "Move the run's folder to the trash, from where it can be put back";
    doings.push(doing(
        "Move to trash…",
        help,
        copied.or(written),
        Action::AskTrash(dir()),
    ));
    doings
}

/// Draws the actions on a run as a menu.
pub(super) fn menu_ui(ui: &mut egui::Ui, row: &Row, is_training: bool, actions: &mut Vec<Action>) {
    for doing in doings(row, is_training) {
        if doing.button_ui(ui) {
            actions.push(doing.action);
            ui.close();
        }
    }
}

/// Draws the actions on a run as buttons beside each other.
pub(super) fn buttons_ui(
    ui: &mut egui::Ui,
    row: &Row,
    is_training: bool,
    actions: &mut Vec<Action>,
) {
    ui.horizontal_wrapped(|ui| {
        for doing in doings(row, is_training) {
            if doing.button_ui(ui) {
                actions.push(doing.action);
            }
        }
    });
}
