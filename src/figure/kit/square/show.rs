//! Draws a square: cells, names, outlines and the colour bar.

use std::sync::Arc;

use egui::epaint::TextShape;
use egui::{
    Align2, Color32, FontId, Galley, Painter, Rect, Role, Sense, Stroke, StrokeKind, Ui, Vec2,
    pos2, vec2,
};

use crate::figure::kit::palette;
use crate::figure::kit::square::cells::{Cells, Look};
use crate::figure::kit::square::grid::{GAP, Grid, LEAST_TOP, LINE, TILT};
use crate::figure::kit::text::{fitted, named};
use crate::figure::look::pick::Pick;
use crate::figure::look::view::View;

/// Cells at least this large, in points, carry their number.
const NUMBER: Vec2 = vec2(28.0, 14.0);

/// Cells smaller than this, in points, have no gap between them.
const SMALL: f32 = 8.0;

/// Length, in points, that a tilted name keeps before the training images get room after it: they stand beside the
/// rows as well.
const LEAST_TILTED: f32 = 60.0;

impl Grid<'_> {
    /// Draws cells and names, and answers the pointer and the keyboard. `marked` are the cells with an outline, as
    /// classes of row and column and width in points.
    pub(in crate::figure) fn show(
        &self,
        ui: &mut Ui,
        view: &View,
        cells: &impl Cells,
        marked: &[(usize, usize, f32)],
    ) -> Option<Pick> {
        let painter = ui.painter().clone();
        // As single shapes, small cells would be moved to whole pixels, and the smallest would vanish.
        let mut small = egui::Mesh::default();
        let looks = self
            .seen()
            .map(|(row, a, column, b)| (row, column, cells.look(ui, a, b)));
        let looks: Vec<_> = looks.collect();
        let has_numbers = self.has_numbers(looks.iter().map(|(.., look)| look));
        for (row, column, look) in looks {
            let rect = self.cell(row, column);
            if self.side.min_elem() < SMALL {
                let rect = if look.significant { rect } else { low(rect) };
                small.add_colored_rect(rect, look.color);
            } else {
                self.paint_cell(&painter, ui, (rect, has_numbers), &look);
            }
        }
        painter.add(small);
        let named = self.names_ui(ui, view);
        self.paint_class(&painter, ui, view);
        let touched = self.touch(ui, view, cells);
        let strong = ui.visuals().strong_text_color();
        let hovered = touched.hovered.map(|(a, b)| (a, b, 1.5));
        for &(a, b, width) in marked.iter().chain(&hovered) {
            self.outline(&painter, (a, b), Stroke::new(width, strong));
        }
        if let Some(cell) = touched.cursor {
            let colour = ui.visuals().selection.stroke.color;
            self.outline(&painter, cell, Stroke::new(3.0, colour));
        }
        touched.pick.or(named)
    }

    fn outline(&self, painter: &Painter, (a, b): (usize, usize), stroke: Stroke) {
        if let (Some(row), Some(column)) = (self.row_of(a), self.column_of(b)) {
            painter.rect_stroke(self.cell(row, column), 0.0, stroke, StrokeKind::Outside);
        }
    }

    /// Paints the colour bar, from `color(1)` at the top to `color(−1)` at the bottom.
    pub(in crate::figure) fn paint_bar(&self, ui: &Ui, color: impl Fn(f64) -> Color32) {
        let painter = ui.painter();
        palette::paint_scale(painter, self.bar, true, |t| color(1.0 - 2.0 * t));
        let stroke = ui.visuals().window_stroke;
        painter.rect_stroke(self.bar, 0.0, stroke, StrokeKind::Outside);
        let aligns = [Align2::LEFT_TOP, Align2::LEFT_CENTER, Align2::LEFT_BOTTOM];
        let (x, y) = (self.bar.right() + 5.0, self.bar.y_range());
        let weak = ui.visuals().weak_text_color();
        let labels = self.labels.iter().zip(aligns);
        for ((text, align), y) in labels.zip([y.min, y.center(), y.max]) {
            painter.text(pos2(x, y), align, text, self.font.clone(), weak);
        }
    }

    /// Size of the numbers in the cells.
    fn number_size(&self) -> f32 {
        (self.side.x * 0.3).min(self.side.y * 0.5).clamp(9.0, 14.0)
    }

    /// Whether the cells have their numbers: all of them, or, where one has no room, none.
    fn has_numbers<'a>(&self, looks: impl Iterator<Item = &'a Look>) -> bool {
        if self.side.x < NUMBER.x || self.side.y < NUMBER.y {
            return false;
        }
        let lengths = looks.map(|look| look.number.words().chars().count());
        let longest = lengths.max().unwrap_or(0) as f32;
        0.55 * self.number_size() * longest <= self.side.x - 3.0
    }

    fn paint_cell(
        &self,
        painter: &Painter,
        ui: &Ui,
        (rect, has_number): (Rect, bool),
        look: &Look,
    ) {
        let inner = Rect::from_min_max(rect.min, rect.max - Vec2::splat(1.0));
        if look.hatched {
            let color = ui.visuals().weak_text_color().gamma_multiply(0.5);
            return hatch(painter, inner, color);
        }
        let filled = if look.significant { inner } else { low(inner) };
        painter.rect_filled(filled, 0.0, look.color);
        if has_number {
            let ink = palette::text_on(look.color);
            let (at, font) = (inner.center(), FontId::proportional(self.number_size()));
            painter.text(at, Align2::CENTER_CENTER, look.number.words(), font, ink);
        }
    }

    /// Lines along the row and the column of the selected class.
    fn paint_class(&self, painter: &Painter, ui: &Ui, view: &View) {
        let Some(class) = view.class else { return };
        let stroke = Stroke::new(1.0, ui.visuals().selection.stroke.color);
        if let Some(row) = self.row_of(class) {
            let y = self.cell(row, 0).y_range();
            painter.hline(self.square.x_range(), y.min, stroke);
            painter.hline(self.square.x_range(), y.max, stroke);
        }
        if let Some(column) = self.column_of(class) {
            let x = self.cell(0, column).x_range();
            painter.vline(x.min, self.square.y_range(), stroke);
            painter.vline(x.max, self.square.y_range(), stroke);
        }
    }

    /// Places and classes, from `first` on, whose names are shown in cells of this size: where names are crowded only
    /// every n-th is shown, and neighbours of the selected class make room for it.
    fn with_names(&self, first: usize, size: f32, view: &View) -> Vec<(usize, usize)> {
        let every = (LINE / size).ceil().max(1.0) as usize;
        let near = view.class.and_then(|class| self.place(class, first));
        let is_shown = |place: usize| match near {
            Some(near) if near == place => true,
            Some(near) if near.abs_diff(place) < every => false,
            _ => place.is_multiple_of(every),
        };
        let places = (0..self.sight.count).filter(|place| is_shown(*place));
        places
            .map(|place| (place, self.order[first + place]))
            .collect()
    }

    fn ink(&self, ui: &Ui, view: &View, class: usize) -> Color32 {
        if view.class == Some(class) {
            ui.visuals().selection.stroke.color
        } else {
            ui.visuals().text_color()
        }
    }

    /// The training images of a class, as text; empty where they have no room.
    fn count_of(&self, painter: &Painter, class: usize, weak: Color32) -> Arc<Galley> {
        let count = self.counts.get(class).filter(|_| self.counted > 0.0);
        let text = count.map_or_else(String::new, ToString::to_string);
        painter.layout_no_wrap(text, self.font.clone(), weak)
    }

    /// Names of the rows and of the columns, with their training images; a click on a row's name selects the class.
    fn names_ui(&self, ui: &Ui, view: &View) -> Option<Pick> {
        let painter = ui.painter();
        let weak = ui.visuals().weak_text_color();
        let mut pick = None;
        let right = self.square.left() - GAP;
        let room = (right - self.counted - self.area.left()).max(20.0);
        for (row, k) in self.with_names(self.sight.row, self.side.y, view) {
            let ink = self.ink(ui, view, k);
            let name = fitted(painter, &self.names[k], &self.font, ink, room);
            let count = self.count_of(painter, k, weak);
            let size = name.size();
            let y = self.cell(row, 0).center().y - size.y / 2.0;
            let x = right - self.counted - size.x;
            painter.galley(pos2(right - count.size().x, y), count, weak);
            let rect = Rect::from_min_max(pos2(x, y), pos2(right, y + size.y));
            let response = ui.interact(rect, ui.scope_id().with(("name", k)), Sense::click());
            let select = format!("Select {}", self.names[k]);
            named(&response, Role::Button, &select);
            painter.galley(pos2(x, y), name, ink);
            if response.clicked() {
                pick = Some(Pick::Class(k));
            }
            let count = self.counts.get(k).copied().unwrap_or(0);
            response.on_hover_text(format!("{}: {count} training images", self.names[k]));
        }
        if self.flat {
            self.paint_flat_names(ui, view);
        } else if self.square.top() - self.area.top() >= LEAST_TOP {
            self.paint_tilted_names(ui, view);
        }
        pick
    }

    fn paint_flat_names(&self, ui: &Ui, view: &View) {
        let painter = ui.painter();
        let weak = ui.visuals().weak_text_color();
        for (column, k) in self.with_names(self.sight.column, f32::INFINITY, view) {
            let ink = self.ink(ui, view, k);
            let x = self.cell(0, column).center().x;
            let mut at = pos2(x, self.square.top() - 3.0);
            if self.counted > 0.0 {
                let count = self.count_of(painter, k, weak);
                let size = count.size();
                painter.galley(at - vec2(size.x / 2.0, size.y), count, weak);
                at.y -= LINE;
            }
            let (name, font) = (&self.names[k], self.font.clone());
            painter.text(at, Align2::CENTER_BOTTOM, name, font, ink);
        }
    }

    fn paint_tilted_names(&self, ui: &Ui, view: &View) {
        let painter = ui.painter();
        let weak = ui.visuals().weak_text_color();
        let along = Vec2::angled(-TILT);
        // Tilted names must not rise out of the figure.
        let rise = (self.square.top() - self.area.top() - LINE) / TILT.sin();
        let columns: Vec<_> = self
            .with_names(self.sight.column, self.side.x, view)
            .into_iter()
            .map(|(column, k)| {
                let count = self.count_of(painter, k, weak);
                let x = self.cell(0, column).center().x - 0.35 * count.size().y;
                let room = rise.min((self.area.right() - x - LINE) / TILT.cos());
                (k, count, x, room)
            })
            .collect();
        let fits = |(_, count, _, room): &(usize, Arc<Galley>, f32, f32)| {
            room - count.size().x - GAP >= LEAST_TILTED
        };
        // Training images above some columns alone would seem to mean something.
        let has_both = self.counted > 0.0 && columns.iter().all(fits);
        for (k, count, x, room) in columns {
            let foot = pos2(x, self.square.top() - 4.0 - 0.5 * LINE);
            let counts = if has_both { count.size().x + GAP } else { 0.0 };
            let room = (room - counts).max(16.0);
            let ink = self.ink(ui, view, k);
            let name = fitted(painter, &self.names[k], &self.font, ink, room);
            let end = foot + (name.size().x + GAP) * along;
            painter.add(TextShape::new(foot, name, ink).with_angle(-TILT));
            if has_both {
                painter.add(TextShape::new(end, count, weak).with_angle(-TILT));
            }
        }
    }
}

/// The part of a cell that is filled where its value is not significant: its middle, over the whole width, with room for
/// the number.
pub(in crate::figure) fn low(cell: Rect) -> Rect {
    cell.shrink2(vec2(0.0, 0.2 * cell.height()))
}

/// Diagonal lines that mark a cell as undefined.
fn hatch(painter: &Painter, rect: Rect, color: Color32) {
    let painter = painter.with_clip_rect(rect.intersect(painter.clip_rect()));
    let mut x = rect.left() - rect.height();
    while x < rect.right() {
        let (from, to) = (pos2(x, rect.bottom()), pos2(x + rect.height(), rect.top()));
        painter.line_segment([from, to], Stroke::new(1.0, color));
        x += 5.0;
    }
}
