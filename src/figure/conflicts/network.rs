//! The map of the network: blocks as lanes, layers as boxes, coloured by a quantity.

use egui::{
    Color32, FontId, Painter, Rect, Response, Role, Sense, Shape, Stroke, StrokeKind, Ui, pos2,
    vec2,
};

use crate::figure::conflicts::network_map::Map;
use crate::figure::facts::network;
use crate::figure::facts::probes::Need;
use crate::figure::facts::quantity::Classes;
use crate::figure::kit::cell_keys::Keys;
use crate::figure::kit::palette;
use crate::figure::kit::table::Table;
use crate::figure::kit::text::{empty_ui, fitted, named};
use crate::figure::look::kind::Kind;
use crate::figure::look::pages::Page;
use crate::figure::look::pick::Pick;
use crate::figure::look::subject::Subject;
use crate::figure::look::view::View;
use crate::figure::parts::figure::{At, Figure, Gradients, NEVER, Of};
use crate::figure::parts::quantity;
use crate::figure::parts::quantity_scale::Scale;
use crate::gradient::gram::ConflictSummary;
use crate::run::Scope;
use crate::run::event::{Layer, Probe};

pub(in crate::figure) const FIGURE: Figure = Figure {
    kind: Kind::Architecture,
    name: "architecture",
    title: "Network map",
    subtitle: "Every layer of the network, coloured by interference or another quantity",
    help: "Layers from input to output, coloured by what the list above them says; interference is the mean over class \
           pairs of max(0, −cosine). Grey is undefined. Click a layer or a block and everything follows.",
    synonyms: &[
        "network",
        "architecture",
        "network graph",
        "layers",
        "blocks",
        "interference",
        "model",
    ],
    page: Page::Conflicts,
    in_place_of: None,
    lacks: NEVER,
    of: Of::Run,
    needs: Need::Nothing,
    at: At::Probe,
    gradients: Gradients::AsShown,
    names_part: false,
    names_step: true,
    colour_range: Some(Scale::range),
    chart: None,
    ui: architecture_ui,
    table: |subject, _, view| table(subject, view),
};

/// The numbers of the map: a row for the backbone and every layer that has gradients.
pub(in crate::figure) fn table(subject: Subject<'_>, view: &View) -> Table {
    quantity::table(subject, view, subject.probe(view))
}

/// Draws the map; a click selects a layer, a block, the backbone or the whole network.
pub(in crate::figure) fn architecture_ui(
    ui: &mut Ui,
    subject: Subject<'_>,
    shown: &[Subject<'_>],
    view: &View,
) -> Option<Pick> {
    let Some(started) = &subject.run.started else {
        empty_ui(ui, "The network appears when a run starts.");
        return None;
    };
    let whole = ui.available_rect_before_wrap();
    let header = Rect::from_min_size(whole.min, vec2(whole.width(), 18.0));
    let scale = Scale::of(ui, shown, view);
    let mut pick = header_ui(ui, header, subject, view, scale);
    let classes = Classes::of(subject, view);
    let area = Rect::from_min_max(pos2(whole.left(), header.bottom() + 4.0), whole.max);
    let map = Map::new(started, area, &view.scope);
    let probe = subject.probe(view);
    map.paint_edges(
        ui.painter(),
        started,
        ui.visuals().weak_text_color().gamma_multiply(0.7),
    );
    // The map takes the keyboard as a whole; a click on a layer gives it the keyboard.
    let keyboard = ui.interact(
        area,
        ui.scope_id().with("map"),
        Sense::focusable_noninteractive(),
    );
    named(&keyboard, Role::Grid, "Layers of the network");
    if let Some(direction) = Keys::of(ui, &keyboard).and_then(Keys::direction) {
        let next = map.neighbour(started, &view.scope, direction);
        pick = next.map(|name| Pick::layer(&name)).or(pick);
    }
    for (group, rect) in &map.lanes {
        pick = lane_ui(ui, &map, (group, *rect), subject, view).or(pick);
    }
    let other = Other::of(subject, shown, view, scale);
    for layer in &started.layers {
        let Some(rect) = map.boxes.get(&layer.name) else {
            continue;
        };
        let summary = layer.gram.zip(probe);
        let summary = summary.and_then(|(row, x)| network::summary_of(x, Some(row)));
        let value = summary.and_then(|summary| classes.value(view.quantity, summary));
        let fill = match (value, summary) {
            (Some(value), _) => scale.color(value),
            (None, Some(_)) => palette::undefined(ui),
            (None, None) => ui.visuals().faint_bg_color,
        };
        let of_other = other
            .as_ref()
            .and_then(|other| other.fill(ui, &layer.name, view));
        let response = layer_ui(ui, *rect, layer, (fill, of_other, summary.is_some()), view);
        let response = response.on_hover_ui_at_pointer(|ui| {
            layer_text_ui(ui, layer);
            if let Some(summary) = summary {
                if other.is_some() {
                    ui.label(format!("A (above): {}", subject.name));
                }
                quantity::values_ui(ui, subject, summary, view);
            }
            if let Some(other) = &other
                && let Some(summary) = other.summary(&layer.name)
            {
                ui.label(format!("B (below): {}", other.subject.name));
                quantity::values_ui(ui, other.subject, summary, view);
            }
        });
        if response.clicked() && layer.gram.is_some() {
            keyboard.request_focus();
            pick = Some(Pick::Scope(Scope::of(layer)));
        }
    }
    ui.allocate_rect(whole, Sense::hover());
    pick
}

/// The second of two runs, whose colours fill the lower halves of the boxes.
struct Other<'a> {
    subject: Subject<'a>,
    probe: Option<&'a Probe>,
    classes: Classes,
    scale: Scale,
}

