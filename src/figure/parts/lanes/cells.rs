//! Cells of layers by moments: their colours, and their answers to the pointer and the keyboard.

use std::sync::Arc;

use egui::{
    Color32, Mesh, PointerButton, Rect, Role, Sense, Shape, Stroke, StrokeKind, Tooltip, Ui,
};

use crate::figure::facts::network::layers_with_gradients;
use crate::figure::facts::unread::NO_PROBE;
use crate::figure::kit::cell_keys::Keys;
use crate::figure::kit::memo::remembered;
use crate::figure::kit::palette;
use crate::figure::kit::square::low;
use crate::figure::kit::text::{empty_ui, named};
use crate::figure::look::pick::Pick;
use crate::figure::look::subject::Subject;
use crate::figure::look::view::View;
use crate::figure::parts::lanes::layout::{Grid, Row};
use crate::run::Scope;
use crate::run::event::Layer;

/// What a figure puts into the cells of layers (rows) by moments (columns).
pub(in crate::figure) trait Cells {
    /// Accessible name of the whole figure.
    const NAME: &'static str;
    /// A key of all that the colours depend on, except for the run's probes and the colours of the window.
    fn key(&self) -> String;
    /// Colour of the layer with Gram row `gram` at the probe with index `column`; `None` where nothing is known yet.
    fn color(&self, ui: &Ui, gram: usize, column: usize) -> Option<Color32>;
    /// Whether the value of a cell is significant; the cell of one that is not is drawn low, in its full colour.
    fn is_significant(&self, _gram: usize, _column: usize) -> bool {
        true
    }
    /// Writes everything about a cell: the text of its tooltip.
    fn words_ui(&self, ui: &mut Ui, gram: usize, column: usize);
    /// Paints the scale of the colours, upright.
    fn scale_ui(&self, ui: &Ui, bar: Rect);
    /// Whether there is a row for the whole backbone, too.
    const BACKBONE: bool = false;
    /// As [`Self::color`], for the backbone.
    fn backbone_color(&self, _: &Ui, _: usize) -> Option<Color32> {
        None
    }
    /// As [`Self::words_ui`], for the backbone.
    fn backbone_words_ui(&self, _: &mut Ui, _: usize) {}
}

/// Draws layers from top to bottom and probes from left to right, below the [`header`] of `area`; a click picks layer
/// and moment.
pub(in crate::figure) fn cells_ui<C: Cells>(
    ui: &mut Ui,
    area: Rect,
    subject: Subject<'_>,
    view: &View,
    cells: &C,
) -> Option<Pick> {
    let layers: Vec<(&Layer, usize)> = layers_with_gradients(subject).collect();
    if layers.is_empty() || subject.run.probes.is_empty() {
        empty_ui(ui, NO_PROBE);
        return None;
    }
    let mut grid = Grid::new(area, &layers, subject.run.probes.len());
    if C::BACKBONE {
        grid = grid.with_backbone();
    }
    if grid.cells.width() < 1.0 || grid.cells.height() < 1.0 {
        ui.allocate_rect(area, Sense::hover());
        return None;
    }
    let mesh = mesh(ui, &grid, &layers, subject, cells);
    ui.painter().add(Shape::Mesh(mesh));
    cells.scale_ui(ui, grid.bar);
    let mut pick = grid.names_ui(ui, &layers, view);
    pick = grid.backbone_name_ui(ui, view).or(pick);
    grid.paint_times(ui, subject, view);
    grid.paint_selection(ui, &layers, subject, view);
    pick = touch_ui(ui, &grid, &layers, subject, view, cells).or(pick);
    ui.allocate_rect(area, Sense::hover());
    pick
}

