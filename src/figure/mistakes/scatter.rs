//! Conflict against confusion: whether the classes that pull against each other are those that are mistaken for each
//! other.

use std::collections::BTreeMap;

use egui::{Color32, RichText, Role, Stroke, Ui, Vec2b, WidgetInfo};
use egui_plot::{MarkerShape, Plot, PlotBounds, PlotPoint, Points, Polygon};

use crate::compare::statistics::rank_correlation;
use crate::figure::facts::mistakes::{Dot, cell, dots, evaluation, shown, split_name, word};
use crate::figure::facts::probes::Need;
use crate::figure::kit::numerals::signed;
use crate::figure::kit::table::{Table, Value};
use crate::figure::kit::text::empty_ui;
use crate::figure::kit::{chart, palette};
use crate::figure::look::kind::Kind;
use crate::figure::look::marks::Brush;
use crate::figure::look::pages::Page;
use crate::figure::look::pick::Pick;
use crate::figure::look::subject::Subject;
use crate::figure::look::view::View;
use crate::figure::parts::figure::{At, Figure, Gradients, NEVER, Of};
use crate::gradient::gram::Gram;
use crate::text::grouped;
use egui::Context;

pub(in crate::figure) const FIGURE: Figure = Figure {
    kind: Kind::ConflictConfusion,
    name: "conflict-confusion",
    title: "Gradient conflict against confusion",
    subtitle: "Cosine of gradients against the share of images confused, a point a pair of classes",
    help: "A point for every pair of classes: how far their gradients agree (left of 0: conflict), and the share of \
           both classes' images that are taken for the other. Hollow points are not significant (3 SE). Draw a rectangle \
           over points to mark their pairs in both matrices, click beside them to take the marks off. Where an average of \
           the weights is evaluated, images are confused by it, and the gradients are those of the trained weights.",
    synonyms: &[
        "conflict against confusion",
        "scatter",
        "rank correlation",
        "Spearman",
        "confusion",
        "gradient conflict",
    ],
    page: Page::Mistakes,
    in_place_of: None,
    lacks: NEVER,
    of: Of::Run,
    needs: Need::Moment,
    at: At::Both,
    gradients: Gradients::AsShown,
    names_part: true,
    names_step: true,
    colour_range: None,
    chart: None,
    ui: scatter_ui,
    table: |subject, _, view| table(subject, view),
};

/// A click this near to a point is on it, in points of the screen.
const NEAR: f32 = 8.0;

/// Draws the scatter. A click picks a pair, a rectangle drawn over points marks them in the matrices.
pub(in crate::figure) fn scatter_ui(
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
    let bounds = bounds(ui.ctx(), all, view, &dots);
    let weak = ui.visuals().weak_text_color();
    let label = |text: &str| RichText::new(text).size(11.0).color(weak);
    let share = share_label(ui.available_height());
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
        .include_x(bounds.min()[0])
        .include_x(bounds.max()[0])
        .include_y(bounds.min()[1])
        .include_y(bounds.max()[1])
        .grid_color(weak.gamma_multiply(0.35))
        .x_grid_spacer(|input| chart::nice_marks(input, 9.0))
        .y_grid_spacer(|input| chart::nice_marks(input, 3.5))
        .x_axis_formatter(|mark, _| chart::plain_number(mark))
        .y_axis_formatter(|mark, _| chart::plain_number(mark))
        .x_axis_label(label("cosine of the gradients"))
        .y_axis_label(label(share))
        .y_axis_min_width(38.0)
        .label_formatter(|_| None)
        .show(ui, |plot| draw(plot, &dots, view));
    response.response.widget_info(|| {
        WidgetInfo::labeled(Role::Image, true, "Gradient conflict against confusion")
    });
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
        let corner = |at| {
            let point = transform.value_from_position(at);
            [point.x, point.y]
        };
        return Some(Pick::Brush(Some(Brush::between(corner(from), corner(to)))));
    }
    if let Some(dot) = near {
        response.on_hover_ui_at_pointer(|ui| words_ui(ui, subject, view, &dot));
    }
    None
}

/// The label of the vertical axis: a figure of little height, in points, has no room for the whole of it.
fn share_label(height: f32) -> &'static str {
    if height < 190.0 {
        "share mistaken"
    } else {
        "share mistaken for each other"
    }
}

/// Bounds that hold the points of all runs on screen, which share their scales.
fn bounds(ctx: &Context, all: &[Subject<'_>], view: &View, dots: &[Dot]) -> PlotBounds {
    let others = all.iter().flat_map(|other| shown(ctx, *other, view));
    let ends = others.flatten().chain(dots.iter().copied());
    let (mut low, mut high, mut top) = (-0.1f64, 0.1f64, 0.02f64);
    for dot in ends {
        (low, high) = (low.min(dot.cosine), high.max(dot.cosine));
        top = top.max(dot.mistaken);
    }
    let margin = 0.05 * (high - low);
    PlotBounds::from_min_max([low - margin, -0.03 * top], [high + margin, 1.06 * top])
}

/// Writes everything about one pair: the text of its tooltip.
fn words_ui(ui: &mut Ui, subject: Subject<'_>, view: &View, dot: &Dot) {
    let (names, (a, b)) = (subject.classes(), dot.pair);
    ui.strong(format!("{} and {}", names[a], names[b]));
    let word = if dot.resolved {
        ""
    } else {
        ", not significant (3 SE)"
    };
    ui.label(format!("cosine {}{word}", signed(dot.cosine)));
    ui.label(format!(
        "{:.1} % mistaken for each other",
        100.0 * dot.mistaken
    ));
    let Some(eval) = evaluation(subject, view) else {
        return;
    };
    for (truth, predicted) in [(a, b), (b, a)] {
        let (count, _) = cell(eval, truth, predicted);
        ui.label(format!(
            "{count} {} taken for {}",
            names[truth], names[predicted]
        ));
    }
}

/// Says how many pairs there are, of which images, and whether conflict goes with confusion.
fn note_ui(ui: &mut Ui, subject: Subject<'_>, view: &View, dots: &[Dot]) {
    let (x, y): (Vec<f64>, Vec<f64>) = dots.iter().map(|dot| (dot.cosine, dot.mistaken)).unzip();
    let mut text = format!("{} pairs", dots.len());
    if let Some(eval) = evaluation(subject, view) {
        text.push_str(&format!(", {} images", word(eval.split)));
        // The gradients are those of the nearest probe, which need not be at the step of the evaluation.
        if subject
            .probe(view)
            .is_some_and(|probe| probe.step != eval.step)
        {
            text.push_str(&format!(" of step {}", grouped(eval.step)));
        }
    }
    if let Some(correlation) = rank_correlation(&x, &y).filter(|_| dots.len() > 2) {
        text.push_str(&format!(", rank correlation {}", signed(correlation)));
    }
    if let Some(brush) = view.brush {
        let held = dots
            .iter()
            .filter(|dot| brush.holds(dot.cosine, dot.mistaken))
            .count();
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
        // Among very many points, rings look like dots and cost five times as much to draw.
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

/// The numbers of the figure: every point of it.
pub(in crate::figure) fn table(subject: Subject<'_>, view: &View) -> Table {
    let mut table = Table::new([
        "step",
        "part",
        "class_a",
        "class_b",
        "cosine",
        "resolved",
        "images_mistaken",
        "share_mistaken",
        "evaluation_step",
        "split",
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
            eval.step.into(),
            split_name(eval.split).into(),
        ]);
    }
    table
}

#[cfg(test)]
mod tests;
