//! The details of one run of the table, and what can be done with it.

use std::path::Path;

use egui::{RichText, vec2};

use crate::ui::pages::runs::table::{shortened, title_of};
use crate::ui::state::State;
use crate::ui::state::action::Action;
use crate::ui::state::run_table::{Edit, Row, Table};

/// Notes and configuration lie beside each other where the details are at least this wide.
const DETAILS_IN_COLUMNS: f32 = 620.0;

/// What can be done with a run.
fn doings(
    state: &State,
    row: &Row,
) -> Vec<(&'static str, &'static str, Option<&'static str>, Action)> {
    let dir = || row.dir.clone();
    let unreadable = row.glance.is_none().then_some("The run cannot be read");
    let is_ours = row.state.is_ours();
    let is_written = row.glance.as_ref().is_some_and(|glance| glance.running) || is_ours;
    let written = is_written.then_some("The run is being written; stop it first");
    let mut doings = vec![
        (
            "Show left",
            "Open the run and show it, on the left where two are shown",
            unreadable,
            Action::ShowDir(dir(), false),
        ),
        (
            "Show right",
            "Open the run and show it beside the one on the left",
            unreadable,
            Action::ShowDir(dir(), true),
        ),
    ];
    if let Some(id) = row.open {
        let ours = is_ours.then_some("Stop the run before you close it");
        let help = "Take the run off the list of open runs; its files stay";
        doings.push(("Close", help, ours, Action::Remove(id)));
    }
    if row.state.can_continue() {
        let help = match state.training {
            None => "Go on from the last checkpoint",
            Some(_) => "Go on from the last checkpoint, after what is being trained and waits",
        };
        doings.push(("Continue training", help, None, Action::ContinueDir(dir())));
    }
    doings.push((
        "Reveal",
        "Show the run's folder in the file manager",
        None,
        Action::Reveal(dir()),
    ));
    doings.push((
        "Move to trash…",
        "Move the run's folder to the trash, from where it can be put back",
        written,
        Action::AskTrash(dir()),
    ));
    doings
}

pub(super) fn menu_ui(ui: &mut egui::Ui, state: &State, row: &Row, actions: &mut Vec<Action>) {
    for (text, help, hindrance, action) in doings(state, row) {
        let button = ui
            .add_enabled(hindrance.is_none(), egui::Button::new(text))
            .on_hover_text(help)
            .on_disabled_hover_text(hindrance.unwrap_or_default());
        if button.clicked() {
            actions.push(action);
            ui.close();
        }
    }
}

pub(super) fn details_ui(
    ui: &mut egui::Ui,
    state: &mut State,
    table: &Table,
    actions: &mut Vec<Action>,
) {
    let Some(row) = state.browser.selected_row() else {
        return;
    };
    egui::ScrollArea::vertical()
        .id_salt("details")
        .auto_shrink(false)
        .show(ui, |ui| {
            ui.horizontal(|ui| {
                ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                    let close = ui
                        .add(egui::Button::new("×").frame(false))
                        .on_hover_text("Hide the details")
                        .accessible_name("Hide the details");
                    if close.clicked() {
                        let unsaved = state.browser.unsaved();
                        actions.extend(unsaved.map(|edit| Action::SaveNotes(edit.dir, edit.notes)));
                        state.browser.selected = None;
                    }
                    ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                        let name = RichText::new(&row.name).strong().size(15.0);
                        ui.add(egui::Label::new(name).truncate())
                            .on_hover_text(row.dir.display().to_string());
                    });
                });
            });
            let mut sentence = RichText::new(row.state.sentence());
            if row.state.is_bad() {
                sentence = sentence.color(ui.visuals().error_fg_color);
            }
            ui.label(sentence);
            ui.add_space(2.0);
            ui.horizontal_wrapped(|ui| {
                for (text, help, hindrance, action) in doings(state, &row) {
                    let button = ui
                        .add_enabled(hindrance.is_none(), egui::Button::new(text))
                        .on_hover_text(help)
                        .on_disabled_hover_text(hindrance.unwrap_or_default());
                    if button.clicked() {
                        actions.push(action);
                    }
                }
            });
            ui.add_space(6.0);
            if ui.available_width() >= DETAILS_IN_COLUMNS {
                ui.columns(2, |columns| {
                    notes_ui(&mut columns[0], state, &row, actions);
                    config_ui(&mut columns[1], &row, table);
                });
                return;
            }
            notes_ui(ui, state, &row, actions);
            ui.add_space(6.0);
            config_ui(ui, &row, table);
        });
}

