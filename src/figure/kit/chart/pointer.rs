//! Answers of a chart to the pointer.

use egui::{CursorIcon, Id, Pos2, Rect, Stroke, StrokeKind, Ui};
use egui_plot::{PlotMemory, PlotResponse, PlotTransform};

use crate::figure::kit::chart::data::{Axis, Chart};
use crate::figure::look::kind::Kind;
use crate::figure::look::marks::Range;
use crate::figure::look::pick::Pick;
use crate::figure::look::view::View;

/// A pointer this close to a line, in points, is on it.
const NEAR: f32 = 5.0;
/// A box narrower or lower than this, in points, leaves the range of that axis as it is.
const LEAST_BOX: f32 = 12.0;

/// The class whose curve the pointer is on; `None` for the class that is selected already, so that a second click goes
/// to the moment.
pub(in crate::figure) fn class_near(
    ui: &Ui,
    plot: Id,
    chart: &Chart,
    view: &View,
) -> Option<usize> {
    let transform = PlotMemory::load(ui.ctx(), plot)?.transform();
    let at = ui.ctx().pointer_latest_pos()?;
    if !transform.frame().contains(at) {
        return None;
    }
    let curves = chart.shown(view).filter_map(|curve| {
        let segments = curve.segments.iter();
        let distances = segments.map(|segment| distance(&transform, segment, at));
        Some((curve.class?, distances.fold(f32::INFINITY, f32::min)))
    });
    let (class, distance) = curves.min_by(|a, b| a.1.total_cmp(&b.1))?;
    (distance <= NEAR && view.class != Some(class)).then_some(class)
}

/// Distance of a point from a line through points, in points of the screen; pieces further than [`NEAR`] to either
/// side count as infinitely far.
fn distance(transform: &PlotTransform, line: &[egui_plot::PlotPoint], at: Pos2) -> f32 {
    let place = |point: &egui_plot::PlotPoint| transform.position_from_point(point);
    let from_piece = |ends: &[egui_plot::PlotPoint]| {
        let (Some(a), Some(b)) = (ends.first().map(place), ends.last().map(place)) else {
            return f32::INFINITY;
        };
        // Most pieces lie elsewhere in time.
        if at.x < a.x - NEAR || at.x > b.x + NEAR {
            return f32::INFINITY;
        }
        let along = b - a;
        let share = (at - a).dot(along) / along.length_sq().max(f32::MIN_POSITIVE);
        (a + along * share.clamp(0.0, 1.0)).distance(at)
    };
    match line {
        [_] => from_piece(line),
        _ => line
            .windows(2)
            .map(from_piece)
            .fold(f32::INFINITY, f32::min),
    }
}

/// The pick that follows from a click or from a box.
pub(in crate::figure) fn pick<T>(
    ui: &Ui,
    kind: Kind,
    chart: &Chart,
    plot: &PlotResponse<T>,
    near: Option<usize>,
    view: &View,
) -> Option<Pick> {
    let response = &plot.response;
    let before = view.ranges.get(&kind).copied();
    if response.double_clicked() {
        return before.map(|_| Pick::Range(kind, None));
    }
    if let Some(area) = drawn_box(ui, plot) {
        let before = before.unwrap_or_default();
        let time = view.time;
        // A range of times that was chosen in another unit says nothing in this one.
        let x = before.x.filter(|_| before.time == time);
        let range = range_of(area, &plot.transform, Range { x, time, ..before })?;
        return Some(Pick::Range(kind, Some(range)));
    }
    let at = response.interact_pointer_pos().or(response.hover_pos())?;
    if near.is_some() {
        ui.ctx().set_cursor_icon(CursorIcon::PointingHand);
    }
    if !response.clicked() {
        return None;
    }
    let x = plot.transform.value_from_position(at).x;
    match (near, &chart.x) {
        (Some(class), _) => Some(Pick::Class(class)),
        // Several runs have no moment in common.
        _ if chart.of_many_runs => None,
        (None, Axis::Time(clock)) => Some(Pick::Step(clock.step(x))),
        (None, Axis::Layers(names)) => {
            let name = names.get(x.round().max(0.0) as usize)?;
            Some(Pick::layer(name))
        }
    }
}

/// The box that the pointer has just finished; a box that is still being drawn is painted.
fn drawn_box<T>(ui: &Ui, plot: &PlotResponse<T>) -> Option<Rect> {
    let response = &plot.response;
    let id = response.id.with("box");
    if response.drag_started_by(egui::PointerButton::Primary) {
        let origin = ui.input(|input| input.pointer.press_origin());
        ui.data_mut(|data| data.insert_temp(id, origin));
    }
    let origin = ui.data(|data| data.get_temp::<Option<Pos2>>(id))??;
    let frame = *plot.transform.frame();
    let area = Rect::from_two_pos(origin, response.interact_pointer_pos()?).intersect(frame);
    if response.drag_stopped() {
        ui.data_mut(|data| data.remove::<Option<Pos2>>(id));
        return Some(area);
    }
    let (wide, high) = (area.width() >= LEAST_BOX, area.height() >= LEAST_BOX);
    if response.dragged() && (wide || high) {
        // An axis that the box leaves as it is, is covered over its whole length.
        let x = if wide {
            area.x_range()
        } else {
            frame.x_range()
        };
        let y = if high {
            area.y_range()
        } else {
            frame.y_range()
        };
        let (area, color) = (
            Rect::from_x_y_ranges(x, y),
            ui.visuals().strong_text_color(),
        );
        ui.painter()
            .rect_filled(area, 0.0, color.gamma_multiply(0.08));
        let stroke = Stroke::new(1.0, color);
        ui.painter()
            .rect_stroke(area, 0.0, stroke, StrokeKind::Inside);
    }
    None
}

/// The range that a box selects; `None` for a box so small that it was drawn by accident.
fn range_of(area: Rect, transform: &PlotTransform, before: Range) -> Option<Range> {
    let (wide, high) = (area.width() >= LEAST_BOX, area.height() >= LEAST_BOX);
    let (low, top) = (
        transform.value_from_position(area.left_bottom()),
        transform.value_from_position(area.right_top()),
    );
    (wide || high).then_some(Range {
        x: if wide { Some((low.x, top.x)) } else { before.x },
        y: if high { Some((low.y, top.y)) } else { before.y },
        ..before
    })
}
