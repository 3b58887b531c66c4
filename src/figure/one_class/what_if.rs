//! The effect of one step on every class under other weights, or with gradients changed where they conflict.

use egui::{
    Align2, Color32, Context, FontId, Rangef, Rect, RichText, ScrollArea, Sense, Slider, Ui,
    UiBuilder, pos2, vec2,
};

use crate::figure::facts::ledger::{BEYOND_FIRST_ORDER, TOO_LARGE, measured_on};
use crate::figure::facts::probes::Need;
use crate::figure::facts::unmeasured::is_unmeasured;
use crate::figure::facts::what_if::{Moment, Outcome, answer, weights_of};
use crate::figure::kit::memo::is_exporting;
use crate::figure::kit::numerals::three_figures;
use crate::figure::kit::palette;
use crate::figure::kit::table::Table;
use crate::figure::kit::text::{empty_ui, fitted};
use crate::figure::look::kind::Kind;
use crate::figure::look::pages::Page;
use crate::figure::look::pick::Pick;
use crate::figure::look::subject::Subject;
use crate::figure::look::view::{View, WhatIf};
use crate::figure::one_class::weights::weights_ui;
use crate::figure::parts::bars::{AXIS_HEIGHT, BarAxis, color_of, with_error};
use crate::figure::parts::figure::{At, Figure, Gradients, NEVER, Of};
use crate::gradient::gram::Effect;

pub(in crate::figure) const FIGURE: Figure = Figure {
    kind: Kind::WhatIf,
    name: "what-if",
    title: "What-if: class weights and gradient surgery",
    subtitle: "One step under other class weights, PCGrad or Aligned-MTL: first-order change of every loss",
    help: "First-order change of every class's loss under one plain gradient step, as trained (grey) and with the \
           weights set here (colour); left of 0 the loss falls, hollow bars are not significant (3 SE). It holds for this \
           moment and this one step only. Beside it stand the step actually taken and the measured loss.",
    synonyms: &[
        "what if classes were weighed differently",
        "class weights",
        "reweighting",
        "gradient surgery",
        "PCGrad",
        "Aligned-MTL",
        "inverse frequency",
        "effective number",
    ],
    page: Page::Class,
    in_place_of: None,
    lacks: NEVER,
    of: Of::Run,
    needs: Need::MomentAndChange,
    at: At::Probe,
    gradients: Gradients::AsShown,
    names_part: true,
    names_step: true,
    colour_range: None,
    chart: None,
    ui: what_if_ui,
    table: |subject, _, view| table(subject, view),
};

/// Largest weight that a slider reaches.
const MOST: f64 = 10.0;
/// Height of the figure, in points, from which on there is room for more than one line of explanation.
const WRAP_HEIGHT: f32 = 200.0;
/// Least and largest height of a row, in points.
const ROW: (f32, f32) = (22.0, 30.0);
/// Widths, in points, from which on there is a first and a second column of measured numbers.
const MEASURED_FROM: [f32; 2] = [400.0, 540.0];
const MEASURED_WIDTH: f32 = 58.0;

