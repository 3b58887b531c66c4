//! The difference between the confusion matrices of two runs.

use egui::{Color32, RichText, Sense, Ui};

use crate::figure::facts::mistakes::{cell, evaluation, marked, missing, word};
use crate::figure::facts::probes::Need;
use crate::figure::kit::numerals::signed;
use crate::figure::kit::palette;
use crate::figure::kit::square::{Cells, Grid, Look, Number};
use crate::figure::kit::table::Table;
use crate::figure::kit::text::empty_ui;
use crate::figure::look::kind::Kind;
use crate::figure::look::pages::Page;
use crate::figure::look::pick::Pick;
use crate::figure::look::subject::{Subject, order_of};
use crate::figure::look::view::View;
use crate::figure::parts::figure::{At, Figure, Gradients, NEVER, Of};
use crate::run::comparable;
use crate::run::event::Eval;

pub(in crate::figure) const FIGURE: Figure = Figure {
    kind: Kind::ConfusionDifference,
    name: "confusion-difference",
    title: "Confusion matrix, B − A",
    subtitle: "Which mistakes change between two runs: share of every true class taken for a class in the second minus \
               that in the first",
    help: "Share of the images of a true class (row) taken for a class (column) in the second run minus that in the \
           first, on one scale for all moments; the colour follows the root of the difference. Blue: more images than \
           in the first run; red: fewer. On the diagonal blue is better, off it red is. Hatched rows have no images in \
           one of the runs. Click a cell to see its images.",
    synonyms: &[
        "which mistakes change between two runs",
        "confusion matrix",
        "errors",
        "misclassification",
        "comparison of runs",
    ],
    page: Page::Mistakes,
    in_place_of: Some(Kind::Confusion),
    lacks: NEVER,
    of: Of::TwoRuns,
    needs: Need::Moment,
    at: At::Evaluation,
    gradients: Gradients::No,
    names_part: false,
    names_step: false,
    colour_range: Some(|_, _| [-END, END]),
    chart: None,
    ui: confusion_difference_ui,
    table,
};

/// Absolute difference at and beyond which a cell has the darkest colour: the same at every moment and for every pair of
/// runs, so that colours can be compared.
const END: f64 = 0.5;

/// Labels beside the colour bar, from top to bottom.
const LABELS: [&str; 3] = ["≥ +0.5", "0", "≤ −0.5"];

/// The first run on screen and the evaluations of it and of `subject`, where they can be compared: two runs of the same
/// classes, evaluated on the same split at the same moment.
///
/// # Errors
/// A sentence that says why there is no difference.
fn both<'a>(
    subject: Subject<'a>,
    shown: &[Subject<'a>],
    view: &View,
) -> Result<(Subject<'a>, [&'a Eval; 2]), String> {
    let first = shown.first().filter(|first| !first.is(&subject));
    let Some(&first) = first else {
        return Err("A difference needs two runs: show a second one side by side.".to_owned());
    };
    if first.classes() != subject.classes() {
        return Err(format!(
            "{} and {} have different classes, so their mistakes cannot be compared.",
            first.name, subject.name
        ));
    }
    let eval = |run| evaluation(run, view).ok_or_else(|| missing(run, view));
    let (before, after) = (eval(first)?, eval(subject)?);
    if before.split != after.split {
        return Err(format!(
            "`{}` is evaluated on {} images and `{}` on {} images: mistakes in different images are not compared.",
            first.name,
            word(before.split),
            subject.name,
            word(after.split)
        ));
    }
    comparable([
        (first.name, first.run, before.step),
        (subject.name, subject.run, after.step),
    ])?;
    Ok((first, [before, after]))
}

/// Share of the images of `truth` taken for `predicted` in the second evaluation minus that in the first; `None` where
/// one of them has no images of `truth`.
fn change([before, after]: [&Eval; 2], truth: usize, predicted: usize) -> Option<f64> {
    let share = |eval| cell(eval, truth, predicted).1;
    Some(share(after)? - share(before)?)
}

