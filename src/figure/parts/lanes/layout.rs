//! Layout of layers, moments and their names.

use std::sync::Arc;

use egui::{
    Align2, Color32, FontId, Painter, Rect, Role, Sense, Stroke, StrokeKind, Ui, pos2, vec2,
};

use crate::figure::kit::memo::remembered;
use crate::figure::kit::text::{fitted_end, named};
use crate::figure::look::clock::Clock;
use crate::figure::look::pick::Pick;
use crate::figure::look::subject::Subject;
use crate::figure::look::view::View;
use crate::run::Scope;
use crate::run::event::{Layer, Probe};

/// Rows at least this high, in points, have their layer's name beside them.
const NAMED_ROW: f32 = 10.0;
/// Height of a block's name where blocks are low, in points.
const NAME: f32 = 8.0;
/// Blocks at least this high, in points, have lines between them.
const LINED_BLOCK: f32 = 3.0;
/// Least distance of two marks of time, in points.
const MARK_DISTANCE: f32 = 54.0;
/// Space between the backbone and its layers, in points.
const BACKBONE_GAP: f32 = 5.0;

/// Layout of the figure.
pub(in crate::figure) struct Grid {
    /// Left edge of the blocks' names.
    left: f32,
    /// Left edge of the layers' names.
    names: f32,
    /// The row of the backbone above the cells, where there is one.
    pub(in crate::figure) backbone: Option<Rect>,
    pub(in crate::figure) cells: Rect,
    pub(in crate::figure) bar: Rect,
    rows: usize,
    pub(in crate::figure) columns: usize,
}

