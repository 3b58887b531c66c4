//! A chart of curves: what is drawn, its scales, and the drawing.

use std::collections::BTreeSet;
use std::sync::Arc;

use egui::{Color32, Context, RichText, Role, Stroke, Ui, Vec2b, WidgetInfo};
use egui_plot::{
    FilledArea, GridInput, GridMark, HoverPosition, LineStyle, MarkerShape, Plot, PlotPoint,
    Points, VLine,
};

use super::time::Clock;
use super::{Kind, Pick, Subject, View, curves, empty_ui};

/// Height from which on a chart has a legend of more than a line.
const LEGEND_HEIGHT: f32 = 170.0;
/// Curves a legend has room for.
const LEGEND: usize = 24;

/// What a curve's name ends in where the mark stands for no number.
const NOT_FINITE: &str = "is not finite";

/// Points that a character of a label takes, on average.
const CHARACTER_WIDTH: f64 = 7.0;

/// Everything a chart shows of a run, in plot coordinates. On a logarithmic axis y is already log10.
#[derive(Debug, Default)]
pub(super) struct Chart {
    pub(super) name: &'static str,
    pub(super) y_label: String,
    pub(super) x: Axis,
    pub(super) log_y: bool,
    /// Whether y is [`signed_log`]: of both signs and many sizes.
    pub(super) signed_log: bool,
    /// Bounds of y that do not depend on the data.
    pub(super) fixed_y: Option<(f64, f64)>,
    pub(super) curves: Vec<Curve>,
    /// Areas behind the curves.
    pub(super) bands: Vec<Band>,
    /// Whether a value that is none was infinite or not a number, rather than undefined.
    pub(super) none_is_not_finite: bool,
    /// What to say where there is nothing to draw.
    pub(super) empty: String,
}

impl Chart {
    /// The largest x of any point.
    fn last_x(&self) -> Option<f64> {
        let curves = self.curves.iter();
        curves.filter_map(|curve| curve.last_x).reduce(f64::max)
    }

    /// The least and the largest y; none without a finite one.
    fn range_y(&self) -> Option<(f64, f64)> {
        let curves = self.curves.iter();
        curves.filter_map(|curve| curve.range_y).reduce(joined)
    }
}

/// An area between two curves. It goes with the curves of its name.
#[derive(Debug)]
pub(super) struct Band {
    pub(super) name: String,
    pub(super) color: Color32,
    /// As many as of the others.
    pub(super) x: Vec<f64>,
    pub(super) low: Vec<f64>,
    pub(super) high: Vec<f64>,
}

/// The range that holds two ranges.
fn joined(a: (f64, f64), b: (f64, f64)) -> (f64, f64) {
    (a.0.min(b.0), a.1.max(b.1))
}

#[derive(Debug)]
pub(super) enum Axis {
    /// Time, as the clock has it.
    Time(Clock),
    /// Layers by position.
    Layers(Vec<String>),
}

impl Default for Axis {
    fn default() -> Self {
        Self::Time(Clock::default())
    }
}

/// A curve, made ready to be drawn many times.
#[derive(Debug)]
pub(super) struct Curve {
    pub(super) name: String,
    pub(super) color: Color32,
    pub(super) look: Look,
    /// Points between two that have no y, in order; none of these pieces is empty.
    segments: Vec<Vec<PlotPoint>>,
    /// The x of every point that has no y.
    undefined: Vec<f64>,
    /// Largest x, with y or without.
    last_x: Option<f64>,
    /// Least and largest finite y.
    range_y: Option<(f64, f64)>,
}

impl Curve {
    /// `points` in order; one without y breaks the line.
    pub(super) fn new(
        name: String,
        color: Color32,
        look: Look,
        points: impl Iterator<Item = (f64, Option<f64>)>,
    ) -> Self {
        let mut curve = Self {
            name,
            color,
            look,
            segments: Vec::new(),
            undefined: Vec::new(),
            last_x: None,
            range_y: None,
        };
        let mut goes_on = false;
        for (x, y) in points {
            curve.last_x = Some(curve.last_x.map_or(x, |last| last.max(x)));
            match y {
                Some(y) if goes_on => {
                    if let Some(segment) = curve.segments.last_mut() {
                        segment.push(PlotPoint::new(x, y));
                    }
                }
                Some(y) => curve.segments.push(vec![PlotPoint::new(x, y)]),
                None => curve.undefined.push(x),
            }
            goes_on = y.is_some();
            if let Some(y) = y.filter(|y| y.is_finite()) {
                curve.range_y = Some(curve.range_y.map_or((y, y), |range| joined(range, (y, y))));
            }
        }
        curve
    }