/// The numbers of the figure: every cell with its share in both runs.
pub(in crate::figure) fn table(subject: Subject<'_>, shown: &[Subject<'_>], view: &View) -> Table {
    let mut table = Table::new([
        "step_first",
        "step_second",
        "split",
        "truth",
        "predicted",
        "images_first",
        "images_second",
        "share_first",
        "share_second",
        "difference",
    ]);
    let Ok((_, evals)) = both(subject, shown, view) else {
        return table;
    };
    let (names, order) = (subject.classes(), order_of(subject, view));
    let [first, second] = evals;
    for &truth in &order {
        for &predicted in &order {
            let [before, after] = evals.map(|eval| cell(eval, truth, predicted));
            table.push([
                first.step.into(),
                second.step.into(),
                word(first.split).into(),
                names[truth].as_str().into(),
                names[predicted].as_str().into(),
                before.0.into(),
                after.0.into(),
                before.1.into(),
                after.1.into(),
                change(evals, truth, predicted).into(),
            ]);
        }
    }
    table
}

/// Draws the difference of `subject` from the first of `shown`; a click picks a cell.
pub(in crate::figure) fn confusion_difference_ui(
    ui: &mut Ui,
    subject: Subject<'_>,
    shown: &[Subject<'_>],
    view: &View,
) -> Option<Pick> {
    let (first, evals) = match both(subject, shown, view) {
        Ok(found) => found,
        Err(sentence) => {
            empty_ui(ui, &sentence);
            return None;
        }
    };
    let [before, after] = evals;
    let text = format!(
        "{} (step {}) minus {} (step {}), {} images; rows are the true classes",
        subject.name,
        after.step,
        first.name,
        before.step,
        word(after.split)
    );
    ui.add(egui::Label::new(RichText::new(text).size(11.0).weak()).truncate());
    let whole = ui.available_rect_before_wrap();
    let grid = Grid::new(ui, whole, subject, view, LABELS);
    let dark = ui.visuals().dark_mode;
    grid.paint_bar(ui, |value| palette::diverging(value, dark));
    let changes = Changes {
        evals,
        names: subject.classes(),
    };
    let mut marked = marked(ui.ctx(), subject, view);
    let confused = view.confused;
    marked.extend(confused.map(|(truth, predicted)| (truth, predicted, 2.0)));
    let pick = grid.show(ui, view, &changes, &marked);
    ui.allocate_rect(whole, Sense::hover());
    pick
}

/// Colour of a difference: the root keeps changes of rare mistakes visible, on both sides of 0 alike.
fn color(difference: f64, dark: bool) -> Color32 {
    let root = (difference.abs() / END).min(1.0).sqrt();
    palette::diverging(root.copysign(difference), dark)
}

/// The cells of the matrix: differences of shares.
struct Changes<'a> {
    evals: [&'a Eval; 2],
    names: &'a [String],
}

impl Cells for Changes<'_> {
    const NAME: &'static str = "Difference of confusion matrices";

    fn look(&self, ui: &Ui, row: usize, column: usize) -> Look {
        let Some(difference) = change(self.evals, row, column) else {
            return Look::undefined(ui);
        };
        Look {
            color: color(difference, ui.visuals().dark_mode),
            hatched: false,
            // A number that would read as 0 says nothing that the colour does not say.
            number: if difference.abs() < 0.005 {
                Number::None
            } else {
                Number::Decimal(difference)
            },
            significant: true,
        }
    }

    fn name(&self, row: usize, column: usize) -> String {
        format!("{} taken for {}", self.names[row], self.names[column])
    }

    fn words_ui(&self, ui: &mut Ui, row: usize, column: usize) {
        ui.strong(self.name(row, column));
        let Some(difference) = change(self.evals, row, column) else {
            ui.label(format!(
                "{} has no images in one of the runs",
                self.names[row]
            ));
            return;
        };
        let side = |eval| {
            let (count, share) = cell(eval, row, column);
            let percent = 100.0 * share.unwrap_or_default();
            format!("{count} images, {percent:.1} % of the row")
        };
        let [before, after] = self.evals.map(side);
        ui.label(format!("{before} → {after}"));
        ui.label(format!("difference {}", signed(difference)));
    }

    fn pick(&self, row: usize, column: usize) -> Option<Pick> {
        Some(Pick::Confused(row, column))
    }
}

#[cfg(test)]
mod tests;
