//! The list of open runs, a line each: which of them are shown, what state they are in, and buttons to open or continue
//! one.

use std::path::PathBuf;

use egui::{Align, Button, Color32, Label, Layout, RichText, Sense, vec2};

use crate::ui::state::action::{Action, Purpose};
use crate::ui::state::place::Place;
use crate::ui::state::runs::{RunEntry, RunId, RunState, Runs};
use crate::ui::state::words::continue_help;

/// The list scrolls if it would take a larger share of the window's height than this.
const LIST_SHARE: f32 = 0.4;
/// Height of a line, in points.
const LINE: f32 = 22.0;
/// The least number of lines that are seen if the list scrolls.
const LEAST_LINES: f32 = 5.0;
/// Width of the macro-F1, in points.
const SCORE: f32 = 36.0;

/// Draws the list, and under it a field for the path of a run to open. If the list scrolls, the runs that are shown or
/// being trained stand above it, too.
pub(crate) fn open_runs_ui(
    ui: &mut egui::Ui,
    runs: &Runs,
    view: &Place,
    is_training: bool,
    path: &mut String,
    actions: &mut Vec<Action>,
) {
    ui.label(RichText::new("Open runs").heading());
    let entries = ordered(ui, runs);
    if entries.is_empty() {
        let text = "None yet. Set up an experiment below and press Start, or open a run folder.";
        ui.label(RichText::new(text).weak());
    }
    let shown = view.shown();
    let lines = (LIST_SHARE * ui.clip_rect().height() / LINE).floor();
    let lines = lines.max(LEAST_LINES);
    let list = List {
        shown: &shown,
        is_training,
    };
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        if entries.len() as f32 > lines {
            let is_pinned = |entry: &&&RunEntry| shown.contains(&entry.id) || entry.state.is_ours();
            for entry in entries.iter().filter(is_pinned) {
                ui.push_id(("pinned", entry.id), |ui| list.pinned_ui(ui, entry));
            }
            ui.separator();
        }
        // Where another run is shown than before, the list scrolls to it.
        let id = ui.scope_id().with("shown");
        let before: Option<Vec<RunId>> = ui.data(|data| data.get_temp(id));
        let is_new = before.is_some_and(|before| before != shown);
        ui.data_mut(|data| data.insert_temp(id, shown.clone()));
        egui::ScrollArea::vertical()
            .id_salt("runs")
            .max_height(lines * LINE)
            .show(ui, |ui| {
                for entry in &entries {
                    let line = ui.push_id(entry.id, |ui| list.line_ui(ui, entry, actions));
                    if is_new && shown.contains(&entry.id) {
                        line.response.scroll_to_me(None);
                    }
                }
            });
    });
    ui.add_space(4.0);
    open_ui(ui, path, actions);
}

/// What the order of the list depends on: the runs, and whether their headers are read.
type OrderKey = Vec<(RunId, bool)>;

/// The runs as [`in_pairs`] orders them, which is found once and kept until a run comes, goes or has its header read.
fn ordered<'a>(ui: &egui::Ui, runs: &'a Runs) -> Vec<&'a RunEntry> {
    let id = ui.scope_id().with("order");
    let key = runs
        .iter()
        .map(|entry| (entry.id, entry.run.started.is_some()));
    let key: OrderKey = key.collect();
    let kept: Option<(OrderKey, Vec<RunId>)> = ui.data(|data| data.get_temp(id));
    if let Some((_, order)) = kept.filter(|(of, _)| *of == key) {
        return order.iter().filter_map(|&id| runs.get(id)).collect();
    }
    let listed = in_pairs(runs);
    let order: Vec<RunId> = listed.iter().map(|entry| entry.id).collect();
    ui.data_mut(|data| data.insert_temp(id, (key, order)));
    listed
}

/// The runs in the order in which they were opened, but those that differ in nothing but attention beside each other.
fn in_pairs(runs: &Runs) -> Vec<&RunEntry> {
    let is_pair = |a: &RunEntry, b: &RunEntry| {
        let headers = a.run.started.as_ref().zip(b.run.started.as_ref());
        headers.is_some_and(|(a, b)| a.differs_in_attention_alone(b))
    };
    let mut listed: Vec<&RunEntry> = Vec::new();
    for entry in runs.iter() {
        let after = listed.iter().rposition(|other| is_pair(other, entry));
        let at = after.map_or(listed.len(), |at| at + 1);
        listed.insert(at, entry);
    }
    listed
}

/// What all lines of the list have in common.
struct List<'a> {
    shown: &'a [RunId],
    is_training: bool,
}