impl Grid {
    pub(in crate::figure) fn new(area: Rect, layers: &[(&Layer, usize)], columns: usize) -> Self {
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
            backbone: None,
            cells,
            bar,
            rows: layers.len(),
            columns,
        }
    }

    /// Adds the row of the backbone above the cells, as high as one of them but from 8 to 22 points.
    pub(in crate::figure) fn with_backbone(mut self) -> Self {
        let height = self.cells.height() / (self.rows as f32 + 1.0);
        let height = height.clamp(8.0, 22.0);
        if self.cells.height() > 3.0 * height {
            let row = self.cells.with_max_y(self.cells.top() + height);
            self.backbone = Some(row);
            self.cells.min.y = row.bottom() + BACKBONE_GAP;
        }
        self
    }

    /// The part of a row that lies in a column.
    pub(in crate::figure) fn in_column(&self, row: Rect, column: usize) -> Rect {
        let width = row.width() / self.columns as f32;
        let min = row.min + vec2(column as f32 * width, 0.0);
        Rect::from_min_size(min, vec2(width, row.height()))
    }

    /// The column at an x within the cells.
    fn column_at(&self, x: f32) -> usize {
        let share = (x - self.cells.left()) / self.cells.width();
        ((share.max(0.0) * self.columns as f32) as usize).min(self.columns - 1)
    }

    pub(in crate::figure) fn backbone_name_ui(&self, ui: &Ui, view: &View) -> Option<Pick> {
        let row = self.backbone?;
        let beside = pos2(self.cells.left() - 4.0, row.bottom());
        let rect = Rect::from_min_max(pos2(self.left, row.top()), beside);
        let is_selected = view.scope == Scope::Backbone;
        let name = ("All layers but the classifier", 0);
        let is_shown = rect.width() > 10.0;
        let is_clicked = is_shown && name_ui(ui, rect, "backbone", name, is_selected);
        is_clicked.then_some(Pick::Scope(Scope::Backbone))
    }

    pub(in crate::figure) fn cell(&self, row: usize, column: usize) -> Rect {
        let side = vec2(
            self.cells.width() / self.columns as f32,
            self.cells.height() / self.rows as f32,
        );
        let min = self.cells.min + side * vec2(column as f32, row as f32);
        Rect::from_min_size(min, side)
    }

    /// All rows from top to bottom, the row of the backbone among them.
    pub(in crate::figure) fn rows_of_all(&self) -> impl Iterator<Item = Row> + use<> {
        let backbone = self.backbone.map(|_| Row::Backbone);
        backbone.into_iter().chain((0..self.rows).map(Row::Layer))
    }

    /// The cells with the row of the backbone above them.
    pub(in crate::figure) fn all(&self) -> Rect {
        self.backbone
            .map_or(self.cells, |row| row.union(self.cells))
    }

    /// The cell of a row in a column.
    pub(in crate::figure) fn of(&self, row: Row, column: usize) -> Rect {
        match row {
            Row::Backbone => self.in_column(self.backbone.unwrap_or(self.cells), column),
            Row::Layer(row) => self.cell(row, column),
        }
    }

    /// The row and column at a position of the pointer; `None` outside the cells.
    pub(in crate::figure) fn at(&self, at: egui::Pos2) -> Option<(Row, usize)> {
        if self.backbone.is_some_and(|row| row.contains(at)) {
            return Some((Row::Backbone, self.column_at(at.x)));
        }
        if !self.cells.contains(at) {
            return None;
        }
        let share = (at.y - self.cells.min.y) / self.cells.height();
        let row = ((share * self.rows as f32) as usize).min(self.rows - 1);
        Some((Row::Layer(row), self.column_at(at.x)))
    }

    /// Names of blocks, with a line between them, and of layers where rows are high enough; all can be clicked.
    pub(in crate::figure) fn names_ui(
        &self,
        ui: &Ui,
        layers: &[(&Layer, usize)],
        view: &View,
    ) -> Option<Pick> {
        let mut pick = None;
        if self.cells.left() <= self.left {
            return None;
        }
        // Where blocks are lower than a line of text, as many are named as there is room for.
        let mut free = f32::NEG_INFINITY;
        let mut first = 0;
        while let Some((layer, _)) = layers.get(first) {
            let group = layer.group.as_str();
            let count = layers[first..]
                .iter()
                .take_while(|(other, _)| other.group == group)
                .count();
            let top = self.cell(first, 0).top();
            let bottom = self.cell(first + count - 1, 0).bottom();
            if first > 0 && bottom - top > LINED_BLOCK {
                let line = Stroke::new(1.0, ui.visuals().weak_text_color().gamma_multiply(0.6));
                ui.painter()
                    .hline(self.left..=self.cells.right(), top, line);
            }
            let rect = Rect::from_min_max(pos2(self.left, top), pos2(self.names - 4.0, bottom));
            let scope = Scope::Group(group.to_owned());
            let is_selected = view.scope == scope;
            let hint = format!("Block {group}");
            let has_room = rect.center().y - NAME / 2.0 >= free;
            if has_room {
                free = rect.center().y + NAME / 2.0;
            }
            // A block may occur twice, and a layer may have its block's name: the index keeps ids apart.
            let text = if has_room || is_selected { group } else { "" };
            if name_ui(ui, rect, text, (&hint, first), is_selected) {
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
    pub(in crate::figure) fn paint_times(&self, ui: &Ui, subject: Subject<'_>, view: &View) {
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
        // Whole numbers need no decimals.
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
        let label = view.time.known_to(subject.run).label();
        ui.painter()
            .text(at, Align2::CENTER_TOP, label, font, color);
    }

    /// Paints frames around the moment looked at and the selected part of the network.
    pub(in crate::figure) fn paint_selection(
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
            let top = self.backbone.unwrap_or(self.cells);
            let top = self.in_column(top, column);
            let rect = Rect::from_min_max(top.min, self.cell(self.rows - 1, column).max);
            frame(ui, painter, rect);
        }
        if let (Scope::Backbone, Some(row)) = (&view.scope, self.backbone) {
            frame(ui, painter, row);
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

/// Paints a frame that shows on any colour.
fn frame(ui: &Ui, painter: &Painter, rect: Rect) {
    let (inner, outer): (Color32, Color32) =
        (ui.visuals().panel_fill, ui.visuals().strong_text_color());
    painter.rect_stroke(rect, 0.0, Stroke::new(1.0, inner), StrokeKind::Inside);
    painter.rect_stroke(rect, 0.0, Stroke::new(1.5, outer), StrokeKind::Outside);
}

/// A name that can be clicked; whether it was clicked.
fn name_ui(ui: &Ui, rect: Rect, text: &str, (name, at): (&str, usize), is_selected: bool) -> bool {
    let response = ui.interact(rect, ui.scope_id().with((name, at)), Sense::click());
    named(&response, Role::Button, name);
    let color = if is_selected || response.hovered() {
        ui.visuals().strong_text_color()
    } else {
        ui.visuals().weak_text_color()
    };
    let size = (rect.height() - 1.0).clamp(6.0, 10.5);
    let font = FontId::proportional(size);
    let galley = fitted_end(ui.painter(), text, &font, color, rect.width().max(1.0));
    let at = pos2(rect.left(), rect.center().y - galley.size().y / 2.0);
    ui.painter().galley(at, galley, color);
    response.on_hover_text(name).clicked()
}

/// The x of every probe on the time axis.
fn times(ui: &Ui, subject: Subject<'_>, view: &View) -> Arc<Vec<f64>> {
    let revisions = subject.run.revisions;
    let id = subject.run.started.as_ref().map(|started| &started.id);
    let key = (id, revisions.probes, revisions.steps, view.time);
    remembered(
        ui.ctx(),
        ("times of probes", subject.identity()),
        key,
        || {
            let clock = Clock::new(subject.run, view.time);
            let probes = subject.run.probes.iter();
            Arc::new(probes.map(|probe| clock.at(probe.step as f64)).collect())
        },
    )
}

const HEADER: f32 = 18.0;

/// The rectangle of the line above the cells.
pub(in crate::figure) fn header(area: Rect) -> Rect {
    Rect::from_min_size(area.min, vec2(area.width(), HEADER))
}

/// A row of the figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::figure::parts::lanes) enum Row {
    Backbone,
    /// A layer, by its place among the layers that have gradients.
    Layer(usize),
}
