//! A square of class × class cells with names beside it: what the conflict matrix, its difference between two runs and
//! the confusion matrix share.

use std::hash::Hash;
use std::sync::Arc;

use egui::{
    Align2, Color32, FontId, Galley, Painter, Pos2, Rect, Response, Role, Sense, Shape, Stroke,
    StrokeKind, TextFormat, Ui, Vec2, pos2, vec2,
};
use serde::{Deserialize, Serialize};

use super::{Pick, Subject, View, named, order_of, palette};

/// Cells at least this wide carry their number.
const NUMBER_WIDTH: f32 = 28.0;
/// Up to this many classes in sight every cell is a widget of its own, reachable by name.
const NAMED_CELLS: usize = 20;
/// Cells smaller than this have no gap between them.
const SMALL: f32 = 8.0;
/// Height below which there are no names above the columns.
const LEAST_TOP: f32 = 44.0;
/// Angle of names that stand above their columns, in radians.
const TILT: f32 = 0.85;
/// Width of the colour bar with its labels.
const BAR: f32 = 46.0;
/// Fewer cells than this are never zoomed to.
const LEAST_SEEN: usize = 4;

/// The part of a square of classes that is in sight, in places of the order of classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Sight {
    /// First row,
    pub row: usize,
    /// first column,
    pub column: usize,
    /// and how many there are of each.
    pub count: usize,
}

impl Sight {
    /// All of `k` classes.
    fn all(k: usize) -> Self {
        Self {
            row: 0,
            column: 0,
            count: k,
        }
    }

    /// Moved and cut so that it lies within `k` classes.
    fn within(self, k: usize) -> Self {
        let count = self.count.clamp(LEAST_SEEN.min(k), k);
        Self {
            row: self.row.min(k - count),
            column: self.column.min(k - count),
            count,
        }
    }

    /// Zoomed by `factor` (> 1 shows fewer classes) around a point, given in shares of what is in sight.
    fn zoomed(self, factor: f32, at: Vec2, k: usize) -> Self {
        let count = (self.count as f32 / factor).round();
        // A step of the wheel has an effect, however few classes are left.
        let least = self.count as f32 + if factor > 1.0 { -1.0 } else { 1.0 };
        let count = if factor > 1.0 {
            count.min(least)
        } else {
            count.max(least)
        };
        let count = count.clamp(LEAST_SEEN.min(k) as f32, k as f32);
        let start = |first: usize, share: f32| {
            let fixed = first as f32 + share * self.count as f32;
            (fixed - share * count).round().max(0.0) as usize
        };
        Self {
            row: start(self.row, at.y),
            column: start(self.column, at.x),
            count: count as usize,
        }
        .within(k)
    }

    /// Moved just so far that a row and a column, by their places, come into sight.
    pub(crate) fn showing(self, row: usize, column: usize, k: usize) -> Self {
        let into = |first: usize, place: usize| {
            let least = (place + 1).saturating_sub(self.count);
            first.clamp(least, place.max(least))
        };
        Self {
            row: into(self.row, row),
            column: into(self.column, column),
            count: self.count,
        }
        .within(k)
    }
}

/// How a cell looks.
pub(super) struct Look {
    pub(super) color: Color32,
    /// Undefined.
    pub(super) hatched: bool,
    /// Its number, where it has room, and
    pub(super) text: String,
    /// whether that steps back.
    pub(super) pale: bool,
}

impl Look {
    /// An undefined cell.
    pub(super) fn undefined(ui: &Ui) -> Self {
        // From far away hatching is grey.
        let color = palette::blend(
            ui.visuals().panel_fill,
            ui.visuals().weak_text_color(),
            0.35,
        );
        Self {
            color,
            hatched: true,
            text: String::new(),
            pale: false,
        }
    }
}

/// What a figure puts into the square.
pub(super) trait Cells {
    /// Name of the whole, for those who cannot see it.
    const NAME: &'static str;
    /// How the cell of a row's and a column's class looks.
    fn look(&self, ui: &Ui, row: usize, column: usize) -> Look;
    /// Its name for those who cannot see it.
    fn name(&self, row: usize, column: usize) -> String;
    /// Everything about it, in words.
    fn words_ui(&self, ui: &mut Ui, row: usize, column: usize);
    /// What a click on it selects.
    fn pick(&self, row: usize, column: usize) -> Option<Pick>;
}

