//! The rows of the setup panel that are made from the table of fields, and all settings behind “More”.

use egui::RichText;

use crate::config::{Choice, FIELDS, Field, Group, Kind};
use crate::text;
use crate::ui::state::draft::Draft;
use crate::ui::widgets::{labelled_ui, problem_ui};

/// Width of the box that a value is typed into, in points.
const BOX_WIDTH: f32 = 110.0;
/// Width of the box that a value is chosen from, in points.
const CHOICE_WIDTH: f32 = 160.0;

/// Draws a row for a field, with its control.
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
        Kind::Number
        | Kind::Whole
        | Kind::Size
        | Kind::Source
        | Kind::Splits
        | Kind::Shares
        | Kind::Prior
        | Kind::Wholes
        | Kind::Name => {
            labelled_ui(ui, field.label, &help, problem, |ui| {
                let edit = egui::TextEdit::singleline(&mut text)
                    .hint_text(field.hint(&draft.config))
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

/// Draws a warning in small letters about a setting that is valid but hardly intended.
pub(super) fn warning_ui(ui: &mut egui::Ui, warning: String) {
    let colour = ui.visuals().warn_fg_color;
    ui.label(RichText::new(warning).small().color(colour));
}

/// Whether a field stands behind “More”, as do all fields that stand nowhere else on the panel.
fn is_behind_more(field: &Field) -> bool {
    !field.is_main && field.group != Group::RareClasses && field.is_built
}

/// Draws all fields behind “More”, in groups, with a box to search them.
pub(super) fn more_ui<'a>(
    ui: &mut egui::Ui,
    draft: &mut Draft,
    problem: &impl Fn(&str) -> Option<&'a str>,
) {
    // A field with a mistake must stay visible, even if its header is closed or the search does not match it.
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

/// Draws the search box; gives the words that are searched for.
fn search_ui(ui: &mut egui::Ui, draft: &mut Draft) -> Vec<String> {
    let edit = egui::TextEdit::singleline(&mut draft.search)
        .hint_text("Search these settings")
        .desired_width(f32::INFINITY);
    ui.add(edit)
        .accessible_name("Search these settings")
        .on_hover_text("Shows the settings in whose name or explanation every word occurs");
    text::words(&draft.search)
}

/// Draws a row, disabled if its field has no effect, with a tooltip that says what the field needs. A value without
/// effect can still be changed back.
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
    if field.name == "probe_share"
        && let Some(cadence) = draft.cadence()
    {
        let text = RichText::new(cadence).small().weak();
        ui.label(text).on_hover_text(
            "Counted in arithmetic, not read from a clock, so that the same configuration is measured at the same steps \
             everywhere",
        );
    }
}

/// Names the fields that the search finds elsewhere on the panel.
fn found_elsewhere_ui(ui: &mut egui::Ui, words: &[String], is_empty: bool) {
    if words.is_empty() {
        return;
    }
    let others = FIELDS.iter().filter(|x| x.is_built && !is_behind_more(x));
    let found = others.filter(|field| field.is_found_by(words));
    let names: Vec<_> = found
        .map(|field| match field.group {
            Group::RareClasses => format!("{} (under “{}”)", field.label, field.group.title()),
            Group::Data
            | Group::Network
            | Group::Training
            | Group::Measurement
            | Group::Machine => field.label.to_owned(),
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
