//! The page Compare, which compares groups of runs: all open runs, paired by seed.

use egui::{Rect, RichText, pos2};

use super::columns::Column;
use crate::compare::Comparison;
use crate::compare::contrast::{Alone, CompareError, with_seeds};
use crate::figure::difference::{NOTHING, compared_once};
use crate::figure::pages::GAP;
use crate::figure::table::table;
use crate::figure::{Kind, Subject, View, figure_ui};
use crate::text::grouped;
use crate::ui::panels::selection_bar::{agreement_ui, batch_norm_ui, scope_ui};
use crate::ui::state::State;
use crate::ui::state::action::Action;
use crate::ui::state::place::Page;
use crate::ui::state::runs::{RunEntry, RunId};

/// Least height of the figures, in points.
const LEAST_FIGURES: f32 = 260.0;

/// Draws the page Compare.
pub(crate) fn compare_ui(ui: &mut egui::Ui, state: &State, actions: &mut Vec<Action>) {
    let ids = state.view.compared(&state.runs);
    let entries: Vec<&RunEntry> = ids.iter().filter_map(|&id| state.runs.get(id)).collect();
    let subjects: Vec<Subject<'_>> = entries.iter().map(|entry| entry.subject()).collect();
    let found = compared_once(ui.ctx(), &subjects);
    let comparison = match &*found {
        Ok(comparison) => comparison,
        Err(CompareError::OneGroup(alone)) => {
            return one_group_ui(ui, state, alone, &subjects, &entries, actions);
        }
        Err(error) => return empty_ui(ui, &error.to_string()),
    };
    let others = comparison.others();
    let chosen = entries
        .iter()
        .find(|x| Some(x.id) == state.view.compare.other);
    let chosen = chosen.and_then(|entry| comparison.group_of(&entry.name));
    let at = others
        .iter()
        .position(|&other| Some(other) == chosen)
        .unwrap_or(0);
    let panel = Panel {
        comparison,
        entries: &entries,
        subjects: &subjects,
        group: others[at],
    };
    egui::ScrollArea::vertical()
        .auto_shrink(false)
        .show(ui, |ui| {
            let seen = ui.clip_rect().height();
            panel.choose_ui(ui, actions);
            let baseline: Vec<_> = panel.first_of(comparison.baseline).into_iter().collect();
            let runs = (&baseline[..], &state.agreement);
            scope_ui(ui, Page::Compare, runs, &state.view.figure, actions);
            panel.table_ui(ui, &state.view.figure, actions);
            panel.notes_ui(ui);
            ui.add_space(GAP);
            panel.figures_ui(ui, state, seen, actions);
        });
}

/// Says why there is no comparison, and what to do about it.
fn empty_ui(ui: &mut egui::Ui, reason: &str) {
    ui.vertical_centered(|ui| {
        ui.add_space(ui.available_height() * 0.35);
        ui.label(RichText::new("Compare settings over several seeds").heading());
        ui.add_space(6.0);
        ui.label(RichText::new(NOTHING).weak());
        ui.label(RichText::new(format!("Now {reason}.")).weak());
    });
}

/// Draws how a group develops over its seeds, if there is no other group to compare it to.
fn one_group_ui(
    ui: &mut egui::Ui,
    state: &State,
    alone: &Alone,
    subjects: &[Subject<'_>],
    entries: &[&RunEntry],
    actions: &mut Vec<Action>,
) {
    let (name, others) = (&alone.group, &alone.of_other_classes);
    if others.is_empty() {
        ui.strong(format!("All finished runs are of one group, {name}"));
    } else {
        ui.strong(format!("No other finished runs have the classes of {name}"));
        let text = format!(
            "Runs of different classes are not compared; other classes have {}.",
            others.join("; ")
        );
        ui.add(egui::Label::new(RichText::new(text).weak()).wrap());
    }
    ui.label(RichText::new(NOTHING).weak());
    batch_norm_ui(ui, entries, &state.view.figure, actions);
    agreement_ui(ui, &state.agreement);
    let Some(entry) = entries.first() else { return };
    let free = ui.available_rect_before_wrap();
    let column = Column {
        entry,
        subjects,
        view: &state.view.figure,
        index: 0,
    };
    let (left, right) = free.split_left_right_at_fraction(0.5);
    let cards = [
        (Kind::GroupScores, left.with_max_x(left.right() - GAP / 2.0)),
        (
            Kind::GroupConflict,
            right.with_min_x(right.left() + GAP / 2.0),
        ),
    ];
    column.cards_at_ui(ui, (&cards, None), free.width(), actions);
}

struct Panel<'a> {
    comparison: &'a Comparison,
    entries: &'a [&'a RunEntry],
    subjects: &'a [Subject<'a>],
    /// The index of the group that is compared to the baseline.
    group: usize,
}