    /// The same curve at other places.
    pub(super) fn at(mut self, place: impl Fn(f64) -> f64) -> Self {
        let points = self.segments.iter_mut().flatten();
        points.for_each(|point| point.x = place(point.x));
        self.undefined.iter_mut().for_each(|x| *x = place(*x));
        self.last_x = self.last_x.map(place);
        self
    }

    pub(super) fn is_empty(&self) -> bool {
        self.segments.is_empty() && self.undefined.is_empty()
    }

    /// Points with y and without.
    fn len(&self) -> usize {
        self.segments.iter().map(Vec::len).sum::<usize>() + self.undefined.len()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// A line with its points where they are few.
    Line,
    /// A thin, pale line.
    Thin,
    /// Points alone, diamonds.
    Points,
    /// Points alone, circles.
    Dots { filled: bool },
}

/// Axis bounds that figures of several runs share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scales {
    x: (f64, f64),
    y: (f64, f64),
}

impl Scales {
    /// Bounds that hold what `kind` shows of all `subjects`.
    pub fn of(ctx: &Context, kind: Kind, subjects: &[Subject<'_>], view: &View) -> Self {
        let charts = subjects
            .iter()
            .map(|subject| curves::chart(ctx, kind, *subject, view));
        Self::holding(&charts.collect::<Vec<_>>())
    }

    /// Bounds that hold these charts.
    pub(super) fn holding(charts: &[Arc<Chart>]) -> Self {
        let mut scales = Self {
            x: (0.0, 1.0),
            y: (0.0, 1.0),
        };
        scales.x = match charts.first().map(|chart| &chart.x) {
            // Two variants need not have the same layers: the longer table sets the scale.
            Some(Axis::Layers(_)) => {
                let layers = charts.iter().map(|chart| match &chart.x {
                    Axis::Layers(names) => names.len(),
                    Axis::Time(_) => 0,
                });
                (-0.5, layers.max().unwrap_or(0) as f64 - 0.5)
            }
            _ => {
                // In its first moments a run is shown on a scale that has readable marks.
                let ends = charts.iter().filter_map(|chart| chart.last_x());
                let last = ends.fold(0.1, f64::max);
                // A little room, so that the first and the last point are not cut.
                (-0.01 * last, 1.015 * last)
            }
        };
        scales.y = match charts.iter().find_map(|chart| chart.fixed_y) {
            // A little room, so that a curve on the bound is not cut.
            Some((low, high)) => (low - 0.02 * (high - low), high + 0.02 * (high - low)),
            None => {
                let log = charts.iter().any(|chart| chart.log_y);
                let ranges = charts.iter().filter_map(|chart| chart.range_y());
                match (ranges.reduce(joined), log) {
                    (None, _) => (0.0, 1.0),
                    (Some((low, high)), true) => ((low - 0.05).floor(), (high + 0.05).ceil()),
                    (Some((low, high)), false) if low < 0.0 => {
                        let room = 0.05 * (high.max(0.0) - low);
                        (low - room, high.max(0.0) + room)
                    }
                    (Some((_, high)), false) => (0.0, 1.05 * high.max(1e-6)),
                }
            }
        };
        scales
    }
}

/// Draws a chart with its legend above it, and a line at x = `cursor`.
pub(super) fn chart_ui(
    ui: &mut Ui,
    chart: &Chart,
    scales: &Scales,
    cursor: Option<f64>,
    hidden: &BTreeSet<String>,
) -> Option<Pick> {
    let is_drawn = |curve: &Curve| {
        !curve.segments.is_empty() || (chart.none_is_not_finite && !curve.undefined.is_empty())
    };
    if !chart.curves.iter().any(is_drawn) {
        empty_ui(ui, &chart.empty);
        return None;
    }
    let toggled = legend_ui(ui, chart, hidden);
    let text = ui.visuals().weak_text_color();
    let mut plot = Plot::new(chart.name)
        .allow_scroll(false)
        .allow_drag(false)
        .allow_axis_zoom_drag(false)
        .set_margin_fraction(egui::Vec2::ZERO)
        .include_x(scales.x.0)
        .include_x(scales.x.1)
        .include_y(scales.y.0)
        .include_y(scales.y.1)
        .show_crosshair(false)
        .grid_color(text.gamma_multiply(0.35))
        .x_grid_spacer(|input| nice_marks(input, 9.0))
        .y_grid_spacer(|input| nice_marks(input, 3.5))
        .x_axis_formatter(|mark, _| plain_number(mark))
        .y_axis_formatter(|mark, _| plain_number(mark))
        .y_axis_label(RichText::new(&chart.y_label).size(11.0).color(text))
        .y_axis_min_width(38.0)
        .auto_bounds(Vec2b::TRUE)
        .label_formatter(|position| hover_text(chart, position));
    if chart.log_y {
        plot = plot.y_grid_spacer(decades).y_axis_formatter(|mark, _| {
            if is_whole(mark.value) {
                power_of_ten(mark.value)
            } else {
                String::new()
            }
        });
    }
    if chart.signed_log {
        plot = plot
            .y_grid_spacer(signed_decades)
            .y_axis_formatter(|mark, _| plain_decade(mark.value));
    }
    if let Axis::Layers(layers) = &chart.x {
        let blocks = blocks(layers, ui.available_width() - 60.0);
        let marks: Vec<f64> = blocks.iter().map(|(middle, _)| *middle).collect();
        plot = plot
            // Every block has its name, however short it is: to the plot they are all far apart.
            .x_grid_spacer(move |_| {
                marks
                    .iter()
                    .map(|&value| GridMark {
                        value,
                        step_size: 1e3,
                    })
                    .collect()
            })
            .x_axis_formatter(move |mark, _| {
                let block = blocks
                    .iter()
                    .find(|(middle, _)| (middle - mark.value).abs() < 0.1);
                block.map_or_else(String::new, |(_, name)| name.clone())
            });
    }
    if let Axis::Time(clock) = &chart.x {
        plot = plot.x_axis_label(RichText::new(clock.label()).size(11.0).color(text));
    }
    let response = plot.show(ui, |plot| {
        let bands = chart.bands.iter();
        for band in bands.filter(|band| !hidden.contains(&band.name)) {
            let area = FilledArea::new(band.name.clone(), &band.x, &band.low, &band.high);
            plot.add(
                area.fill_color(band.color.gamma_multiply(0.16))
                    .allow_hover(false),
            );
        }
        for curve in chart
            .curves
            .iter()
            .filter(|curve| !hidden.contains(&curve.name))
        {
            draw(plot, curve);
        }
        draw_not_finite(plot, chart, scales);
        if let Some(x) = cursor {
            plot.vline(
                VLine::new("", x)
                    .stroke(Stroke::new(1.0, text))
                    .allow_hover(false),
            );
        }
        plot.pointer_coordinate()
    });
    let name = chart.name;
    response
        .response
        .widget_info(|| WidgetInfo::labeled(Role::Image, true, name));
    if toggled.is_some() || !response.response.clicked() {
        return toggled;
    }
    pick(chart, response.inner?)
}

fn pick(chart: &Chart, at: PlotPoint) -> Option<Pick> {
    match &chart.x {
        Axis::Time(clock) => Some(Pick::Step(clock.step(at.x))),
        Axis::Layers(names) => {
            let name = names.get(at.x.round().max(0.0) as usize)?;
            Some(Pick::Scope(crate::run::Scope::Layer(name.clone())))
        }
    }
}

fn draw<'a>(plot: &mut egui_plot::PlotUi<'a>, curve: &'a Curve) {
    if let Look::Points | Look::Dots { .. } = curve.look {
        let (shape, filled) = match curve.look {
            Look::Dots { filled } => (MarkerShape::Circle, filled),
            _ => (MarkerShape::Diamond, true),
        };
        for segment in &curve.segments {
            let marks = Points::new(curve.name.clone(), segment.as_slice())
                .color(curve.color)
                .shape(shape)
                .filled(filled);
            plot.points(marks.radius(if filled { 4.0 } else { 3.5 }));
        }
        return;
    }
    let thin = curve.look == Look::Thin;
    let color = if thin {
        curve.color.gamma_multiply(0.55)
    } else {
        curve.color
    };
    let are_few = !thin && curve.len() <= 40;
    for segment in &curve.segments {
        // A lone point has no line to be seen by; few points are marked so that one sees how often was measured.
        if segment.len() == 1 || are_few {
            let marks = Points::new(curve.name.clone(), segment.as_slice())
                .color(color)
                .radius(if thin { 1.2 } else { 2.2 });
            plot.points(marks.allow_hover(segment.len() == 1));
        }
        let line = egui_plot::Line::new(curve.name.clone(), segment.as_slice());
        plot.line(
            line.color(color)
                .width(if thin { 1.0 } else { 1.8 })
                .style(LineStyle::Solid),
        );
    }
}