/// Draws sliders and the effects of a step under the chosen weights; a change picks other weights.
pub(in crate::figure) fn what_if_ui(
    ui: &mut Ui,
    subject: Subject<'_>,
    shown: &[Subject<'_>],
    view: &View,
) -> Option<Pick> {
    let (moment, outcome) = match answer(ui.ctx(), subject, view) {
        Ok(answer) => answer,
        Err(sentence) => {
            empty_ui(ui, &sentence);
            return None;
        }
    };
    let started = subject.run.started.as_ref()?;
    let chosen = if let Some(sentence) = &moment.not_predicted {
        ui.label(RichText::new(sentence).size(11.0).weak());
        None
    } else {
        let chosen = weights_ui(ui, &started.train_counts, &view.what_if);
        summary_ui(ui, &moment, outcome.as_deref());
        chosen
    };
    // Runs side by side share their scale.
    let others = shown
        .iter()
        .filter_map(|other| answer(ui.ctx(), *other, view).ok());
    let mut ends = Vec::new();
    for (moment, outcome) in others.chain([(moment.clone(), outcome.clone())]) {
        let effects = outcome.iter().flat_map(|outcome| &outcome.effects);
        let taken = moment.not_predicted.iter().flat_map(|_| &moment.taken);
        let effects = moment.trained.iter().chain(effects).chain(taken).flatten();
        ends.extend(effects.flat_map(|effect| {
            let error = effect.standard_error.unwrap_or(0.0);
            [effect.nats - error, effect.nats + error]
        }));
    }
    let rows = Rows {
        subject,
        names: &started.classes,
        weights: weights_of(&view.what_if, started.classes.len()),
        moment: &moment,
        outcome: outcome.as_deref(),
        columns: Columns::new(ui, &started.classes, &moment, ends.into_iter()),
    };
    let moved = rows.show(ui).map(|weights| {
        Pick::WhatIf(WhatIf {
            weights,
            surgery: view.what_if.surgery,
        })
    });
    chosen.or(moved)
}

/// Explains the numbers, and gives the length of the step.
fn summary_ui(ui: &mut Ui, moment: &Moment, outcome: Option<&Outcome>) {
    let text = match outcome {
        None => "All weights are 0: there is no step.".to_owned(),
        Some(outcome) => {
            let length = outcome.length.map_or_else(String::new, |length| {
                format!(" The step is {length:.2} × as long as trained.")
            });
            let effects = moment.trained.iter().chain(&outcome.effects).flatten();
            let large = effects
                .map(|effect| effect.nats.abs())
                .any(|nats| nats > BEYOND_FIRST_ORDER);
            let note = if large {
                format!(" {TOO_LARGE}")
            } else {
                String::new()
            };
            format!(
                "Grey as trained, colour what if: first order, for one plain step at step {} alone (learning rate \
                 {}).{length}{note}",
                moment.step,
                three_figures(moment.lr)
            )
        }
    };
    let label = egui::Label::new(RichText::new(text).size(11.0).weak());
    // The label is cut to one line; its tooltip holds the whole text.
    let has_room = ui.available_height() > WRAP_HEIGHT;
    ui.add(if has_room {
        label.wrap()
    } else {
        label.truncate()
    });
}

/// Where the parts of a row lie.
struct Columns {
    area: Rect,
    /// Right end of names, sliders and weights.
    names: f32,
    sliders: f32,
    weights: f32,
    /// How many columns of measured numbers there are.
    measured: usize,
    axis: BarAxis,
    font: FontId,
}

impl Columns {
    fn new(ui: &Ui, names: &[String], moment: &Moment, ends: impl Iterator<Item = f64>) -> Self {
        let area = ui.available_rect_before_wrap();
        let font = FontId::proportional(12.0);
        let width = |name: &String| {
            let galley = ui
                .painter()
                .layout_no_wrap(name.clone(), font.clone(), Color32::WHITE);
            galley.size().x
        };
        let longest = names.iter().map(width).fold(40.0, f32::max);
        let names = area.left() + (longest + 20.0).min(0.25 * area.width());
        let slider = if is_exporting(ui.ctx()) {
            0.0
        } else {
            (0.16 * area.width()).clamp(40.0, 140.0)
        };
        let (sliders, weights) = if moment.not_predicted.is_some() {
            (names, names)
        } else {
            (names + slider, names + slider + 40.0)
        };
        let from = MEASURED_FROM.iter();
        let measured = from.filter(|&&from| area.width() >= from).count();
        let right = area.right() - 8.0 - MEASURED_WIDTH * measured as f32;
        let left = weights + 10.0;
        Self {
            area,
            names,
            sliders,
            weights,
            measured,
            axis: BarAxis::new(ends, Rangef::new(left, right.max(left + 1.0))),
            font,
        }
    }
}

/// The classes, one per row.
struct Rows<'a> {
    subject: Subject<'a>,
    names: &'a [String],
    weights: Vec<f64>,
    moment: &'a Moment,
    outcome: Option<&'a Outcome>,
    columns: Columns,
}

