//! Drawing a chart.

use egui::{Color32, Id, RichText, Role, Stroke, Ui, WidgetInfo};
use egui_plot::{
    FilledArea, GridMark, HLine, HoverPosition, LineStyle, MarkerShape, Plot, PlotBounds,
    PlotPoints, PlotUi, Points, VLine,
};

use crate::figure::kit::chart::axes::{
    blocks, decades, log_number, nice_marks, plain_decade, plain_number, signed_decades,
    signed_log_inverse,
};
use crate::figure::kit::chart::crowd::Crowd;
use crate::figure::kit::chart::data::{Axis, Chart, Curve, Gap, Look, Side};
use crate::figure::kit::chart::scales::Scales;
use crate::figure::kit::chart::thin::Thin;
use crate::figure::kit::chart::{header, pointer};
use crate::figure::kit::memo::is_exporting;
use crate::figure::kit::numerals::three_figures;
use crate::figure::kit::text::empty_ui;
use crate::figure::look::kind::Kind;
use crate::figure::look::pick::Pick;
use crate::figure::look::view::View;

/// More dots than this are drawn smaller, or they would run together.
const MANY_DOTS: usize = 80;
/// Width of a thin line, in points: lines up to this width are tessellated with a third fewer triangles.
const HAIRLINE: f32 = 0.9;
/// Width of the numbers beside charts that stand below each other, in points.
const PART_NUMBERS_WIDTH: f32 = 34.0;

/// Draws a chart with its legend above it, and a line at x = `cursor`. A click near the curve of a class selects that
/// class, any other click the moment or layer; a box that is drawn becomes the range of all charts of this kind.
pub(in crate::figure) fn chart_ui(
    ui: &mut Ui,
    kind: Kind,
    chart: &Chart,
    scales: &Scales,
    cursor: Option<f64>,
    view: &View,
) -> Option<Pick> {
    part_ui(ui, (kind, Place::Alone), chart, scales, cursor, view)
}

/// Where a chart stands among those of one figure that share their times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::figure) enum Place {
    /// By itself.
    Alone,
    /// Above other charts; the times stand below the lowest chart.
    Top,
    /// Between other charts, without a legend: its colours are those of the top chart.
    Middle,
    /// The lowest chart. Like a middle chart it has a scale of its own, which the view cannot fix.
    Bottom,
}

impl Place {
    fn has_header(self) -> bool {
        self != Self::Middle
    }

    /// Whether it is the chart whose scale the view may fix.
    fn has_range(self) -> bool {
        matches!(self, Self::Alone | Self::Top)
    }

    fn has_times(self) -> bool {
        matches!(self, Self::Alone | Self::Bottom)
    }
}

/// As [`chart_ui`], for one chart of a figure of several.
pub(in crate::figure) fn part_ui(
    ui: &mut Ui,
    (kind, place): (Kind, Place),
    chart: &Chart,
    scales: &Scales,
    cursor: Option<f64>,
    view: &View,
) -> Option<Pick> {
    if !chart.is_drawn() {
        empty_ui(ui, &chart.empty);
        return None;
    }
    let range = view.ranges.get(&kind).filter(|_| place.has_range());
    let scales = scales.within(range, chart, view);
    let outside = range.map(|_| scales.outside(chart, view));
    let picked = place
        .has_header()
        .then(|| header::header_ui(ui, kind, chart, outside, view));
    let picked = picked.flatten();
    let id = ui.scope_id().with(("chart", chart.name));
    let near = pointer::class_near(ui, id, chart, view);
    let text = ui.visuals().weak_text_color();
    let mut plot = with_axes(ui, Plot::new(chart.name).id(id), chart, scales.x);
    if place != Place::Alone {
        let padded = padded(ui, PART_NUMBERS_WIDTH);
        plot = plot.y_axis_formatter(move |mark, _| padded(mark_text(chart, mark)));
    }
    let plot = plot
        .show_axes([place.has_times(), true])
        .min_size(egui::Vec2::splat(16.0))
        .label_formatter(|position| hover_text(chart, near, position));
    let response = plot.show(ui, |plot| {
        let Scales { x, y } = scales;
        let bounds = PlotBounds::from_min_max([x.0, y.0], [x.1, y.1]);
        plot.set_plot_bounds(bounds);
        let response = plot.response();
        let crowded = chart.has_many_classes(view);
        let thin = Thin::new(&response.ctx, response.rect, &bounds, crowded);
        if let Some(y) = chart.level {
            let line = HLine::new("", y).stroke(Stroke::new(1.5, text));
            let line = line.style(LineStyle::dashed_dense());
            plot.hline(line.allow_hover(false));
        }
        if let Axis::Time(clock) = &chart.x {
            for x in clock.forks() {
                fork(plot, (x, y.1), text, place.has_header());
            }
        }
        draw_all(plot, chart, (id, near), (&scales, thin), view);
        if let Some(x) = cursor {
            let line = VLine::new("", x).stroke(Stroke::new(1.0, text));
            plot.vline(line.allow_hover(false));
        }
    });
    let name = chart.name;
    response
        .response
        .widget_info(|| WidgetInfo::labeled(Role::Image, true, name));
    let pick = pointer::pick(ui, kind, chart, &response, near, view);
    // A box in a middle or lowest chart would fix the range of the top chart.
    picked.or(pick.filter(|pick| place.has_range() || !matches!(pick, Pick::Range(..))))
}