/// Crosses at the upper edge where a value that must be a number is none.
fn draw_not_finite<'a>(plot: &mut egui_plot::PlotUi<'a>, chart: &Chart, scales: &Scales) {
    if !chart.none_is_not_finite {
        return;
    }
    let (low, high) = scales.y;
    let edge = high - 0.03 * (high - low);
    for curve in &chart.curves {
        let points: Vec<[f64; 2]> = curve.undefined.iter().map(|x| [*x, edge]).collect();
        if !points.is_empty() {
            let marks = Points::new(format!("{} {NOT_FINITE}", curve.name), points);
            plot.points(
                marks
                    .color(curve.color)
                    .shape(MarkerShape::Cross)
                    .radius(4.0),
            );
        }
    }
}

/// Names with their colours; a click hides or shows a curve.
fn legend_ui(ui: &mut Ui, chart: &Chart, hidden: &BTreeSet<String>) -> Option<Pick> {
    let mut entries: Vec<&Curve> = Vec::new();
    for curve in &chart.curves {
        if !entries.iter().any(|entry| entry.name == curve.name) {
            entries.push(curve);
        }
    }
    // A small chart needs its room for the curves; hovering names them, and classes have their colours everywhere.
    if entries.len() > 3 && ui.available_height() < LEGEND_HEIGHT {
        return None;
    }
    if entries.len() > LEGEND {
        let text = format!("{} classes; hover a curve for its name", entries.len());
        ui.label(RichText::new(text).size(11.0).weak());
        return None;
    }
    let is_marked = |curve: &&Curve| curve.look == Look::Points && !curve.is_empty();
    let marks = chart.curves.iter().find(is_marked);
    let marks = marks.filter(|curve| curve.name != "Test").is_some();
    let mut toggled = None;
    // Its rows are as high as their text, not as buttons.
    let usual = std::mem::replace(&mut ui.spacing_mut().interact_size.y, 0.0);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = egui::vec2(10.0, 1.0);
        for curve in entries {
            let off = hidden.contains(&curve.name);
            let response = entry_ui(ui, curve, off);
            let hint = if off {
                "Click to show"
            } else {
                "Click to hide"
            };
            if response.on_hover_text(hint).clicked() {
                toggled = Some(Pick::Curve(curve.name.clone()));
            }
        }
        if marks {
            test_marks_ui(ui);
        }
    });
    ui.spacing_mut().interact_size.y = usual;
    toggled
}