impl Rows<'_> {
    /// Draws the rows that there is room for; scrolling shows the rest, which an image leaves out. Returns the weights
    /// where a slider was moved.
    fn show(&self, ui: &mut Ui) -> Option<Vec<f64>> {
        let area = self.columns.area;
        let room = area.height() - AXIS_HEIGHT - 4.0 - ROW.0;
        if room < ROW.0 {
            ui.allocate_rect(area, Sense::hover());
            return None;
        }
        self.headings(ui);
        let top = area.top() + ROW.0;
        let height = (room / self.names.len().max(1) as f32).clamp(ROW.0, ROW.1);
        let fits = ((room / height) as usize).min(self.names.len());
        let seen = Rect::from_min_size(
            pos2(area.left(), top),
            vec2(area.width(), fits as f32 * height),
        );
        self.columns.axis.paint(&ui.painter().clone(), ui, seen);
        let mut moved = None;
        ui.scope_builder(UiBuilder::new().max_rect(seen), |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            let mut row = |ui: &mut Ui, k: usize| {
                let size = vec2(seen.width(), height);
                let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
                if let Some(weight) = self.row_ui(ui, rect, k) {
                    let mut weights = self.weights.clone();
                    weights[k] = weight;
                    moved = Some(weights);
                }
            };
            if is_exporting(ui.ctx()) || fits == self.names.len() {
                (0..fits).for_each(|k| row(ui, k));
            } else {
                let scroll = ScrollArea::vertical().auto_shrink(false);
                scroll.show_rows(ui, height, self.names.len(), |ui, range| {
                    range.for_each(|k| row(ui, k));
                });
            }
        });
        if is_exporting(ui.ctx()) && fits < self.names.len() {
            let text = format!("{} more classes in the table", self.names.len() - fits);
            let at = area.left_bottom();
            let color = ui.visuals().weak_text_color();
            ui.painter().text(
                at,
                Align2::LEFT_BOTTOM,
                text,
                FontId::proportional(11.0),
                color,
            );
        }
        ui.allocate_rect(area, Sense::hover());
        moved
    }

    fn headings(&self, ui: &Ui) {
        let columns = &self.columns;
        let color = ui.visuals().weak_text_color();
        let y = columns.area.top() + 0.5 * ROW.0;
        let font = FontId::proportional(11.0);
        let put = |x: f32, align: Align2, text: &str, width: f32| {
            let galley = fitted(ui.painter(), text, &font, color, width);
            let rect = align.anchor_size(pos2(x, y), galley.size());
            ui.painter().galley(rect.min, galley, color);
        };
        let of = if self.moment.not_predicted.is_some() {
            "step taken"
        } else {
            put(columns.weights, Align2::RIGHT_CENTER, "weight", 60.0);
            "change of loss"
        };
        let (left, right) = (columns.weights + 10.0, columns.axis.at(f64::INFINITY));
        let text = format!("{of}, {}", columns.axis.unit());
        let text = if right - left < 180.0 {
            columns.axis.unit()
        } else {
            text
        };
        put(left, Align2::LEFT_CENTER, &text, right - left);
        let taken = columns.area.right() - 8.0 - MEASURED_WIDTH * (columns.measured as f32 - 1.0);
        for (i, text) in ["step taken", "measured"]
            .into_iter()
            .enumerate()
            .take(columns.measured)
        {
            let x = taken + MEASURED_WIDTH * i as f32;
            put(x, Align2::RIGHT_CENTER, text, MEASURED_WIDTH);
        }
    }

    fn row_ui(&self, ui: &mut Ui, rect: Rect, k: usize) -> Option<f64> {
        let columns = &self.columns;
        let hover = ui.interact(rect, ui.scope_id().with(k), Sense::hover());
        let painter = ui.painter().clone();
        if hover.hovered() {
            painter.rect_filled(rect, 2.0, ui.visuals().text_color().gamma_multiply(0.06));
        }
        let (color, weak) = (ui.visuals().text_color(), ui.visuals().weak_text_color());
        let y = rect.center().y;
        let swatch = Rect::from_center_size(pos2(rect.left() + 5.0, y), vec2(9.0, 9.0));
        painter.rect_filled(swatch, 2.0, palette::class(k));
        let room = (columns.names - rect.left() - 20.0).max(8.0);
        let galley = fitted(&painter, &self.names[k], &columns.font, color, room);
        let at = pos2(rect.left() + 14.0, y - galley.size().y / 2.0);
        painter.galley(at, galley, color);
        let small = FontId::proportional(11.0);
        let number = |x: f32, text: String, color: Color32| {
            painter.text(pos2(x, y), Align2::RIGHT_CENTER, text, small.clone(), color);
        };
        let of = |effects: &[Option<Effect>]| effects.get(k).copied().flatten();
        let (trained, taken) = (of(&self.moment.trained), of(&self.moment.taken));
        let what_if = self.outcome.and_then(|outcome| of(&outcome.effects));
        let (middle, inner) = (rect.center().y, rect.y_range().shrink(3.0));
        let (upper, lower) = (
            Rangef::new(inner.min, middle),
            Rangef::new(middle, inner.max),
        );
        let bar = |y: Rangef, effect: &Effect, color| columns.axis.bar(ui, y, effect, color);
        let is_predicted = self.moment.not_predicted.is_none();
        if is_predicted {
            number(columns.weights, weight_text(self.weights[k]), color);
        } else if let Some(taken) = &taken {
            bar(inner, taken, color_of(ui, taken));
        }
        if let Some(effect) = &trained {
            bar(upper, effect, weak);
        } else if is_predicted || self.moment.gram.norm(k).is_none() {
            // The text stands on that side of the line at 0 which has more room.
            let zero = columns.axis.at(0.0);
            let is_left = 2.0 * zero > columns.weights + rect.right();
            let (x, align) = match is_left {
                true => (zero - 6.0, Align2::RIGHT_CENTER),
                false => (zero + 6.0, Align2::LEFT_CENTER),
            };
            let text = if is_unmeasured(self.subject, k) {
                "not measured as in training"
            } else {
                "too few probe images"
            };
            painter.text(pos2(x, y), align, text, small.clone(), weak);
        }
        if let Some(effect) = &what_if {
            bar(lower, effect, color_of(ui, effect));
        }
        let measured = self.moment.measured.get(k).copied().flatten();
        let measured = [taken.map(|taken| taken.nats), measured];
        for (i, value) in measured.into_iter().enumerate().take(columns.measured) {
            let text =
                value.map_or_else(|| "–".to_owned(), |value| columns.axis.fine_number(value));
            let right = (columns.measured - 1 - i) as f32 * MEASURED_WIDTH;
            number(rect.right() - 8.0 - right, text, weak);
        }
        hover.on_hover_ui_at_pointer(|ui| self.row_text_ui(ui, k, trained, what_if));
        if is_exporting(ui.ctx()) || !is_predicted {
            return None;
        }
        self.slider_ui(ui, rect, k)
    }

    fn slider_ui(&self, ui: &mut Ui, rect: Rect, k: usize) -> Option<f64> {
        let columns = &self.columns;
        let x = Rangef::new(columns.names + 4.0, columns.sliders - 4.0);
        let place = Rect::from_x_y_ranges(x, rect.y_range());
        let mut weight = self.weights[k];
        let slider = Slider::new(&mut weight, 0.0..=MOST)
            .logarithmic(true)
            .smallest_positive(0.02)
            .clamping(egui::SliderClamping::Never)
            .show_value(false);
        let response = ui
            .scope(|ui| {
                ui.spacing_mut().slider_width = place.width();
                ui.put(place, slider)
            })
            .inner
            .on_hover_text(
                "Weight of the class's loss, from 0 to 10; only the ratios of the weights count",
            );
        let changed = response.changed();
        response.accessible_name(format!("Weight of {}", self.names[k]));
        changed.then_some(weight)
    }

    fn row_text_ui(&self, ui: &mut Ui, k: usize, trained: Option<Effect>, what_if: Option<Effect>) {
        ui.set_max_width(320.0);
        ui.strong(format!("Loss of {}", self.names[k]));
        let effect = |name: &str, effect: Option<Effect>| {
            let Some(effect) = effect else {
                return format!("{name}: undefined");
            };
            format!("{name} {} nats per step", with_error(&effect))
        };
        if self.moment.not_predicted.is_none() {
            ui.label(effect("As trained", trained));
            ui.label(effect("What if", what_if));
        }
        let measured = |name: &str, value: Option<f64>| {
            let value = value.map_or_else(|| "–".to_owned(), three_figures);
            format!("{name} {value} nats per step")
        };
        ui.label(effect(
            "The step actually taken before, with momentum and weight decay, to first order",
            self.moment.taken.get(k).copied().flatten(),
        ));
        ui.label(measured(
            &format!(
                "Measured since the probe before, all layers together, on {},",
                measured_on(self.subject.run)
            ),
            self.moment.measured.get(k).copied().flatten(),
        ));
    }
}

