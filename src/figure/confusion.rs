//! Which classes are taken for which.

use egui::{Align2, FontId, RichText, Sense, Ui, pos2};

use super::grid::{Cells, Grid, Look};
use super::matrix::marked;
use super::table::{Table, Value};
use super::{Pick, Subject, View, empty_ui, order_of, palette};
use crate::run::event::{Eval, Split};

/// Room for the word below the columns.
const FOOT: f32 = 18.0;

/// The last evaluation at or before the moment looked at: of the validation images, else of the test images.
pub(crate) fn evaluation<'a>(subject: Subject<'a>, view: &View) -> Option<&'a Eval> {
    let until = view.step.unwrap_or(u64::MAX);
    let last = |split| {
        let evals = subject.run.evals_of(split);
        evals.rev().find(|eval| eval.step <= until)
    };
    last(Split::Val).or_else(|| last(Split::Test))
}

/// Images of `truth` taken for `predicted`, and their share of all images of `truth`; no share where there are none.
pub(super) fn cell(eval: &Eval, truth: usize, predicted: usize) -> (u64, Option<f64>) {
    let row = eval.confusion.get(truth).map_or(&[][..], Vec::as_slice);
    let count = row.get(predicted).copied().unwrap_or(0);
    let total: u64 = row.iter().sum();
    (count, (total > 0).then(|| count as f64 / total as f64))
}

/// Every cell with its count and share.
pub(super) fn table(subject: Subject<'_>, view: &View) -> Table {
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

pub(super) fn word(split: Split) -> &'static str {
    match split {
        Split::Train => "train",
        Split::Val => "validation",
        Split::Test => "test",
    }
}

/// Draws the matrix; a click picks a cell.
pub(super) fn confusion_ui(ui: &mut Ui, subject: Subject<'_>, view: &View) -> Option<Pick> {
    let Some(eval) = evaluation(subject, view) else {
        empty_ui(ui, "The first evaluation comes before the first step.");
        return None;
    };
    let text = format!(
        "{} images of step {}; rows are the true classes",
        word(eval.split),
        eval.step
    );
    ui.add(egui::Label::new(RichText::new(text).size(11.0).weak()).truncate());
    let whole = ui.available_rect_before_wrap();
    let grid = Grid::new(
        ui,
        whole.with_max_y(whole.bottom() - FOOT),
        subject,
        view,
        false,
    );
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
    let square = grid.square();
    ui.painter().text(
        pos2(square.center().x, square.bottom() + 3.0),
        Align2::CENTER_TOP,
        "taken for, in the same order",
        FontId::proportional(11.0),
        ui.visuals().weak_text_color(),
    );
    ui.allocate_rect(whole, Sense::hover());
    pick
}

/// Counts as cells.
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
            // The root keeps rare mistakes visible.
            color: palette::diverging(share.sqrt(), ui.visuals().dark_mode),
            hatched: false,
            text: if count > 0 {
                count.to_string()
            } else {
                String::new()
            },
            pale: false,
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