/// Marks where a fork leaves the run that it was made of: a dashed line, with a word at its upper end.
fn fork(plot: &mut PlotUi<'_>, (x, top): (f64, f64), color: Color32, has_word: bool) {
    let line = VLine::new("", x).stroke(Stroke::new(1.0, color));
    let line = line.style(LineStyle::dashed_dense());
    plot.vline(line.allow_hover(false));
    if has_word {
        let word = RichText::new("fork ").size(11.0).color(color);
        let at = egui_plot::PlotPoint::new(x, top);
        let word = egui_plot::Text::new("", at, word).anchor(egui::Align2::RIGHT_TOP);
        plot.text(word.allow_hover(false));
    }
}

/// Adds the axes of a chart and disables the plot's own navigation: the visible range belongs to the view.
fn with_axes<'a>(ui: &Ui, plot: Plot<'a>, chart: &'a Chart, x: (f64, f64)) -> Plot<'a> {
    let text = ui.visuals().weak_text_color();
    let mut plot = plot
        .allow_scroll(false)
        .allow_drag(false)
        .allow_zoom(false)
        .allow_boxed_zoom(false)
        .allow_double_click_reset(false)
        .allow_axis_zoom_drag(false)
        .show_crosshair(false)
        .grid_color(text.gamma_multiply(0.35))
        .x_grid_spacer(|input| nice_marks(input, 9.0))
        .y_grid_spacer(|input| nice_marks(input, 3.5))
        .x_axis_formatter(|mark, _| plain_number(mark))
        .y_axis_formatter(|mark, _| mark_text(chart, mark))
        .y_axis_label(RichText::new(&chart.y_label).size(11.0).color(text))
        .y_axis_min_width(38.0);
    if chart.log_y {
        plot = plot.y_grid_spacer(decades);
    }
    if chart.signed_log {
        plot = plot.y_grid_spacer(signed_decades);
    }
    match &chart.x {
        Axis::Time(clock) => plot.x_axis_label(RichText::new(clock.label()).size(11.0).color(text)),
        Axis::Layers(layers) => {
            // Runs that share a scale may differ in their number of layers.
            let share = layers.len() as f64 / (x.1 - x.0).max(1.0);
            let width = (ui.available_width() - 60.0) * share as f32;
            let blocks = blocks(layers, width);
            let marks: Vec<f64> = blocks.iter().map(|(middle, _)| *middle).collect();
            // Every block keeps its name, however short the block is: the large step size makes the marks seem far
            // apart to the plot.
            let mark = |&value: &f64| GridMark {
                value,
                step_size: 1e3,
            };
            plot.x_grid_spacer(move |_| marks.iter().map(mark).collect())
                .x_axis_formatter(move |mark, _| {
                    let is_there = |(middle, _): &&(f64, String)| (middle - mark.value).abs() < 0.1;
                    let block = blocks.iter().find(is_there);
                    block.map_or_else(String::new, |(_, name)| name.clone())
                })
        }
    }
}

/// The number at a mark of the y axis; empty at the marks between decades.
fn mark_text(chart: &Chart, mark: GridMark) -> String {
    match (chart.log_y, chart.signed_log) {
        (false, false) => plain_number(mark),
        (true, _) => log_number(mark),
        (false, true) => plain_decade(mark.value),
    }
}

/// Pads numbers to a common width, so that charts below each other begin at the same x.
fn padded(ui: &Ui, width: f32) -> impl Fn(String) -> String + use<> {
    let (painter, font) = (
        ui.painter().clone(),
        egui::TextStyle::Body.resolve(ui.style()),
    );
    move |text: String| {
        let of = |text: &str| {
            let galley = painter.layout_no_wrap(text.to_owned(), font.clone(), Color32::WHITE);
            galley.size().x
        };
        let spaces = ((width - of(&text)) / of(" ")).round().max(0.0) as usize;
        // A mark without a number stays so.
        if text.is_empty() {
            text
        } else {
            " ".repeat(spaces) + &text
        }
    }
}

