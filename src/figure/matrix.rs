//! The conflict matrix: class × class cosines of one part of the network at one moment.

use std::sync::Arc;

use egui::{
    Align2, Color32, FontId, Painter, Pos2, Rect, Response, Role, Sense, Shape, Stroke, StrokeKind,
    Ui, Vec2, WidgetInfo, pos2, vec2,
};

use crate::gradient::gram::{Cell, ConflictSummary, Gram};
use crate::run::{CLASSIFIER, Scope};

use super::table::Table;
use super::{Pick, Subject, View, empty_ui, order_of, palette, remembered};

/// Cells at least this wide carry their number.
const NUMBER_WIDTH: f32 = 34.0;
/// Up to this many classes every cell is a widget of its own, reachable by name.
const NAMED_CELLS: usize = 20;
/// Width in which the summary fits on one line.
const SUMMARY_WIDTH: f32 = 660.0;
/// Cells smaller than this have no gap between them.
const SMALL: f32 = 8.0;
/// Height below which there are no names above the columns.
const LEAST_TOP: f32 = 44.0;
/// Angle of names that stand above their columns, in radians.
const TILT: f32 = 0.85;
/// Width of the colour bar with its labels.
const BAR: f32 = 46.0;

/// What is shown of one Gram matrix.
#[derive(Clone)]
struct Shown {
    gram: Gram,
    cells: Vec<Vec<Cell>>,
    summary: ConflictSummary,
}

/// Draws the matrix, its colour bar and its summary; a click picks a pair.
pub(super) fn matrix_ui(ui: &mut Ui, subject: Subject<'_>, view: &View) -> Option<Pick> {
    let names = subject.classes();
    let Some(probe) = subject.probe(view) else {
        empty_ui(ui, "The first probe comes before the first step.");
        return None;
    };
    let Some(tensors) = subject.probes.get(&probe.step) else {
        empty_ui(
            ui,
            &format!(
                "The probe of step {} is being read, or its file is missing.",
                probe.step
            ),
        );
        return None;
    };
    let rows = subject.run.gram_rows(&view.scope);
    let id = subject
        .run
        .started
        .as_ref()
        .map_or("", |started| started.id.as_str());
    let shown = remembered(
        ui.ctx(),
        ("matrix", subject.name),
        (id, &rows, probe.step),
        || {
            let gram = tensors.gram_of(&rows)?;
            Some(Arc::new(Shown {
                cells: gram.matrix(),
                summary: gram.summary(&subject.run.priors()),
                gram,
            }))
        },
    );
    let Some(shown) = shown else {
        empty_ui(
            ui,
            &format!(
                "{} has no parameters, so nothing pulls at it.",
                view.scope.name()
            ),
        );
        return None;
    };
    // In a narrow figure the summary takes several lines.
    let lines = (SUMMARY_WIDTH / ui.available_width().max(1.0)).ceil();
    let lines = lines.min(4.0) + f32::from(conflicts_by_construction(&view.scope));
    let summary_height = 4.0 + 20.0 * lines;
    let area = ui.available_rect_before_wrap();
    let area = Rect::from_min_max(area.min, pos2(area.max.x, area.max.y - summary_height));
    let order = order_of(subject, view);
    let pick = Grid::new(ui, area, names).draw(ui, &shown, (names, &order), view);
    ui.allocate_rect(area, Sense::hover());
    summary_ui(ui, &shown.summary, &view.scope);
    pick
}

/// Every pair of classes, once.
pub(super) fn table(subject: Subject<'_>, view: &View) -> Table {
    let mut table = Table::new([
        "step",
        "part",
        "class_a",
        "class_b",
        "cosine",
        "resolved",
        "product",
        "standard_error",
    ]);
    let probe = subject.probe(view);
    let tensors = probe.and_then(|probe| subject.probes.get(&probe.step));
    let rows = subject.run.gram_rows(&view.scope);
    let (Some(probe), Some(gram)) = (probe, tensors.and_then(|tensors| tensors.gram_of(&rows)))
    else {
        return table;
    };
    let (names, order) = (subject.classes(), order_of(subject, view));
    for (i, &a) in order.iter().enumerate() {
        for &b in &order[i + 1..] {
            let cell = gram.cell(a, b);
            table.push([
                probe.step.into(),
                view.scope.name().into(),
                names[a].as_str().into(),
                names[b].as_str().into(),
                cell.cosine.into(),
                cell.resolved.into(),
                gram.dot(a, b).into(),
                gram.standard_error(a, b).into(),
            ]);
        }
    }
    table
}

fn conflicts_by_construction(scope: &Scope) -> bool {
    matches!(scope, Scope::Network) || scope.name() == CLASSIFIER
}