fn weight_text(weight: f64) -> String {
    if weight < 0.995 {
        format!("{weight:.2}")
    } else {
        format!("{weight:.1}")
    }
}

/// The numbers of the figure.
pub(in crate::figure) fn table(subject: Subject<'_>, view: &View) -> Table {
    let mut table = Table::new([
        "class",
        "weight",
        "as_trained_nats_per_step",
        "as_trained_standard_error",
        "what_if_nats_per_step",
        "what_if_standard_error",
        "step_taken_nats",
        "loss_change_nats_per_step",
        "step",
    ]);
    // A new context, so that no value is taken that was remembered elsewhere.
    let Ok((moment, outcome)) = answer(&Context::default(), subject, view) else {
        return table;
    };
    let names = subject.classes();
    let weights = weights_of(&view.what_if, names.len());
    for (k, name) in names.iter().enumerate() {
        let trained = moment.trained.get(k).copied().flatten();
        let what_if = outcome
            .as_ref()
            .and_then(|outcome| *outcome.effects.get(k)?);
        table.push([
            name.as_str().into(),
            moment.not_predicted.is_none().then(|| weights[k]).into(),
            trained.map(|effect| effect.nats).into(),
            trained.and_then(|effect| effect.standard_error).into(),
            what_if.map(|effect| effect.nats).into(),
            what_if.and_then(|effect| effect.standard_error).into(),
            moment
                .taken
                .get(k)
                .copied()
                .flatten()
                .map(|x| x.nats)
                .into(),
            moment.measured.get(k).copied().flatten().into(),
            moment.step.into(),
        ]);
    }
    table
}

#[cfg(test)]
mod tests;
