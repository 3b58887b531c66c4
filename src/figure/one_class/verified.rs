//! What each class's share of a step does to every other class: predicted by the probe, measured at a checkpoint, and
//! the difference.

use std::sync::Arc;

use egui::{Color32, Rect, RichText, Sense, Ui, vec2};

use crate::compare::statistics::rank_correlation;
use crate::figure::facts::probes::Need;
use crate::figure::kit::numerals::{power_of_ten, three_figures};
use crate::figure::kit::palette;
use crate::figure::kit::square::{Cells, Grid, Look, Number, diagonal};
use crate::figure::kit::table::Table;
use crate::figure::kit::text::{above, empty_ui};
use crate::figure::look::kind::Kind;
use crate::figure::look::pages::Page;
use crate::figure::look::pick::Pick;
use crate::figure::look::subject::{Subject, order_of};
use crate::figure::look::view::View;
use crate::figure::parts::figure::{At, Figure, Gradients, Of};
use crate::run::verification::Verification;

pub(in crate::figure) const FIGURE: Figure = Figure {
    kind: Kind::Verified,
    name: "verified",
    title: "Class influence, verified",
    subtitle: "Is the prediction right? Effect of each class’s share of a step on every class’s loss: predicted, measured, difference",
    help: "Row: the class whose share of a training step is taken alone; column: the class whose loss changes. Red: the \
           loss rises; blue: it falls. The prediction is that of a probe; the measurement applies the share of real \
           training batches by a small step, lets the running statistics follow, and evaluates training images. It is \
           made by `crosscurrent verify` at a checkpoint. Colours grow with the square root of the effect.",
    synonyms: &[
        "is the prediction right?",
        "verify",
        "influence",
        "ground truth",
        "prediction",
        "who hurts whom",
    ],
    page: Page::Class,
    in_place_of: None,
    lacks: |subject| subject.probes.verified.is_empty().then_some(NOT_VERIFIED),
    of: Of::Run,
    needs: Need::Verified,
    at: At::Probe,
    gradients: Gradients::AsShown,
    names_part: false,
    names_step: false,
    colour_range: None,
    chart: None,
    ui: verified_ui,
    table: |subject, _, view| table(subject, view),
};

/// The sentence before anything was verified.
pub(in crate::figure) const NOT_VERIFIED: &str = "Nothing is verified yet: `crosscurrent verify RUN` measures at a checkpoint what each class’s share of a step does, \
     in a few minutes.";

/// Width, in points, from which the three squares stand side by side; in a narrower figure the difference is left out.
const SIDE_BY_SIDE: f32 = 620.0;
/// Width, in points, from which two squares stand side by side.
const TWO_BESIDE: f32 = 340.0;
/// Space between two squares, in points.
const GAP: f32 = 12.0;

/// Headings of the squares.
const NAMES: [&str; 3] = ["Predicted", "Measured", "Predicted minus measured"];

/// The verification nearest to the cursor; the last where the view follows the newest moment.
fn at<'a>(subject: Subject<'a>, view: &View) -> Option<&'a Arc<Verification>> {
    let step = view.step.unwrap_or(u64::MAX);
    // What was measured of another loss than the run's is not shown as if it were of it.
    let is_cross_entropy = subject.run.minimises_cross_entropy();
    let verified = subject.probes.verified.iter();
    let verified = verified.filter(|(_, found)| is_cross_entropy || !found.facts.loss.is_empty());
    let nearest = verified.min_by_key(|(at, _)| at.abs_diff(step));
    nearest.map(|(_, verification)| verification)
}

/// One of the three squares.
struct Effects<'a> {
    /// Place in [`NAMES`].
    which: usize,
    /// Effects in units of `unit`, `[K, K]`.
    values: Vec<f64>,
    /// The largest effect of the prediction and the measurement off the diagonal, in units of `unit`.
    end: f64,
    /// Power of ten of the unit, in nats per step, or per unit of learning rate.
    unit: f64,
    per: &'static str,
    names: &'a [String],
}

impl Effects<'_> {
    fn value(&self, row: usize, column: usize) -> Option<f64> {
        let value = self.values.get(row * self.names.len() + column).copied();
        value.filter(|x| x.is_finite())
    }
}

