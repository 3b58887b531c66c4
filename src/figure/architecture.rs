//! The map of the network: blocks as lanes, layers as boxes, coloured by interference.

use std::collections::BTreeMap;

use egui::{
    Align2, Color32, FontId, Painter, Rect, Response, Role, Sense, Shape, Stroke, StrokeKind, Ui,
    WidgetInfo, epaint::CubicBezierShape, pos2, vec2,
};

use crate::gradient::gram::ConflictSummary;
use crate::run::Scope;
use crate::run::event::{Layer, Started};

use super::matrix::fitted;
use super::{Pick, Subject, View, empty_ui, palette};

const LABEL: f32 = 15.0;
const GAP: f32 = 5.0;

/// Draws the map; a click selects a layer, a block, the backbone or the whole network.
pub(super) fn architecture_ui(ui: &mut Ui, subject: Subject<'_>, view: &View) -> Option<Pick> {
    let Some(started) = &subject.run.started else {
        empty_ui(ui, "The network appears when a run starts.");
        return None;
    };
    let whole = ui.available_rect_before_wrap();
    let header = Rect::from_min_size(whole.min, vec2(whole.width(), 18.0));
    let mut pick = header_ui(ui, header, subject, view);
    let area = Rect::from_min_max(pos2(whole.left(), header.bottom() + 4.0), whole.max);
    let map = Map::new(started, area);
    let probe = subject.probe(view);
    map.paint_edges(
        ui.painter(),
        started,
        ui.visuals().weak_text_color().gamma_multiply(0.7),
    );
    for (group, rect) in &map.lanes {
        let scope = Scope::Group(group.clone());
        let label = Rect::from_min_size(rect.min, vec2(rect.width(), LABEL));
        let response = button(ui, label, group, &format!("Block {group}"));
        let color = if view.scope == scope {
            ui.visuals().strong_text_color()
        } else {
            ui.visuals().weak_text_color()
        };
        let galley = fitted(
            ui.painter(),
            group,
            &FontId::proportional(10.5),
            color,
            rect.width(),
        );
        ui.painter().galley(label.min, galley, color);
        if view.scope == scope || response.hovered() {
            let frame = rect.expand(2.0);
            ui.painter()
                .rect_stroke(frame, 3.0, Stroke::new(1.5, color), StrokeKind::Outside);
        }
        if response.clicked() {
            pick = Some(Pick::Scope(scope));
        }
    }
    for layer in &started.layers {
        let Some(rect) = map.boxes.get(&layer.name) else {
            continue;
        };
        let summary = layer.gram.and_then(|row| probe?.layers.get(row));
        let response = layer_ui(ui, *rect, layer, summary, view);
        if response.clicked() && layer.gram.is_some() {
            pick = Some(Pick::Scope(Scope::Layer(layer.name.clone())));
        }
    }
    ui.allocate_rect(whole, Sense::hover());
    pick
}

/// Backbone and network as buttons, and the colour scale.
fn header_ui(ui: &mut Ui, rect: Rect, subject: Subject<'_>, view: &View) -> Option<Pick> {
    let mut pick = None;
    let mut left = rect.left();
    for (scope, name, hint) in [
        (Scope::Backbone, "Backbone", "All layers but the classifier"),
        (
            Scope::Network,
            "Whole network",
            "All layers, the classifier included",
        ),
    ] {
        let selected = view.scope == scope;
        let color = if selected {
            ui.visuals().strong_text_color()
        } else {
            ui.visuals().text_color()
        };
        let galley =
            ui.painter()
                .layout_no_wrap(name.to_owned(), FontId::proportional(11.5), color);
        let frame = Rect::from_min_size(pos2(left, rect.top()), galley.size() + vec2(14.0, 3.0));
        let response = button(ui, frame, name, hint);
        let fill = if selected {
            ui.visuals().selection.bg_fill
        } else if response.hovered() {
            ui.visuals().widgets.hovered.weak_bg_fill
        } else {
            ui.visuals().widgets.inactive.weak_bg_fill
        };
        ui.painter().rect_filled(frame, 4.0, fill);
        ui.painter()
            .galley(frame.min + vec2(7.0, 1.5), galley, color);
        if response.clicked() {
            pick = Some(Pick::Scope(scope));
        }
        left = frame.right() + 6.0;
    }
    if rect.right() - left > 190.0 && subject.probe(view).is_some() {
        scale_ui(ui, pos2(rect.right() - 96.0, rect.top() + 4.0));
    }
    pick
}