impl List<'_> {
    fn line_ui(&self, ui: &mut egui::Ui, entry: &RunEntry, actions: &mut Vec<Action>) {
        let name = &entry.name;
        let size = vec2(ui.available_width(), LINE);
        ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
            ui.set_min_height(LINE);
            ui.spacing_mut().item_spacing.x = 4.0;
            let sides = [
                (
                    "L",
                    0,
                    "left",
                    "Show this run on the left",
                    Action::ShowLeft(entry.id),
                ),
                (
                    "R",
                    1,
                    "right",
                    "Show this run on the right, beside the other",
                    Action::ShowRight(entry.id),
                ),
            ];
            for (letter, at, side, help, action) in sides {
                let is_here = self.shown.get(at) == Some(&entry.id);
                let button = ui
                    .selectable_label(is_here, letter)
                    .on_hover_text(help)
                    .accessible_name(format!("Show {name} on the {side}"));
                if button.clicked() {
                    actions.push(action);
                }
            }
            state_ui(ui, entry);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                remove_ui(ui, entry, actions);
                if entry.can_continue() {
                    let button = ui
                        .add(Button::new("▶").small().frame(false))
                        .on_hover_text(continue_help(self.is_training))
                        .accessible_name(format!("Continue {name}"));
                    if button.clicked() {
                        actions.push(Action::Continue(entry.id));
                    }
                }
                score_ui(ui, entry);
                name_ui(ui, entry);
            });
        });
    }

    /// The line of a run above the list, which says why it stands there.
    fn pinned_ui(&self, ui: &mut egui::Ui, entry: &RunEntry) {
        let place = match self.shown {
            [left, _] if *left == entry.id => "left",
            [_, right] if *right == entry.id => "right",
            [only] if *only == entry.id => "shown",
            _ => "training",
        };
        let size = vec2(ui.available_width(), LINE);
        ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
            ui.set_min_height(LINE);
            ui.spacing_mut().item_spacing.x = 4.0;
            let size = vec2(44.0, LINE);
            ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
                ui.set_min_width(size.x);
                ui.label(RichText::new(place).small().strong());
            });
            state_ui(ui, entry);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                score_ui(ui, entry);
                name_ui(ui, entry);
            });
        });
    }
}

/// The name, cut only where there is no room for it.
fn name_ui(ui: &mut egui::Ui, entry: &RunEntry) {
    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
        ui.add(Label::new(&entry.name).truncate())
            .on_hover_text(entry.place());
    });
}

/// The newest macro-F1, in a column of its own.
fn score_ui(ui: &mut egui::Ui, entry: &RunEntry) {
    let size = vec2(SCORE, LINE);
    ui.allocate_ui_with_layout(size, Layout::right_to_left(Align::Center), |ui| {
        ui.set_min_width(SCORE);
        let Some(f1) = entry.last_macro_f1() else {
            return;
        };
        ui.label(RichText::new(format!("{f1:.3}")).small())
            .on_hover_text("The newest macro-F1: the mean over classes, from 0 to 1")
            .accessible_name(format!("F1 {f1:.3}"));
    });
}

/// The state as a sign, with its word and its sentence in the tooltip.
fn state_ui(ui: &mut egui::Ui, entry: &RunEntry) {
    let visuals = ui.visuals();
    let (sign, color): (&str, Color32) = match &entry.state {
        RunState::Running | RunState::Elsewhere => ("●", visuals.hyperlink_color),
        RunState::Opening | RunState::Loading => ("○", visuals.weak_text_color()),
        RunState::Paused => ("‖", visuals.text_color()),
        RunState::Finished => ("■", visuals.weak_text_color()),
        RunState::Stopped(_) => ("□", visuals.weak_text_color()),
        RunState::Interrupted => ("□", visuals.warn_fg_color),
        RunState::Failed(_) | RunState::Unreachable(_) | RunState::Damaged(_) => {
            ("×", visuals.error_fg_color)
        }
    };
    let (rect, response) = ui.allocate_exact_size(vec2(14.0, LINE), Sense::hover());
    let font = egui::FontId::proportional(12.0);
    ui.painter().text(
        rect.center(),
        egui::Align2::CENTER_CENTER,
        sign,
        font,
        color,
    );
    let words = format!("{} · {}", entry.variant(), entry.state.word());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, &words));
    let mut help = format!("{words}\n{}", entry.state.sentence(entry.is_own()));
    let parent = entry.run.started.as_ref().and_then(|x| x.parent.as_ref());
    if let Some(parent) = parent {
        help.push_str(&format!("\nIt {}.", parent.in_words()));
    }
    for note in &entry.notes {
        help.push('\n');
        help.push_str(note);
    }
    response.on_hover_text(help);
}

fn remove_ui(ui: &mut egui::Ui, entry: &RunEntry, actions: &mut Vec<Action>) {
    let is_ours = entry.state.is_ours();
    let button = ui
        .add_enabled(!is_ours, Button::new("×").small().frame(false))
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
            "Pick a run folder in a dialog; or type its path, that of an exported figure, or the address of a folder on a \
             server (ssh://host/folder) beside and press Enter",
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
