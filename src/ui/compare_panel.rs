//! The page that sets groups of runs against each other: all open runs, paired by seed.

use egui::{Rect, RichText, pos2};

use super::action::Action;
use super::app::App;
use super::figures_panel::Column;
use super::page::{GAP, Page};
use super::runs::{RunEntry, RunId, Runs, State};
use crate::compare::Comparison;
use crate::compare::contrast::{Contrast, Row, difference_text, mean_text, probability, remark};
use crate::config::Attention;
use crate::figure::difference::{NOTHING, compared_once};
use crate::figure::{Kind, Subject};
use crate::run::Ending;

/// Least height of the figures.
const LEAST_FIGURES: f32 = 260.0;

/// Which groups are set against each other, each named by one of its runs.
#[derive(Debug, Default)]
pub(crate) struct Choice {
    /// A run of the baseline; none: the first one without attention.
    pub(crate) baseline: Option<RunId>,
    /// A run of the group that is looked at; none: the first other one.
    pub(crate) other: Option<RunId>,
}

impl Choice {
    /// All runs that were read, one of the baseline first.
    pub(crate) fn order(&self, runs: &Runs) -> Vec<RunId> {
        let read = || runs.iter().filter(|entry| entry.state != State::Opening);
        let is_finished = |entry: &&RunEntry| matches!(entry.run.ending, Some(Ending::Finished(_)));
        let finished = || read().filter(is_finished);
        let chosen = finished().find(|entry| Some(entry.id) == self.baseline);
        let plain = || finished().find(|entry| entry.attention() == Some(Attention::None));
        let first = chosen.or_else(plain).or_else(|| finished().next());
        let mut ids: Vec<RunId> = first.iter().map(|entry| entry.id).collect();
        let others = read().map(|entry| entry.id).filter(|id| !ids.contains(id));
        let others: Vec<_> = others.collect();
        ids.extend(others);
        ids
    }
}

pub(crate) fn compare_ui(ui: &mut egui::Ui, app: &App, actions: &mut Vec<Action>) {
    let ids = app.compare.order(&app.runs);
    let entries: Vec<&RunEntry> = ids.iter().filter_map(|&id| app.runs.get(id)).collect();
    let subjects: Vec<Subject<'_>> = entries.iter().map(|entry| entry.subject()).collect();
    let found = compared_once(ui.ctx(), &subjects);
    let comparison = match &*found {
        Ok(comparison) => comparison,
        Err(error) => return empty_ui(ui, &error.to_string()),
    };
    let others = comparison.others();
    let chosen = entries.iter().find(|x| Some(x.id) == app.compare.other);
    let chosen = chosen.and_then(|entry| comparison.group_of(&entry.name));
    let at = others
        .iter()
        .position(|&other| Some(other) == chosen)
        .unwrap_or(0);
    let panel = Panel {
        comparison,
        entries: &entries,
        subjects: &subjects,
        at,
        group: others[at],
    };
    egui::ScrollArea::vertical()
        .auto_shrink(false)
        .show(ui, |ui| {
            let seen = ui.clip_rect().height();
            panel.choose_ui(ui, actions);
            panel.table_ui(ui);
            panel.notes_ui(ui);
            ui.add_space(GAP);
            panel.figures_ui(ui, app, seen, actions);
        });
}

/// Says why there is nothing, and what to do.
fn empty_ui(ui: &mut egui::Ui, reason: &str) {
    ui.vertical_centered(|ui| {
        ui.add_space(ui.available_height() * 0.35);
        ui.label(RichText::new("Compare settings over several seeds").heading());
        ui.add_space(6.0);
        ui.label(RichText::new(NOTHING).weak());
        ui.label(RichText::new(format!("Now {reason}.")).weak());
    });
}

