//! The details of one run of the table: its state, the actions on it, its notes and its configuration.

use egui::{RichText, vec2};

use super::open::Open;
use super::row_actions::buttons_ui;
use crate::ui::panels::fork_ui;
use crate::ui::state::action::Action;
use crate::ui::state::run_table::{Browser, Edit, Row, Table, shortened, title_of};
use crate::ui::state::runs::RunState;

/// The notes and the configuration lie beside each other if the details are at least this wide, in points.
const DETAILS_IN_COLUMNS: f32 = 620.0;

/// Draws the details of the selected run.
pub(super) fn details_ui(
    ui: &mut egui::Ui,
    open: &Open<'_>,
    browser: &mut Browser,
    table: &Table,
    actions: &mut Vec<Action>,
) {
    let Some(row) = browser.selected_row() else {
        return;
    };
    egui::ScrollArea::vertical()
        .id_salt("details")
        .auto_shrink(false)
        .show(ui, |ui| {
            heading_ui(ui, browser, &row, actions);
            let mut sentence = RichText::new(row.state.sentence(row.is_own()));
            if row.state.is_bad() {
                sentence = sentence.color(ui.visuals().error_fg_color);
            }
            ui.label(sentence);
            if let Some(glance) = &row.glance {
                if let Some(parent) = &glance.started.parent {
                    ui.label(RichText::new(format!("It {}.", parent.in_words())).weak());
                }
                if !row.state.is_ours() && !glance.running && row.original.is_none() {
                    let of = (&*glance.started, glance.ending.as_ref());
                    fork_ui(ui, (&row.name, &row.dir), of, actions);
                }
            }
            ui.add_space(2.0);
            buttons_ui(ui, &row, open.is_training, actions);
            ui.add_space(6.0);
            if ui.available_width() >= DETAILS_IN_COLUMNS {
                ui.columns(2, |columns| {
                    notes_ui(&mut columns[0], browser, &row, actions);
                    config_ui(&mut columns[1], &row, table);
                });
                return;
            }
            notes_ui(ui, browser, &row, actions);
            ui.add_space(6.0);
            config_ui(ui, &row, table);
        });
}

/// Draws the name of the run, and a button that hides the details.
fn heading_ui(ui: &mut egui::Ui, browser: &mut Browser, row: &Row, actions: &mut Vec<Action>) {
    ui.horizontal(|ui| {
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let close = ui
                .add(egui::Button::new("×").frame(false))
                .on_hover_text("Hide the details")
                .accessible_name("Hide the details");
            if close.clicked() {
                let unsaved = browser.unsaved();
                actions.extend(unsaved.map(|edit| Action::SaveNotes(edit.dir, edit.notes)));
                browser.selected = None;
            }
            ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                let name = RichText::new(&row.name).strong().size(15.0);
                ui.add(egui::Label::new(name).truncate())
                    .on_hover_text(row.place());
            });
        });
    });
}

/// Draws fields for the name and the notes of the run, which are saved when the user leaves them. Those of a copy are only
/// read, and notes that are not known cannot be edited: saving would replace them.
fn notes_ui(ui: &mut egui::Ui, browser: &mut Browser, row: &Row, actions: &mut Vec<Action>) {
    if browser
        .edit
        .as_ref()
        .is_some_and(|edit| edit.dir != row.dir)
    {
        let unsaved = browser.unsaved();
        actions.extend(unsaved.map(|edit| Action::SaveNotes(edit.dir, edit.notes)));
    }
    if let Some(original) = &row.original {
        ui.label(row.notes.notes.as_str());
        let text = format!("This is a copy of {original}, which is trained and given notes there.");
        ui.label(RichText::new(text).weak());
        return;
    }
    if row.state == RunState::Opening {
        return;
    }
    if let Some(error) = &row.notes_error {
        ui.label(RichText::new(error).color(ui.visuals().error_fg_color));
        let text = "The name and the notes can be edited once the file is repaired or removed.";
        ui.label(RichText::new(text).weak());
        return;
    }
    let mut edit = browser.edit.take().unwrap_or_else(|| Edit::of(row));
    edit.refresh(row);
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
    if (left || notes.lost_focus()) && edit.notes != edit.saved {
        actions.push(Action::SaveNotes(row.dir.clone(), edit.notes.clone()));
    }
    browser.edit = Some(edit);
}

/// Draws the whole configuration; fields in which the runs listed differ stand out.
fn config_ui(ui: &mut egui::Ui, row: &Row, table: &Table) {
    let Some(glance) = &row.glance else {
        ui.weak(row.place());
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
    let text = format!("Rarest class {} · {}", glance.rarest_class, row.place());
    ui.label(RichText::new(text).small().weak());
}
