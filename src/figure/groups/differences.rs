//! How a change of configuration changes the F1 of every class or the interference of every layer, over seeds.

use egui::{Align2, Color32, FontId, Rangef, Rect, RichText, Role, Sense, Stroke, Ui, pos2};

use crate::compare::Comparison;
use crate::compare::contrast::{Contrast, Row, difference_text, mean_text, probability, remark};
use crate::figure::facts::groups::{NOTHING, compared, compared_once, contrast_of};
use crate::figure::kit::palette;
use crate::figure::kit::table::{Table, Value};
use crate::figure::kit::text::{empty_ui, fitted, named};
use crate::figure::look::pick::Pick;
use crate::figure::look::subject::{Subject, order_of};
use crate::figure::look::view::View;
use crate::figure::parts::bars::{AXIS_HEIGHT, BarAxis};
use crate::run::Scope;

/// Largest height of a row, in points.
const HIGHEST_ROW: f32 = 44.0;
/// In rows of at least this height, in points, single seeds lie below the mean and its interval, not on them.
const TWO_LINES: f32 = 13.0;
/// Least distance between two names, in points.
const NAME_DISTANCE: f32 = 13.0;

/// The rows of the figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::figure) enum Rows {
    /// The F1 of every class.
    Classes,
    /// The interference of every layer.
    Layers,
}

/// The part of a comparison that the figure shows.
struct Drawn<'a> {
    comparison: &'a Comparison,
    /// Index of the contrast shown.
    at: usize,
    rows: Vec<Drawable<'a>>,
}

/// A row of the figure: a class or a layer.
struct Drawable<'a> {
    row: &'a Row,
    contrast: &'a Contrast,
    /// Training images of a class; `None` for a layer.
    images: Option<usize>,
    color: Color32,
    pick: Pick,
    is_selected: bool,
}

impl<'a> Drawn<'a> {
    fn new(
        comparison: &'a Comparison,
        rows: Rows,
        subject: Subject<'_>,
        shown: &[Subject<'_>],
        view: &View,
    ) -> Self {
        let at = contrast_of(comparison, subject);
        let rows = match rows {
            Rows::Layers => comparison
                .per_layer
                .iter()
                .map(|row| layer(row, at, view))
                .collect(),
            Rows::Classes => {
                let classes = order_of(classes_of(comparison, subject, shown), view);
                let known = classes
                    .into_iter()
                    .filter(|&k| k < comparison.per_class.len());
                known.map(|k| class(comparison, k, at, view)).collect()
            }
        };
        Self {
            comparison,
            at,
            rows,
        }
    }

    /// `attention branch − attention none`.
    fn title(&self) -> String {
        let group = self.comparison.others()[self.at];
        let name = |at: usize| self.comparison.groups[at].name.as_str();
        format!("{} − {}", name(group), name(self.comparison.baseline))
    }

    /// The axis: all contrasts share it, so that they can be compared.
    fn axis(&self, x: Rangef) -> BarAxis {
        let contrasts = self
            .rows
            .iter()
            .flat_map(|drawable| &drawable.row.contrasts);
        let paired = contrasts.filter_map(|contrast| contrast.paired.as_ref());
        let values = paired.flat_map(|paired| {
            let interval = paired.interval.into_iter().flatten();
            paired.differences.iter().copied().chain(interval)
        });
        BarAxis::plain(values, x)
    }
}

/// The first run on screen that has exactly the classes that are compared; `subject` where there is none.
fn classes_of<'a>(
    comparison: &Comparison,
    subject: Subject<'a>,
    shown: &[Subject<'a>],
) -> Subject<'a> {
    let fits = |x: &&Subject<'a>| x.classes() == comparison.classes.as_slice();
    shown.iter().find(fits).copied().unwrap_or(subject)
}

fn class<'a>(comparison: &'a Comparison, k: usize, at: usize, view: &View) -> Drawable<'a> {
    let row = &comparison.per_class[k];
    Drawable {
        row,
        contrast: &row.contrasts[at],
        images: comparison.train_counts.get(k).copied(),
        color: palette::class(k),
        pick: Pick::Class(k),
        is_selected: view.class == Some(k),
    }
}

fn layer<'a>(row: &'a Row, at: usize, view: &View) -> Drawable<'a> {
    let scope = Scope::Layer(row.name.clone());
    Drawable {
        row,
        contrast: &row.contrasts[at],
        images: None,
        color: palette::series(0),
        is_selected: view.scope == scope,
        pick: Pick::Scope(scope),
    }
}