/// Says what the diamonds are.
fn test_marks_ui(ui: &mut Ui) {
    let color = ui.visuals().weak_text_color();
    ui.spacing_mut().item_spacing.x = 2.0;
    let (rect, _) = ui.allocate_exact_size(egui::vec2(11.0, 11.0), egui::Sense::hover());
    let at = rect.center();
    let corners = [(0.0, -4.0), (4.0, 0.0), (0.0, 4.0), (-4.0, 0.0)];
    let corners = corners.map(|(x, y)| at + egui::vec2(x, y)).to_vec();
    ui.painter()
        .add(egui::Shape::convex_polygon(corners, color, Stroke::NONE));
    ui.label(RichText::new("test images").size(11.0).color(color));
}

fn entry_ui(ui: &mut Ui, curve: &Curve, off: bool) -> egui::Response {
    let color = if off {
        ui.visuals().weak_text_color().gamma_multiply(0.5)
    } else {
        ui.visuals().text_color()
    };
    let galley =
        ui.painter()
            .layout_no_wrap(curve.name.clone(), egui::FontId::proportional(11.0), color);
    let size = egui::vec2(galley.size().x + 13.0, galley.size().y);
    let (rect, response) = ui.allocate_exact_size(size, egui::Sense::click());
    let mark = egui::Rect::from_center_size(
        egui::pos2(rect.left() + 4.5, rect.center().y),
        egui::vec2(9.0, 9.0),
    );
    if off {
        ui.painter()
            .rect_stroke(mark, 2.0, Stroke::new(1.0, color), egui::StrokeKind::Inside);
    } else {
        ui.painter().rect_filled(mark, 2.0, curve.color);
    }
    ui.painter()
        .galley(egui::pos2(rect.left() + 13.0, rect.top()), galley, color);
    response.widget_info(|| {
        WidgetInfo::selected(Role::CheckBox, true, !off, format!("Show {}", curve.name))
    });
    response
}

