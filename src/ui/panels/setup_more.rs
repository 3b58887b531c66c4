//! The rows of the setup panel that follow from the table of fields, and all those behind “More”.

use egui::RichText;

use crate::config::{Choice, FIELDS, Field, Group, Kind};
use crate::text;
use crate::ui::state::draft::Draft;
use crate::ui::widgets::{labelled_ui, problem_ui};

/// Width of the box that a value is typed into, in points.
const BOX_WIDTH: f32 = 110.0;
/// Width of the box that a value is chosen from, in points.
const CHOICE_WIDTH: f32 = 160.0;

/// A row for a field, with its control.
pub(super) fn field_ui(ui: &mut egui::Ui, draft: &mut Draft, field: &Field, problem: Option<&str>) {
    let help = field.explanation();
    let before = draft.text_of(field);
    let mut text = before.clone();
    match field.kind {
        Kind::Flag => {
            let mut is_on = text == "true";
            ui.checkbox(&mut is_on, field.label).on_hover_text(help);
            text = is_on.to_string();
            problem_ui(ui, problem);
        }
        Kind::Choice(choices) => {
            labelled_ui(ui, field.label, &help, problem, |ui| {
                choice_ui(ui, field, &mut text, choices)
            });
        }
        Kind::Number | Kind::Whole | Kind::Size | Kind::Source => {
            labelled_ui(ui, field.label, &help, problem, |ui| {
                let edit = egui::TextEdit::singleline(&mut text)
                    .hint_text(field.hint())
                    .desired_width(BOX_WIDTH);
                ui.add(edit)
            });
        }
    }
    if text != before {
        draft.typed(field, text);
    }
}

fn choice_ui(
    ui: &mut egui::Ui,
    field: &Field,
    text: &mut String,
    choices: &[Choice],
) -> egui::Response {
    let chosen = choices.iter().find(|choice| choice.name == text);
    egui::ComboBox::from_id_salt(field.label)
        .selected_text(chosen.map_or("", |choice| choice.label))
        .width(CHOICE_WIDTH)
        .show_ui(ui, |ui| {
            for choice in choices {
                ui.selectable_value(text, choice.name.to_owned(), choice.label)
                    .on_hover_text(choice.help);
            }
        })
        .response
}

/// A small sentence about what can work and is hardly meant.
pub(super) fn warning_ui(ui: &mut egui::Ui, warning: String) {
    let colour = ui.visuals().warn_fg_color;
    ui.label(RichText::new(warning).small().color(colour));
}

/// Whether a field stands behind “More”: all that stand nowhere else on the panel.
fn is_behind_more(field: &Field) -> bool {
    !field.is_main && field.group != Group::RareClasses && field.is_built
}

/// Everything else that can be set, in groups, with a search among it.
pub(super) fn more_ui<'a>(
    ui: &mut egui::Ui,
    draft: &mut Draft,
    problem: &impl Fn(&str) -> Option<&'a str>,
) {
    // A mistake must hide neither behind a closed header nor behind a search.
    let has_problem = |field: &Field| problem(field.name).is_some();
    let mut fields = FIELDS.iter().filter(|field| is_behind_more(field));
    let is_forced = fields.any(has_problem);
    egui::CollapsingHeader::new("More")
        .open(is_forced.then_some(true))
        .show_unindented(ui, |ui| {
            let words = search_ui(ui, draft);
            let mut is_empty = true;
            for &group in Group::ALL {
                let fields = group.fields().filter(|field| is_behind_more(field));
                let found = fields.filter(|x| x.is_found_by(&words) || has_problem(x));
                let found: Vec<_> = found.collect();
                if found.is_empty() {
                    continue;
                }
                is_empty = false;
                ui.add_space(4.0);
                ui.label(RichText::new(group.title()).strong());
                for field in found {
                    row_ui(ui, draft, field, problem(field.name));
                }
            }
            found_elsewhere_ui(ui, &words, is_empty);
        });
}

/// The box to search in; gives back the words that are searched for.
fn search_ui(ui: &mut egui::Ui, draft: &mut Draft) -> Vec<String> {
    let edit = egui::TextEdit::singleline(&mut draft.search)
        .hint_text("Search these settings")
        .desired_width(f32::INFINITY);
    ui.add(edit)
        .accessible_name("Search these settings")
        .on_hover_text("Shows the settings in whose name or explanation every word occurs");
    text::words(&draft.search)
}

/// A row that is off where the field has no effect, and says what it needs. A value that has no effect can be taken back.
fn row_ui(ui: &mut egui::Ui, draft: &mut Draft, field: &Field, problem: Option<&str>) {
    let config = draft.as_trained();
    let idle = field.idle(&config);
    let is_on = field.applies(&config) || idle.is_some() || problem.is_some();
    let row = ui.add_enabled_ui(is_on, |ui| field_ui(ui, draft, field, problem));
    if let Some(condition) = &field.applies {
        let text = format!(
            "No effect without {}. {}",
            condition.needs,
            field.explanation()
        );
        row.response.on_disabled_hover_text(text);
    }
    if let Some(warning) = idle {
        warning_ui(ui, warning);
    }
}

/// Names what was found among the fields that stand elsewhere on the panel.
fn found_elsewhere_ui(ui: &mut egui::Ui, words: &[String], is_empty: bool) {
    if words.is_empty() {
        return;
    }
    let others = FIELDS.iter().filter(|x| x.is_built && !is_behind_more(x));
    let found = others.filter(|field| field.is_found_by(words));
    let names: Vec<_> = found
        .map(|field| match field.group {
            Group::RareClasses => format!("{} (under “{}”)", field.label, field.group.title()),
            _ => field.label.to_owned(),
        })
        .collect();
    let text = match (names.as_slice(), is_empty) {
        ([], false) => return,
        ([], true) => {
            "No setting has these words. Search for one word, or clear the search.".to_owned()
        }
        (names, _) => format!("Above: {}.", names.join(", ")),
    };
    ui.add_space(4.0);
    ui.label(RichText::new(text).weak());
}
