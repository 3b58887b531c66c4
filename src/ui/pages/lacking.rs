//! Figures that have nothing to show of a run take a line in place of an empty card.

use egui::{Rect, RichText, UiBuilder, pos2, vec2};

use crate::figure::Kind;

/// Figures that have nothing to show of a run, all for the same reason.
pub(super) struct Line<'a> {
    pub(super) kinds: Vec<Kind>,
    /// Name of the run.
    pub(super) run: &'a str,
    pub(super) reason: &'static str,
}

/// Height of the line of figures that have nothing to show, in points.
pub(super) const LINE: f32 = 22.0;

/// Says why figures have nothing to show, in one line for each reason.
pub(super) fn lines_ui(ui: &mut egui::Ui, rect: Rect, lines: &[Line<'_>]) {
    for (at, line) in lines.iter().enumerate() {
        let top = rect.top() + at as f32 * LINE;
        let place = Rect::from_min_size(pos2(rect.left(), top), vec2(rect.width(), LINE));
        let is_of_both = lines.iter().any(|other| other.run != line.run);
        let of = if is_of_both {
            format!("{}: ", line.run)
        } else {
            String::new()
        };
        let titles: Vec<_> = line.kinds.iter().map(|kind| kind.title()).collect();
        let text = format!("{of}{} Not shown: {}.", line.reason, titles.join(", "));
        ui.scope_builder(UiBuilder::new().max_rect(place), |ui| {
            ui.horizontal_centered(|ui| {
                ui.add(egui::Label::new(RichText::new(text).weak()).truncate());
            });
        });
    }
}
