//! The conflict matrix: class × class cosines of one part of the network at one moment.

use egui::{Sense, Ui};

use crate::figure::facts::conflict::{Shown, shown};
use crate::figure::facts::mistakes::marked;
use crate::figure::facts::network::layers_with_gradients;
use crate::figure::facts::probes::Need;
use crate::figure::facts::unmeasured::{self, REASON, is_unmeasured};
use crate::figure::kit::numerals::{signed, three_figures};
use crate::figure::kit::palette;
use crate::figure::kit::square::{Cells, Grid, Look, Number, diagonal};
use crate::figure::kit::table::Table;
use crate::figure::kit::text::{above, empty_ui};
use crate::figure::look::kind::Kind;
use crate::figure::look::pages::Page;
use crate::figure::look::pick::Pick;
use crate::figure::look::subject::{Subject, order_of};
use crate::figure::look::view::View;
use crate::figure::parts::figure::{At, Figure, Gradients, NEVER, Of};
use crate::gradient::gram::{ConflictSummary, Gram};
use crate::run::{CLASSIFIER, Scope};

pub(in crate::figure) const FIGURE: Figure = Figure {
    kind: Kind::ConflictMatrix,
    name: "conflict-matrix",
    title: "Gradient Conflict Matrix",
    subtitle: "How classes pull against each other: cosine of the gradients of two classes, −1 to 1",
    help: "Gradient Conflict Matrix: cosine between the gradients of two classes in the selected part of the network. \
           Red: a step that helps one hurts the other; blue: it helps both. Low cells are not \
           significant (3 SE), hatched ones are undefined, and training images stand beside the names.",
    synonyms: &[
        "how classes pull against each other",
        "GCM",
        "gradient conflict matrix",
        "gradient conflict",
        "cosine similarity",
        "gradient similarity",
        "negative transfer",
    ],
    page: Page::Conflicts,
    in_place_of: None,
    lacks: NEVER,
    of: Of::Run,
    needs: Need::Moment,
    at: At::Probe,
    gradients: Gradients::AsShown,
    names_part: true,
    names_step: true,
    colour_range: Some(|_, _| [-1.0, 1.0]),
    chart: None,
    ui: |ui, subject, _, view| matrix_ui(ui, subject, view),
    table: |subject, _, view| table(subject, view),
};

/// Width in which the summary fits on one line, in points.
const SUMMARY_WIDTH: f32 = 660.0;

/// Lines that the summary takes: in a narrow figure several.
pub(super) fn summary_lines(ui: &Ui, subject: Subject<'_>, view: &View) -> f32 {
    let lines = (SUMMARY_WIDTH / ui.available_width().max(1.0)).ceil();
    lines.min(4.0) + f32::from(conflicts_by_construction(subject, &view.scope))
}

/// Draws the matrix, its colour bar and its summary; a click picks a pair.
pub(in crate::figure) fn matrix_ui(ui: &mut Ui, subject: Subject<'_>, view: &View) -> Option<Pick> {
    let shown = match shown(ui.ctx(), subject, view) {
        Ok(shown) => shown,
        Err(sentence) => {
            empty_ui(ui, &sentence);
            return None;
        }
    };
    let area = above(ui, summary_lines(ui, subject, view));
    let cosines = Cosines {
        shown: &shown,
        subject,
        names: subject.classes(),
    };
    let grid = Grid::new(ui, area, subject, view, ["+1", "0", "−1"]);
    let dark = ui.visuals().dark_mode;
    grid.paint_bar(ui, |value| palette::diverging(value, dark));
    let pick = grid.show(ui, view, &cosines, &marked(ui.ctx(), subject, view));
    ui.allocate_rect(area, Sense::hover());
    summary_ui(ui, &shown.summary, subject, &view.scope);
    pick
}

/// The numbers of the figure: a row for every pair of classes.
pub(in crate::figure) fn table(subject: Subject<'_>, view: &View) -> Table {
    let mut table = Table::new([
        "step",
        "part",
        "class_a",
        "class_b",
        "cosine",
        "resolved",
        "product",
        "standard_error",
    ]);
    let probe = subject.probe(view);
    let tensors = probe.and_then(|probe| subject.probes.get(&probe.step));
    let rows = subject.run.gram_rows(&view.scope);
    let (Some(probe), Some(gram)) = (probe, tensors.and_then(|tensors| tensors.gram_of(&rows)))
    else {
        return table;
    };
    let (names, order) = (subject.classes(), order_of(subject, view));
    for (i, &a) in order.iter().enumerate() {
        for &b in &order[i + 1..] {
            let cell = gram.cell(a, b);
            table.push([
                probe.step.into(),
                view.scope.name().into(),
                names[a].as_str().into(),
                names[b].as_str().into(),
                cell.cosine.into(),
                cell.resolved.into(),
                gram.dot(a, b).into(),
                gram.standard_error(a, b).into(),
            ]);
        }
    }
    table
}

