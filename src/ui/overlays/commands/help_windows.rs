//! Two windows with explanations: the list of all keys (F1), and how to read a figure.

use egui::{Modal, RichText, ScrollArea};

use super::shortcuts::SHORTCUTS;
use crate::ui::state::State;
use crate::ui::state::action::Action;

const WIDTH: f32 = 460.0;

/// The keys that single widgets take, each with its effect; the keys of the whole window are in [`SHORTCUTS`].
const OF_WIDGETS: [(&str, &str); 6] = [
    (
        "Tab",
        "To the next control or figure; the one that has the keyboard has a ring",
    ),
    ("Enter", "Press it; in a figure of cells, pick the cell"),
    (
        "Arrows",
        "In a figure of cells that has the keyboard, to another cell",
    ),
    ("+  −  0", "In a large matrix, fewer classes, more, or all"),
    (
        "Ctrl+wheel",
        "Over a large matrix, fewer or more classes; over a chart, closer or farther",
    ),
    ("Esc", "Give the keyboard back, or close what is open"),
];

/// Shows the list of all keys, if it is open.
pub(crate) fn keyboard_ui(ctx: &egui::Context, state: &State, actions: &mut Vec<Action>) {
    if !state.is_keyboard_open {
        return;
    }
    let is_closed = window("Keyboard", ctx, |ui| {
        let keys = egui::Grid::new("keys").striped(true).num_columns(2);
        keys.spacing([24.0, 3.0]).show(ui, |ui| {
            let mut row = |keys: &str, help: &str| {
                ui.label(RichText::new(keys).monospace());
                ui.label(help);
                ui.end_row();
            };
            for shortcut in SHORTCUTS {
                row(&shortcut.text(ctx), shortcut.help);
            }
            for (keys, help) in OF_WIDGETS {
                row(keys, help);
            }
        });
    });
    if is_closed {
        actions.push(Action::ToggleKeyboard);
    }
}

/// Explains how to read the figure that the user asked about, if any.
pub(crate) fn explanation_ui(ctx: &egui::Context, state: &State, actions: &mut Vec<Action>) {
    let Some(kind) = state.explained else { return };
    let is_closed = window(kind.title(), ctx, |ui| {
        ui.label(kind.help());
    });
    if is_closed {
        actions.push(Action::ExplainFigure(None));
    }
}

/// Shows a window over everything else. Gives `true` if the user closes it: by its button, by Esc or by a click beside
/// it.
fn window(title: &str, ctx: &egui::Context, add: impl FnOnce(&mut egui::Ui)) -> bool {
    let modal = Modal::new(egui::Id::unique(title)).show(ctx, |ui| {
        ui.set_width(WIDTH);
        ui.label(RichText::new(title).heading());
        ui.add_space(4.0);
        ScrollArea::vertical()
            .max_height(0.8 * ctx.content_rect().height())
            .show(ui, add);
        ui.add_space(8.0);
        ui.button("Close").clicked()
    });
    modal.should_close() || modal.inner
}
