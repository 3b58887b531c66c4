//! How differently the gates treat every two classes.

use egui::{RichText, Sense, Ui};

use crate::figure::facts::gates;
use crate::figure::facts::gates::{Branch, all, distance, moments, short};
use crate::figure::facts::mistakes::marked;
use crate::figure::facts::probes::Need;
use crate::figure::kit::numerals::round_up;
use crate::figure::kit::palette;
use crate::figure::kit::square::{Cells, Grid, Look, Number};
use crate::figure::kit::table::Table;
use crate::figure::kit::text::empty_ui;
use crate::figure::look::kind::Kind;
use crate::figure::look::pages::Page;
use crate::figure::look::pick::Pick;
use crate::figure::look::subject::{Subject, order_of};
use crate::figure::look::view::View;
use crate::figure::parts::figure::{At, Figure, Gradients, Of};

pub(in crate::figure) const FIGURE: Figure = Figure {
    kind: Kind::GateDistance,
    name: "gate-distance",
    title: "Gate distance between classes",
    subtitle: "How differently gates treat classes: root mean square difference of two classes’ gates, 0 to 1",
    help: "How far the gates of two classes are apart: root mean square of their difference over all channels of all \
           branches, from 0 (treated alike) to 1. The scale ends a little above the largest distance at any probe. \
           Hatched: undefined.",
    synonyms: &[
        "how differently gates treat classes",
        "attention",
        "distance matrix",
        "dissimilarity matrix",
        "CSBA",
    ],
    page: Page::Gates,
    in_place_of: None,
    lacks: gates::lacks,
    of: Of::Run,
    needs: Need::Gates,
    at: At::Probe,
    gradients: Gradients::No,
    names_part: false,
    names_step: true,
    colour_range: None,
    chart: None,
    ui: gate_distance_ui,
    table: |subject, _, view| table(subject, view),
};

/// The numbers of the figure: every pair once, over all branches and in each.
pub(in crate::figure) fn table(subject: Subject<'_>, view: &View) -> Table {
    let mut table = Table::new(["step", "epoch", "branch", "class_a", "class_b", "distance"]);
    let Some(probe) = subject.probe(view) else {
        return table;
    };
    let Some(tensors) = subject.probes.get(&probe.step) else {
        return table;
    };
    let branches = gates::Shown::new(tensors).branches;
    let parts = std::iter::once(("all", &branches[..])).chain(
        branches
            .iter()
            .map(|branch| (branch.name.as_str(), std::slice::from_ref(branch))),
    );
    let names = subject.classes();
    for (name, part) in parts {
        for b in 0..names.len() {
            for a in 0..b {
                table.push([
                    probe.step.into(),
                    probe.epoch.into(),
                    name.into(),
                    names[a].as_str().into(),
                    names[b].as_str().into(),
                    distance(part, a, b).into(),
                ]);
            }
        }
    }
    table
}

/// Draws the distances at the cursor; a click selects a pair. The scale holds every probe that is read, of all runs on
/// screen.
pub(in crate::figure) fn gate_distance_ui(
    ui: &mut Ui,
    subject: Subject<'_>,
    shown: &[Subject<'_>],
    view: &View,
) -> Option<Pick> {
    let gates = match gates::shown(ui.ctx(), subject, view) {
        Ok(gates) => gates,
        Err(sentence) => {
            empty_ui(ui, &sentence);
            return None;
        }
    };
    let farthest = shown.iter().flat_map(|subject| {
        let moments = moments(ui.ctx(), *subject);
        let all = moments.values().map(|(_, moment)| moment.farthest);
        all.collect::<Vec<_>>()
    });
    let end = rounded_up(farthest.fold(0.0, f64::max));
    let whole = ui.available_rect_before_wrap();
    let area = whole.with_max_y(whole.bottom() - 22.0);
    let (top, middle) = (format!("{end}"), format!("{}", end / 2.0));
    let grid = Grid::new(ui, area, subject, view, [&top, &middle, "0"]);
    grid.paint_bar(ui, |value| palette::sequential((value + 1.0) / 2.0));
    let distances = Distances {
        all: all(&gates.branches, order_of(subject, view).len()),
        branches: &gates.branches,
        names: subject.classes(),
        end,
    };
    let pick = grid.show(ui, view, &distances, &marked(ui.ctx(), subject, view));
    ui.allocate_rect(area, Sense::hover());
    let note = RichText::new("Distance of the gates, over all branches").size(11.5);
    ui.add(egui::Label::new(note).truncate());
    pick
}

/// The least of 1, 2 and 5 times a power of ten at or above `value`, and at least 0.001.
fn rounded_up(value: f64) -> f64 {
    let least = value.max(1e-3);
    let end = round_up(least).unwrap_or(least);
    // Dividing by a whole number leaves fewer digits than multiplying by a fraction.
    (end * 1e6).round() / 1e6
}

/// The cells of the figure: the distance between the gates of every two classes.
struct Distances<'a> {
    all: Vec<Option<f64>>,
    branches: &'a [Branch],
    names: &'a [String],
    end: f64,
}

impl Distances<'_> {
    fn of(&self, row: usize, column: usize) -> Option<f64> {
        let at = row * self.names.len() + column;
        self.all.get(at).copied().flatten()
    }
}

impl Cells for Distances<'_> {
    const NAME: &'static str = "Distances of gates";

    fn look(&self, ui: &Ui, row: usize, column: usize) -> Look {
        let Some(distance) = self.of(row, column) else {
            return Look::undefined(ui);
        };
        Look {
            color: palette::sequential(distance / self.end),
            hatched: false,
            number: if row == column {
                Number::None
            } else {
                Number::Decimal(distance)
            },
            significant: true,
        }
    }

    fn name(&self, row: usize, column: usize) -> String {
        format!("Gates of {} and {}", self.names[row], self.names[column])
    }

    fn words_ui(&self, ui: &mut Ui, row: usize, column: usize) {
        let words = |distance: Option<f64>| match distance {
            Some(distance) => format!("{distance:.4}"),
            None => "undefined: no training image to probe".to_owned(),
        };
        ui.strong(self.name(row, column));
        ui.label(format!(
            "distance {}, from 0 to 1",
            words(self.of(row, column))
        ));
        for branch in self.branches {
            let distance = distance(std::slice::from_ref(branch), row, column);
            ui.label(format!("{} {}", short(&branch.name), words(distance)));
        }
    }

    fn pick(&self, row: usize, column: usize) -> Option<Pick> {
        (row != column).then_some(Pick::Pair(row, column))
    }
}

#[cfg(test)]
mod tests;