impl<'a> Other<'a> {
    fn of(subject: Subject<'a>, shown: &[Subject<'a>], view: &View, scale: Scale) -> Option<Self> {
        let [first, second] = shown else { return None };
        let is_beside = view.overlaid && first.is(&subject) && !first.is(second);
        is_beside.then(|| Self {
            subject: *second,
            probe: second.probe(view),
            classes: Classes::of(*second, view),
            scale,
        })
    }

    /// The summary of the layer with this name; `None` where the run has no such layer.
    fn summary(&self, layer: &str) -> Option<&'a ConflictSummary> {
        let started = self.subject.run.started.as_ref()?;
        let layer = started.layers.iter().find(|other| other.name == layer)?;
        network::summary_of(self.probe?, Some(layer.gram?))
    }

    fn fill(&self, ui: &Ui, layer: &str, view: &View) -> Option<Color32> {
        let value = self.classes.value(view.quantity, self.summary(layer)?);
        Some(value.map_or_else(|| palette::undefined(ui), |value| self.scale.color(value)))
    }
}

/// A block's name, as a button that selects it.
fn lane_ui(
    ui: &mut Ui,
    map: &Map,
    (group, rect): (&str, Rect),
    subject: Subject<'_>,
    view: &View,
) -> Option<Pick> {
    let scope = Scope::Group(group.to_owned());
    let label = map.label(rect);
    let response = button(ui, label, group);
    let response = response.on_hover_ui_at_pointer(|ui| {
        ui.set_max_width(260.0);
        ui.strong(format!("Block {group}"));
        quantity::part_ui(ui, subject, &scope, view);
    });
    let color = if view.scope == scope {
        ui.visuals().strong_text_color()
    } else {
        ui.visuals().weak_text_color()
    };
    // Names of blocks often differ in their ends alone, which a narrow block shows.
    let short = match map.folded {
        true => short_name(ui, group, label.width()),
        false => group.to_owned(),
    };
    let galley = fitted(
        ui.painter(),
        &short,
        &FontId::proportional(10.5),
        color,
        label.width(),
    );
    let at = if map.low {
        label.center() - galley.size() / 2.0
    } else {
        label.min
    };
    ui.painter().galley(at, galley, color);
    if view.scope == scope || response.hovered() {
        let frame = rect.expand(2.0);
        ui.painter()
            .rect_stroke(frame, 3.0, Stroke::new(1.5, color), StrokeKind::Outside);
    }
    response.clicked().then_some(Pick::Scope(scope))
}

/// As many of the last parts of a block's name as fit into a width: `layer1.0`, or `0`; of the last part its number where
/// it does not fit.
fn short_name(ui: &Ui, group: &str, width: f32) -> String {
    let fits = |text: &str| {
        let galley = ui.painter().layout_no_wrap(
            text.to_owned(),
            FontId::proportional(10.5),
            Color32::WHITE,
        );
        galley.size().x <= width
    };
    let ends = group.match_indices('.').map(|(at, _)| &group[at + 1..]);
    let fitting = std::iter::once(group).chain(ends).find(|text| fits(text));
    let digits = group.trim_start_matches(|c: char| !c.is_ascii_digit());
    let number = group.rsplit(|c: char| !c.is_ascii_digit()).next();
    let number = number.filter(|number| !number.is_empty() && !digits.is_empty());
    fitting.or(number).unwrap_or(group).to_owned()
}

