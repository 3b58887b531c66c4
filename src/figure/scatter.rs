//! Conflict against confusion: whether the classes that pull against each other are those that are mistaken for each
//! other.

use std::collections::BTreeMap;

use egui::{Color32, Context, RichText, Role, Stroke, Ui, Vec2b, WidgetInfo};
use egui_plot::{MarkerShape, Plot, PlotPoint, Points, Polygon};
use serde::{Deserialize, Serialize};

use super::confusion::{cell, evaluation, missing, word};
use super::table::{Table, Value};
use super::{Pick, Subject, View, chart, empty_ui, matrix, palette};
use crate::compare::statistics::rank_correlation;
use crate::gradient::gram::Gram;
use crate::run::event::Eval;

/// A click this near to a point is on it, in points of the screen.
const NEAR: f32 = 8.0;

/// A rectangle drawn over the scatter: the pairs in it are marked in both matrices.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Brush {
    /// Cosines, from and to.
    pub cosine: [f64; 2],
    /// Shares mistaken, from and to.
    pub mistaken: [f64; 2],
}

impl Brush {
    /// Rectangles that need not be drawn, by name; the last marks nothing.
    pub(crate) const CHOICES: [(&'static str, Option<Self>); 4] = {
        const fn of(cosine: [f64; 2], mistaken: [f64; 2]) -> Option<Brush> {
            Some(Brush { cosine, mistaken })
        }
        let (below, above, some) = ([-1.0, 0.0], [0.0, 1.0], [f64::MIN_POSITIVE, 1.0]);
        [
            ("that pull against each other", of(below, [0.0, 1.0])),
            (
                "that pull against each other and are mistaken for each other",
                of(below, some),
            ),
            (
                "that pull the same way and are mistaken for each other",
                of(above, some),
            ),
            ("none", None),
        ]
    };

    /// The rectangle between two corners.
    fn between(a: PlotPoint, b: PlotPoint) -> Self {
        Self {
            cosine: [a.x.min(b.x), a.x.max(b.x)],
            mistaken: [a.y.min(b.y), a.y.max(b.y)],
        }
    }

    fn holds(&self, dot: &Dot) -> bool {
        let within = |[low, high]: [f64; 2], x: f64| (low..=high).contains(&x);
        within(self.cosine, dot.cosine) && within(self.mistaken, dot.mistaken)
    }
}

/// A pair of classes.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Dot {
    pair: (usize, usize),
    cosine: f64,
    resolved: bool,
    /// Share of the images of both that are taken for the other.
    mistaken: f64,
}

/// Every pair whose cosine is defined and of which there are images.
fn dots(cosine: impl Fn(usize, usize) -> Option<(f64, bool)>, eval: &Eval) -> Vec<Dot> {
    let k = eval.support.len();
    let pairs = (0..k).flat_map(|a| (a + 1..k).map(move |b| (a, b)));
    let dot = |(a, b): (usize, usize)| {
        let (cosine, resolved) = cosine(a, b)?;
        let images = eval.support[a] + eval.support[b];
        let mistaken = cell(eval, a, b).0 + cell(eval, b, a).0;
        (images > 0).then(|| Dot {
            pair: (a, b),
            cosine,
            resolved,
            mistaken: mistaken as f64 / images as f64,
        })
    };
    pairs.filter_map(dot).collect()
}

/// What is shown at the cursor; else a sentence that says why nothing is.
fn shown(ctx: &Context, subject: Subject<'_>, view: &View) -> Result<Vec<Dot>, String> {
    let eval = evaluation(subject, view).ok_or_else(|| missing(subject, view))?;
    let shown = matrix::shown(ctx, subject, view)?;
    let cosine = |a: usize, b: usize| {
        let cell = shown.cells.get(a)?.get(b)?;
        Some((cell.cosine?, cell.resolved))
    };
    let dots = dots(cosine, eval);
    if dots.is_empty() {
        return Err("No pair of classes has both a cosine and images.".to_owned());
    }
    Ok(dots)
}

/// The pairs in the brush.
pub(super) fn brushed(ctx: &Context, subject: Subject<'_>, view: &View) -> Vec<(usize, usize)> {
    let Some(brush) = view.brush else {
        return Vec::new();
    };
    let dots = shown(ctx, subject, view).unwrap_or_default();
    let held = dots.iter().filter(|dot| brush.holds(dot));
    held.map(|dot| dot.pair).collect()
}