/// Name and notes, written when the field is left.
fn notes_ui(ui: &mut egui::Ui, state: &mut State, row: &Row, actions: &mut Vec<Action>) {
    let known = state.browser.edit.take().filter(|edit| edit.dir == row.dir);
    let mut edit = known.unwrap_or_else(|| Edit {
        dir: row.dir.clone(),
        notes: row.notes.clone(),
    });
    let directory = row.dir.file_name().unwrap_or_default().to_string_lossy();
    let left = ui
        .horizontal(|ui| {
            let label = ui.label("Name").on_hover_text(
                "What the run is called in this window; its directory and its log stay as they are",
            );
            let field = egui::TextEdit::singleline(&mut edit.notes.name)
                .hint_text(directory)
                .desired_width(240.0);
            ui.add(field).labelled_by(label.id).lost_focus()
        })
        .inner;
    let field = egui::TextEdit::multiline(&mut edit.notes.notes)
        .hint_text("Notes")
        .desired_rows(3)
        .desired_width(f32::INFINITY);
    let notes = ui
        .add(field)
        .on_hover_text("Kept in notes.json in the run's directory")
        .accessible_name("Notes");
    if (left || notes.lost_focus()) && edit.notes != row.notes {
        actions.push(Action::SaveNotes(row.dir.clone(), edit.notes.clone()));
    }
    state.browser.edit = Some(edit);
}

/// The whole configuration; what differs between the runs listed stands out.
fn config_ui(ui: &mut egui::Ui, row: &Row, table: &Table) {
    let Some(glance) = &row.glance else {
        ui.weak(row.dir.display().to_string());
        return;
    };
    ui.label(RichText::new("Configuration").strong())
        .on_hover_text("What differs between the runs listed is coloured");
    let columns = ((ui.available_width() / 170.0) as usize).clamp(1, 3);
    let differs = |name: &String| table.fields.contains(name);
    let mut fields: Vec<_> = row.fields.iter().collect();
    fields.sort_by_key(|(name, _)| !differs(name));
    egui::Grid::new("configuration")
        .num_columns(2 * columns)
        .spacing(vec2(10.0, 2.0))
        .show(ui, |ui| {
            for (at, (name, value)) in fields.iter().enumerate() {
                ui.label(RichText::new(title_of(name)).small().weak());
                let mut text = RichText::new(shortened(value)).small();
                if differs(name) {
                    text = text.color(ui.visuals().hyperlink_color).strong();
                }
                ui.label(text).on_hover_text(value.as_str());
                if (at + 1) % columns == 0 {
                    ui.end_row();
                }
            }
        });
    ui.add_space(4.0);
    let text = format!(
        "Rarest class {} · {}",
        glance.rarest_class,
        row.dir.display()
    );
    ui.label(RichText::new(text).small().weak());
}

/// Asks before a run is moved to the trash.
pub(super) fn trash_ui(ctx: &egui::Context, state: &mut State, actions: &mut Vec<Action>) {
    let Some(dir) = state.browser.to_trash.clone() else {
        return;
    };
    let modal = egui::Modal::new(egui::Id::unique("trash")).show(ctx, |ui| {
        ui.set_width(380.0);
        ui.label(RichText::new("Move this run to the trash?").heading());
        ui.add_space(4.0);
        ui.label(dir.display().to_string());
        ui.label(RichText::new(what_is_lost(&dir)).weak());
        ui.add_space(8.0);
        ui.horizontal(|ui| {
            let cancel = ui
                .button("Keep it")
                .on_hover_text("Leave everything as it is");
            if cancel.clicked() {
                state.browser.to_trash = None;
            }
            if ui.button("Move to trash").clicked() {
                actions.push(Action::Trash(dir.clone()));
                state.browser.to_trash = None;
            }
        });
    });
    if modal.should_close() {
        state.browser.to_trash = None;
    }
}

fn what_is_lost(dir: &Path) -> String {
    let name = dir.file_name().unwrap_or_default().to_string_lossy();
    format!(
        "Log, probes, checkpoints and notes of {name} go with it. The system's trash can put them back."
    )
}
