//! The confusion matrix: which classes are taken for which other class.

use egui::{Color32, RichText, Sense, Ui};

use crate::figure::facts::mistakes::{cell, evaluation, marked, missing, word};
use crate::figure::facts::probes::Need;
use crate::figure::kit::palette;
use crate::figure::kit::square::{Cells, Grid, Look, Number};
use crate::figure::kit::table::{Table, Value};
use crate::figure::kit::text::empty_ui;
use crate::figure::look::kind::Kind;
use crate::figure::look::pages::Page;
use crate::figure::look::pick::Pick;
use crate::figure::look::subject::{Subject, order_of};
use crate::figure::look::view::View;
use crate::figure::parts::figure::{At, Figure, Gradients, NEVER, Of};
use crate::run::event::Eval;

pub(in crate::figure) const FIGURE: Figure = Figure {
    kind: Kind::Confusion,
    name: "confusion",
    title: "Confusion matrix",
    subtitle: "Which classes are taken for which: true classes in rows, predictions in columns",
    help: "Rows are true classes, columns what they are taken for; the numbers are images, the colour follows the root \
           of the share of the row. Off the diagonal are the mistakes. Click a cell to see its images.",
    synonyms: &[
        "which classes are taken for which",
        "confusion matrix",
        "errors",
        "misclassification",
        "predictions",
        "recall",
    ],
    page: Page::Mistakes,
    in_place_of: None,
    lacks: NEVER,
    of: Of::Run,
    needs: Need::Moment,
    at: At::Evaluation,
    gradients: Gradients::No,
    names_part: false,
    names_step: false,
    colour_range: Some(|_, _| [0.0, 1.0]),
    chart: None,
    ui: |ui, subject, _, view| confusion_ui(ui, subject, view),
    table: |subject, _, view| table(subject, view),
};

/// Labels beside the colour bar: the colour follows the root of the share.
const LABELS: [&str; 3] = ["100 %", "25 %", "0 %"];

/// The numbers of the figure: every cell with its count and share.
pub(in crate::figure) fn table(subject: Subject<'_>, view: &View) -> Table {
    let mut table = Table::new(["step", "split", "truth", "predicted", "images", "share"]);
    let Some(eval) = evaluation(subject, view) else {
        return table;
    };
    let order = order_of(subject, view);
    let names = subject.classes();
    for &truth in &order {
        for &predicted in &order {
            let (count, share) = cell(eval, truth, predicted);
            table.push([
                eval.step.into(),
                word(eval.split).into(),
                names[truth].as_str().into(),
                names[predicted].as_str().into(),
                count.into(),
                Value::from(share),
            ]);
        }
    }
    table
}

/// Draws the matrix; a click picks a cell.
pub(in crate::figure) fn confusion_ui(
    ui: &mut Ui,
    subject: Subject<'_>,
    view: &View,
) -> Option<Pick> {
    let Some(eval) = evaluation(subject, view) else {
        empty_ui(ui, &missing(subject, view));
        return None;
    };
    let text = format!(
        "{} images of step {}; rows are the true classes, columns what they are taken for",
        word(eval.split),
        eval.step
    );
    ui.add(egui::Label::new(RichText::new(text).size(11.0).weak()).truncate());
    let whole = ui.available_rect_before_wrap();
    let grid = Grid::new(ui, whole, subject, view, LABELS);
    let dark = ui.visuals().dark_mode;
    grid.paint_bar(ui, |value| color(0.25 * (value + 1.0).powi(2), dark));
    let mistakes = Mistakes {
        eval,
        names: subject.classes(),
    };
    let mut marked = marked(ui.ctx(), subject, view);
    marked.extend(
        view.confused
            .map(|(truth, predicted)| (truth, predicted, 2.0)),
    );
    let pick = grid.show(ui, view, &mistakes, &marked);
    ui.allocate_rect(whole, Sense::hover());
    pick
}

/// Colour of a share of a row: the root keeps rare mistakes visible.
fn color(share: f64, dark: bool) -> Color32 {
    palette::diverging(share.sqrt(), dark)
}

/// The cells of the matrix: counts of images.
struct Mistakes<'a> {
    eval: &'a Eval,
    names: &'a [String],
}

impl Cells for Mistakes<'_> {
    const NAME: &'static str = "Confusion matrix";

    fn look(&self, ui: &Ui, row: usize, column: usize) -> Look {
        let (count, share) = cell(self.eval, row, column);
        let Some(share) = share else {
            return Look::undefined(ui);
        };
        Look {
            color: color(share, ui.visuals().dark_mode),
            hatched: false,
            number: if count > 0 {
                Number::Count(count)
            } else {
                Number::None
            },
            significant: true,
        }
    }

    fn name(&self, row: usize, column: usize) -> String {
        format!("{} taken for {}", self.names[row], self.names[column])
    }

    fn words_ui(&self, ui: &mut Ui, row: usize, column: usize) {
        let (count, share) = cell(self.eval, row, column);
        ui.strong(self.name(row, column));
        ui.label(match share {
            Some(share) => format!("{count} images, {:.1} % of the row", 100.0 * share),
            None => format!("{} has no images here", self.names[row]),
        });
    }

    fn pick(&self, row: usize, column: usize) -> Option<Pick> {
        Some(Pick::Confused(row, column))
    }
}

#[cfg(test)]
mod tests;