/// Draws areas, then curves, the curve of the selected class last, then the marks of gaps. Of very many curves, only the
/// one that the pointer is near to can be hovered.
fn draw_all<'a>(
    plot: &mut PlotUi<'a>,
    chart: &'a Chart,
    (id, near): (Id, Option<usize>),
    (scales, thin): (&Scales, Option<Thin>),
    view: &'a View,
) {
    let bands = chart.bands.iter();
    for band in bands.filter(|band| !view.hidden.contains(&band.name)) {
        let area = FilledArea::new(band.name.clone(), &band.x, &band.low, &band.high);
        let color = band.color.gamma_multiply(0.16);
        plot.add(area.fill_color(color).allow_hover(false));
    }
    let is_lit = |curve: &&Curve| curve.class.is_some() && curve.class == view.class;
    let any_lit = chart.shown(view).any(|curve| is_lit(&curve));
    let are_many = chart.has_many_classes(view);
    let others = chart.shown(view).filter(|curve| !is_lit(curve));
    let others = others.map(|curve| match curve.class {
        Some(_) if any_lit => (curve, Light::Back),
        Some(_) if are_many => (curve, Light::Crowded),
        _ => (curve, Light::Usual),
    });
    let ctx = plot.ctx().clone();
    // A file has every curve by itself, so that it can be edited.
    let makes_crowd = are_many && !is_exporting(&ctx);
    let is_of_crowd = |curve: &Curve, light| {
        let is_line = matches!(curve.look, Look::Line | Look::Thin);
        makes_crowd && is_line && light != Light::Usual && !curve.has_lone_points()
    };
    let mut crowd = Crowd::new(id, thin);
    for (curve, light) in others.clone() {
        if is_of_crowd(curve, light) {
            crowd.push(curve, light.line(curve));
        }
    }
    if !crowd.is_empty() {
        plot.add(crowd);
    }
    for (curve, light) in others {
        if !is_of_crowd(curve, light) || (near.is_some() && curve.class == near) {
            draw(plot, curve, light, thin);
        }
    }
    for curve in chart.shown(view).filter(is_lit) {
        draw(plot, curve, Light::Lit, thin);
    }
    for curve in chart.shown(view) {
        draw_gaps(plot, curve, scales);
    }
}

/// How strongly a curve is drawn among the others.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Light {
    /// As the look of the curve says.
    Usual,
    /// One of very many curves.
    Crowded,
    /// The curve of the selected class.
    Lit,
    /// The curve of a class while another class is selected.
    Back,
}

impl Light {
    /// Width and colour of a line.
    fn line(self, curve: &Curve) -> (f32, Color32) {
        let is_thin = curve.look == Look::Thin;
        match self {
            Self::Lit => (3.0, curve.color),
            Self::Back => (HAIRLINE, curve.color.gamma_multiply(0.45)),
            Self::Crowded if curve.side == Some(Side::B) => {
                (HAIRLINE, curve.color.gamma_multiply(0.45))
            }
            Self::Crowded => (HAIRLINE, curve.color),
            Self::Usual if is_thin => (HAIRLINE, curve.color),
            Self::Usual if matches!(curve.look, Look::Thick { .. }) => (2.4, curve.color),
            Self::Usual => (1.8, curve.color),
        }
    }
}

