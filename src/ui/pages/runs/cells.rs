//! Shapes and texts from which the lines and the header of the table are drawn.

use egui::{Align2, Color32, FontId, Rect, pos2, vec2};

use super::columns::{CELL_MARGIN, Drawn};

/// Height of a line, in points.
pub(super) const ROW_HEIGHT: f32 = 22.0;

/// Each column with its cell, from left to right.
pub(super) fn cells(columns: &[Drawn], rect: Rect) -> impl Iterator<Item = (&Drawn, Rect)> {
    let mut left = rect.left();
    columns.iter().map(move |column| {
        let cell = Rect::from_min_size(pos2(left, rect.top()), vec2(column.width, rect.height()));
        left += column.width;
        (column, cell)
    })
}

/// Draws a triangle that points down or up.
pub(super) fn arrow_ui(ui: &egui::Ui, at: egui::Pos2, down: bool, colour: Color32) {
    let sign = if down { 1.0 } else { -1.0 };
    let points = [(-3.5, -2.0), (3.5, -2.0), (0.0, 3.0)];
    let points = points.map(|(x, y)| at + vec2(x, sign * y));
    let shape = egui::Shape::convex_polygon(points.to_vec(), colour, egui::Stroke::NONE);
    ui.painter().add(shape);
}

/// Draws a ring around the line or the header cell that has the keyboard.
pub(super) fn focus_ui(ui: &egui::Ui, rect: Rect) {
    let stroke = ui.visuals().selection.stroke;
    ui.painter()
        .rect_stroke(rect.shrink(1.0), 2.0, stroke, egui::StrokeKind::Inside);
}

/// Draws text in a cell, cut off if it is too long; gives the rectangle of the text.
pub(super) fn cell_ui(
    ui: &egui::Ui,
    cell: Rect,
    text: &str,
    colour: Color32,
    is_right: bool,
) -> Rect {
    let font = FontId::proportional(12.5);
    let mut job = egui::text::LayoutJob::simple_singleline(text.to_owned(), font, colour);
    job.wrap = egui::text::TextWrapping::truncate_at_width(cell.width() - 2.0 * CELL_MARGIN);
    let galley = ui.painter().layout_job(job);
    let anchor = if is_right {
        Align2::RIGHT_CENTER
    } else {
        Align2::LEFT_CENTER
    };
    let inner = cell.shrink2(vec2(CELL_MARGIN, 0.0));
    let at = match is_right {
        true => inner.right_center(),
        false => inner.left_center(),
    };
    let rect = anchor.anchor_size(at, galley.size());
    ui.painter().galley(rect.min, galley, colour);
    rect
}

/// Draws the background of a line: its colour if it is selected or under the pointer, otherwise a stripe on every
/// second line.
pub(super) fn background_ui(
    ui: &egui::Ui,
    rect: Rect,
    response: &egui::Response,
    is_selected: bool,
    at: usize,
) {
    let visuals = ui.visuals();
    let fill = if is_selected {
        visuals.selection.bg_fill.gamma_multiply(0.6)
    } else if response.hovered() {
        visuals.widgets.hovered.weak_bg_fill.gamma_multiply(0.6)
    } else if at % 2 == 1 {
        visuals.faint_bg_color
    } else {
        Color32::TRANSPARENT
    };
    ui.painter().rect_filled(rect, 2.0, fill);
    if response.has_focus() {
        focus_ui(ui, rect);
    }
}