struct Panel<'a> {
    comparison: &'a Comparison,
    entries: &'a [&'a RunEntry],
    subjects: &'a [Subject<'a>],
    /// Which contrast is looked at,
    at: usize,
    /// and its group.
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

    fn choose_ui(&self, ui: &mut egui::Ui, actions: &mut Vec<Action>) {
        let comparison = self.comparison;
        ui.horizontal_wrapped(|ui| {
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
                "at the last step, {} images, paired by seed",
                comparison.images()
            );
            ui.label(RichText::new(text).weak());
        });
    }

    /// A list of groups; gives the first run of the one that was chosen.
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
            let n = group.seeds.len();
            let seeds = if n == 1 {
                "1 seed".to_owned()
            } else {
                format!("{n} seeds")
            };
            format!("{} ({seeds})", group.name)
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

    /// What can be said, and the headline measures.
    fn table_ui(&self, ui: &mut egui::Ui) {
        let rows = &self.comparison.headline;
        ui.add_space(4.0);
        ui.add(
            egui::Label::new(RichText::new(&rows[0].contrasts[self.at].sentence).strong()).wrap(),
        );
        ui.add_space(4.0);
        egui::ScrollArea::horizontal().show(ui, |ui| {
            let grid = egui::Grid::new("measures").striped(true).num_columns(6);
            grid.spacing([18.0, 3.0]).show(ui, |ui| {
                self.header_ui(ui);
                rows.iter().for_each(|row| self.row_ui(ui, row));
            });
        });
        if let Some(remark) = remark(&rows[1..], self.at) {
            ui.label(RichText::new(format!("The rows below macro-F1: {remark}")).weak());
        }
    }

    fn header_ui(&self, ui: &mut egui::Ui) {
        let groups = &self.comparison.groups;
        let seeds = "Mean ± standard deviation over its seeds (their number)";
        let (p, holm) = (
            "Two-sided p of the exact sign-flip test of the paired differences, from 0 to 1",
            "p after Holm's correction: macro-F1 for the number of groups compared, the other rows together for their number as well. A star where it is at most 0.05.",
        );
        let columns = [
            ("", ""),
            (groups[self.comparison.baseline].name.as_str(), seeds),
            (groups[self.group].name.as_str(), seeds),
            (
                "Difference",
                "Mean of the differences of runs with the same seed, with its 95 % interval by Student's t",
            ),
            ("p", p),
            ("p, corrected", holm),
        ];
        for (text, help) in columns {
            let label = ui.label(RichText::new(text).weak());
            if !help.is_empty() {
                label.on_hover_text(help);
            }
        }
        ui.end_row();
    }

    fn row_ui(&self, ui: &mut egui::Ui, row: &Row) {
        let contrast = &row.contrasts[self.at];
        let is_clear = contrast.significant == Some(true);
        let values = |group: usize| mean_text(&row.values[group], row.digits);
        ui.label(&row.name).on_hover_text(&row.help);
        ui.label(values(self.comparison.baseline));
        ui.label(values(self.group));
        let difference = difference_text(contrast.paired.as_ref(), row.digits);
        let difference = RichText::new(difference);
        let difference = if is_clear {
            difference.strong()
        } else {
            difference
        };
        let label = ui.label(difference);
        if !contrast.sentence.is_empty() {
            label.on_hover_text(&contrast.sentence);
        }
        let (p, corrected) = probabilities(contrast);
        ui.label(p);
        ui.label(if is_clear {
            format!("{corrected} *")
        } else {
            corrected
        });
        ui.end_row();
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

    fn figures_ui(&self, ui: &mut egui::Ui, app: &App, seen: f32, actions: &mut Vec<Action>) {
        let Some(entry) = self.first_of(self.group) else {
            return;
        };
        let free = ui.available_rect_before_wrap();
        let used = free.top() - ui.min_rect().top();
        let width = free.width() - 4.0;
        let least = Page::Compare.least_height(width, seen);
        let height = (seen - used - GAP).max(least).max(LEAST_FIGURES);
        let rect = Rect::from_min_size(pos2(free.left(), free.top()), egui::vec2(width, height));
        ui.allocate_rect(rect, egui::Sense::hover());
        let column = Column {
            entry,
            subjects: self.subjects,
            view: &app.view.figure,
            page: Page::Compare,
            view_height: seen,
        };
        let cards: Vec<(Kind, Rect)> = Page::Compare.cards(rect, seen);
        for (kind, rect) in cards {
            ui.push_id(kind, |ui| column.card_ui(ui, kind, rect, actions));
        }
    }
}

/// p and corrected p in short.
fn probabilities(contrast: &Contrast) -> (String, String) {
    let text = |p: Option<f64>| p.map_or("–".to_owned(), probability);
    let p = contrast.paired.as_ref().and_then(|paired| paired.p);
    (text(p), text(contrast.corrected_p))
}

#[cfg(test)]
mod tests;