fn draw<'a>(plot: &mut PlotUi<'a>, curve: &'a Curve, light: Light, thin: Option<Thin>) {
    let (width, color) = light.line(curve);
    if let Look::Points | Look::Dots { .. } = curve.look {
        let (shape, filled) = match curve.look {
            Look::Dots { filled } => (MarkerShape::Circle, filled),
            Look::Line | Look::Thin | Look::Thick { .. } | Look::Points => {
                (MarkerShape::Diamond, true)
            }
        };
        let radius = match (curve.len() > MANY_DOTS, filled) {
            (true, _) => 2.0,
            (false, true) => 4.0,
            (false, false) => 3.5,
        };
        let radius = if light == Light::Lit {
            1.3 * radius
        } else {
            radius
        };
        for segment in curve.segments.iter() {
            let marks = Points::new(curve.full_name(), segment.as_slice())
                .color(color)
                .shape(shape)
                .filled(filled && curve.side != Some(Side::B));
            plot.points(marks.radius(radius));
        }
        return;
    }
    let is_thin = curve.look == Look::Thin && light != Light::Lit;
    let stands_out = matches!(light, Light::Usual | Light::Lit);
    let are_few = !is_thin && stands_out && curve.len() <= 40;
    let style = match curve.look {
        // Dashes of very many curves could not be told apart, and are thousands of shapes.
        _ if curve.side == Some(Side::B) && stands_out => LineStyle::dashed_dense(),
        Look::Thick { dashed: true } => LineStyle::dashed_dense(),
        Look::Line | Look::Thin | Look::Thick { .. } | Look::Points | Look::Dots { .. } => {
            LineStyle::Solid
        }
    };
    for segment in curve.segments.iter() {
        // A lone point has no line to be seen by; where points are few, marks show at which moments values were
        // measured.
        if segment.len() == 1 || are_few {
            let marks = Points::new(curve.full_name(), segment.as_slice())
                .color(color)
                .filled(curve.side != Some(Side::B))
                .radius(if is_thin { 1.2 } else { 0.5 * width + 1.3 });
            plot.points(marks.allow_hover(segment.len() == 1));
        }
        let points = match thin.and_then(|thin| thin.kept(segment)) {
            Some(kept) => PlotPoints::Owned(kept),
            None => PlotPoints::Borrowed(segment),
        };
        // Where several points lie within a pixel, a line would else become an area from their least to their largest y,
        // which grows into a wedge between them and the next point, and reads as uncertainty.
        let line = egui_plot::Line::new(curve.full_name(), points).allow_band(false);
        plot.line(line.color(color).width(width).style(style));
    }
}

/// Marks where a curve has no y: crosses at the upper edge for what should be a number, small rings at the lower one
/// for what is undefined.
fn draw_gaps(plot: &mut PlotUi<'_>, curve: &Curve, scales: &Scales) {
    let (low, high) = scales.y;
    let (edge, shape, radius) = match curve.gap {
        Gap::Unmarked => return,
        Gap::NotFinite => (high - 0.03 * (high - low), MarkerShape::Cross, 4.0),
        Gap::Undefined(_) => (low + 0.02 * (high - low), MarkerShape::Circle, 2.0),
    };
    let points: Vec<[f64; 2]> = curve.undefined.iter().map(|x| [*x, edge]).collect();
    if !points.is_empty() {
        let marks = Points::new(
            format!("{} {}", curve.full_name(), curve.gap.words()),
            points,
        );
        let marks = marks.color(curve.color).shape(shape).filled(false);
        plot.points(marks.radius(radius));
    }
}

/// Words for the point under the pointer, and for the selection that a click there makes.
fn hover_text(chart: &Chart, near: Option<usize>, position: &HoverPosition<'_>) -> Option<String> {
    let class = near.and_then(|k| chart.curves.iter().find(|curve| curve.class == Some(k)));
    let click = match (class, &chart.x) {
        (Some(curve), _) => format!("\nClick to select {}", curve.name),
        _ if chart.of_many_runs => String::new(),
        (None, Axis::Time(_)) => "\nClick to go to this moment".to_owned(),
        (None, Axis::Layers(_)) => "\nClick to select the layer".to_owned(),
    };
    let HoverPosition::NearDataPoint {
        plot_name,
        position,
        ..
    } = position
    else {
        return class.map(|_| click.trim_start().to_owned());
    };
    if let Some(curve) = class
        && !plot_name.starts_with(&curve.name)
    {
        // The nearest point may belong to another curve than the nearest line.
        return Some(click.trim_start().to_owned());
    }
    let place = match &chart.x {
        Axis::Time(clock) if chart.has_other_clocks => clock.time(position.x),
        Axis::Time(clock) => clock.moment(position.x),
        Axis::Layers(names) => names
            .get(position.x.round().max(0.0) as usize)
            .cloned()
            .unwrap_or_default(),
    };
    let is_gap = |curve: &Curve| {
        let words = curve.gap.words();
        !words.is_empty() && plot_name.ends_with(words)
    };
    if chart.curves.iter().any(is_gap) {
        return Some(format!("{plot_name}\n{place}{click}"));
    }
    let y = if chart.log_y {
        three_figures(10_f64.powf(position.y))
    } else if chart.signed_log {
        three_figures(signed_log_inverse(position.y))
    } else {
        format!("{:.4}", position.y)
    };
    Some(format!(
        "{plot_name}\n{} {y}\n{place}{click}",
        chart.y_label
    ))
}
