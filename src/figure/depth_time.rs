//! A quantity by layer and moment.

use std::sync::Arc;

use egui::{
    Align2, Color32, FontId, Mesh, Painter, Rect, Role, Sense, Shape, Stroke, StrokeKind, Ui, pos2,
    vec2,
};

use crate::run::Scope;
use crate::run::event::{Layer, Probe};

use super::grid::fitted;
use super::quantity::{self, Classes, Scale};
use super::table::Table;
use super::time::Clock;
use super::{Pick, Subject, View, curves, empty_ui, remembered};

/// Rows at least this high have their layer's name beside them.
const NAMED_ROW: f32 = 10.0;
/// Least distance of two marks of time, in points.
const MARK_DISTANCE: f32 = 54.0;
const HEADER: f32 = 18.0;

/// The numbers of the figure: a row for every layer at every probe.
pub(super) fn table(subject: Subject<'_>, view: &View) -> Table {
    quantity::table(subject, view, &subject.run.probes)
}

/// Draws layers from top to bottom and probes from left to right; a click picks both.
pub(super) fn depth_time_ui(
    ui: &mut Ui,
    subject: Subject<'_>,
    shown: &[Subject<'_>],
    view: &View,
) -> Option<Pick> {
    let layers: Vec<(&Layer, usize)> = curves::layers_with_gradients(subject).collect();
    if layers.is_empty() || subject.run.probes.is_empty() {
        empty_ui(ui, "The first probe comes before the first step.");
        return None;
    }
    let area = ui.available_rect_before_wrap();
    let header = Rect::from_min_size(area.min, vec2(area.width().min(170.0), HEADER));
    let mut pick = quantity::selector_ui(ui, header, subject, view);
    let grid = Grid::new(area, &layers, subject.run.probes.len());
    if grid.cells.width() < 1.0 || grid.cells.height() < 1.0 {
        ui.allocate_rect(area, Sense::hover());
        return pick;
    }
    let scale = Scale::of(ui, shown, view);
    let mesh = mesh(ui, &grid, &layers, subject, view, scale);
    ui.painter().add(Shape::Mesh(mesh));
    scale.upright_ui(ui, grid.bar);
    pick = grid.names_ui(ui, &layers, view).or(pick);
    grid.paint_times(ui, subject, view);
    grid.paint_selection(ui, &layers, subject, view);
    let response = ui.interact(grid.cells, ui.scope_id().with("cells"), Sense::click());
    super::named(&response, Role::Image, "Layers by moment");
    let at = response.hover_pos().or(response.interact_pointer_pos());
    if let Some((row, column)) = at.and_then(|at| grid.cell_at(at))
        && let (Some((layer, gram)), Some(probe)) =
            (layers.get(row), subject.run.probes.get(column))
    {
        if response.clicked() {
            let scope = Scope::Layer(layer.name.clone());
            pick = Some(Pick::ScopeAt(scope, probe.step));
        }
        if response.hovered() {
            let stroke = Stroke::new(1.0, ui.visuals().strong_text_color());
            let cell = grid.cell(row, column);
            ui.painter()
                .rect_stroke(cell, 0.0, stroke, StrokeKind::Outside);
        }
        response.on_hover_ui_at_pointer(|ui| {
            ui.set_max_width(280.0);
            ui.strong(&layer.name);
            ui.label(format!("step {}, epoch {:.2}", probe.step, probe.epoch));
            match probe.layers.get(*gram) {
                Some(summary) => quantity::values_ui(ui, subject, summary, view),
                None => {
                    ui.label("not measured");
                }
            }
        });
    }
    ui.allocate_rect(area, Sense::hover());
    pick
}

/// The coloured cells, made anew only where something they show has changed.
fn mesh(
    ui: &Ui,
    grid: &Grid,
    layers: &[(&Layer, usize)],
    subject: Subject<'_>,
    view: &View,
    scale: Scale,
) -> Arc<Mesh> {
    let classes = Classes::of(subject, view);
    let id = subject.run.started.as_ref().map(|started| &started.id);
    let undefined = quantity::undefined(ui);
    let cells = grid.cells;
    let place = [cells.min.x, cells.min.y, cells.max.x, cells.max.y].map(f32::to_bits);
    let key = (
        id,
        subject.run.revisions.probes,
        place,
        undefined,
        format!("{classes:?} {scale:?}"),
    );
    remembered(ui.ctx(), ("depth and time", subject.name), key, || {
        let mut mesh = Mesh::default();
        for (row, (_, gram)) in layers.iter().enumerate() {
            for (column, probe) in subject.run.probes.iter().enumerate() {
                let summary = probe.layers.get(*gram);
                let value = summary.and_then(|x| classes.value(view.quantity, x));
                let color = value.map_or(undefined, |value| scale.color(value));
                mesh.add_colored_rect(grid.cell(row, column), color);
            }
        }
        Arc::new(mesh)
    })
}

/// Where everything lies.
struct Grid {
    /// Left edge of the blocks' names.
    left: f32,
    /// Left edge of the layers' names.
    names: f32,
    cells: Rect,
    bar: Rect,
    rows: usize,
    columns: usize,
}

impl Grid {
    fn new(area: Rect, layers: &[(&Layer, usize)], columns: usize) -> Self {
        let foot = if area.height() > 120.0 { 32.0 } else { 4.0 };
        let top = area.top() + HEADER + 6.0;
        let height = area.bottom() - foot - top;
        let has_names = height / layers.len() as f32 >= NAMED_ROW && area.width() > 260.0;
        let (blocks, names) = match (area.width() > 180.0, has_names) {
            (false, _) => (0.0, 0.0),
            (true, false) => (58.0, 0.0),
            (true, true) => (58.0, 44.0),
        };
        let scale = if area.width() > 120.0 { 52.0 } else { 0.0 };
        let min = pos2(area.left() + blocks + names, top);
        let max = pos2(area.right() - scale, area.bottom() - foot).max(min);
        let cells = Rect::from_min_max(min, max);
        let bar = Rect::from_min_max(
            pos2(max.x + 10.0, min.y),
            pos2(max.x + (scale - 32.0).max(10.0), max.y),
        );
        Self {
            left: area.left(),
            names: area.left() + blocks,
            cells,
            bar,
            rows: layers.len(),
            columns,
        }
    }

    fn cell(&self, row: usize, column: usize) -> Rect {
        let side = vec2(
            self.cells.width() / self.columns as f32,
            self.cells.height() / self.rows as f32,
        );
        let min = self.cells.min + side * vec2(column as f32, row as f32);
        Rect::from_min_size(min, side)
    }

    fn cell_at(&self, at: egui::Pos2) -> Option<(usize, usize)> {
        if !self.cells.contains(at) {
            return None;
        }
        let share = (at - self.cells.min) / self.cells.size();
        let index = |share: f32, n: usize| ((share * n as f32) as usize).min(n - 1);
        Some((index(share.y, self.rows), index(share.x, self.columns)))
    }

    /// Names of blocks, with a line between them, and of layers where rows are high enough; all can be clicked.
    fn names_ui(&self, ui: &Ui, layers: &[(&Layer, usize)], view: &View) -> Option<Pick> {
        let mut pick = None;
        if self.cells.left() <= self.left {
            return None;
        }
        let mut first = 0;
        while let Some((layer, _)) = layers.get(first) {
            let group = layer.group.as_str();
            let count = layers[first..]
                .iter()
                .take_while(|(other, _)| other.group == group)
                .count();
            let top = self.cell(first, 0).top();
            let bottom = self.cell(first + count - 1, 0).bottom();
            if first > 0 {
                let line = Stroke::new(1.0, ui.visuals().weak_text_color().gamma_multiply(0.6));
                ui.painter()
                    .hline(self.left..=self.cells.right(), top, line);
            }
            let rect = Rect::from_min_max(pos2(self.left, top), pos2(self.names - 4.0, bottom));
            let scope = Scope::Group(group.to_owned());
            let is_selected = view.scope == scope;
            let hint = format!("Block {group}");
            // Blocks may come twice, and a layer may be called as its block is.
            if name_ui(ui, rect, group, (&hint, first), is_selected) {
                pick = Some(Pick::Scope(scope));
            }
            first += count;
        }
        if self.cells.left() - self.names < 10.0 {
            return pick;
        }
        for (row, (layer, _)) in layers.iter().enumerate() {
            let cell = self.cell(row, 0);
            let rect = Rect::from_min_max(
                pos2(self.names, cell.top()),
                pos2(self.cells.left() - 4.0, cell.bottom()),
            );
            let scope = Scope::Layer(layer.name.clone());
            let short = layer.name.strip_prefix(&layer.group).unwrap_or(&layer.name);
            let short = short.trim_start_matches('.');
            let short = if short.is_empty() {
                layer.kind.as_str()
            } else {
                short
            };
            let is_selected = view.scope == scope;
            if name_ui(ui, rect, short, (&layer.name, row), is_selected) {
                pick = Some(Pick::Scope(scope));
            }
        }
        pick
    }

    /// Marks of time under the columns.
    fn paint_times(&self, ui: &Ui, subject: Subject<'_>, view: &View) {
        if ui.max_rect().bottom() - self.cells.bottom() < 20.0 {
            return;
        }
        let times = times(ui, subject, view);
        let fitting = (self.cells.width() / MARK_DISTANCE).max(1.0);
        let every = (self.columns as f32 / fitting).ceil().max(1.0) as usize;
        let span = match (times.first(), times.last()) {
            (Some(first), Some(last)) => last - first,
            _ => return,
        };
        let step = span * every as f64 / self.columns.max(1) as f64;
        let decimals = if step > 0.0 && step < 10.0 {
            (1.0 - step.log10()).ceil().clamp(0.0, 2.0) as usize
        } else {
            0
        };
        // Whole numbers have no decimals to tell them apart by.
        let are_whole = times
            .iter()
            .step_by(every)
            .all(|x| (x - x.round()).abs() < 1e-6);
        let decimals = if are_whole { 0 } else { decimals };
        let (font, color) = (FontId::proportional(10.5), ui.visuals().weak_text_color());
        for (column, time) in times.iter().enumerate().step_by(every) {
            let at = pos2(self.cell(0, column).center().x, self.cells.bottom() + 2.0);
            let painter = ui.painter();
            painter.vline(at.x, at.y - 2.0..=at.y + 1.0, Stroke::new(1.0, color));
            let text = format!("{time:.decimals$}");
            painter.text(
                at + vec2(0.0, 1.0),
                Align2::CENTER_TOP,
                text,
                font.clone(),
                color,
            );
        }
        let at = pos2(self.cells.center().x, self.cells.bottom() + 15.0);
        let label = view.time.label();
        ui.painter()
            .text(at, Align2::CENTER_TOP, label, font, color);
    }

    /// Frames around the moment looked at and what is selected.
    fn paint_selection(
        &self,
        ui: &Ui,
        layers: &[(&Layer, usize)],
        subject: Subject<'_>,
        view: &View,
    ) {
        let painter = ui.painter();
        let step = subject.probe(view).map(|probe: &Probe| probe.step);
        let column = step.and_then(|step| subject.run.probe_at(step));
        if let Some(column) = column {
            let top = self.cell(0, column);
            let rect = Rect::from_min_max(top.min, self.cell(self.rows - 1, column).max);
            frame(ui, painter, rect);
        }
        if !matches!(view.scope, Scope::Layer(_) | Scope::Group(_)) {
            return;
        }
        let rows = layers.iter().enumerate();
        let rows = rows.filter(|(_, (layer, _))| view.scope.covers(layer));
        let all = rows.map(|(row, _)| self.cell(row, 0).union(self.cell(row, self.columns - 1)));
        if let Some(rect) = all.reduce(Rect::union) {
            frame(ui, painter, rect);
        }
    }
}

/// A line that shows on any colour.
fn frame(ui: &Ui, painter: &Painter, rect: Rect) {
    let (inner, outer): (Color32, Color32) =
        (ui.visuals().panel_fill, ui.visuals().strong_text_color());
    painter.rect_stroke(rect, 0.0, Stroke::new(1.0, inner), StrokeKind::Inside);
    painter.rect_stroke(rect, 0.0, Stroke::new(1.5, outer), StrokeKind::Outside);
}

/// A name that can be clicked; whether it was.
fn name_ui(ui: &Ui, rect: Rect, text: &str, (name, at): (&str, usize), is_selected: bool) -> bool {
    let response = ui.interact(rect, ui.scope_id().with((name, at)), Sense::click());
    super::named(&response, Role::Button, name);
    let color = if is_selected || response.hovered() {
        ui.visuals().strong_text_color()
    } else {
        ui.visuals().weak_text_color()
    };
    let size = (rect.height() - 1.0).clamp(6.0, 10.5);
    let font = FontId::proportional(size);
    let galley = fitted(ui.painter(), text, &font, color, rect.width().max(1.0));
    let at = pos2(rect.left(), rect.center().y - galley.size().y / 2.0);
    ui.painter().galley(at, galley, color);
    response.on_hover_text(name).clicked()
}

/// Where every probe lies in time.
fn times(ui: &Ui, subject: Subject<'_>, view: &View) -> Arc<Vec<f64>> {
    let revisions = subject.run.revisions;
    let id = subject.run.started.as_ref().map(|started| &started.id);
    let key = (id, revisions.probes, revisions.steps, view.time);
    remembered(ui.ctx(), ("times of probes", subject.name), key, || {
        let clock = Clock::new(subject.run, view.time);
        let probes = subject.run.probes.iter();
        Arc::new(probes.map(|probe| clock.at(probe.step as f64)).collect())
    })
}
