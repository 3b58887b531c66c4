//! The list of open runs: which of them are shown, what state they are in, and buttons to open or continue one.

use std::path::PathBuf;

use egui::RichText;

use crate::ui::state::action::{Action, Purpose};
use crate::ui::state::place::Place;
use crate::ui::state::runs::{RunEntry, Runs};
use crate::ui::state::words::continue_help;

/// The list scrolls if it would take a larger share of the window's height than this.
const LIST_SHARE: f32 = 0.45;
/// Height of a run, in points, until one was drawn and its height is known.
const ROW_HEIGHT: f32 = 46.0;
/// The least number of runs that are seen if the list scrolls.
const LEAST_ROWS: f32 = 3.0;

/// Draws the list, and under it a field for the path of a run to open.
pub(crate) fn open_runs_ui(
    ui: &mut egui::Ui,
    runs: &Runs,
    view: &Place,
    is_training: bool,
    path: &mut String,
    actions: &mut Vec<Action>,
) {
    ui.label(RichText::new("Open runs").heading());
    if runs.iter().next().is_none() {
        let text = "None yet. Set up an experiment below and press Start, or open a run folder.";
        ui.label(RichText::new(text).weak());
    }
    let shown = view.shown();
    let side_of = |id| (shown.first() == Some(&id), shown.get(1) == Some(&id));
    // The height of the list is a whole number of rows, since half a name cannot be read.
    let id = ui.scope_id().with("height of a run");
    let row = ui.data(|data| data.get_temp(id)).unwrap_or(ROW_HEIGHT);
    let room = LIST_SHARE * ui.clip_rect().height();
    let rows = (room / row).floor().max(LEAST_ROWS);
    egui::ScrollArea::vertical()
        .id_salt("runs")
        .max_height(rows * row)
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            for entry in runs.iter() {
                let drawn = ui.push_id(entry.id, |ui| {
                    run_ui(ui, entry, side_of(entry.id), is_training, actions);
                });
                let height = drawn.response.rect.height();
                ui.data_mut(|data| data.insert_temp(id, height));
            }
        });
    open_ui(ui, path, actions);
}

fn run_ui(
    ui: &mut egui::Ui,
    entry: &RunEntry,
    (is_left, is_right): (bool, bool),
    is_training: bool,
    actions: &mut Vec<Action>,
) {
    let name = &entry.name;
    ui.horizontal(|ui| {
        let left = ui
            .selectable_label(is_left, "L")
            .on_hover_text("Show this run on the left")
            .accessible_name(format!("Show {name} on the left"));
        if left.clicked() {
            actions.push(Action::ShowLeft(entry.id));
        }
        let right = ui
            .selectable_label(is_right, "R")
            .on_hover_text("Show this run on the right, beside the other")
            .accessible_name(format!("Show {name} on the right"));
        if right.clicked() {
            actions.push(Action::ShowRight(entry.id));
        }
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            ui.horizontal(|ui| {
                let width = ui.available_width() - 24.0;
                ui.allocate_ui(egui::vec2(width, 18.0), |ui| {
                    ui.set_min_width(width);
                    ui.add(egui::Label::new(name).truncate())
                        .on_hover_text(entry.dir.display().to_string());
                });
                remove_ui(ui, entry, actions);
            });
            ui.horizontal(|ui| {
                status_ui(ui, entry);
                if entry.state.can_continue() {
                    let help = continue_help(is_training);
                    let button = ui
                        .small_button("Continue")
                        .on_hover_text(help)
                        .accessible_name(format!("Continue {name}"));
                    if button.clicked() {
                        actions.push(Action::Continue(entry.id));
                    }
                }
            });
        });
    });
    ui.add_space(4.0);
}

fn status_ui(ui: &mut egui::Ui, entry: &RunEntry) {
    let mut words = Vec::new();
    words.extend(entry.attention().map(|x| x.label().to_owned()));
    words.push(entry.state.word().to_owned());
    words.extend(entry.last_macro_f1().map(|f1| format!("F1 {f1:.3}")));
    let mut text = RichText::new(words.join(" · ")).small();
    text = if entry.state.is_bad() {
        text.color(ui.visuals().error_fg_color)
    } else {
        text.weak()
    };
    let mut help = entry.state.sentence();
    if entry.last_macro_f1().is_some() {
        help.push_str("\nF1 is the newest macro-F1: the mean over classes, from 0 to 1.");
    }
    for note in &entry.notes {
        help.push('\n');
        help.push_str(note);
    }
    ui.label(text).on_hover_text(help);
}

fn remove_ui(ui: &mut egui::Ui, entry: &RunEntry, actions: &mut Vec<Action>) {
    let is_ours = entry.state.is_ours();
    let button = ui
        .add_enabled(!is_ours, egui::Button::new("×").small().frame(false))
        .on_hover_text("Take the run off this list; its files stay")
        .on_disabled_hover_text("Stop the run before you take it off the list")
        .accessible_name(format!("Remove {}", entry.name));
    if button.clicked() {
        actions.push(Action::Remove(entry.id));
    }
}

fn open_ui(ui: &mut egui::Ui, path: &mut String, actions: &mut Vec<Action>) {
    ui.horizontal(|ui| {
        let choose = ui.button("Open run…").on_hover_text(
            "Pick a run folder in a dialog; or type its path beside and press Enter",
        );
        if choose.clicked() {
            actions.push(Action::Choose(
                Purpose::RunFolder,
                PathBuf::from(path.trim()),
            ));
        }
        let edit = egui::TextEdit::singleline(path)
            .hint_text("or its path")
            .desired_width(f32::INFINITY);
        let response = ui.add(edit).accessible_name("Path of a run to open");
        let entered =
            response.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
        if entered && !path.trim().is_empty() {
            actions.push(Action::Open(PathBuf::from(path.trim())));
            path.clear();
        }
    });
}