/// Where everything lies.
pub(super) struct Grid<'a> {
    names: &'a [String],
    /// Training images of each class.
    counts: &'a [usize],
    order: Vec<usize>,
    sight: Sight,
    /// Left and top of the whole figure.
    corner: Pos2,
    square: Rect,
    side: f32,
    /// Whether training images stand beside the names.
    counted: bool,
    bar: Rect,
    font: FontId,
}

impl<'a> Grid<'a> {
    /// Fits into `area`. Names stand above the columns, and a colour bar at the right, where `framed`.
    pub(super) fn new(
        ui: &Ui,
        area: Rect,
        subject: Subject<'a>,
        view: &View,
        framed: bool,
    ) -> Self {
        let (names, order) = (subject.classes(), order_of(subject, view));
        let started = subject.run.started.as_ref();
        let counts = started.map_or(&[][..], |started| &started.train_counts);
        let k = order.len();
        let sight = view.sight.unwrap_or(Sight::all(k)).within(k);
        let font = FontId::proportional(11.0);
        let width = |text: String| {
            let galley = ui
                .painter()
                .layout_no_wrap(text, font.clone(), Color32::WHITE);
            galley.size().x
        };
        let longest = names.iter().cloned().map(width).fold(0.0, f32::max);
        let largest = counts.iter().map(|n| width(format!("  {n}")));
        let largest = largest.fold(0.0, f32::max);
        // Names may take a third of the width; above the columns they stand on edge and take less.
        let third = area.width() / 3.0;
        let counted = longest + largest + 8.0 <= third;
        let left = (longest + if counted { largest } else { 0.0 } + 8.0).min(third);
        let wanted = longest * 0.75 + 12.0;
        let top = wanted.min(area.height() / 4.0);
        // Cut to a letter or two they would only take room; the rows have the same names.
        let top = match (framed, top < wanted.min(LEAST_TOP)) {
            (false, _) => 0.0,
            (true, true) => 4.0,
            (true, false) => top,
        };
        let bar = if framed { BAR } else { 0.0 };
        let seen = sight.count.max(1) as f32;
        let side = ((area.width() - left - bar - 8.0) / seen)
            .min((area.height() - top) / seen)
            .max(0.1);
        // Whole points keep the cells' edges sharp.
        let side = if side > 6.0 { side.floor() } else { side };
        let used = vec2(left + side * seen + 8.0 + bar, top + side * seen);
        let origin = area.min + vec2(((area.width() - used.x) / 2.0).max(0.0).floor(), 0.0);
        let square = Rect::from_min_size(origin + vec2(left, top), Vec2::splat(side * seen));
        let bar = Rect::from_min_size(
            square.right_top() + vec2(12.0, 0.0),
            vec2(12.0, square.height()),
        );
        Self {
            names,
            counts,
            order,
            sight,
            corner: area.min,
            square,
            side,
            counted,
            bar,
            font,
        }
    }

    /// Where the cells lie.
    pub(super) fn square(&self) -> Rect {
        self.square
    }

    /// Draws cells and names, and answers the pointer. `marked` are cells with an outline of some width.
    pub(super) fn show(
        &self,
        ui: &mut Ui,
        view: &View,
        cells: &impl Cells,
        marked: &[(usize, usize, f32)],
    ) -> Option<Pick> {
        let painter = ui.painter().clone();
        // Shapes of their own would be moved to whole pixels, and the smallest would vanish.
        let mut small = egui::Mesh::default();
        for (row, a, column, b) in self.seen() {
            let rect = self.cell(row, column);
            let look = cells.look(ui, a, b);
            if self.side < SMALL {
                small.add_colored_rect(rect, look.color);
            } else {
                self.paint_cell(&painter, ui, rect, &look);
            }
        }
        painter.add(small);
        let named = self.names_ui(ui, view);
        self.paint_class(&painter, ui, view);
        let (hovered, pick) = self.touch(ui, cells);
        let strong = ui.visuals().strong_text_color();
        let hovered = hovered.map(|(a, b)| (a, b, 1.5));
        for &(a, b, width) in marked.iter().chain(&hovered) {
            if let (Some(row), Some(column)) = (self.row_of(a), self.column_of(b)) {
                let stroke = Stroke::new(width, strong);
                painter.rect_stroke(self.cell(row, column), 0.0, stroke, StrokeKind::Outside);
            }
        }
        pick.or(named)
    }

