//! The changes of every pair between two conflict matrices: of two runs, or of two measures of one run.

use std::sync::Arc;

use egui::{Color32, RichText, Sense, Ui};

use crate::figure::conflicts::matrix::summary_lines;
use crate::figure::facts::conflict::{Change, Shown};
use crate::figure::facts::mistakes::marked;
use crate::figure::kit::memo::remembered;
use crate::figure::kit::numerals::signed;
use crate::figure::kit::palette;
use crate::figure::kit::square::{Cells, Grid, Look, Number, diagonal};
use crate::figure::kit::table::{Table, Value};
use crate::figure::kit::text::above;
use crate::figure::look::pick::Pick;
use crate::figure::look::subject::{Subject, order_of};
use crate::figure::look::view::View;
use crate::gradient::gram::Gram;

/// Absolute difference at and beyond which a cell has the darkest colour: the same at every moment, in every layer and
/// for every pair of runs, so that colours can be compared.
pub(in crate::figure) const END: f64 = 0.5;

/// Labels beside the colour bar, from top to bottom.
const LABELS: [&str; 3] = ["≥ +0.5", "0", "≤ −0.5"];

/// What is compared, and in which words.
pub(super) trait Of {
    /// Accessible name of the square.
    const NAME: &'static str;
    /// Name of what the values are kept under between frames.
    const KEPT: &'static str;
    /// The text of a cell without a value.
    const UNDEFINED: &'static str;
    /// What the interference before and after is of.
    const SIDES: [&'static str; 2];
    /// The change of a pair.
    const CHANGE: fn(&Gram, &Gram, usize, usize) -> Change;
}

/// The changes of every pair, `[K][K]`, between two matrices.
pub(super) struct Changes<'a, O> {
    cells: Arc<Vec<Vec<Change>>>,
    before: Arc<Shown>,
    after: Arc<Shown>,
    names: &'a [String],
    of: std::marker::PhantomData<O>,
}

impl<'a, O: Of> Changes<'a, O> {
    /// The changes from one matrix to another of the classes of `subject`, computed once.
    pub(super) fn new(ui: &Ui, subject: Subject<'a>, [before, after]: [Arc<Shown>; 2]) -> Self {
        let names = subject.classes();
        // Both matrices are kept between frames, so their addresses identify them.
        let key = [&before, &after].map(|shown| Arc::as_ptr(shown) as usize);
        let (_, cells) = remembered(ui.ctx(), (O::KEPT, subject.identity()), key, || {
            let k = names.len();
            let row = |a: usize| {
                let change = |b| (O::CHANGE)(&before.gram, &after.gram, a, b);
                (0..k).map(change).collect()
            };
            let cells: Vec<Vec<Change>> = (0..k).map(row).collect();
            // The value keeps both matrices alive: no new matrix can take the address of one that is gone.
            ((before.clone(), after.clone()), Arc::new(cells))
        });
        Self {
            cells,
            before,
            after,
            names,
            of: std::marker::PhantomData,
        }
    }

    /// Every pair once.
    fn pairs(&self) -> impl Iterator<Item = &Change> {
        let rows = self.cells.iter().enumerate();
        rows.flat_map(|(a, row)| &row[..a])
    }

    /// Draws a line that says what is compared, where there is one, the square, and the changes in numbers; a click picks a pair.
    pub(super) fn show(
        &self,
        ui: &mut Ui,
        heading: Option<String>,
        subject: Subject<'_>,
        view: &View,
    ) -> Option<Pick> {
        if let Some(heading) = heading {
            ui.add(egui::Label::new(RichText::new(heading).size(11.0).weak()).truncate());
        }
        let area = above(ui, summary_lines(ui, subject, view));
        let grid = Grid::new(ui, area, subject, view, LABELS);
        let dark = ui.visuals().dark_mode;
        grid.paint_bar(ui, |value| palette::diverging(value, dark));
        let pick = grid.show(ui, view, self, &marked(ui.ctx(), subject, view));
        ui.allocate_rect(area, Sense::hover());
        self.summary_ui(ui);
        pick
    }

    fn summary_ui(&self, ui: &mut Ui) {
        let interference = |shown: &Shown| shown.summary.interference;
        let resolved = self.pairs().filter(|change| change.resolved());
        let resolved: Vec<f64> = resolved.filter_map(|change| change.difference).collect();
        let differences = self.pairs().filter_map(|change| change.difference);
        let beyond = differences.filter(|x| x.abs() > END).count();
        let worse = resolved.iter().filter(|x| **x < 0.0).count();
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing.x = 4.0;
            let both = interference(&self.before).zip(interference(&self.after));
            if let Some((before, after)) = both {
                let [first, second] = O::SIDES;
                ui.label(format!("Interference {first}{before:.3} → {second}{after:.3}"));
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
}

impl<O: Of> Cells for Changes<'_, O> {
    const NAME: &'static str = O::NAME;

    fn look(&self, ui: &Ui, row: usize, column: usize) -> Look {
        let change = self.cells[row][column];
        match change.difference {
            None => Look::undefined(ui),
            Some(_) if row == column => diagonal(ui),
            Some(difference) => Look {
                color: color(ui, difference / END),
                hatched: false,
                number: Number::Decimal(difference),
                significant: change.resolved(),
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
            ui.label(O::UNDEFINED);
            return;
        };
        let [first, second] = O::SIDES;
        let (before, after) = (signed(before), signed(after));
        ui.label(format!("cosine {first}{before} → {second}{after}"));
        let error = change.standard_error.map_or_else(String::new, |error| {
            format!(" ± {error:.2} (standard error)")
        });
        let word = if change.resolved() {
            ""
        } else {
            ", not significant (3 SE)"
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

/// The numbers of two matrices and their difference, a row for every pair of classes; `sides` are the names of the two, and
/// `moments` the columns of their steps.
pub(super) fn table<O: Of>(
    sides: [&str; 2],
    moments: &[(&str, Option<u64>)],
    subject: Subject<'_>,
    view: &View,
    grams: Option<[Gram; 2]>,
) -> Table {
    let cosines = sides.map(|side| format!("cosine_{side}"));
    let mut table = Table::new([
        "part",
        "class_a",
        "class_b",
        &cosines[0],
        &cosines[1],
        "difference",
        "standard_error",
        "resolved",
    ]);
    let (names, order) = (subject.classes(), order_of(subject, view));
    if let Some([before, after]) = grams {
        for (i, &a) in order.iter().enumerate() {
            for &b in &order[i + 1..] {
                let change = (O::CHANGE)(&before, &after, a, b);
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
    }
    for (at, &(column, step)) in moments.iter().enumerate() {
        table.columns.insert(at, column.to_owned());
        for row in &mut table.rows {
            row.insert(at, step.map_or(Value::None, Value::from));
        }
    }
    table
}