impl Cells for Effects<'_> {
    const NAME: &'static str = "Effects of classes on each other";

    fn look(&self, ui: &Ui, row: usize, column: usize) -> Look {
        match self.value(row, column) {
            None => Look::undefined(ui),
            Some(_) if row == column => diagonal(ui),
            Some(value) => Look {
                color: color(ui, value, self.end),
                hatched: false,
                number: Number::Decimal(value),
                significant: true,
            },
        }
    }

    fn name(&self, row: usize, column: usize) -> String {
        let (share, loss) = (&self.names[row], &self.names[column]);
        format!("{}: {share} on {loss}", NAMES[self.which])
    }

    fn words_ui(&self, ui: &mut Ui, row: usize, column: usize) {
        ui.strong(self.name(row, column));
        match self.value(row, column) {
            None => ui.label("undefined: one of the classes was not measured"),
            Some(value) => {
                let nats = value * 10_f64.powf(self.unit);
                ui.label(format!(
                    "{} {} nats per {}",
                    NAMES[self.which],
                    three_figures(nats),
                    self.per
                ))
            }
        };
    }

    fn pick(&self, row: usize, column: usize) -> Option<Pick> {
        (row != column).then_some(Pick::Pair(row, column))
    }
}

/// Red where a loss rises, blue where it falls, by the root of the effect's share of the largest.
fn color(ui: &Ui, value: f64, end: f64) -> Color32 {
    let share = if end > 0.0 { value.abs() / end } else { 0.0 };
    let share = share.min(1.0).sqrt();
    palette::diverging(-share.copysign(value), ui.visuals().dark_mode)
}

/// Draws the three squares; a click picks a pair.
fn verified_ui(ui: &mut Ui, subject: Subject<'_>, _: &[Subject<'_>], view: &View) -> Option<Pick> {
    let Some(found) = at(subject, view).filter(|x| x.classes == subject.classes().len()) else {
        empty_ui(ui, NOT_VERIFIED);
        return None;
    };
    let predicted = found.predicted(subject.run.batch_norm());
    if predicted.iter().all(|x| x.is_nan()) {
        let reason = subject.run.departs_from_class_gradients();
        let reason = reason.map_or_else(String::new, |reason| format!(": {reason}"));
        empty_ui(ui, &format!("Nothing is predicted for this run{reason}."));
        return None;
    }
    // A checkpoint that was written before the first step has no learning rate.
    let (lr, per) = match found.facts.lr > 0.0 {
        true => (found.facts.lr, "step"),
        false => (1.0, "unit of learning rate"),
    };
    let largest = |values: &[f32]| {
        let off = |(at, _): &(usize, &f32)| at / found.classes != at % found.classes;
        let values = values.iter().enumerate().filter(off);
        let finite = values
            .map(|(_, x)| f64::from(x.abs()))
            .filter(|x| x.is_finite());
        finite.fold(0.0, f64::max)
    };
    let end = lr * largest(predicted).max(largest(&found.train));
    let unit = if end > 0.0 { end.log10().floor() } else { 0.0 };
    let scale = lr / 10_f64.powf(unit);
    let scaled = |values: &[f32]| values.iter().map(|x| f64::from(*x) * scale).collect();
    let (predicted, measured): (Vec<f64>, Vec<f64>) = (scaled(predicted), scaled(&found.train));
    let difference = predicted
        .iter()
        .zip(&measured)
        .map(|(x, y)| x - y)
        .collect();
    summary_ui(ui, subject, found, (unit, per));
    let (names, end) = (subject.classes(), end / 10_f64.powf(unit));
    let areas = areas(ui);
    let mut pick = None;
    for (which, values) in [predicted, measured, difference].into_iter().enumerate() {
        let Some(&area) = areas.get(which) else { break };
        let effects = Effects {
            which,
            values,
            end,
            unit,
            per,
            names,
        };
        pick = square_ui(ui, area, subject, view, &effects).or(pick);
    }
    ui.allocate_rect(ui.available_rect_before_wrap(), Sense::hover());
    pick
}

