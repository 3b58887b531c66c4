//! A quantity by layer and moment, and what all figures of layers by moments share.

mod layout;

use std::sync::Arc;

use egui::{
    Color32, Mesh, PointerButton, Rect, Role, Sense, Shape, Stroke, StrokeKind, Tooltip, Ui, vec2,
};

use crate::gradient::gram::ConflictSummary;
use crate::run::Scope;
use crate::run::event::Layer;

use super::keys::Keys;
use super::quantity::{self, Classes, Scale};
use super::table::Table;
use super::{Pick, Subject, View, curves, empty_ui, remembered};
use layout::Grid;

const HEADER: f32 = 18.0;
/// The numbers of the figure: a row for the backbone and every layer at every probe.
pub(super) fn table(subject: Subject<'_>, view: &View) -> Table {
    quantity::table(subject, view, &subject.run.probes)
}

/// What a figure puts into the cells of layers (rows) by moments (columns).
pub(super) trait Cells {
    /// Name of the whole, for those who cannot see it.
    const NAME: &'static str;
    /// All that colours depend on, but for the run's probes and the colours of the window.
    fn key(&self) -> String;
    /// Colour of a layer, by its Gram row, at a probe, by its index; none where nothing is known yet.
    fn color(&self, ui: &Ui, gram: usize, column: usize) -> Option<Color32>;
    /// Everything about a cell, in words.
    fn words_ui(&self, ui: &mut Ui, gram: usize, column: usize);
    /// The scale of the colours, upright.
    fn scale_ui(&self, ui: &Ui, bar: Rect);
    /// Whether there is a row of the whole backbone, too.
    const BACKBONE: bool = false;
    /// As [`Self::color`], of the backbone.
    fn backbone_color(&self, _: &Ui, _: usize) -> Option<Color32> {
        None
    }
    /// As [`Self::words_ui`], of the backbone.
    fn backbone_words_ui(&self, _: &mut Ui, _: usize) {}
}

/// The line above the cells.
pub(super) fn header(area: Rect) -> Rect {
    Rect::from_min_size(area.min, vec2(area.width(), HEADER))
}

/// Draws the backbone and the layers, in the quantity that is chosen above them.
pub(super) fn depth_time_ui(
    ui: &mut Ui,
    subject: Subject<'_>,
    shown: &[Subject<'_>],
    view: &View,
) -> Option<Pick> {
    let area = ui.available_rect_before_wrap();
    let mut pick = None;
    if !subject.run.probes.is_empty() {
        let list = header(area);
        let list = list.with_max_x(list.right().min(list.left() + 170.0));
        pick = quantity::selector_ui(ui, list, subject, view);
    }
    let quantities = Quantities {
        subject,
        view,
        classes: Classes::of(subject, view),
        scale: Scale::of(ui, shown, view),
    };
    cells_ui(ui, area, subject, view, &quantities).or(pick)
}

/// The quantity of the view as cells.
struct Quantities<'a> {
    subject: Subject<'a>,
    view: &'a View,
    classes: Classes,
    scale: Scale,
}

impl Cells for Quantities<'_> {
    const NAME: &'static str = "Layers by moment";

    fn key(&self) -> String {
        format!("{:?} {:?}", self.classes, self.scale)
    }

    fn color(&self, ui: &Ui, gram: usize, column: usize) -> Option<Color32> {
        let summary = self.subject.run.probes.get(column)?.layers.get(gram);
        Some(self.color_of(ui, summary))
    }

    fn words_ui(&self, ui: &mut Ui, gram: usize, column: usize) {
        let probe = self.subject.run.probes.get(column);
        match probe.and_then(|probe| probe.layers.get(gram)) {
            Some(summary) => quantity::values_ui(ui, self.subject, summary, self.view),
            None => {
                ui.label("not measured");
            }
        }
    }

    fn scale_ui(&self, ui: &Ui, bar: Rect) {
        self.scale.upright_ui(ui, bar);
    }

    const BACKBONE: bool = true;

    fn backbone_color(&self, ui: &Ui, column: usize) -> Option<Color32> {
        let probe = self.subject.run.probes.get(column)?;
        Some(self.color_of(ui, Some(&probe.backbone)))
    }

    fn backbone_words_ui(&self, ui: &mut Ui, column: usize) {
        if let Some(probe) = self.subject.run.probes.get(column) {
            quantity::values_ui(ui, self.subject, &probe.backbone, self.view);
        }
    }
}

impl Quantities<'_> {
    fn color_of(&self, ui: &Ui, summary: Option<&ConflictSummary>) -> Color32 {
        let value = summary.and_then(|x| self.classes.value(self.view.quantity, x));
        value.map_or_else(|| quantity::undefined(ui), |value| self.scale.color(value))
    }
}

/// Draws layers from top to bottom and probes from left to right, below the [`header`] of `area`; a click picks both.
pub(super) fn cells_ui<C: Cells>(
    ui: &mut Ui,
    area: Rect,
    subject: Subject<'_>,
    view: &View,
    cells: &C,
) -> Option<Pick> {
    let layers: Vec<(&Layer, usize)> = curves::layers_with_gradients(subject).collect();
    if layers.is_empty() || subject.run.probes.is_empty() {
        empty_ui(ui, "The first probe comes before the first step.");
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

/// Answers the pointer and the keyboard in the cells, which say what they hold; a click or Enter picks layer and moment.
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
        ui.label(format!("step {}, epoch {:.2}", probe.step, probe.epoch));
        match layer {
            None => cells.backbone_words_ui(ui, column),
            Some((_, gram)) => cells.words_ui(ui, *gram, column),
        }
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
        // Enter is pressed for the cell that the keyboard is at.
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
        super::named(&response, Role::Grid, C::NAME);
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
    super::named(&response, Role::Grid, &name);
    let (id, cell) = (response.id.with("words"), frame(row, column));
    Tooltip::always_open(ui.ctx().clone(), response.layer_id, id, cell)
        .show(|ui| words_ui(ui, row, column));
    if keys.picks {
        picked = pick(row, column);
    }
    picked
}

/// A row of the figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Row {
    Backbone,
    /// By its place among the layers.
    Layer(usize),
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
        quantity::undefined(ui),
        cells.key(),
    );
    remembered(ui.ctx(), (C::NAME, subject.name), key, || {
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
                    mesh.add_colored_rect(grid.cell(row, column), color);
                }
            }
        }
        Arc::new(mesh)
    })
}