/// Answers the pointer and the keyboard in the cells, which show their tooltip; a click or Enter picks layer and
/// moment.
fn touch_ui<C: Cells>(
    ui: &Ui,
    grid: &Grid,
    layers: &[(&Layer, usize)],
    subject: Subject<'_>,
    view: &View,
    cells: &C,
) -> Option<Pick> {
    let scope = |row: Row| match row {
        Row::Backbone => Some(Scope::Backbone),
        Row::Layer(row) => Some(Scope::Layer(layers.get(row)?.0.name.clone())),
    };
    let pick = |row, column: usize| {
        let probe = subject.run.probes.get(column)?;
        Some(Pick::ScopeAt(scope(row)?, probe.step))
    };
    let words_ui = |ui: &mut Ui, row, column: usize| {
        words_ui(ui, (row, column), layers, subject, cells);
    };
    let frame = |row, column| {
        let stroke = Stroke::new(1.0, ui.visuals().strong_text_color());
        let cell = grid.of(row, column);
        ui.painter()
            .rect_stroke(cell, 0.0, stroke, StrokeKind::Outside);
        cell
    };
    let response = ui.interact(grid.all(), ui.scope_id().with("cells"), Sense::click());
    let mut picked = None;
    let at = response.hover_pos().or(response.interact_pointer_pos());
    if let Some((row, column)) = at.and_then(|at| grid.at(at)) {
        // Only clicks of the pointer: Enter is pressed for the cell that the keyboard is at.
        if response.clicked_by(PointerButton::Primary) {
            picked = pick(row, column);
        }
        if response.hovered() {
            frame(row, column);
        }
        let hovered = response.clone();
        hovered.on_hover_ui_at_pointer(|ui| words_ui(ui, row, column));
    }
    let Some(keys) = Keys::of(ui, &response) else {
        named(&response, Role::Grid, C::NAME);
        return picked;
    };
    let kept: Option<(usize, usize)> = ui.data(|data| data.get_temp(response.id));
    let from = kept.unwrap_or_else(|| {
        let mut rows = grid.rows_of_all();
        let row = rows.position(|row| scope(row).as_ref() == Some(&view.scope));
        let step = subject.probe(view).map(|probe| probe.step);
        let column = step.and_then(|step| subject.run.probe_at(step));
        (row.unwrap_or(0), column.unwrap_or(0))
    });
    let at = keys.from(from, (grid.rows_of_all().count(), grid.columns));
    ui.data_mut(|data| data.insert_temp(response.id, at));
    let (Some(row), column) = (grid.rows_of_all().nth(at.0), at.1) else {
        return picked;
    };
    let of = scope(row).map_or_else(String::new, |scope| scope.name().to_owned());
    let step = subject.run.probes.get(column).map_or(0, |probe| probe.step);
    let name = format!("{}, {of} at step {step}", C::NAME);
    named(&response, Role::Grid, &name);
    let (id, cell) = (response.id.with("words"), frame(row, column));
    Tooltip::always_open(ui.ctx().clone(), response.layer_id, id, cell)
        .show(|ui| words_ui(ui, row, column));
    if keys.picks {
        picked = pick(row, column);
    }
    picked
}

/// Writes everything about a cell: the text of its tooltip.
fn words_ui<C: Cells>(
    ui: &mut Ui,
    (row, column): (Row, usize),
    layers: &[(&Layer, usize)],
    subject: Subject<'_>,
    cells: &C,
) {
    let Some(probe) = subject.run.probes.get(column) else {
        return;
    };
    ui.set_max_width(280.0);
    let layer = match row {
        Row::Backbone => None,
        Row::Layer(row) => layers.get(row),
    };
    ui.strong(
        layer.map_or("Backbone: all layers but the classifier", |(layer, _)| {
            &layer.name
        }),
    );
    ui.label(subject.run.moment_of(probe.step));
    match layer {
        None => cells.backbone_words_ui(ui, column),
        Some((_, gram)) => cells.words_ui(ui, *gram, column),
    }
}

/// The coloured cells, made anew only where something they show has changed.
fn mesh<C: Cells>(
    ui: &Ui,
    grid: &Grid,
    layers: &[(&Layer, usize)],
    subject: Subject<'_>,
    cells: &C,
) -> Arc<Mesh> {
    let id = subject.run.started.as_ref().map(|started| &started.id);
    let place = grid.cells;
    let place = [place.min.x, place.min.y, place.max.x, place.max.y].map(f32::to_bits);
    let key = (
        id,
        subject.run.revisions.probes,
        place,
        palette::undefined(ui),
        cells.key(),
    );
    remembered(ui.ctx(), (C::NAME, subject.identity()), key, || {
        let mut mesh = Mesh::default();
        for column in 0..subject.run.probes.len() {
            if let Some(row) = grid.backbone
                && let Some(color) = cells.backbone_color(ui, column)
            {
                mesh.add_colored_rect(grid.in_column(row, column), color);
            }
        }
        for (row, (_, gram)) in layers.iter().enumerate() {
            for column in 0..subject.run.probes.len() {
                if let Some(color) = cells.color(ui, *gram, column) {
                    let cell = grid.cell(row, column);
                    let cell = match cells.is_significant(*gram, column) {
                        true => cell,
                        false => low(cell),
                    };
                    mesh.add_colored_rect(cell, color);
                }
            }
        }
        Arc::new(mesh)
    })
}