/// A row for every class or layer and pair of runs.
pub(in crate::figure) fn table(
    rows: Rows,
    subject: Subject<'_>,
    shown: &[Subject<'_>],
    view: &View,
) -> Table {
    let (of, quantity) = match rows {
        Rows::Layers => ("layer", "interference_difference"),
        Rows::Classes => ("class", "f1_difference"),
    };
    let mut table = Table::new([
        of,
        "train_images",
        "group",
        "baseline",
        "seed",
        quantity,
        "mean",
        "low",
        "high",
        "p",
        "corrected_p",
    ]);
    let Ok(comparison) = compared(shown) else {
        return table;
    };
    let drawn = Drawn::new(&comparison, rows, subject, shown, view);
    for drawable in &drawn.rows {
        let contrast = drawable.contrast;
        let Some(paired) = &contrast.paired else {
            continue;
        };
        for (seed, difference) in contrast.seeds.iter().zip(&paired.differences) {
            table.push([
                drawable.row.name.as_str().into(),
                drawable.images.map_or(Value::None, Value::from),
                comparison.groups[contrast.group].name.as_str().into(),
                comparison.groups[comparison.baseline].name.as_str().into(),
                (*seed).into(),
                (*difference).into(),
                paired.mean.into(),
                paired.interval.map(|x| x[0]).into(),
                paired.interval.map(|x| x[1]).into(),
                paired.p.into(),
                contrast.corrected_p.into(),
            ]);
        }
    }
    table
}

/// Draws the differences of the subject's group from the group of the first run shown; a click picks a class or layer.
pub(in crate::figure) fn difference_ui(
    ui: &mut Ui,
    (title, rows_of): (&str, Rows),
    subject: Subject<'_>,
    shown: &[Subject<'_>],
    view: &View,
) -> Option<Pick> {
    let found = compared_once(ui.ctx(), shown);
    let Ok(comparison) = &*found else {
        empty_ui(ui, NOTHING);
        return None;
    };
    let drawn = Drawn::new(comparison, rows_of, subject, shown, view);
    if drawn.rows.iter().all(|x| x.contrast.paired.is_none()) {
        empty_ui(
            ui,
            "No seed has been trained with both settings, or nothing was measured at the last step.",
        );
        return None;
    }
    let (of, rows) = match rows_of {
        Rows::Layers => ("interference", &comparison.per_layer),
        Rows::Classes if comparison.images() == "test" => {
            ("F1 of test images", &comparison.per_class)
        }
        Rows::Classes => ("F1 of validation images", &comparison.per_class),
    };
    let needed = rows
        .iter()
        .map(|row| row.contrasts[drawn.at].pairs_needed)
        .max();
    let remark = match (remark(rows, drawn.at), needed) {
        (Some(_), Some(needed)) => format!(". To call any significant takes {needed} seeds"),
        _ => String::new(),
    };
    let note = format!("{}, {of}{remark}", drawn.title());
    ui.add(egui::Label::new(RichText::new(note).size(11.0).weak()).truncate());
    rows_ui(ui, title, &drawn)
}

fn rows_ui(ui: &mut Ui, title: &str, drawn: &Drawn<'_>) -> Option<Pick> {
    let area = ui.available_rect_before_wrap();
    let font = FontId::proportional(11.0);
    let width = |text: &str| {
        let galley = ui
            .painter()
            .layout_no_wrap(text.to_owned(), font.clone(), Color32::WHITE);
        galley.size().x
    };
    let rows = &drawn.rows;
    let images = |x: &Drawable<'_>| x.images.map_or_else(String::new, |n| n.to_string());
    let counts = rows.iter().map(|x| width(&images(x))).fold(0.0, f32::max);
    let names = rows.iter().map(|x| width(&x.row.name)).fold(0.0, f32::max);
    let names = names.min(0.3 * area.width());
    let left = area.left() + names + 8.0 + counts + 10.0;
    let height = ((area.height() - AXIS_HEIGHT - 4.0) / rows.len() as f32).clamp(1.0, HIGHEST_ROW);
    let bottom = area.top() + height * rows.len() as f32;
    let plot = Rect::from_min_max(pos2(left, area.top()), pos2(area.right() - 6.0, bottom));
    let axis = drawn.axis(plot.x_range());
    axis.paint(ui.painter(), ui, plot);
    let response = ui.interact(
        area.with_max_y(bottom),
        ui.scope_id().with("differences"),
        Sense::click(),
    );
    named(&response, Role::Image, title);
    ui.allocate_rect(area, Sense::hover());
    // With many rows only every n-th name fits.
    let every = (NAME_DISTANCE / height).ceil().max(1.0) as usize;
    let place = |at: usize| {
        let top = area.top() + height * at as f32;
        Rect::from_min_max(pos2(area.left(), top), pos2(area.right(), top + height))
    };
    let hovered = response.hover_pos().or(response.interact_pointer_pos());
    let under = hovered.map(|at| ((at.y - area.top()) / height).max(0.0) as usize);
    let under = under.filter(|&at| at < rows.len());
    for (at, drawable) in rows.iter().enumerate() {
        let rect = place(at);
        if drawable.is_selected || under == Some(at) {
            let strength = if drawable.is_selected { 0.35 } else { 0.15 };
            let fill = ui.visuals().selection.bg_fill.gamma_multiply(strength);
            ui.painter().rect_filled(rect, 2.0, fill);
        }
        if at.is_multiple_of(every) {
            let text = ui.visuals().text_color();
            let galley = fitted(
                ui.painter(),
                &drawable.row.name,
                &font,
                text,
                names.max(20.0),
            );
            let min = pos2(
                area.left() + names - galley.size().x,
                rect.center().y - galley.size().y / 2.0,
            );
            ui.painter().galley(min, galley, text);
            let end = pos2(left - 10.0, rect.center().y);
            let weak = ui.visuals().weak_text_color();
            ui.painter().text(
                end,
                Align2::RIGHT_CENTER,
                images(drawable),
                font.clone(),
                weak,
            );
        }
        paint_row(ui, &axis, rect, drawable);
    }
    let drawable = &rows[under?];
    let pick = response.clicked().then(|| drawable.pick.clone());
    response.on_hover_ui_at_pointer(|ui| detail_ui(ui, drawn, drawable));
    pick
}

/// Paints single pairs of runs, then the mean with its interval: filled where the difference is significant.
fn paint_row(ui: &Ui, axis: &BarAxis, rect: Rect, drawable: &Drawable<'_>) {
    let Some(paired) = &drawable.contrast.paired else {
        return;
    };
    let apart = if rect.height() >= TWO_LINES {
        0.16 * rect.height().min(30.0)
    } else {
        0.0
    };
    let (y, below) = (rect.center().y - apart, rect.center().y + 1.5 * apart);
    let painter = ui.painter();
    let size = (rect.height() / 12.0).clamp(0.5, 1.0);
    let single = ui.visuals().text_color().gamma_multiply(0.6);
    for difference in &paired.differences {
        painter.circle_filled(pos2(axis.at(*difference), below), 2.0 * size, single);
    }
    let stroke = Stroke::new(2.0 * size, drawable.color);
    if let Some([low, high]) = paired.interval {
        painter.hline(Rangef::new(axis.at(low), axis.at(high)), y, stroke);
    }
    let is_clear = drawable.contrast.significant == Some(true);
    let fill = if is_clear {
        drawable.color
    } else {
        ui.visuals().panel_fill
    };
    painter.circle(pos2(axis.at(paired.mean), y), 4.0 * size, fill, stroke);
}

fn detail_ui(ui: &mut Ui, drawn: &Drawn<'_>, drawable: &Drawable<'_>) {
    let (row, contrast, comparison) = (drawable.row, drawable.contrast, drawn.comparison);
    ui.set_max_width(420.0);
    ui.strong(&row.name);
    for group in [comparison.baseline, contrast.group] {
        let values = mean_text(&row.values[group], row.digits);
        ui.label(format!("{}: {values}", comparison.groups[group].name));
    }
    let difference = difference_text(contrast.paired.as_ref(), row.digits);
    ui.label(format!("difference {difference}"));
    let p = contrast.paired.as_ref().and_then(|paired| paired.p);
    if let (Some(p), Some(corrected)) = (p, contrast.corrected_p) {
        let (p, corrected) = (probability(p), probability(corrected));
        ui.label(format!("exact p {p}, by Holm {corrected}"));
    }
    ui.label(RichText::new(&contrast.sentence).weak());
}

#[cfg(test)]
mod tests;
