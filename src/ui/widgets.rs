//! Small controls that several panels and pages share.

/// A line with a label on the left, explained on hover, and a widget on the right. Under it stands the problem in red
/// if the value cannot be used.
pub(crate) fn labelled_ui(
    ui: &mut egui::Ui,
    label: &str,
    help: &str,
    problem: Option<&str>,
    add: impl FnOnce(&mut egui::Ui) -> egui::Response,
) {
    ui.horizontal(|ui| {
        let size = egui::vec2(LABEL_WIDTH, ui.spacing().interact_size.y);
        let label = ui
            .allocate_ui_with_layout(
                size,
                egui::Layout::left_to_right(egui::Align::Center),
                |ui| {
                    ui.set_min_width(LABEL_WIDTH);
                    ui.label(label).on_hover_text(help)
                },
            )
            .inner;
        add(ui).labelled_by(label.id).on_hover_text(help);
    });
    problem_ui(ui, problem);
}

const LABEL_WIDTH: f32 = 118.0;

/// Shows a problem in red, if there is one.
pub(crate) fn problem_ui(ui: &mut egui::Ui, problem: Option<&str>) {
    if let Some(problem) = problem {
        let colour = ui.visuals().error_fg_color;
        ui.label(egui::RichText::new(problem).small().color(colour));
    }
}

/// Least height of an image on screen, in points.
const IMAGE_HEIGHT: f32 = 56.0;

/// Size on screen, in points, of an image of `size` pixels. A small image is enlarged by a whole factor, a large one is
/// shown smaller.
pub(crate) fn enlarged(size: egui::Vec2) -> egui::Vec2 {
    if size.y > 2.0 * IMAGE_HEIGHT {
        size * (2.0 * IMAGE_HEIGHT / size.y)
    } else {
        size * (IMAGE_HEIGHT / size.y.max(1.0)).ceil().max(1.0)
    }
}

/// A frame with a question mark, in the place of an image that cannot be read.
pub(crate) fn missing_image_ui(ui: &egui::Ui, place: egui::Rect) {
    let weak = ui.visuals().weak_text_color();
    let stroke = egui::Stroke::new(1.0, weak);
    let inside = egui::StrokeKind::Inside;
    ui.painter().rect_stroke(place, 0.0, stroke, inside);
    let font = egui::FontId::proportional(18.0);
    let middle = egui::Align2::CENTER_CENTER;
    ui.painter().text(place.center(), middle, "?", font, weak);
}
