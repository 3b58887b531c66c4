//! The header of a chart: its legend, and notes on hidden curves and on points out of range.

use egui::{RichText, Role, Stroke, Ui, WidgetInfo};

use crate::figure::kit::chart::data::{Chart, Curve, Look};
use crate::figure::kit::memo::is_exporting;
use crate::figure::look::kind::Kind;
use crate::figure::look::pick::Pick;
use crate::figure::look::view::View;

/// Height of a chart, in points, from which on its legend may take more than one line.
const LEGEND_HEIGHT: f32 = 170.0;
/// Curves that a legend of several lines has room for.
const LEGEND: usize = 24;
/// Curves that a legend of a single line has room for.
const SHORT_LEGEND: usize = 3;
/// Size of the header's letters, in points.
const SIZE: f32 = 11.0;

/// Draws the legend, where a click on a name hides or shows its curve; then how many curves are hidden that the legend
/// does not name, and how many points lie `outside` a range that was chosen, each with a button to show them.
pub(in crate::figure) fn header_ui(
    ui: &mut Ui,
    kind: Kind,
    chart: &Chart,
    outside: Option<usize>,
    view: &View,
) -> Option<Pick> {
    let (listed, others) = entries(ui, chart);
    let hidden: Vec<String> = others
        .iter()
        .map(|curve| curve.name.clone())
        .filter(|name| view.hidden.contains(name))
        .collect();
    let has_note = !others.is_empty() && ui.available_height() >= LEGEND_HEIGHT;
    let has_more = has_note || chart.is_of_two();
    if listed.is_empty() && hidden.is_empty() && outside.is_none() && !has_more {
        return None;
    }
    let mut pick = None;
    // Rows of the header are as high as their text, not as buttons.
    let usual = std::mem::replace(&mut ui.spacing_mut().interact_size.y, 0.0);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = egui::vec2(10.0, 1.0);
        ui.spacing_mut().button_padding = egui::Vec2::ZERO;
        if chart.is_of_two() {
            let text = match chart.has_many_classes(view) {
                true => "A strong, B pale",
                false => "A solid, B dashed",
            };
            ui.label(RichText::new(text).size(SIZE).weak());
        }
        pick = legend_ui(ui, chart, &listed, view);
        if has_note {
            let text = format!("{} classes; hover a curve for its name", others.len());
            ui.label(RichText::new(text).size(SIZE).weak());
        }
        if !hidden.is_empty() {
            let text = format!("{} hidden", hidden.len());
            let hint = format!("Click to show {}", hidden.join(", "));
            let name = format!("Show what is hidden in {}", chart.name);
            if back_ui(ui, text, &hint, name) {
                pick = Some(Pick::Curves(hidden));
            }
        }
        if let Some(count) = outside {
            if count > 0 {
                let plural = if count == 1 { "" } else { "s" };
                let text = RichText::new(format!("{count} point{plural} outside")).size(SIZE);
                ui.label(text.color(ui.visuals().warn_fg_color));
            }
            let name = format!("Show all of {}", chart.name);
            let hint =
                "Gives up the range chosen for these charts; a double click in one does the same";
            let is_on_screen = !is_exporting(ui.ctx());
            if is_on_screen && back_ui(ui, "Show all".to_owned(), hint, name) {
                pick = Some(Pick::Range(kind, None));
            }
        }
    });
    ui.spacing_mut().interact_size.y = usual;
    pick
}

/// The curves that the legend names, each name once, and the curves that it has no room for. Where it lacks room it
/// names groups of classes, not single classes, which have the same colours in every figure.
fn entries<'a>(ui: &Ui, chart: &'a Chart) -> (Vec<&'a Curve>, Vec<&'a Curve>) {
    let mut entries: Vec<&Curve> = Vec::new();
    for curve in &chart.curves {
        match entries.iter_mut().find(|entry| entry.name == curve.name) {
            // Of several curves with one name, the most visible one is named.
            Some(entry) if entry.look == Look::Thin => *entry = curve,
            Some(_) => {}
            None => entries.push(curve),
        }
    }
    entries.sort_by_key(|curve| curve.class.is_some());
    let room = if ui.available_height() < LEGEND_HEIGHT {
        SHORT_LEGEND
    } else {
        LEGEND
    };
    if entries.len() <= room {
        return (entries, Vec::new());
    }
    let (classes, groups): (Vec<_>, Vec<_>) =
        entries.into_iter().partition(|curve| curve.class.is_some());
    if groups.len() <= room {
        (groups, classes)
    } else {
        (Vec::new(), [classes, groups].concat())
    }
}