/// Draws the buttons that select the backbone and the whole network, and the colour scale.
fn header_ui(
    ui: &mut Ui,
    rect: Rect,
    subject: Subject<'_>,
    view: &View,
    scale: Scale,
) -> Option<Pick> {
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
        let response = button(ui, frame, name);
        let response = response.on_hover_ui(|ui| {
            ui.set_max_width(260.0);
            ui.strong(name);
            ui.label(hint);
            quantity::part_ui(ui, subject, &scope, view);
        });
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
    if subject.probe(view).is_none() {
        return pick;
    }
    let room = rect.right() - left;
    let has_scale = room > 250.0;
    let width = (room - if has_scale { 140.0 } else { 0.0 }).min(170.0);
    if width > 60.0 {
        let right = rect.right() - if has_scale { 136.0 } else { 0.0 };
        let selector =
            Rect::from_min_max(pos2(right - width, rect.top()), pos2(right, rect.bottom()));
        pick = quantity::selector_ui(ui, selector, subject, view).or(pick);
    }
    if has_scale {
        let min = pos2(rect.right() - 134.0, rect.top());
        scale.lying_ui(ui, Rect::from_min_max(min, rect.max));
    }
    pick
}

fn button(ui: &Ui, rect: Rect, name: &str) -> Response {
    let response = ui.interact(rect, ui.scope_id().with(("map", name)), Sense::click());
    named(&response, Role::Button, name);
    response
}

fn layer_ui(
    ui: &Ui,
    rect: Rect,
    layer: &Layer,
    (fill, below, is_measured): (Color32, Option<Color32>, bool),
    view: &View,
) -> Response {
    let painter = ui.painter();
    let visuals = ui.visuals();
    painter.rect_filled(rect, 3.0, fill);
    if let Some(below) = below {
        painter.rect_filled(rect.with_min_y(rect.center().y), 3.0, below);
        painter.hline(
            rect.x_range(),
            rect.center().y,
            Stroke::new(1.0, visuals.panel_fill),
        );
    }
    let selected = view.scope == Scope::Layer(layer.name.clone());
    let response = ui.interact(
        rect,
        ui.scope_id().with(("layer", &layer.name)),
        Sense::click(),
    );
    named(&response, Role::Button, &layer.name);
    // A frame around every layer of a pile would hide their colours.
    let is_thin = rect.height() < 9.0;
    let stroke = match (selected, response.hovered()) {
        (true, _) => Stroke::new(2.5, visuals.strong_text_color()),
        (false, true) => Stroke::new(1.5, visuals.strong_text_color()),
        (false, false) if is_thin => Stroke::NONE,
        (false, false) => Stroke::new(1.0, visuals.weak_text_color().gamma_multiply(0.6)),
    };
    painter.rect_stroke(rect, 3.0, stroke, StrokeKind::Inside);
    let text = if is_measured {
        palette::text_on(fill)
    } else {
        visuals.weak_text_color()
    };
    // Over the colours of two runs, the name stands in the upper half.
    let place = match below {
        Some(_) => rect.with_max_y(rect.center().y),
        None => rect,
    };
    let mut names = short_names(&layer.name);
    names.any(|name| paint_name(painter, place, name, text));
    response
}

/// What a layer is called within its block, the name that says most first: the last part of its name, before that the last two
/// where the last is a number, such as `downsample.0`, and after it its last word, such as `pool` of `mean_pool`.
fn short_names(name: &str) -> impl Iterator<Item = &str> {
    let parts: Vec<_> = name.rmatch_indices('.').map(|(at, _)| at + 1).collect();
    let last = parts.first().map_or(name, |&at| &name[at..]);
    let is_number = last.chars().all(|c| c.is_ascii_digit());
    let two = parts.get(1).map_or(name, |&at| &name[at..]);
    let word = last.rfind('_').map(|at| &last[at + 1..]);
    is_number
        .then_some(two)
        .into_iter()
        .chain([last])
        .chain(word)
}

/// Paints a layer's name into its box, horizontally or turned by 90°. A name that fits neither way is not painted, and the
/// answer is false.
fn paint_name(painter: &Painter, rect: Rect, name: &str, color: Color32) -> bool {
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
    } else {
        return false;
    }
    true
}

fn layer_text_ui(ui: &mut Ui, layer: &Layer) {
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
}