impl Panel<'_> {
    /// The first run of a group.
    fn first_of(&self, group: usize) -> Option<&RunEntry> {
        let name = self.comparison.groups[group].runs.first()?;
        self.entries
            .iter()
            .find(|entry| entry.name == *name)
            .copied()
    }

    /// The data that the compared runs were trained on, with its classes and its training images.
    fn data(&self) -> Option<String> {
        let started = self
            .first_of(self.comparison.baseline)?
            .run
            .started
            .as_ref()?;
        let images: usize = started.train_counts.iter().sum();
        Some(format!(
            "{}, {} classes, {} training images",
            started.data(),
            started.classes.len(),
            grouped(images as u64)
        ))
    }

    fn choose_ui(&self, ui: &mut egui::Ui, actions: &mut Vec<Action>) {
        let comparison = self.comparison;
        ui.horizontal_wrapped(|ui| {
            if let Some(data) = self.data() {
                ui.strong(data).on_hover_text(
                    "The images that the baseline was trained on. Runs of other classes are left out; where the other groups \
                     were trained or tested on other images, a note says so",
                );
            }
            let all: Vec<usize> = (0..comparison.groups.len()).collect();
            let help = "The group that the others are compared to";
            if let Some(run) = self.group_ui(ui, "Baseline", help, comparison.baseline, &all) {
                actions.push(Action::CompareTo(run));
            }
            let help = "The group that the table and the figures show against the baseline";
            let others = comparison.others();
            if let Some(run) = self.group_ui(ui, "Compared", help, self.group, &others) {
                actions.push(Action::Compare(run));
            }
            let text = format!(
                "at the last step, {} images, {}, paired by seed",
                comparison.images(),
                comparison.batch_norm_in_words()
            );
            ui.label(RichText::new(text).weak()).on_hover_text(
                "The page Runs lists test scores at the step with the best validation macro-F1 instead",
            );
        });
    }

    /// Draws a list of groups; if the user chooses one, gives its first run.
    fn group_ui(
        &self,
        ui: &mut egui::Ui,
        label: &str,
        help: &str,
        current: usize,
        groups: &[usize],
    ) -> Option<RunId> {
        let name = |group: usize| {
            let group = &self.comparison.groups[group];
            format!("{} ({})", group.name, with_seeds(group.seeds.len()))
        };
        let mut chosen = None;
        let label_response = ui.label(label).on_hover_text(help);
        let combo = egui::ComboBox::from_id_salt(label)
            .selected_text(name(current))
            .width(180.0)
            .show_ui(ui, |ui| {
                for &group in groups {
                    if ui.selectable_label(group == current, name(group)).clicked() {
                        chosen = self.first_of(group).map(|entry| entry.id);
                    }
                }
            });
        combo
            .response
            .labelled_by(label_response.id)
            .on_hover_text(help);
        chosen
    }

    /// Draws the headline measures of the groups and the sentences about them, with buttons to copy and to export the
    /// table.
    fn table_ui(&self, ui: &mut egui::Ui, view: &View, actions: &mut Vec<Action>) {
        let Some(entry) = self.first_of(self.group) else {
            return;
        };
        ui.add_space(4.0);
        figure_ui(ui, Kind::Measures, entry.subject(), self.subjects, view);
        ui.horizontal(|ui| {
            let copy = ui.small_button("Copy table").on_hover_text(
                "Put these measures of all groups on the clipboard, to paste into a spreadsheet",
            );
            if copy.clicked() {
                let table = table(Kind::Measures, entry.subject(), self.subjects, view);
                ui.ctx().copy_text(table.to_tabs());
            }
            let export = ui.small_button("Export table…").on_hover_text(
                "Save these measures of all groups as CSV, or the table as an image",
            );
            if export.clicked() {
                let size = egui::vec2(ui.available_width().min(900.0), 300.0);
                actions.push(Action::AskExport(
                    Kind::Measures,
                    entry.id,
                    vec![(Kind::Measures, size)],
                ));
            }
        });
    }

    fn notes_ui(&self, ui: &mut egui::Ui) {
        let notes = &self.comparison.notes;
        if notes.is_empty() {
            return;
        }
        let title = match notes.len() {
            1 => "1 note: what was left out".to_owned(),
            n => format!("{n} notes: what was left out"),
        };
        egui::CollapsingHeader::new(title)
            .id_salt("notes")
            .show(ui, |ui| {
                for note in notes {
                    ui.label(RichText::new(note).weak());
                }
            });
    }

    fn figures_ui(&self, ui: &mut egui::Ui, state: &State, seen: f32, actions: &mut Vec<Action>) {
        let Some(entry) = self.first_of(self.group) else {
            return;
        };
        let free = ui.available_rect_before_wrap();
        let used = free.top() - ui.min_rect().top();
        let width = free.width() - 4.0;
        let Some(part) = Page::Compare.of_one(width, seen) else {
            return;
        };
        let least = part.least();
        let height = (seen - used - GAP).max(least).max(LEAST_FIGURES);
        let rect = Rect::from_min_size(pos2(free.left(), free.top()), egui::vec2(width, height));
        ui.allocate_rect(rect, egui::Sense::hover());
        let column = Column {
            entry,
            subjects: self.subjects,
            view: &state.view.figure,
            index: 0,
        };
        column.cards_ui(ui, (&part, None), rect, actions);
    }
}

#[cfg(test)]
mod tests;
