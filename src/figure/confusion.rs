//! Which classes are taken for which.

use egui::{
    Align2, Color32, FontId, Rect, RichText, Role, Sense, Stroke, StrokeKind, Ui, Vec2, pos2, vec2,
};

use crate::run::event::{Eval, Split};

use super::matrix::fitted;
use super::table::{Table, Value};
use super::{Pick, Subject, View, empty_ui, order_of, palette};

/// Cells at least this wide carry their count.
const NUMBER_WIDTH: f32 = 28.0;
/// Cells smaller than this have no gap between them.
const SMALL: f32 = 8.0;
/// Room for the word below the columns.
const FOOT: f32 = 18.0;

/// The last evaluation at or before the moment looked at: of the validation images, else of the test images.
fn evaluation<'a>(subject: Subject<'a>, view: &View) -> Option<&'a Eval> {
    let until = view.step.unwrap_or(u64::MAX);
    let last = |split| {
        let evals = subject.run.evals_of(split);
        evals.rev().find(|eval| eval.step <= until)
    };
    last(Split::Val).or_else(|| last(Split::Test))
}

/// Images of `truth` taken for `predicted`, and their share of all images of `truth`; no share where there are none.
fn cell(eval: &Eval, truth: usize, predicted: usize) -> (u64, Option<f64>) {
    let row = eval.confusion.get(truth).map_or(&[][..], Vec::as_slice);
    let count = row.get(predicted).copied().unwrap_or(0);
    let total: u64 = row.iter().sum();
    (count, (total > 0).then(|| count as f64 / total as f64))
}

/// Every cell with its count and share.
pub(super) fn table(subject: Subject<'_>, view: &View) -> Table {
    let mut table = Table::new(["step", "split", "truth", "predicted", "images", "share"]);
    let Some(eval) = evaluation(subject, view) else {
        return table;
    };
    let order = order_of(subject, view);
    let names = subject.classes();
    for &truth in &order {
        for &predicted in &order {
            let (count, share) = cell(eval, truth, predicted);
            table.push([
                eval.step.into(),
                word(eval.split).into(),
                names[truth].as_str().into(),
                names[predicted].as_str().into(),
                count.into(),
                Value::from(share),
            ]);
        }
    }
    table
}

fn word(split: Split) -> &'static str {
    match split {
        Split::Train => "train",
        Split::Val => "validation",
        Split::Test => "test",
    }
}