    /// A colour bar from `high` at the top to `low`.
    pub(super) fn paint_bar(&self, ui: &Ui, labels: [&str; 3], color: impl Fn(f64) -> Color32) {
        let painter = ui.painter();
        palette::paint_scale(painter, self.bar, true, |t| color(1.0 - 2.0 * t));
        let stroke = ui.visuals().window_stroke;
        painter.rect_stroke(self.bar, 0.0, stroke, StrokeKind::Outside);
        let aligns = [Align2::LEFT_TOP, Align2::LEFT_CENTER, Align2::LEFT_BOTTOM];
        let (x, y) = (self.bar.right() + 5.0, self.bar.y_range());
        let weak = ui.visuals().weak_text_color();
        for ((text, align), y) in labels.iter().zip(aligns).zip([y.min, y.center(), y.max]) {
            painter.text(pos2(x, y), align, text, self.font.clone(), weak);
        }
    }

    /// Row, its class, column, its class, of every cell in sight.
    fn seen(&self) -> impl Iterator<Item = (usize, usize, usize, usize)> {
        let rows = (0..self.sight.count).map(|row| (row, self.order[self.sight.row + row]));
        rows.flat_map(move |(row, a)| {
            let columns = 0..self.sight.count;
            columns.map(move |column| (row, a, column, self.order[self.sight.column + column]))
        })
    }

    fn row_of(&self, class: usize) -> Option<usize> {
        self.place(class, self.sight.row)
    }

    fn column_of(&self, class: usize) -> Option<usize> {
        self.place(class, self.sight.column)
    }

    fn place(&self, class: usize, first: usize) -> Option<usize> {
        let place = self.order.iter().position(|&other| other == class)?;
        let place = place.checked_sub(first)?;
        (place < self.sight.count).then_some(place)
    }

    fn cell(&self, row: usize, column: usize) -> Rect {
        let min = self.square.min + vec2(column as f32, row as f32) * self.side;
        Rect::from_min_size(min, Vec2::splat(self.side))
    }

