//! The square under the pointer and the keyboard: a cell is picked by a click, or by the arrow keys and Enter.

use egui::{
    Button, Key, Rect, Response, RichText, Role, Sense, Tooltip, Ui, UiBuilder, Vec2, vec2,
};

use crate::figure::kit::cell_keys::{Keys, presses};
use crate::figure::kit::memo::is_exporting;
use crate::figure::kit::square::cells::Cells;
use crate::figure::kit::square::grid::{Grid, NAMED_CELLS, ZOOMED_FROM};
use crate::figure::kit::text::named;
use crate::figure::look::pick::Pick;
use crate::figure::look::sight::{LEAST_SEEN, Sight};
use crate::figure::look::view::View;

/// Zoom factor of a press of a button or a key.
const ZOOM: f32 = 1.5;
/// Side of a button, in points.
const BUTTON: f32 = 18.0;

/// Where pointer and keyboard are in the square, and the pick that follows from them.
#[derive(Default)]
pub(in crate::figure) struct Touched {
    /// The cell under the pointer.
    pub(in crate::figure) hovered: Option<(usize, usize)>,
    /// The cell that the keyboard is at.
    pub(in crate::figure) cursor: Option<(usize, usize)>,
    pub(in crate::figure) pick: Option<Pick>,
}

impl Grid<'_> {
    /// Answers the pointer and the keyboard. The keyboard focus is on the square; for the pointer, each cell is a
    /// widget of its own where cells are few.
    pub(in crate::figure) fn touch(&self, ui: &mut Ui, view: &View, cells: &impl Cells) -> Touched {
        let mut touched = Touched {
            pick: self.controls_ui(ui).or_else(|| self.move_ui(ui)),
            ..Touched::default()
        };
        let square = ui.interact(self.square, ui.scope_id().with("square"), Sense::click());
        let mut react = |response: Response, (a, b): (usize, usize)| {
            if response.hovered() {
                touched.hovered = Some((a, b));
            }
            // Only clicks of the pointer: Enter is pressed for the cell that the keyboard is at.
            if response.clicked_by(egui::PointerButton::Primary) {
                touched.pick = cells.pick(a, b).or(touched.pick.take());
            }
            response.on_hover_ui_at_pointer(|ui| words_ui(ui, cells, (a, b)));
        };
        if self.sight.count <= NAMED_CELLS {
            for (row, a, column, b) in self.seen() {
                let id = ui.scope_id().with((a, b));
                // Cells take no keyboard focus: there would be hundreds of stops.
                let response = ui.interact(self.cell(row, column), id, Sense::CLICK);
                named(&response, Role::Button, &cells.name(a, b));
                react(response, (a, b));
            }
        } else if let Some(at) = square.hover_pos() {
            let at = (at - self.square.min) / self.side;
            let last = self.sight.count - 1;
            let row = self.sight.row + (at.y as usize).min(last);
            let column = self.sight.column + (at.x as usize).min(last);
            react(square.clone(), (self.order[row], self.order[column]));
        }
        let name = name_of(cells);
        let Some((cursor, pick)) = self.keys(ui, &square, view, cells) else {
            named(&square, Role::Grid, name);
            return touched;
        };
        let (a, b) = cursor;
        named(
            &square,
            Role::Grid,
            &format!("{name}, {}", cells.name(a, b)),
        );
        if let (Some(row), Some(column)) = (self.row_of(a), self.column_of(b)) {
            let (id, cell) = (square.id.with("words"), self.cell(row, column));
            Tooltip::always_open(ui.ctx().clone(), square.layer_id, id, cell)
                .show(|ui| words_ui(ui, cells, cursor));
        }
        touched.cursor = Some(cursor);
        touched.pick = pick.or(touched.pick);
        touched
    }

    /// The cell of the keyboard cursor after the keys of this frame, and the pick that follows from them; `None` where
    /// the square has no keyboard focus.
    fn keys(
        &self,
        ui: &Ui,
        square: &Response,
        view: &View,
        cells: &impl Cells,
    ) -> Option<((usize, usize), Option<Pick>)> {
        let keys = Keys::of(ui, square).filter(|_| !self.order.is_empty())?;
        let kept: Option<(usize, usize)> = ui.data(|data| data.get_temp(square.id));
        let place = |class| self.order.iter().position(|&other| other == class);
        let places = kept.or(view.pair).and_then(|(a, b)| place(a).zip(place(b)));
        let from = places.unwrap_or((self.sight.row, self.sight.column));
        let (row, column) = keys.from(from, (self.order.len(), self.order.len()));
        let at = (self.order[row], self.order[column]);
        ui.data_mut(|data| data.insert_temp(square.id, at));
        let sight = self.sight.showing(row, column, self.order.len());
        let share = |place: usize, first: usize| {
            (place as f32 - first as f32 + 0.5) / sight.count.max(1) as f32
        };
        let share = vec2(share(column, sight.column), share(row, sight.row));
        let presses = |key| presses(ui, key);
        let closer = presses(Key::Plus) + presses(Key::Equals) - presses(Key::Minus);
        let sight = match closer {
            _ if presses(Key::Num0) > 0 => Sight::all(self.order.len()),
            0 => sight,
            closer => sight.zoomed(ZOOM.powi(closer as i32), share, self.order.len()),
        };
        let pick = if keys.picks {
            cells.pick(at.0, at.1)
        } else {
            self.to(sight)
        };
        Some((at, pick))
    }

    /// The pick that brings the classes of `sight` into sight; `None` where they are in sight already.
    fn to(&self, sight: Sight) -> Option<Pick> {
        let k = self.order.len();
        let sight = sight.within(k);
        (sight != self.sight).then_some(Pick::Sight((sight.count < k).then_some(sight)))
    }

    /// Buttons that zoom in and out, in the corner between the names.
    fn controls_ui(&self, ui: &mut Ui) -> Option<Pick> {
        let k = self.order.len();
        if k <= ZOOMED_FROM || is_exporting(ui.ctx()) {
            return None;
        }
        let (count, middle) = (self.sight.count, Vec2::splat(0.5));
        let closer = self.sight.zoomed(ZOOM, middle, k);
        let farther = self.sight.zoomed(1.0 / ZOOM, middle, k);
        let buttons = [
            (
                "+",
                "Show fewer classes, larger",
                count > LEAST_SEEN,
                closer,
            ),
            ("−", "Show more classes", count < k, farther),
            ("all", "Show all classes", count < k, Sight::all(k)),
        ];
        let mut pick = None;
        let mut at = self.square.left_top() - vec2(8.0 + 3.5 * BUTTON, BUTTON + 4.0);
        at.x = at.x.max(self.area.left());
        for (text, name, can, sight) in buttons {
            let width = if text == "all" { 1.5 } else { 1.0 } * BUTTON;
            let rect = Rect::from_min_size(at, vec2(width, BUTTON));
            at.x += width;
            let button = Button::new(RichText::new(text).size(11.0)).frame_when_inactive(false);
            let builder = UiBuilder::new().id_salt(name).max_rect(rect);
            let mut child = ui.new_child(builder);
            child.spacing_mut().button_padding = Vec2::splat(1.0);
            let response = child
                .add_enabled(can, button.min_size(rect.size()))
                .on_hover_text(format!(
                    "{name}. Ctrl and the wheel do the same, dragging moves, a double click shows all."
                ));
            if response.accessible_name(name).clicked() {
                pick = self.to(sight);
            }
        }
        pick
    }

    /// Ctrl and the wheel zoom, dragging moves, a double click shows all.
    fn move_ui(&self, ui: &Ui) -> Option<Pick> {
        let k = self.order.len();
        if k <= ZOOMED_FROM {
            return None;
        }
        let id = ui.scope_id().with("move");
        let response = ui.interact(self.square, id, Sense::DRAG);
        let pointer = ui.input(|input| input.pointer.hover_pos());
        let at = pointer.filter(|at| self.square.contains(*at))?;
        let double = egui::PointerButton::Primary;
        if ui.input(|input| input.pointer.button_double_clicked(double)) {
            return self.to(Sight::all(k));
        }
        let zoom = ui.input(egui::InputState::zoom_delta);
        if (zoom - 1.0).abs() > 1e-3 {
            let share = (at - self.square.min) / self.square.size();
            return self.to(self.sight.zoomed(zoom, share, k));
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
        self.to(Sight {
            row: by(start.row, moved.y),
            column: by(start.column, moved.x),
            count: self.sight.count,
        })
    }
}

fn name_of<C: Cells>(_: &C) -> &'static str {
    C::NAME
}

fn words_ui(ui: &mut Ui, cells: &impl Cells, (a, b): (usize, usize)) {
    ui.set_max_width(280.0);
    cells.words_ui(ui, a, b);
}