fn hover_text(chart: &Chart, position: &HoverPosition<'_>) -> Option<String> {
    let HoverPosition::NearDataPoint {
        plot_name,
        position,
        ..
    } = position
    else {
        return None;
    };
    let y = if plot_name.ends_with(NOT_FINITE) {
        String::new()
    } else if chart.log_y {
        format!("{:.3e}", 10_f64.powf(position.y))
    } else if chart.signed_log {
        format!("{:.2e}", signed_log_inverse(position.y))
    } else {
        format!("{:.4}", position.y)
    };
    let place = match &chart.x {
        Axis::Time(clock) => clock.moment(position.x),
        Axis::Layers(names) => names
            .get(position.x.round().max(0.0) as usize)
            .cloned()
            .unwrap_or_default(),
    };
    if y.is_empty() {
        return Some(format!("{plot_name}\n{place}"));
    }
    Some(format!("{plot_name}\n{} {y}\n{place}", chart.y_label))
}

/// Grid lines at 1, 2 or 5 times a power of ten, as many as have room for a label.
pub(super) fn nice_marks(input: GridInput, spacing: f64) -> Vec<GridMark> {
    let (low, high) = input.bounds;
    // `base_step_size` is the step at which lines would be 8 points apart.
    let least = (input.base_step_size * spacing).max((high - low) / 10.0);
    let power = 10_f64.powf(least.log10().floor());
    let Some(step) = [1.0, 2.0, 5.0, 10.0]
        .map(|x| x * power)
        .into_iter()
        .find(|step| *step >= least)
    else {
        return Vec::new();
    };
    let first = (low / step).ceil() as i64;
    let last = (high / step).floor() as i64;
    (first..=last.min(first + 100))
        .map(|i| GridMark {
            value: i as f64 * step,
            step_size: step,
        })
        .collect()
}

/// A mark's value with as many decimals as its step needs.
pub(super) fn plain_number(mark: GridMark) -> String {
    let decimals = (-mark.step_size.log10()).ceil().clamp(0.0, 9.0) as usize;
    // Rounding may leave a zero with a sign.
    let text = format!("{:.decimals$}", mark.value + 0.0);
    text.replace('-', "−")
}

/// Grid lines of a log10 axis: decades, and thinner ones at 2…9 between them.
fn decades(input: GridInput) -> Vec<GridMark> {
    let (low, high) = input.bounds;
    let every = ((high - low) / 6.0).ceil().max(1.0);
    let mut marks = Vec::new();
    let mut decade = (low / every).floor() * every;
    while decade <= high && marks.len() < 400 {
        marks.push(GridMark {
            value: decade,
            step_size: every,
        });
        if every < 1.5 {
            marks.extend((2..10).map(|i| GridMark {
                value: decade + f64::from(i).log10(),
                step_size: 0.1,
            }));
        }
        decade += every;
    }
    marks
}