    fn paint_cell(&self, painter: &Painter, ui: &Ui, rect: Rect, look: &Look) {
        let inner = Rect::from_min_max(rect.min, rect.max - Vec2::splat(1.0));
        if look.hatched {
            let color = ui.visuals().weak_text_color().gamma_multiply(0.5);
            return hatch(painter, inner, color);
        }
        painter.rect_filled(inner, 0.0, look.color);
        let fits = |size: f32| size * 0.55 * look.text.chars().count() as f32 <= self.side - 3.0;
        let size = (self.side * 0.3).clamp(9.0, 14.0);
        if self.side >= NUMBER_WIDTH && !look.text.is_empty() && fits(size) {
            let mut ink = palette::text_on(look.color);
            if look.pale {
                ink = palette::blend(look.color, ink, 0.55);
            }
            let (at, font) = (inner.center(), FontId::proportional(size));
            painter.text(at, Align2::CENTER_CENTER, &look.text, font, ink);
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

    /// Names of the rows, with their training images, and of the columns; a click on a row's name selects the class.
    fn names_ui(&self, ui: &Ui, view: &View) -> Option<Pick> {
        let painter = ui.painter();
        let (text, weak) = (ui.visuals().text_color(), ui.visuals().weak_text_color());
        let selected = ui.visuals().selection.stroke.color;
        let ink = |k: usize| {
            if view.class == Some(k) {
                selected
            } else {
                text
            }
        };
        let mut pick = None;
        // With many classes only every n-th name fits.
        let every = (13.0 / self.side).ceil().max(1.0) as usize;
        let is_seen = |place: usize, k: usize| place.is_multiple_of(every) || view.class == Some(k);
        let room = self.square.left() - self.corner.x - 6.0;
        for row in 0..self.sight.count {
            let k = self.order[self.sight.row + row];
            // Beside the selected one its neighbours make room.
            let near = view.class.and_then(|class| self.row_of(class));
            let hidden = near.is_some_and(|near| near != row && near.abs_diff(row) < every);
            if !is_seen(row, k) || hidden {
                continue;
            }
            let galley = self.row_name(painter, k, ink(k), weak, room.max(20.0));
            let x = self.square.left() - 6.0 - galley.size().x;
            let y = self.cell(row, 0).center().y - galley.size().y / 2.0;
            let rect = Rect::from_min_size(pos2(x, y), galley.size());
            let response = ui.interact(rect, ui.scope_id().with(("name", k)), Sense::click());
            named(
                &response,
                Role::Button,
                &format!("Select {}", self.names[k]),
            );
            painter.galley(pos2(x, y), galley, text);
            if response.clicked() {
                pick = Some(Pick::Class(k));
            }
            let count = self.counts.get(k).copied().unwrap_or(0);
            response.on_hover_text(format!("{}: {count} training images", self.names[k]));
        }
        if self.square.top() - self.corner.y >= 5.0 {
            self.paint_column_names(painter, ink, is_seen);
        }
        pick
    }

    fn row_name(
        &self,
        painter: &Painter,
        k: usize,
        color: Color32,
        weak: Color32,
        room: f32,
    ) -> Arc<Galley> {
        let format = |color| TextFormat::simple(self.font.clone(), color);
        let mut job = egui::text::LayoutJob::default();
        job.append(&self.names[k], 0.0, format(color));
        if let Some(count) = self.counts.get(k).filter(|_| self.counted) {
            job.append(&format!("  {count}"), 0.0, format(weak));
        }
        job.wrap = egui::text::TextWrapping::truncate_at_width(room);
        painter.layout_job(job)
    }

    fn paint_column_names(
        &self,
        painter: &Painter,
        ink: impl Fn(usize) -> Color32,
        is_seen: impl Fn(usize, usize) -> bool,
    ) {
        // Names that all fit their columns lie flat; a mixture would read as if it meant something.
        let fits = |name: &String| {
            let galley = painter.layout_no_wrap(name.clone(), self.font.clone(), Color32::WHITE);
            galley.size().x + 6.0 < self.side
        };
        let flat = self.names.iter().all(fits);
        // What stands on edge must not rise out of the figure.
        let rise = (self.square.top() - self.corner.y - 12.0).max(16.0) / TILT.sin();
        for column in 0..self.sight.count {
            let k = self.order[self.sight.column + column];
            if !is_seen(column, k) {
                continue;
            }
            let color = ink(k);
            let room = if flat { f32::INFINITY } else { rise };
            let galley = fitted(painter, &self.names[k], &self.font, color, room);
            let size = galley.size();
            let x = self.cell(0, column).center().x;
            let foot = pos2(x - size.y * 0.35, self.square.top() - 4.0);
            let placed = if flat {
                let at = pos2(x - size.x / 2.0, foot.y - size.y);
                egui::epaint::TextShape::new(at, galley, color)
            } else {
                let at = foot - vec2(0.0, size.y * 0.5);
                egui::epaint::TextShape::new(at, galley, color).with_angle(-TILT)
            };
            painter.add(Shape::Text(placed));
        }
    }

    /// One widget for each cell where they are few, one for the whole square where they are many.
    fn touch(&self, ui: &mut Ui, cells: &impl Cells) -> (Option<(usize, usize)>, Option<Pick>) {
        let mut hovered = None;
        let mut pick = (self.order.len() > NAMED_CELLS)
            .then(|| self.move_ui(ui))
            .flatten();
        let mut react = |response: Response, a: usize, b: usize| {
            if response.hovered() {
                hovered = Some((a, b));
            }
            if response.clicked() {
                pick = cells.pick(a, b).or(pick.take());
            }
            response.on_hover_ui_at_pointer(|ui| {
                ui.set_max_width(280.0);
                cells.words_ui(ui, a, b);
            });
        };
        if self.sight.count <= NAMED_CELLS {
            for (row, a, column, b) in self.seen() {
                let id = ui.scope_id().with((a, b));
                let response = ui.interact(self.cell(row, column), id, Sense::click());
                named(&response, Role::Button, &cells.name(a, b));
                react(response, a, b);
            }
        } else {
            let id = ui.scope_id().with("square");
            let response = ui.interact(self.square, id, Sense::click());
            named(&response, Role::Image, name_of(cells));
            if let Some(at) = response.hover_pos() {
                let at = (at - self.square.min) / self.side;
                let last = self.sight.count - 1;
                let row = self.sight.row + (at.y as usize).min(last);
                let column = self.sight.column + (at.x as usize).min(last);
                react(response, self.order[row], self.order[column]);
            }
        }
        (hovered, pick)
    }

    /// Ctrl and the wheel zoom, dragging moves, a double click shows all.
    fn move_ui(&self, ui: &Ui) -> Option<Pick> {
        let k = self.order.len();
        let id = ui.scope_id().with("move");
        let response = ui.interact(self.square, id, Sense::drag());
        let to = |sight: Sight| {
            let sight = sight.within(k);
            (sight != self.sight).then_some(Pick::Sight((sight.count < k).then_some(sight)))
        };
        let pointer = ui.input(|input| input.pointer.hover_pos());
        let at = pointer.filter(|at| self.square.contains(*at))?;
        let double = egui::PointerButton::Primary;
        if ui.input(|input| input.pointer.button_double_clicked(double)) {
            return to(Sight::all(k));
        }
        let zoom = ui.input(|input| input.zoom_delta());
        if (zoom - 1.0).abs() > 1e-3 {
            let share = (at - self.square.min) / self.square.width();
            return to(self.sight.zoomed(zoom, share, k));
        }
        // The cell that was grabbed stays under the pointer.
        if response.drag_started() {
            ui.data_mut(|data| data.insert_temp(id, self.sight));
        }
        let origin = ui.input(|input| input.pointer.press_origin());
        let (Some(origin), true) = (origin, response.dragged()) else {
            return None;
        };
        let start: Sight = ui.data(|data| data.get_temp(id))?;
        let moved = (origin - at) / self.side;
        let by = |first: usize, cells: f32| (first as f32 + cells.round()).max(0.0) as usize;
        to(Sight {
            row: by(start.row, moved.y),
            column: by(start.column, moved.x),
            count: self.sight.count,
        })
    }
}

fn name_of<C: Cells>(_: &C) -> &'static str {
    C::NAME
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

/// Text on one line, cut with an ellipsis where it is longer than `width`.
pub(super) fn fitted(
    painter: &Painter,
    text: &str,
    font: &FontId,
    color: Color32,
    width: f32,
) -> Arc<Galley> {
    let mut job = egui::text::LayoutJob::single_section(
        text.to_owned(),
        TextFormat::simple(font.clone(), color),
    );
    job.wrap = egui::text::TextWrapping::truncate_at_width(width);
    painter.layout_job(job)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Sight = Sight {
        row: 0,
        column: 0,
        count: 100,
    };

    /// What is under the pointer stays there.
    #[test]
    fn zoom_keeps_the_point_under_the_pointer() {
        let at = vec2(0.25, 0.75);
        let near = ALL.zoomed(2.0, at, 100);
        assert_eq!((near.row, near.column, near.count), (38, 13, 50));
        let back = near.zoomed(0.5, at, 100);
        assert_eq!(back, ALL);
        // A small turn of the wheel shows one class less, or one more.
        assert_eq!(ALL.zoomed(1.001, at, 100).count, 99);
        assert_eq!(near.zoomed(0.999, at, 100).count, 51);
        let closest = (0..50).fold(ALL, |sight, _| sight.zoomed(2.0, at, 100));
        assert_eq!(closest.count, LEAST_SEEN);
        assert_eq!(Sight::all(3).zoomed(2.0, at, 3), Sight::all(3));
        assert_eq!(Sight::all(0).within(0), Sight::all(0));
    }

    #[test]
    fn what_is_looked_for_comes_into_sight() {
        let sight = Sight {
            row: 10,
            column: 10,
            count: 20,
        };
        assert_eq!(sight.showing(15, 29, 100), sight);
        let moved = sight.showing(5, 40, 100);
        assert_eq!((moved.row, moved.column, moved.count), (5, 21, 20));
    }
}
