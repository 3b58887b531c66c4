//! Layout of a square: its cells, the names beside it, and its colour bar.

use egui::{Color32, FontId, Rect, Ui, Vec2, vec2};

use crate::figure::look::sight::Sight;
use crate::figure::look::subject::{Subject, order_of};
use crate::figure::look::view::View;

/// Up to this many classes in sight, every cell is a widget with a name of its own.
pub(in crate::figure::kit::square) const NAMED_CELLS: usize = 20;
/// With more classes than this, a part of them can be brought into sight.
pub(in crate::figure::kit::square) const ZOOMED_FROM: usize = 12;
/// Height, in points, below which there are no names above the columns.
pub(in crate::figure::kit::square) const LEAST_TOP: f32 = 44.0;
/// Height of the buttons that bring classes into sight, with their gap, in points.
pub(in crate::figure::kit::square) const CONTROLS: f32 = 24.0;
/// Width, in points, that names keep before the training images get room beside them.
pub(in crate::figure::kit::square) const LEAST_NAME: f32 = 34.0;
/// Height of a line of names, in points.
pub(in crate::figure::kit::square) const LINE: f32 = 13.0;
/// Angle of the tilted names above columns, in radians.
pub(in crate::figure::kit::square) const TILT: f32 = 0.85;
/// Space between a name and the training images, in points.
pub(in crate::figure::kit::square) const GAP: f32 = 6.0;
/// Width of the colour bar with its gaps, without its labels, in points.
pub(in crate::figure::kit::square) const BAR: f32 = 31.0;

/// Layout of a square.
pub(in crate::figure) struct Grid<'a> {
    pub(in crate::figure::kit::square) names: &'a [String],
    /// Training images of each class.
    pub(in crate::figure::kit::square) counts: &'a [usize],
    pub(in crate::figure::kit::square) order: Vec<usize>,
    pub(in crate::figure::kit::square) sight: Sight,
    /// The whole figure.
    pub(in crate::figure::kit::square) area: Rect,
    pub(in crate::figure::kit::square) square: Rect,
    /// Width and height of a cell.
    pub(in crate::figure::kit::square) side: Vec2,
    /// Whether names lie flat above their columns.
    pub(in crate::figure::kit::square) flat: bool,
    /// Width of the numbers of training images beside the names; 0 where they have no room.
    pub(in crate::figure::kit::square) counted: f32,
    pub(in crate::figure::kit::square) bar: Rect,
    /// Labels beside the colour bar, from top to bottom.
    pub(in crate::figure::kit::square) labels: [&'a str; 3],
    pub(in crate::figure::kit::square) font: FontId,
}

impl<'a> Grid<'a> {
    /// Lays the square out in `area`, with a colour bar at the right that has `labels` at its top, middle and bottom.
    pub(in crate::figure) fn new(
        ui: &Ui,
        area: Rect,
        subject: Subject<'a>,
        view: &View,
        labels: [&'a str; 3],
    ) -> Self {
        let (names, order) = (subject.classes(), order_of(subject, view));
        let started = subject.run.started.as_ref();
        let counts = started.map_or(&[][..], |started| &started.train_counts);
        let k = order.len();
        let sight = view.sight.unwrap_or(Sight::all(k)).within(k);
        let font = FontId::proportional(11.0);
        let width = |text: &str| {
            let text = text.to_owned();
            let galley = ui
                .painter()
                .layout_no_wrap(text, font.clone(), Color32::WHITE);
            galley.size().x
        };
        let longest = names.iter().map(|name| width(name)).fold(0.0, f32::max);
        let widest = counts.iter().map(|n| width(&n.to_string()) + GAP);
        let widest = widest.fold(0.0, f32::max);
        // Names may take a third of the width, and are cut before the numbers of training images are left out.
        let third = area.width() / 3.0;
        let has_room = widest + longest.min(LEAST_NAME) + 8.0 <= third;
        let counted = if has_room { widest } else { 0.0 };
        let left = (longest + counted + 8.0).min(third).ceil();
        let bar = BAR + labels.into_iter().map(width).fold(0.0, f32::max);
        let seen = sight.count.max(1) as f32;
        let wide = ((area.width() - left - bar) / seen).max(0.1);
        // Names lie flat where all of them fit their columns; flat and tilted names together would seem to mean
        // something.
        let top = LINE * if has_room { 2.0 } else { 1.0 } + 6.0;
        let high = (area.height() - top) / seen;
        let flat = longest.max(widest) + 6.0 < wide.min(high);
        let top = match flat {
            true => top,
            false => tilted_top(area, longest + counted, wide * seen),
        };
        let top = top.floor();
        let top = if k > ZOOMED_FROM {
            top.max(CONTROLS)
        } else {
            top
        };
        let side = side(wide, (area.height() - top) / seen);
        let used = vec2(left + bar, top) + side * seen;
        let free = (area.width() - used.x) / 2.0;
        let origin = (area.min + vec2(free.max(0.0), 0.0)).floor();
        let square = Rect::from_min_size(origin + vec2(left, top), side * seen);
        let bar = Rect::from_min_size(
            square.right_top() + vec2(12.0, 0.0),
            vec2(12.0, square.height()),
        );
        Self {
            names,
            counts,
            order,
            sight,
            area,
            square,
            side,
            flat,
            counted,
            bar,
            labels,
            font,
        }
    }

    /// Every cell in sight, as row, class of the row, column, class of the column.
    pub(in crate::figure::kit::square) fn seen(
        &self,
    ) -> impl Iterator<Item = (usize, usize, usize, usize)> {
        let rows = (0..self.sight.count).map(|row| (row, self.order[self.sight.row + row]));
        rows.flat_map(move |(row, a)| {
            let columns = 0..self.sight.count;
            columns.map(move |column| (row, a, column, self.order[self.sight.column + column]))
        })
    }

    pub(in crate::figure::kit::square) fn row_of(&self, class: usize) -> Option<usize> {
        self.place(class, self.sight.row)
    }

    pub(in crate::figure::kit::square) fn column_of(&self, class: usize) -> Option<usize> {
        self.place(class, self.sight.column)
    }

    pub(in crate::figure::kit::square) fn place(
        &self,
        class: usize,
        first: usize,
    ) -> Option<usize> {
        let place = self.order.iter().position(|&other| other == class)?;
        let place = place.checked_sub(first)?;
        (place < self.sight.count).then_some(place)
    }

    pub(in crate::figure::kit::square) fn cell(&self, row: usize, column: usize) -> Rect {
        let min = self.square.min + vec2(column as f32, row as f32) * self.side;
        Rect::from_min_size(min, self.side)
    }
}

/// Height for tilted names of this length above columns: at most a quarter of the figure or, where that is more, the
/// height that square cells in `width` leave free.
fn tilted_top(area: Rect, length: f32, width: f32) -> f32 {
    let wanted = length * TILT.sin() + LINE + GAP;
    let top = wanted.min((area.height() / 4.0).max(area.height() - width));
    // Names cut to a letter or two would only take room; the rows have the same names.
    if top < wanted.min(LEAST_TOP) {
        4.0
    } else {
        top
    }
}

/// Width and height of a cell that has this much room: cells are square.
fn side(wide: f32, high: f32) -> Vec2 {
    let side = wide.min(high).max(0.1);
    // Whole points keep the cells' edges sharp.
    Vec2::splat(if side > 6.0 { side.floor() } else { side })
}
