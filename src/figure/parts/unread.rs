//! Says how many of the probes are read.

use egui::{Align, Label, Layout, Rect, RichText, Ui, UiBuilder};

use crate::figure::look::subject::Subject;

/// Says how many of the probes are read, where not all are: the figure lacks the others.
pub(in crate::figure) fn unread_ui(ui: &mut Ui, subject: Subject<'_>, classes: &[usize]) {
    let (read, all) = (subject.steps_read(classes).len(), subject.run.probes.len());
    if read < all {
        let text = RichText::new(format!("{read} of {all} probes are read.")).small();
        ui.label(text.weak())
            .on_hover_text("The others are being read, or their files are missing or damaged");
    }
}

/// The line above a figure of layers by moments: a text and, at the right, how many of the probes are read.
pub(in crate::figure) fn header_ui(
    ui: &mut Ui,
    rect: Rect,
    text: &str,
    subject: Subject<'_>,
    classes: &[usize],
) {
    ui.scope_builder(UiBuilder::new().max_rect(rect), |ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            unread_ui(ui, subject, classes);
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                ui.add(Label::new(RichText::new(text).size(11.5)).truncate());
            });
        });
    });
}