/// The areas of the squares, side by side where there is room: all three, or the first two in a narrow figure.
fn areas(ui: &Ui) -> Vec<Rect> {
    let area = above(ui, 0.0);
    let count = if area.width() >= SIDE_BY_SIDE { 3 } else { 2 };
    let across = area.width() >= TWO_BESIDE;
    let (share, gap) = (1.0 / count as f32, GAP * (count - 1) as f32);
    let size = if across {
        vec2((area.width() - gap) * share, area.height())
    } else {
        vec2(area.width(), (area.height() - gap) * share)
    };
    let step = if across {
        vec2(size.x + GAP, 0.0)
    } else {
        vec2(0.0, size.y + GAP)
    };
    let areas = (0..count).map(|i| Rect::from_min_size(area.min + i as f32 * step, size));
    areas.collect()
}

fn square_ui(
    ui: &mut Ui,
    area: Rect,
    subject: Subject<'_>,
    view: &View,
    effects: &Effects<'_>,
) -> Option<Pick> {
    let mut ui = ui.new_child(
        egui::UiBuilder::new()
            .max_rect(area)
            .id_salt(NAMES[effects.which]),
    );
    ui.label(RichText::new(NAMES[effects.which]).size(11.0).strong());
    let labels = match effects.which {
        0 | 1 => ["falls", "0", "rises"],
        _ => ["too low", "0", "too high"],
    };
    let grid = Grid::new(&ui, ui.available_rect_before_wrap(), subject, view, labels);
    let dark = ui.visuals().dark_mode;
    grid.paint_bar(&ui, |share| {
        palette::diverging(share.abs().sqrt().copysign(share), dark)
    });
    grid.show(&mut ui, view, effects, &[])
}

/// How well both ways of predicting agree with what was measured.
fn summary_ui(ui: &mut Ui, subject: Subject<'_>, found: &Verification, (unit, per): (f64, &str)) {
    let said = |predicted: &[f32]| {
        let agreement = agreement(found, predicted, &found.train);
        agreement.map_or_else(
            || "–".to_owned(),
            |(rank, sign)| {
                format!(
                    "rank correlation {rank:.2}, sign right in {:.0} %",
                    100.0 * sign
                )
            },
        )
    };
    let shown = subject.run.batch_norm();
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        ui.label(format!(
            "Predicted with {}: {}",
            subject.run.batch_norm_in_words(),
            said(found.predicted(shown))
        ))
        .on_hover_text("Over all pairs of two classes, on training images.");
        ui.weak(format!(
            "· step {} · in {} nats per {per}",
            found.facts.step,
            power_of_ten(unit)
        ));
    });
}

/// Rank correlation and share of equal signs over all pairs of two classes.
fn agreement(found: &Verification, predicted: &[f32], measured: &[f32]) -> Option<(f64, f64)> {
    let (x, y) = found.pairs(predicted, measured);
    // The rank correlation of two points is always 1 or −1.
    if x.len() <= 2 {
        return None;
    }
    let same = x.iter().zip(&y).filter(|(x, y)| **x * **y > 0.0).count();
    Some((rank_correlation(&x, &y)?, same as f64 / x.len() as f64))
}

/// The numbers of the figure: a row for every two classes, in nats for each unit of learning rate; times the learning
/// rate of the checkpoint, they are nats per step.
fn table(subject: Subject<'_>, view: &View) -> Table {
    let mut table = Table::new([
        "step",
        "learning_rate",
        "class_of_share",
        "class_of_loss",
        "measured_train",
        "measured_held_out",
        "predicted_as_in_training",
        "predicted_frozen",
        "predicted_by_shares",
    ]);
    let names = subject.classes();
    let Some(found) = at(subject, view).filter(|x| x.classes == names.len()) else {
        return table;
    };
    let order = order_of(subject, view);
    for &j in &order {
        for &k in &order {
            let value = |values: &[f32]| {
                let value = values.get(j * names.len() + k).copied();
                value.filter(|x| x.is_finite()).map(f64::from)
            };
            table.push([
                found.facts.step.into(),
                found.facts.lr.into(),
                names[j].as_str().into(),
                names[k].as_str().into(),
                value(&found.train).into(),
                value(&found.held_out).into(),
                value(&found.as_in_training).into(),
                value(&found.frozen).into(),
                value(&found.shares).into(),
            ]);
        }
    }
    table
}