/// The cells of the matrix: the cosine of every pair of classes.
struct Cosines<'a> {
    shown: &'a Shown,
    subject: Subject<'a>,
    names: &'a [String],
}

impl Cells for Cosines<'_> {
    const NAME: &'static str = "Conflict matrix";

    fn look(&self, ui: &Ui, row: usize, column: usize) -> Look {
        let cell = self.shown.cells[row][column];
        match cell.cosine {
            None => Look::undefined(ui),
            // The cosine of a class with itself is always 1: the cell shows neither a colour of the scale nor a
            // number.
            Some(_) if row == column => diagonal(ui),
            Some(cosine) => Look {
                color: palette::diverging(cosine, ui.visuals().dark_mode),
                hatched: false,
                number: Number::Decimal(cosine),
                significant: cell.resolved,
            },
        }
    }

    fn name(&self, row: usize, column: usize) -> String {
        format!("{} × {}", self.names[row], self.names[column])
    }

    fn words_ui(&self, ui: &mut Ui, row: usize, column: usize) {
        cell_text_ui(ui, &self.shown.gram, self.subject, row, column);
    }

    fn pick(&self, row: usize, column: usize) -> Option<Pick> {
        (row != column).then_some(Pick::Pair(row, column))
    }
}

/// Whether a part of the network has its classifier. Layers of recorded networks have any names: a hidden one may be called
/// `classifier.0`, and the classifier `fc`.
fn conflicts_by_construction(subject: Subject<'_>, scope: &Scope) -> bool {
    let mut layers = layers_with_gradients(subject);
    layers.any(|(layer, _)| scope.covers(layer) && layer.group == CLASSIFIER)
}

/// Writes everything about one pair: the text of its tooltip.
fn cell_text_ui(ui: &mut Ui, gram: &Gram, subject: Subject<'_>, a: usize, b: usize) {
    let names = subject.classes();
    if a == b {
        ui.strong(&names[a]);
        ui.label(match gram.norm(a) {
            Some(norm) => format!(
                "‖g‖ {} over {:.0} probe images",
                three_figures(norm),
                gram.images(a)
            ),
            None if is_unmeasured(subject, a) => REASON.to_owned(),
            None => "no training image to probe".to_owned(),
        });
        return;
    }
    ui.strong(format!("{} and {}", names[a], names[b]));
    let cell = gram.cell(a, b);
    match cell.cosine {
        None => {
            let missing = if gram.images(a) > 0.0 { b } else { a };
            ui.label(match gram.norm(missing) {
                None if is_unmeasured(subject, missing) => format!(
                    "undefined: {} is not among the classes that are measured with batch norm as in training",
                    names[missing]
                ),
                None => format!(
                    "undefined: {} has no training image to probe",
                    names[missing]
                ),
                Some(_) => "undefined: a gradient of length 0 has no direction".to_owned(),
            });
        }
        Some(cosine) => {
            let word = match (cell.resolved, cosine < 0.0) {
                (true, true) => "in conflict",
                (true, false) => "agree",
                (false, _) => "not significant (3 SE)",
            };
            ui.label(format!("cosine {} (−1 to 1), {word}", signed(cosine)));
            if let (Some(dot), Some(error)) = (gram.dot(a, b), gram.standard_error(a, b)) {
                let (dot, error) = (three_figures(dot), three_figures(error));
                ui.label(format!("product {dot} ± {error} (standard error)"));
            }
        }
    }
    for k in [a, b] {
        if let Some(norm) = gram.norm(k) {
            ui.label(format!("‖g‖ of {} {}", names[k], three_figures(norm)));
        }
    }
}

fn summary_ui(ui: &mut Ui, summary: &ConflictSummary, subject: Subject<'_>, scope: &Scope) {
    let number =
        |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"));
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        ui.label(format!("Interference {}", number(summary.interference)))
            .on_hover_text("Mean over class pairs of max(0, −cosine), from 0 to 1.");
        ui.weak(format!("(noise floor {})", number(summary.floor)))
            .on_hover_text("What the same measure makes of noise alone: half-differences of the class gradients.");
        ui.label("·");
        ui.label(format!("{} of {} pairs in conflict", summary.conflicting, summary.pairs))
            .on_hover_text("Pairs whose product is negative by more than 3 standard errors.");
        ui.weak(format!("({} significant at 3 SE)", summary.resolved));
        ui.label("·");
        ui.label(format!("cancellation {}", number(summary.cancellation))).on_hover_text(
            "Length of the summed class gradients over the sum of their lengths: 1 where classes agree, 0 where they \
             cancel. Near a minimum some conflict is unavoidable.",
        );
        if let Some(count) = unmeasured::count(subject) {
            ui.label("·");
            ui.weak(format!("{count} measured")).on_hover_text(
                "With batch norm as in training only these are measured, spread over the ranks by frequency; the others \
                 are undefined here. Frozen, all are measured.",
            );
        }
    });
    if conflicts_by_construction(subject, scope) {
        ui.weak("The classifier's class gradients conflict by construction.");
    }
}