/// Where everything lies.
struct Grid {
    /// Upper edge of the figure.
    top: f32,
    /// The square of cells.
    square: Rect,
    /// Side of a cell.
    side: f32,
    /// The colour bar.
    bar: Rect,
    font: FontId,
    dark: bool,
}

impl Grid {
    fn new(ui: &Ui, area: Rect, names: &[String]) -> Self {
        let font = FontId::proportional(11.0);
        let longest = names
            .iter()
            .map(|name| {
                ui.painter()
                    .layout_no_wrap(name.clone(), font.clone(), Color32::WHITE)
                    .size()
                    .x
            })
            .fold(0.0, f32::max);
        // Names may take a third of the width; above the columns they stand on edge and take less.
        let left = (longest + 8.0).min(area.width() / 3.0);
        let wanted = longest * 0.75 + 12.0;
        let top = wanted.min(area.height() / 4.0);
        // Cut to a letter or two they would only take room; the rows have the same names.
        let top = if top < wanted.min(LEAST_TOP) {
            4.0
        } else {
            top
        };
        let k = names.len().max(1) as f32;
        let side = ((area.width() - left - BAR - 8.0) / k)
            .min((area.height() - top) / k)
            .max(0.1);
        // Whole points keep the cells' edges sharp.
        let side = if side > 6.0 { side.floor() } else { side };
        let used = vec2(left + side * k + 8.0 + BAR, top + side * k);
        let origin = area.min + vec2(((area.width() - used.x) / 2.0).max(0.0).floor(), 0.0);
        let square = Rect::from_min_size(origin + vec2(left, top), Vec2::splat(side * k));
        let bar = Rect::from_min_size(
            square.right_top() + vec2(12.0, 0.0),
            vec2(12.0, square.height()),
        );
        Self {
            top: area.top(),
            square,
            side,
            bar,
            font,
            dark: ui.visuals().dark_mode,
        }
    }

    fn cell(&self, row: usize, column: usize) -> Rect {
        let min = self.square.min + vec2(column as f32, row as f32) * self.side;
        Rect::from_min_size(min, Vec2::splat(self.side))
    }

    fn draw(
        &self,
        ui: &mut Ui,
        shown: &Shown,
        (names, order): (&[String], &[usize]),
        view: &View,
    ) -> Option<Pick> {
        let painter = ui.painter().clone();
        // Shapes of their own would be moved to whole pixels, and the smallest would vanish.
        let mut small = egui::Mesh::default();
        for (row, &a) in order.iter().enumerate() {
            for (column, &b) in order.iter().enumerate() {
                let cell = &shown.cells[a][b];
                let rect = self.cell(row, column);
                if self.side < SMALL {
                    small.add_colored_rect(rect, self.color(ui, *cell, row == column));
                } else {
                    self.paint_cell(&painter, ui, rect, *cell, row == column);
                }
            }
        }
        painter.add(small);
        self.paint_names(&painter, ui, (names, order));
        self.paint_bar(&painter, ui);
        let (hovered, pick) = self.interact(ui, shown, (names, order));
        let position = |k: usize| order.iter().position(|&other| other == k);
        let outline = |a: usize, b: usize, width: f32| {
            let (Some(row), Some(column)) = (position(a), position(b)) else {
                return;
            };
            let stroke = Stroke::new(width, ui.visuals().strong_text_color());
            painter.rect_stroke(self.cell(row, column), 0.0, stroke, StrokeKind::Outside);
        };
        if let Some((a, b)) = view
            .pair
            .filter(|&(a, b)| a < names.len() && b < names.len())
        {
            outline(a, b, 2.0);
            outline(b, a, 1.0);
        }
        if let Some((a, b)) = hovered {
            outline(a, b, 1.5);
        }
        pick
    }

    /// Plain colour of a cell; of an undefined one, that of its hatching from far away.
    fn color(&self, ui: &Ui, cell: Cell, diagonal: bool) -> Color32 {
        let background = ui.visuals().panel_fill;
        let Some(cosine) = cell.cosine else {
            return palette::blend(background, ui.visuals().weak_text_color(), 0.35);
        };
        if diagonal {
            // Always 1: shown, but not as if it were news.
            return palette::blend(background, ui.visuals().weak_text_color(), 0.2);
        }
        let color = palette::diverging(cosine, self.dark);
        if cell.resolved {
            color
        } else {
            palette::blend(background, color, 0.3)
        }
    }