/// Draws the matrix; a click picks a cell.
pub(super) fn confusion_ui(ui: &mut Ui, subject: Subject<'_>, view: &View) -> Option<Pick> {
    let Some(eval) = evaluation(subject, view) else {
        empty_ui(ui, "The first evaluation comes before the first step.");
        return None;
    };
    let text = format!(
        "{} images of step {}; rows are the true classes",
        word(eval.split),
        eval.step
    );
    ui.add(egui::Label::new(RichText::new(text).size(11.0).weak()).truncate());
    let order = order_of(subject, view);
    let names = subject.classes();
    let area = ui.available_rect_before_wrap();
    let font = FontId::proportional(11.0);
    let left = names_ui(ui, area, &order, names, &font);
    let free = vec2(area.right() - left, area.height() - FOOT);
    let side = (free.min_elem() / order.len().max(1) as f32).max(0.1);
    let side = if side > 6.0 { side.floor() } else { side };
    let square = Rect::from_min_size(
        pos2(left, area.top()),
        Vec2::splat(side * order.len() as f32),
    );
    let place = |row: usize, column: usize| {
        let min = square.min + vec2(column as f32, row as f32) * side;
        Rect::from_min_size(min, Vec2::splat(side))
    };
    paint_names(ui, area, square, side, &order, names, &font);
    let painter = ui.painter().clone();
    let mut small = egui::Mesh::default();
    for (row, &truth) in order.iter().enumerate() {
        for (column, &predicted) in order.iter().enumerate() {
            let (count, share) = cell(eval, truth, predicted);
            let color = color(ui, share);
            let rect = place(row, column);
            if side < SMALL {
                small.add_colored_rect(rect, color);
                continue;
            }
            painter.rect_filled(
                rect.with_max_x(rect.max.x - 1.0)
                    .with_max_y(rect.max.y - 1.0),
                0.0,
                color,
            );
            if side >= NUMBER_WIDTH && count > 0 {
                let size = (side * 0.3).clamp(9.0, 14.0);
                let (center, font) = (rect.center(), FontId::proportional(size));
                let ink = palette::text_on(color);
                painter.text(center, Align2::CENTER_CENTER, count, font, ink);
            }
        }
    }
    painter.add(small);
    let foot = pos2(square.center().x, square.bottom() + 3.0);
    let weak = ui.visuals().weak_text_color();
    painter.text(
        foot,
        Align2::CENTER_TOP,
        "taken for, in the same order",
        font,
        weak,
    );
    let position = |k: usize| order.iter().position(|&other| other == k);
    let outline = |a: usize, b: usize, width: f32| {
        if let (Some(row), Some(column)) = (position(a), position(b)) {
            let stroke = Stroke::new(width, ui.visuals().strong_text_color());
            painter.rect_stroke(place(row, column), 0.0, stroke, StrokeKind::Outside);
        }
    };
    if let Some((a, b)) = view.pair {
        outline(a, b, 1.0);
        outline(b, a, 1.0);
    }
    if let Some((truth, predicted)) = view.confused {
        outline(truth, predicted, 2.0);
    }
    let response = ui.interact(square, ui.scope_id().with("cells"), Sense::click());
    super::named(&response, Role::Image, "Confusion matrix");
    ui.allocate_rect(area, Sense::hover());
    let at = response.hover_pos().or(response.interact_pointer_pos())?;
    let index = |offset: f32| ((offset / side) as usize).min(order.len().saturating_sub(1));
    let offset = at - square.min;
    let (truth, predicted) = (*order.get(index(offset.y))?, *order.get(index(offset.x))?);
    let picked = response
        .clicked()
        .then_some(Pick::Confused(truth, predicted));
    response.on_hover_ui_at_pointer(|ui| {
        let (count, share) = cell(eval, truth, predicted);
        let share = share.map_or("no images".to_owned(), |share| {
            format!("{:.1} %", 100.0 * share)
        });
        ui.strong(format!("{} taken for {}", names[truth], names[predicted]));
        ui.label(format!("{count} images, {share} of the row"));
    });
    picked
}

/// Neutral at 0, darker the larger the share; grey where the class has no images.
fn color(ui: &Ui, share: Option<f64>) -> Color32 {
    let background = ui.visuals().panel_fill;
    match share {
        None => palette::blend(background, ui.visuals().weak_text_color(), 0.35),
        // The root keeps rare mistakes visible.
        Some(share) => palette::diverging(share.sqrt(), ui.visuals().dark_mode),
    }
}

/// Where the cells begin: names may take a third of the width.
fn names_ui(ui: &Ui, area: Rect, order: &[usize], names: &[String], font: &FontId) -> f32 {
    let width = |k: &usize| {
        let name = names[*k].clone();
        let galley = ui
            .painter()
            .layout_no_wrap(name, font.clone(), Color32::WHITE);
        galley.size().x
    };
    let longest = order.iter().map(width).fold(0.0, f32::max);
    area.left() + (longest + 8.0).min(area.width() / 3.0)
}

fn paint_names(
    ui: &Ui,
    area: Rect,
    square: Rect,
    side: f32,
    order: &[usize],
    names: &[String],
    font: &FontId,
) {
    let room = square.left() - area.left() - 6.0;
    // With many classes only every n-th name fits.
    let every = (13.0 / side).ceil().max(1.0) as usize;
    let color = ui.visuals().text_color();
    for (row, &k) in order.iter().enumerate().step_by(every) {
        let galley = fitted(ui.painter(), &names[k], font, color, room.max(20.0));
        let y = square.top() + (row as f32 + 0.5) * side - galley.size().y / 2.0;
        let at = pos2(square.left() - 6.0 - galley.size().x, y);
        ui.painter().galley(at, galley, color);
    }
}

#[cfg(test)]
mod tests;