fn scale_ui(ui: &Ui, at: egui::Pos2) {
    let painter = ui.painter();
    let (font, color) = (FontId::proportional(10.5), ui.visuals().weak_text_color());
    painter.text(
        at + vec2(-6.0, 4.0),
        Align2::RIGHT_CENTER,
        "interference 0",
        font.clone(),
        color,
    );
    let bar = Rect::from_min_size(at, vec2(64.0, 9.0));
    palette::paint_scale(painter, bar, false, |t| {
        palette::interference(t * palette::INTERFERENCE_END, ui.visuals().dark_mode)
    });
    let end = format!("≥ {}", palette::INTERFERENCE_END);
    painter.text(at + vec2(69.0, 4.0), Align2::LEFT_CENTER, end, font, color);
}

fn button(ui: &Ui, rect: Rect, name: &str, hint: &str) -> Response {
    let response = ui.interact(rect, ui.scope_id().with(("map", name)), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, name));
    response.on_hover_text(hint)
}

fn layer_ui(
    ui: &Ui,
    rect: Rect,
    layer: &Layer,
    summary: Option<&ConflictSummary>,
    view: &View,
) -> Response {
    let painter = ui.painter();
    let visuals = ui.visuals();
    let fill = match summary.and_then(|summary| summary.interference) {
        Some(interference) => palette::interference(interference, visuals.dark_mode),
        None => visuals.faint_bg_color,
    };
    painter.rect_filled(rect, 3.0, fill);
    let selected = view.scope == Scope::Layer(layer.name.clone());
    let response = ui.interact(
        rect,
        ui.scope_id().with(("layer", &layer.name)),
        Sense::click(),
    );
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, layer.name.clone()));
    let stroke = match (selected, response.hovered()) {
        (true, _) => Stroke::new(2.5, visuals.strong_text_color()),
        (false, true) => Stroke::new(1.5, visuals.strong_text_color()),
        (false, false) => Stroke::new(1.0, visuals.weak_text_color().gamma_multiply(0.6)),
    };
    painter.rect_stroke(rect, 3.0, stroke, StrokeKind::Inside);
    let short = layer.name.rsplit('.').next().unwrap_or(&layer.name);
    let text = if summary.is_some() {
        palette::text_on(fill)
    } else {
        visuals.weak_text_color()
    };
    paint_name(painter, rect, short, text);
    response.on_hover_ui_at_pointer(|ui| layer_text_ui(ui, layer, summary))
}

/// The name where it fits, lying or standing.
fn paint_name(painter: &Painter, rect: Rect, name: &str, color: Color32) {
    let galley = painter.layout_no_wrap(name.to_owned(), FontId::proportional(10.0), color);
    let size = galley.size();
    if size.x + 4.0 <= rect.width() && size.y <= rect.height() {
        painter.galley(rect.center() - size / 2.0, galley, color);
    } else if size.x + 4.0 <= rect.height() && size.y <= rect.width() + 3.0 {
        let at = pos2(
            rect.center().x - size.y / 2.0,
            rect.center().y + size.x / 2.0,
        );
        let angle = -std::f32::consts::FRAC_PI_2;
        painter.add(Shape::Text(
            egui::epaint::TextShape::new(at, galley, color).with_angle(angle),
        ));
    }
}

fn layer_text_ui(ui: &mut Ui, layer: &Layer, summary: Option<&ConflictSummary>) {
    ui.set_max_width(260.0);
    ui.strong(&layer.name);
    let shape: Vec<String> = layer.shape.iter().map(ToString::to_string).collect();
    ui.label(format!(
        "{}, output {}",
        layer.kind.replace('_', " "),
        shape.join(" × ")
    ));
    if layer.params == 0 {
        ui.label("no parameters");
        return;
    }
    ui.label(format!("{} parameters", layer.params));
    if let Some(summary) = summary {
        let number = |value: Option<f64>| {
            value.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"))
        };
        ui.label(format!(
            "interference {} (noise floor {})",
            number(summary.interference),
            number(summary.floor)
        ));
        ui.label(format!(
            "{} of {} class pairs in conflict",
            summary.conflicting, summary.pairs
        ));
    }
}