    fn paint_cell(&self, painter: &Painter, ui: &Ui, rect: Rect, cell: Cell, diagonal: bool) {
        let inner = Rect::from_min_max(rect.min, rect.max - Vec2::splat(1.0));
        let Some(cosine) = cell.cosine else {
            hatch(
                painter,
                inner,
                ui.visuals().weak_text_color().gamma_multiply(0.5),
            );
            return;
        };
        let color = self.color(ui, cell, diagonal);
        painter.rect_filled(inner, 0.0, color);
        if self.side >= NUMBER_WIDTH && !diagonal {
            let mut text = palette::text_on(color);
            if !cell.resolved {
                text = palette::blend(color, text, 0.55);
            }
            let size = (self.side * 0.3).clamp(10.0, 14.0);
            painter.text(
                inner.center(),
                Align2::CENTER_CENTER,
                signed(cosine),
                FontId::proportional(size),
                text,
            );
        }
    }

    fn paint_names(&self, painter: &Painter, ui: &Ui, (names, order): (&[String], &[usize])) {
        let color = ui.visuals().text_color();
        // Names that all fit their columns lie flat; a mixture would read as if it meant something.
        let fits = |name: &String| {
            let galley = painter.layout_no_wrap(name.clone(), self.font.clone(), color);
            galley.size().x + 6.0 < self.side
        };
        let flat = names.iter().all(fits);
        // With many classes only every n-th name fits.
        let every = (13.0 / self.side).ceil().max(1.0) as usize;
        let room = self.square.left() - ui.max_rect().left() - 6.0;
        for (place, &k) in order.iter().enumerate().step_by(every) {
            let name = &names[k];
            let middle = self.cell(place, place).center();
            let galley = fitted(painter, name, &self.font, color, room.max(20.0));
            let at = pos2(
                self.square.left() - 6.0 - galley.size().x,
                middle.y - galley.size().y / 2.0,
            );
            painter.galley(at, galley.clone(), color);
            if self.square.top() - self.top < 5.0 {
                continue;
            }
            // What stands on edge must not rise out of the figure.
            let rise = (self.square.top() - self.top - 12.0).max(16.0) / TILT.sin();
            let galley = if flat {
                galley
            } else {
                fitted(painter, name, &self.font, color, rise)
            };
            let width = galley.size().x;
            let foot = pos2(middle.x - galley.size().y * 0.35, self.square.top() - 4.0);
            let placed = if flat {
                egui::epaint::TextShape::new(
                    pos2(middle.x - width / 2.0, foot.y - galley.size().y),
                    galley,
                    color,
                )
            } else {
                egui::epaint::TextShape::new(foot - vec2(0.0, galley.size().y * 0.5), galley, color)
                    .with_angle(-TILT)
            };
            painter.add(Shape::Text(placed));
        }
    }

    fn paint_bar(&self, painter: &Painter, ui: &Ui) {
        let steps = 64;
        let height = self.bar.height() / steps as f32;
        for i in 0..steps {
            let value = 1.0 - 2.0 * (i as f64 + 0.5) / f64::from(steps);
            let top = self.bar.top() + i as f32 * height;
            let strip = Rect::from_min_max(
                pos2(self.bar.left(), top),
                pos2(self.bar.right(), top + height + 0.5),
            );
            painter.rect_filled(
                strip.intersect(self.bar),
                0.0,
                palette::diverging(value, self.dark),
            );
        }
        painter.rect_stroke(
            self.bar,
            0.0,
            ui.visuals().window_stroke,
            StrokeKind::Outside,
        );
        for (text, t) in [("+1", 0.0), ("0", 0.5), ("−1", 1.0)] {
            let at = pos2(
                self.bar.right() + 5.0,
                self.bar.top() + t * self.bar.height(),
            );
            let align =
                [Align2::LEFT_TOP, Align2::LEFT_CENTER, Align2::LEFT_BOTTOM][(t * 2.0) as usize];
            painter.text(
                at,
                align,
                text,
                self.font.clone(),
                ui.visuals().weak_text_color(),
            );
        }
    }

