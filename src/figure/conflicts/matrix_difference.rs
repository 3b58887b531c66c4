//! The difference between the conflict matrices of two runs.

use std::sync::Arc;

use egui::{Color32, RichText, Sense, Ui};

use crate::figure::facts::conflict;
use crate::figure::facts::conflict::{Change, Shown};
use crate::figure::facts::mistakes::marked;
use crate::figure::facts::probes::Need;
use crate::figure::kit::memo::remembered;
use crate::figure::kit::numerals::signed;
use crate::figure::kit::palette;
use crate::figure::kit::palette::faded;
use crate::figure::kit::square::{Cells, Grid, Look, Number, diagonal};
use crate::figure::kit::table::Table;
use crate::figure::kit::text::{above, empty_ui};
use crate::figure::look::kind::Kind;
use crate::figure::look::pages::Page;
use crate::figure::look::pick::Pick;
use crate::figure::look::subject::{Subject, order_of};
use crate::figure::look::view::View;
use crate::figure::parts::figure::{At, Figure, Of};
use crate::gradient::gram::Gram;

pub(in crate::figure) const FIGURE: Figure = Figure {
    kind: Kind::ConflictDifference,
    name: "conflict-difference",
    title: "What changes between two runs",
    subtitle: "Difference of two runs’ Gradient Conflict Matrices",
    help: "Cosine of every pair in the second run minus that in the first, on one scale for all moments. Blue: the \
           classes pull less against each other than in the first run; red: more. Faded cells are not told apart from 0 \
           (3 standard errors of the difference), hatched ones are undefined in one of the runs.",
    synonyms: &[
        "GCM",
        "gradient conflict matrix",
        "cosine similarity",
        "comparison of runs",
    ],
    page: Page::Conflicts,
    in_place_of: Some(Kind::ConflictMatrix),
    of: Of::TwoRuns,
    needs: Need::Moment,
    at: At::Probe,
    names_part: true,
    names_step: false,
    colour_range: Some(|_, _| [-END, END]),
    chart: None,
    ui: matrix_difference_ui,
    table,
};

/// Absolute difference at and beyond which a cell has the darkest colour: the same at every moment, in every layer and
/// for every pair of runs, so that colours can be compared.
pub(in crate::figure) const END: f64 = 0.5;

/// Labels beside the colour bar, from top to bottom.
const LABELS: [&str; 3] = ["≥ +0.5", "0", "≤ −0.5"];

/// The first run on screen, where it is another run than `subject` and has the same classes; else a sentence that says
/// what is missing.
fn both<'a>(subject: Subject<'a>, shown: &[Subject<'a>]) -> Result<Subject<'a>, String> {
    let first = shown.first().filter(|first| !first.is(&subject));
    let Some(first) = first else {
        return Err("A difference needs two runs: show a second one side by side.".to_owned());
    };
    if first.classes() != subject.classes() {
        return Err(format!(
            "{} and {} have different classes, so their pairs cannot be compared.",
            first.name, subject.name
        ));
    }
    Ok(*first)
}

/// The changes of every pair, `[K][K]`, between the matrices of two runs.
struct Changes<'a> {
    cells: Arc<Vec<Vec<Change>>>,
    before: Arc<Shown>,
    after: Arc<Shown>,
    names: &'a [String],
}

impl<'a> Changes<'a> {
    /// The changes of `second` from `first` at the cursor, computed once.
    fn of(ui: &Ui, first: Subject<'a>, second: Subject<'a>, view: &View) -> Result<Self, String> {
        let before = conflict::shown(ui.ctx(), first, view)?;
        let after = conflict::shown(ui.ctx(), second, view)?;
        let names = second.classes();
        // Both matrices are kept between frames, so their addresses identify them.
        let key = [&before, &after].map(|shown| Arc::as_ptr(shown) as usize);
        let (_, cells) = remembered(ui.ctx(), ("changes", second.identity()), key, || {
            let k = names.len();
            let row = |a: usize| {
                let change = |b| Change::of(&before.gram, &after.gram, a, b);
                (0..k).map(change).collect()
            };
            let cells: Vec<Vec<Change>> = (0..k).map(row).collect();
            // The value keeps both matrices alive: no new matrix can take the address of one that is gone.
            ((before.clone(), after.clone()), Arc::new(cells))
        });
        Ok(Self {
            cells,
            before,
            after,
            names,
        })
    }

    /// Every pair once.
    fn pairs(&self) -> impl Iterator<Item = &Change> {
        let rows = self.cells.iter().enumerate();
        rows.flat_map(|(a, row)| &row[..a])
    }
}

/// The Gram matrix of the selected part at the cursor.
fn gram(subject: Subject<'_>, view: &View) -> Option<Gram> {
    let tensors = subject.probes.get(&subject.probe(view)?.step)?;
    tensors.gram_of(&subject.run.gram_rows(&view.scope))
}