/// Where blocks and layers lie: blocks in columns by depth, parallel blocks below each other.
struct Map {
    lanes: BTreeMap<String, Rect>,
    boxes: BTreeMap<String, Rect>,
}

impl Map {
    fn new(started: &Started, area: Rect) -> Self {
        let columns = columns(started);
        let weight = |layer: &Layer| match layer.kind.as_str() {
            "conv" | "linear" | "gate" => 2.0,
            "batch_norm" => 1.0,
            _ => 0.7,
        };
        let layers_of = |group: &str| {
            started
                .layers
                .iter()
                .filter(|layer| layer.group == group)
                .collect::<Vec<_>>()
        };
        let length = |group: &str| {
            layers_of(group)
                .iter()
                .map(|layer| weight(layer))
                .sum::<f32>()
        };
        // A column is as wide as the longest block in it.
        let widths: Vec<f32> = columns
            .iter()
            .map(|groups| groups.iter().map(|group| length(group)).fold(0.0, f32::max))
            .collect();
        let gutter = 22.0;
        let room = area.width() - gutter * (columns.len().max(1) - 1) as f32;
        let unit = (room / widths.iter().sum::<f32>().max(1.0)).min(60.0);
        let mut map = Self {
            lanes: BTreeMap::new(),
            boxes: BTreeMap::new(),
        };
        let mut left = area.left();
        let lanes_at_most = columns.iter().map(Vec::len).max().unwrap_or(1) as f32;
        let lane_height = ((area.height() - GAP * (lanes_at_most - 1.0)) / lanes_at_most).min(90.0);
        for (groups, width) in columns.iter().zip(&widths) {
            let height = groups.len() as f32 * (lane_height + GAP) - GAP;
            let mut top = area.center().y - height / 2.0;
            for group in groups {
                let lane = Rect::from_min_size(pos2(left, top), vec2(width * unit, lane_height));
                map.lanes.insert(group.clone(), lane);
                let mut x = left;
                for layer in layers_of(group) {
                    let width = weight(layer) * unit;
                    let rect = Rect::from_min_max(
                        pos2(x, top + LABEL + 1.0),
                        pos2(x + width - 2.0, lane.bottom()),
                    );
                    map.boxes.insert(layer.name.clone(), rect);
                    x += width;
                }
                top += lane_height + GAP;
            }
            left += width * unit + gutter;
        }
        map
    }

    /// Lines between blocks; within a block the boxes touch.
    fn paint_edges(&self, painter: &Painter, started: &Started, color: Color32) {
        for layer in &started.layers {
            for input in &layer.inputs {
                let Some(source) = started.layers.iter().find(|other| other.name == *input) else {
                    continue;
                };
                if source.group == layer.group {
                    continue;
                }
                let (Some(from), Some(to)) = (self.boxes.get(input), self.boxes.get(&layer.name))
                else {
                    continue;
                };
                let (from, to) = (from.right_center(), to.left_center());
                let bend = vec2((to.x - from.x) / 2.0, 0.0);
                painter.add(CubicBezierShape::from_points_stroke(
                    [from, from + bend, to - bend, to],
                    false,
                    Color32::TRANSPARENT,
                    Stroke::new(1.2, color),
                ));
            }
        }
    }
}

/// Blocks by their depth: one more than the deepest block they read.
fn columns(started: &Started) -> Vec<Vec<String>> {
    let mut depth: BTreeMap<&str, usize> = BTreeMap::new();
    let mut order: Vec<&str> = Vec::new();
    for layer in &started.layers {
        let group = layer.group.as_str();
        if !order.contains(&group) {
            order.push(group);
        }
        let inputs = started
            .layers
            .iter()
            .filter(|other| layer.inputs.contains(&other.name) && other.group != group);
        let reads = inputs
            .filter_map(|input| depth.get(input.group.as_str()))
            .map(|depth| depth + 1)
            .max();
        let own = depth.entry(group).or_insert(0);
        *own = (*own).max(reads.unwrap_or(0));
    }
    let mut columns = vec![Vec::new(); depth.values().max().map_or(0, |deepest| deepest + 1)];
    for group in order {
        columns[depth[group]].push(group.to_owned());
    }
    columns
}