fn legend_ui(ui: &mut Ui, chart: &Chart, entries: &[&Curve], view: &View) -> Option<Pick> {
    let mut pick = None;
    for curve in entries {
        let off = view.hidden.contains(&curve.name);
        let hint = if off {
            "Click to show"
        } else {
            "Click to hide"
        };
        if entry_ui(ui, curve, off, view).on_hover_text(hint).clicked() {
            pick = Some(Pick::Curve(curve.name.clone()));
        }
    }
    let is_marked = |curve: &Curve| curve.look == Look::Points && !curve.is_empty();
    let mut marks = chart.curves.iter().filter(|curve| is_marked(curve));
    if entries.len() > 1 && marks.next().is_some_and(|curve| curve.name != "Test") {
        test_marks_ui(ui);
    }
    pick
}

/// An underlined button that takes something back; whether it was clicked.
fn back_ui(ui: &mut Ui, text: String, hint: &str, name: String) -> bool {
    let text = RichText::new(text).size(SIZE).underline();
    let button = egui::Button::new(text).frame(false);
    let response = ui.add(button).on_hover_text(hint);
    response.accessible_name(name).clicked()
}

/// Says that the diamonds are values of the test images.
fn test_marks_ui(ui: &mut Ui) {
    let color = ui.visuals().weak_text_color();
    let font = egui::FontId::proportional(SIZE);
    let painter = ui.painter().clone();
    let galley = painter.layout_no_wrap("test images".to_owned(), font, color);
    // Mark and words go to the next line together.
    let size = galley.size() + egui::vec2(13.0, 0.0);
    let (rect, _) = ui.allocate_exact_size(size, egui::Sense::hover());
    let at = rect.left_center() + egui::vec2(5.5, 0.0);
    let corners = [(0.0, -4.0), (4.0, 0.0), (0.0, 4.0), (-4.0, 0.0)];
    let corners = corners.map(|(x, y)| at + egui::vec2(x, y)).to_vec();
    painter.add(egui::Shape::convex_polygon(corners, color, Stroke::NONE));
    painter.galley(rect.min + egui::vec2(13.0, 0.0), galley, color);
}

fn entry_ui(ui: &mut Ui, curve: &Curve, off: bool, view: &View) -> egui::Response {
    let is_lit = curve.class.is_some() && curve.class == view.class;
    let color = match (off, is_lit) {
        (true, _) => ui.visuals().weak_text_color().gamma_multiply(0.5),
        (false, true) => ui.visuals().strong_text_color(),
        (false, false) => ui.visuals().text_color(),
    };
    let font = egui::FontId::proportional(SIZE);
    let painter = ui.painter();
    let galley = painter.layout_no_wrap(curve.name.clone(), font, color);
    let size = egui::vec2(galley.size().x + 13.0, galley.size().y);
    let (rect, response) = ui.allocate_exact_size(size, egui::Sense::click());
    let center = egui::pos2(rect.left() + 4.5, rect.center().y);
    let mark = egui::Rect::from_center_size(center, egui::vec2(9.0, 9.0));
    match curve.look {
        _ if off => {
            let stroke = Stroke::new(1.0, color);
            ui.painter()
                .rect_stroke(mark, 2.0, stroke, egui::StrokeKind::Inside);
        }
        Look::Thick { dashed } => {
            let width = if dashed { 3.5 } else { mark.width() };
            for left in [mark.left(), mark.right() - width] {
                let min = egui::pos2(left, center.y - 1.5);
                let dash = egui::Rect::from_min_size(min, egui::vec2(width, 3.0));
                ui.painter().rect_filled(dash, 0.0, curve.color);
            }
        }
        Look::Thin if curve.class.is_none() => {
            let line = Stroke::new(1.5, curve.color.gamma_multiply(0.7));
            ui.painter().hline(mark.x_range(), center.y, line);
        }
        Look::Line | Look::Thin | Look::Points | Look::Dots { .. } => {
            ui.painter().rect_filled(mark, 2.0, curve.color);
        }
    }
    if is_lit {
        let line = Stroke::new(1.5, curve.color);
        let names = rect.left() + 13.0..=rect.right();
        ui.painter().hline(names, rect.bottom() - 0.5, line);
    }
    ui.painter()
        .galley(egui::pos2(rect.left() + 13.0, rect.top()), galley, color);
    response.widget_info(|| {
        WidgetInfo::selected(Role::CheckBox, true, !off, format!("Show {}", curve.name))
    });
    response
}