impl Cells for Changes<'_> {
    const NAME: &'static str = "Difference of conflict matrices";

    fn look(&self, ui: &Ui, row: usize, column: usize) -> Look {
        let change = self.cells[row][column];
        match change.difference {
            None => Look::undefined(ui),
            Some(_) if row == column => diagonal(ui),
            Some(difference) => Look {
                color: faded(ui, color(ui, difference / END), change.resolved()),
                hatched: false,
                number: Number::Decimal(difference),
                pale: !change.resolved(),
            },
        }
    }

    fn name(&self, row: usize, column: usize) -> String {
        format!("{} × {}", self.names[row], self.names[column])
    }

    fn words_ui(&self, ui: &mut Ui, row: usize, column: usize) {
        ui.strong(self.name(row, column));
        let change = self.cells[row][column];
        let cosine = |shown: &Shown| shown.gram.cosine(row, column);
        let (Some(difference), Some(before), Some(after)) =
            (change.difference, cosine(&self.before), cosine(&self.after))
        else {
            ui.label("undefined in one of the runs");
            return;
        };
        ui.label(format!("cosine {} → {}", signed(before), signed(after)));
        let error = change.standard_error.map_or_else(String::new, |error| {
            format!(" ± {error:.2} (standard error)")
        });
        let word = if change.resolved() {
            ""
        } else {
            ", not told apart from 0"
        };
        ui.label(format!("difference {}{error}{word}", signed(difference)));
    }

    fn pick(&self, row: usize, column: usize) -> Option<Pick> {
        (row != column).then_some(Pick::Pair(row, column))
    }
}

fn color(ui: &Ui, share: f64) -> Color32 {
    palette::diverging(share, ui.visuals().dark_mode)
}

/// Draws the difference of `subject` from the first of `shown`; a click picks a pair.
pub(in crate::figure) fn matrix_difference_ui(
    ui: &mut Ui,
    subject: Subject<'_>,
    shown: &[Subject<'_>],
    view: &View,
) -> Option<Pick> {
    let found =
        both(subject, shown).and_then(|first| Ok((first, Changes::of(ui, first, subject, view)?)));
    let (first, changes) = match found {
        Ok(found) => found,
        Err(sentence) => {
            empty_ui(ui, &sentence);
            return None;
        }
    };
    let of = |subject: Subject<'_>| subject.probe(view).map_or(0, |probe| probe.step);
    let text = format!(
        "{} (step {}) minus {} (step {})",
        subject.name,
        of(subject),
        first.name,
        of(first)
    );
    ui.add(egui::Label::new(RichText::new(text).size(11.0).weak()).truncate());
    let area = above(
        ui,
        if ui.available_width() < 480.0 {
            2.0
        } else {
            1.0
        },
    );
    let grid = Grid::new(ui, area, subject, view, LABELS);
    let dark = ui.visuals().dark_mode;
    grid.paint_bar(ui, |value| palette::diverging(value, dark));
    let pick = grid.show(ui, view, &changes, &marked(ui.ctx(), subject, view));
    ui.allocate_rect(area, Sense::hover());
    summary_ui(ui, &changes);
    pick
}

fn summary_ui(ui: &mut Ui, changes: &Changes<'_>) {
    let interference = |shown: &Shown| shown.summary.interference;
    let resolved = changes.pairs().filter(|change| change.resolved());
    let resolved: Vec<f64> = resolved.filter_map(|change| change.difference).collect();
    let differences = changes.pairs().filter_map(|change| change.difference);
    let beyond = differences.filter(|x| x.abs() > END).count();
    let worse = resolved.iter().filter(|x| **x < 0.0).count();
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        let both = interference(&changes.before).zip(interference(&changes.after));
        if let Some((before, after)) = both {
            ui.label(format!("Interference {before:.3} → {after:.3}"));
            ui.label("·");
        }
        let text = match (resolved.len() - worse, worse) {
            (0, 0) => "no pair differs beyond its error".to_owned(),
            (better, worse) => {
                format!("{better} pairs pull less against each other, {worse} more")
            }
        };
        ui.label(text).on_hover_text(
            "Pairs whose cosines differ by more than 3 standard errors of the difference.",
        );
        if beyond > 0 {
            ui.label("·");
            ui.weak(format!("{beyond} beyond the colours"))
                .on_hover_text("Pairs that differ by more than 0.5, where the colours end; their cells say by how much.");
        }
    });
}

/// The numbers of the figure: a row for every pair of classes.
pub(in crate::figure) fn table(subject: Subject<'_>, shown: &[Subject<'_>], view: &View) -> Table {
    let mut table = Table::new([
        "part",
        "class_a",
        "class_b",
        "cosine_first",
        "cosine_second",
        "difference",
        "standard_error",
        "resolved",
    ]);
    let Ok(first) = both(subject, shown) else {
        return table;
    };
    let (Some(before), Some(after)) = (gram(first, view), gram(subject, view)) else {
        return table;
    };
    let (names, order) = (subject.classes(), order_of(subject, view));
    for (i, &a) in order.iter().enumerate() {
        for &b in &order[i + 1..] {
            let change = Change::of(&before, &after, a, b);
            table.push([
                view.scope.name().into(),
                names[a].as_str().into(),
                names[b].as_str().into(),
                before.cosine(a, b).into(),
                after.cosine(a, b).into(),
                change.difference.into(),
                change.standard_error.into(),
                change.resolved().into(),
            ]);
        }
    }
    table
}

#[cfg(test)]
mod tests;