/// Draws the scatter. A click picks a pair, a rectangle drawn over points marks them in the matrices.
pub(super) fn scatter_ui(
    ui: &mut Ui,
    subject: Subject<'_>,
    all: &[Subject<'_>],
    view: &View,
) -> Option<Pick> {
    let dots = match shown(ui.ctx(), subject, view) {
        Ok(dots) => dots,
        Err(sentence) => {
            empty_ui(ui, &sentence);
            return None;
        }
    };
    note_ui(ui, subject, view, &dots);
    // Runs side by side share their scales.
    let others = all.iter().flat_map(|other| shown(ui.ctx(), *other, view));
    let ends = others.flatten().chain(dots.iter().copied());
    let (mut low, mut high, mut top) = (-0.1f64, 0.1f64, 0.02f64);
    for dot in ends {
        (low, high) = (low.min(dot.cosine), high.max(dot.cosine));
        top = top.max(dot.mistaken);
    }
    let margin = 0.05 * (high - low);
    let weak = ui.visuals().weak_text_color();
    let label = |text: &str| RichText::new(text).size(11.0).color(weak);
    let response = Plot::new("scatter")
        .allow_scroll(false)
        .allow_drag(false)
        .allow_zoom(false)
        .allow_boxed_zoom(false)
        .allow_axis_zoom_drag(false)
        .allow_double_click_reset(false)
        .set_margin_fraction(egui::Vec2::ZERO)
        .show_crosshair(false)
        .auto_bounds(Vec2b::TRUE)
        .include_x(low - margin)
        .include_x(high + margin)
        .include_y(-0.03 * top)
        .include_y(1.06 * top)
        .grid_color(weak.gamma_multiply(0.35))
        .x_grid_spacer(|input| chart::nice_marks(input, 9.0))
        .y_grid_spacer(|input| chart::nice_marks(input, 3.5))
        .x_axis_formatter(|mark, _| chart::plain_number(mark))
        .y_axis_formatter(|mark, _| chart::plain_number(mark))
        .x_axis_label(label("cosine of the gradients"))
        .y_axis_label(label("share mistaken for each other"))
        .y_axis_min_width(38.0)
        .label_formatter(|_| None)
        .show(ui, |plot| draw(plot, &dots, view));
    response
        .response
        .widget_info(|| WidgetInfo::labeled(Role::Image, true, "Conflict against confusion"));
    let (response, transform) = (response.response, response.transform);
    let pointer = response.ctx.input(|input| input.pointer.latest_pos());
    let near = pointer.filter(|_| response.hovered()).and_then(|at| {
        let distance = |dot: &Dot| {
            let point = PlotPoint::new(dot.cosine, dot.mistaken);
            transform.position_from_point(&point).distance(at)
        };
        let nearest = dots
            .iter()
            .min_by(|a, b| distance(a).total_cmp(&distance(b)));
        nearest.copied().filter(|dot| distance(dot) <= NEAR)
    });
    if response.clicked() {
        return match near {
            Some(dot) => Some(Pick::Pair(dot.pair.0, dot.pair.1)),
            None => view.brush.map(|_| Pick::Brush(None)),
        };
    }
    let origin = response.ctx.input(|input| input.pointer.press_origin());
    if response.dragged_by(egui::PointerButton::Primary)
        && let (Some(from), Some(to)) = (origin, pointer)
    {
        let corner = |at| transform.value_from_position(at);
        return Some(Pick::Brush(Some(Brush::between(corner(from), corner(to)))));
    }
    if let Some(dot) = near {
        let names = subject.classes();
        let eval = evaluation(subject, view);
        response.on_hover_ui_at_pointer(|ui| {
            let (a, b) = dot.pair;
            ui.strong(format!("{} and {}", names[a], names[b]));
            let word = if dot.resolved {
                ""
            } else {
                ", not told apart from 0"
            };
            ui.label(format!("cosine {}{word}", matrix::signed(dot.cosine)));
            ui.label(format!(
                "{:.1} % mistaken for each other",
                100.0 * dot.mistaken
            ));
            for (truth, predicted) in eval.into_iter().flat_map(|_| [(a, b), (b, a)]) {
                let count = eval.map_or(0, |eval| cell(eval, truth, predicted).0);
                ui.label(format!(
                    "{count} {} taken for {}",
                    names[truth], names[predicted]
                ));
            }
        });
    }
    None
}

/// How many pairs, of which images, and whether conflict goes with confusion.
fn note_ui(ui: &mut Ui, subject: Subject<'_>, view: &View, dots: &[Dot]) {
    let (x, y): (Vec<f64>, Vec<f64>) = dots.iter().map(|dot| (dot.cosine, dot.mistaken)).unzip();
    let images = evaluation(subject, view).map_or("", |eval| word(eval.split));
    let mut text = format!("{} pairs, {images} images", dots.len());
    if let Some(correlation) = rank_correlation(&x, &y).filter(|_| dots.len() > 2) {
        text.push_str(&format!(
            ", rank correlation {}",
            matrix::signed(correlation)
        ));
    }
    if let Some(brush) = view.brush {
        let held = dots.iter().filter(|dot| brush.holds(dot)).count();
        text.push_str(&format!(" · {held} marked"));
    }
    let label = egui::Label::new(RichText::new(text).size(11.0).weak()).truncate();
    ui.add(label).on_hover_text(
        "Spearman's rank correlation of cosine and share mistaken. Below 0, classes in conflict are mistaken for each \
         other more often. Pairs share classes, so they are no independent cases and there is no p value.",
    );
}

fn draw(plot: &mut egui_plot::PlotUi<'_>, dots: &[Dot], view: &View) {
    let ctx = plot.ctx().clone();
    let visuals = ctx.global_style().visuals.clone();
    let (strong, dark) = (visuals.strong_text_color(), visuals.dark_mode);
    if let Some(Brush {
        cosine: [left, right],
        mistaken: [low, high],
    }) = view.brush
    {
        let corners = vec![[left, low], [right, low], [right, high], [left, high]];
        let fill = strong.gamma_multiply(0.08);
        let area = Polygon::new("", corners).fill_color(fill);
        plot.polygon(area.stroke(Stroke::new(1.0, strong)).allow_hover(false));
    }
    // Points of one colour are one item.
    let mut groups: BTreeMap<(bool, bool), Vec<[f64; 2]>> = BTreeMap::new();
    for dot in dots {
        let key = (dot.resolved, dot.cosine < 0.0);
        groups
            .entry(key)
            .or_default()
            .push([dot.cosine, dot.mistaken]);
    }
    let many = dots.len() > 300;
    for ((resolved, conflict), points) in groups {
        let color = palette::diverging(if conflict { -0.8 } else { 0.8 }, dark);
        let weak = visuals.weak_text_color();
        let color: Color32 = if resolved {
            color
        } else {
            weak.gamma_multiply(0.6)
        };
        // Rings of very many are not told from dots any more, and cost five times as much to draw.
        let radius = match (many, resolved) {
            (true, true) => 2.0,
            (true, false) => 1.5,
            (false, _) => 3.5,
        };
        let points = Points::new("", points)
            .color(color)
            .filled(resolved || many);
        let points = points.shape(MarkerShape::Circle).allow_hover(false);
        plot.points(points.radius(radius));
    }
    let selected = |dot: &&Dot| {
        let (a, b) = dot.pair;
        view.pair
            .is_some_and(|pair| pair == (a, b) || pair == (b, a))
    };
    if let Some(dot) = dots.iter().find(selected) {
        let ring = Points::new("", vec![[dot.cosine, dot.mistaken]]).filled(false);
        plot.points(ring.color(strong).radius(6.5).allow_hover(false));
    }
}

/// Every pair, with what is drawn of it.
pub(super) fn table(subject: Subject<'_>, view: &View) -> Table {
    let mut table = Table::new([
        "step",
        "part",
        "class_a",
        "class_b",
        "cosine",
        "resolved",
        "images_mistaken",
        "share_mistaken",
    ]);
    let rows = subject.run.gram_rows(&view.scope);
    let probe = subject.probe(view);
    let tensors = probe.and_then(|probe| subject.probes.get(&probe.step));
    let gram: Option<Gram> = tensors.and_then(|tensors| tensors.gram_of(&rows));
    let (Some(probe), Some(gram), Some(eval)) = (probe, gram, evaluation(subject, view)) else {
        return table;
    };
    let cosine = |a: usize, b: usize| {
        let cell = gram.cell(a, b);
        Some((cell.cosine?, cell.resolved))
    };
    let names = subject.classes();
    for dot in dots(cosine, eval) {
        let (a, b) = dot.pair;
        let count = cell(eval, a, b).0 + cell(eval, b, a).0;
        table.push([
            probe.step.into(),
            view.scope.name().into(),
            names[a].as_str().into(),
            names[b].as_str().into(),
            dot.cosine.into(),
            dot.resolved.into(),
            Value::from(count),
            dot.mistaken.into(),
        ]);
    }
    table
}

#[cfg(test)]
mod tests;