/// Middle and name of every block, from the layers' names (`block.layer`), shortened to the room that `width` points
/// leave it between its neighbours.
fn blocks(layers: &[String], width: f32) -> Vec<(f64, String)> {
    let block = |name: &String| name.split('.').next().unwrap_or(name).to_owned();
    let mut blocks: Vec<(f64, String)> = Vec::new();
    let mut start = 0;
    while start < layers.len() {
        let name = block(&layers[start]);
        let len = layers[start..]
            .iter()
            .take_while(|layer| block(layer) == name)
            .count();
        blocks.push((start as f64 + (len as f64 - 1.0) / 2.0, name));
        start += len;
    }
    let points_per_layer = f64::from(width) / layers.len().max(1) as f64;
    let edges = [-0.5, layers.len() as f64 - 0.5];
    let middles: Vec<f64> = blocks.iter().map(|(middle, _)| *middle).collect();
    for (i, (middle, name)) in blocks.iter_mut().enumerate() {
        // Half the way to a neighbour is free, and all of it to the edge.
        let before = i.checked_sub(1).map(|i| (*middle - middles[i]) / 2.0);
        let after = middles.get(i + 1).map(|next| (next - *middle) / 2.0);
        let left = before.unwrap_or(*middle - edges[0] + 1.0);
        let right = after.unwrap_or(edges[1] - *middle + 0.3);
        let room = (2.0 * left.min(right) * points_per_layer / CHARACTER_WIDTH) as usize;
        if name.chars().count() > room {
            // A letter or two would say nothing.
            *name = match room {
                0..4 => String::new(),
                _ => name.chars().take(room - 1).chain(['…']).collect(),
            };
        }
    }
    blocks
}

/// On a signed logarithmic axis, what is well below this is drawn in proportion, and what is well above by its power of
/// ten.
const SIGNED_LOG_UNIT: f64 = 2e-3;

/// Where a value lies on a signed logarithmic axis: about ±log10(|value| / 0.001), through 0 without a step.
pub(super) fn signed_log(value: f64) -> f64 {
    (value / SIGNED_LOG_UNIT).asinh() / std::f64::consts::LN_10
}

fn signed_log_inverse(y: f64) -> f64 {
    (y * std::f64::consts::LN_10).sinh() * SIGNED_LOG_UNIT
}

/// Grid lines of a signed logarithmic axis: 0, and powers of ten from 0.01 on to both sides, as many as have room.
fn signed_decades(input: GridInput) -> Vec<GridMark> {
    let (low, high) = input.bounds;
    let every = ((high - low) / 6.0).ceil().max(1.0) as usize;
    let powers = (-2..12).step_by(every).map(|power| 10_f64.powi(power));
    let values = powers.flat_map(|value| [value, -value]).chain([0.0]);
    values
        .map(signed_log)
        .filter(|y| (low..=high).contains(y))
        .map(|value| GridMark {
            value,
            step_size: every as f64,
        })
        .collect()
}

/// The power of ten at a mark of a signed logarithmic axis.
fn plain_decade(mark: f64) -> String {
    let value = signed_log_inverse(mark);
    if value.abs() < 1e-9 {
        return "0".to_owned();
    }
    let decimals = (-value.abs().log10().round()).max(0.0) as usize;
    format!("{value:.decimals$}").replace('-', "−")
}

fn is_whole(value: f64) -> bool {
    (value - value.round()).abs() < 1e-9
}

/// 10ⁿ with n in superscript figures.
pub(super) fn power_of_ten(exponent: f64) -> String {
    let superscript = |c: char| match c {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        digit => char::from_u32(u32::from('⁰') + digit.to_digit(10).unwrap_or(0)).unwrap_or(digit),
    };
    let exponent = format!("{exponent:.0}");
    format!(
        "10{}",
        exponent.chars().map(superscript).collect::<String>()
    )
}
