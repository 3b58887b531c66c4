//! Words in figures: cut to their room, in place of content that is missing, and read out for widgets painted by hand.

use std::sync::Arc;

use egui::{Align, Color32, FontId, Galley, Layout, Painter, Rect, RichText, TextFormat, Ui, pos2};

/// Text on one line, cut with an ellipsis where it is longer than `width`.
pub(crate) fn fitted(
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

/// The name of a layer or a block on one line: where it is longer than `width`, as many of its last parts as fit, since names
/// often differ in their ends alone. A last part that does not fit is cut with an ellipsis.
pub(in crate::figure) fn fitted_end(
    painter: &Painter,
    name: &str,
    font: &FontId,
    color: Color32,
    width: f32,
) -> Arc<Galley> {
    let ends = name.match_indices('.').map(|(at, _)| &name[at + 1..]);
    let mut last = name;
    for end in std::iter::once(name).chain(ends) {
        let galley = painter.layout_no_wrap(end.to_owned(), font.clone(), color);
        if galley.size().x <= width {
            return galley;
        }
        last = end;
    }
    fitted(painter, last, font, color, width)
}

/// Gives a widget that is painted by hand its accessible name, and a ring while it has the keyboard focus.
pub(in crate::figure) fn named(response: &egui::Response, role: egui::Role, name: &str) {
    response.widget_info(|| egui::WidgetInfo::labeled(role, true, name));
    if response.has_focus() && response.interact_rect.is_positive() {
        let ctx = &response.ctx;
        let stroke = egui::Stroke::new(2.0, ctx.global_style().visuals.selection.stroke.color);
        let painter = ctx.layer_painter(response.layer_id);
        painter.rect_stroke(response.rect, 2.0, stroke, egui::StrokeKind::Outside);
    }
}

/// Says in the middle of an empty figure what to do next.
pub(in crate::figure) fn empty_ui(ui: &mut Ui, sentence: &str) {
    #[cfg(test)]
    SAID.set(Some(sentence.to_owned()));
    let size = ui.available_size();
    // In the middle of the height; words justified to the width would be drawn apart.
    let middle = Layout::top_down(Align::Center)
        .with_main_align(Align::Center)
        .with_main_justify(true);
    ui.allocate_ui_with_layout(size, middle, |ui| {
        ui.label(RichText::new(sentence).weak());
    });
}

/// The area above some lines of text at the foot of a figure.
pub(in crate::figure) fn above(ui: &Ui, lines: f32) -> Rect {
    let area = ui.available_rect_before_wrap();
    let height = 4.0 + 20.0 * lines;
    Rect::from_min_max(area.min, pos2(area.max.x, area.max.y - height))
}

#[cfg(test)]
thread_local! {
    /// The sentence that the figure drawn last shows in place of its content; `None` where it has content.
    pub(in crate::figure) static SAID: std::cell::RefCell<Option<String>> = const { std::cell::RefCell::new(None) };
}