    /// One widget for each cell where they are few, one for the whole square where they are many.
    fn interact(
        &self,
        ui: &mut Ui,
        shown: &Shown,
        (names, order): (&[String], &[usize]),
    ) -> (Option<(usize, usize)>, Option<Pick>) {
        let mut hovered = None;
        let mut pick = None;
        let mut react = |response: Response, row: usize, column: usize| {
            if response.hovered() {
                hovered = Some((row, column));
            }
            if response.clicked() && row != column {
                pick = Some(Pick::Pair(row, column));
            }
            response.on_hover_ui_at_pointer(|ui| cell_text_ui(ui, &shown.gram, names, row, column));
        };
        if names.len() <= NAMED_CELLS {
            for (row, &a) in order.iter().enumerate() {
                for (column, &b) in order.iter().enumerate() {
                    let (name, other) = (&names[a], &names[b]);
                    let response = ui.interact(
                        self.cell(row, column),
                        ui.scope_id().with((row, column)),
                        Sense::click(),
                    );
                    let label = format!("{name} × {other}");
                    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, label.clone()));
                    react(response, a, b);
                }
            }
        } else {
            let response = ui.interact(self.square, ui.scope_id().with("square"), Sense::click());
            response.widget_info(|| WidgetInfo::labeled(Role::Image, true, "Conflict matrix"));
            if let Some(at) = response.hover_pos() {
                let cell = (at - self.square.min) / self.side;
                let last = names.len() - 1;
                react(
                    response,
                    order[(cell.y as usize).min(last)],
                    order[(cell.x as usize).min(last)],
                );
            }
        }
        (hovered, pick)
    }
}

/// Everything about one pair, in words.
fn cell_text_ui(ui: &mut Ui, gram: &Gram, names: &[String], a: usize, b: usize) {
    ui.set_max_width(280.0);
    if a == b {
        ui.strong(&names[a]);
        ui.label(match gram.norm(a) {
            Some(norm) => format!("‖g‖ {norm:.3e} over {:.0} probe images", gram.images(a)),
            None => "no training image to probe".to_owned(),
        });
        return;
    }
    ui.strong(format!("{} and {}", names[a], names[b]));
    let cell = gram.cell(a, b);
    match cell.cosine {
        None => {
            let missing = if gram.images(a) > 0.0 { b } else { a };
            ui.label(match gram.norm(missing) {
                None => format!(
                    "undefined: {} has no training image to probe",
                    names[missing]
                ),
                Some(_) => "undefined: a gradient of length 0 has no direction".to_owned(),
            });
        }
        Some(cosine) => {
            let word = match (cell.resolved, cosine < 0.0) {
                (true, true) => "in conflict",
                (true, false) => "agree",
                (false, _) => "not told apart from 0",
            };
            ui.label(format!("cosine {} (−1 to 1), {word}", signed(cosine)));
            if let (Some(dot), Some(error)) = (gram.dot(a, b), gram.standard_error(a, b)) {
                ui.label(format!("product {dot:.2e} ± {error:.1e} (standard error)"));
            }
        }
    }
    for k in [a, b] {
        if let Some(norm) = gram.norm(k) {
            ui.label(format!("‖g‖ of {} {norm:.3e}", names[k]));
        }
    }
}

fn summary_ui(ui: &mut Ui, summary: &ConflictSummary, scope: &Scope) {
    let number =
        |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"));
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        ui.label(format!("Interference {}", number(summary.interference)))
            .on_hover_text("Mean over class pairs of max(0, −cosine), from 0 to 1.");
        ui.weak(format!("(noise floor {})", number(summary.floor)))
            .on_hover_text("What the same measure makes of noise alone: half-differences of the class gradients.");
        ui.label("·");
        ui.label(format!("{} of {} pairs in conflict", summary.conflicting, summary.pairs))
            .on_hover_text("Pairs whose product is negative by more than 3 standard errors.");
        ui.weak(format!("({} told apart from 0)", summary.resolved));
        ui.label("·");
        ui.label(format!("cancellation {}", number(summary.cancellation))).on_hover_text(
            "Length of the summed class gradients over the sum of their lengths: 1 where classes agree, 0 where they \
             cancel. Near a minimum some conflict is unavoidable.",
        );
    });
    if conflicts_by_construction(scope) {
        ui.weak("The classifier's class gradients conflict by construction.");
    }
}

/// Diagonal lines that mark a cell as undefined.
fn hatch(painter: &Painter, rect: Rect, color: Color32) {
    let painter = painter.with_clip_rect(rect.intersect(painter.clip_rect()));
    let mut x = rect.left() - rect.height();
    while x < rect.right() {
        let (from, to): (Pos2, Pos2) =
            (pos2(x, rect.bottom()), pos2(x + rect.height(), rect.top()));
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
) -> Arc<egui::Galley> {
    let mut job = egui::text::LayoutJob::single_section(
        text.to_owned(),
        egui::TextFormat::simple(font.clone(), color),
    );
    job.wrap = egui::text::TextWrapping::truncate_at_width(width);
    painter.layout_job(job)
}

/// Two decimals with a sign, and a real minus.
fn signed(value: f64) -> String {
    let text = format!("{:.2}", value.abs());
    match text.as_str() {
        "0.00" => text,
        _ if value < 0.0 => format!("−{text}"),
        _ => text,
    }
}
