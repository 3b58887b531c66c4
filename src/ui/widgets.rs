//! Small pieces that several panels share.

/// A line with a label on the left, explained on hover, and a widget on the right; red text under it where the value
/// cannot work.
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

/// A sentence in red, where there is one.
pub(crate) fn problem_ui(ui: &mut egui::Ui, problem: Option<&str>) {
    if let Some(problem) = problem {
        let colour = ui.visuals().error_fg_color;
        ui.label(egui::RichText::new(problem).small().color(colour));
    }
}

/// Least height of an image on screen, in points.
const IMAGE_HEIGHT: f32 = 56.0;

/// Size on screen of an image of so many pixels: small ones are enlarged by whole numbers, large ones made smaller.
pub(crate) fn enlarged(size: egui::Vec2) -> egui::Vec2 {
    if size.y > 2.0 * IMAGE_HEIGHT {
        size * (2.0 * IMAGE_HEIGHT / size.y)
    } else {
        size * (IMAGE_HEIGHT / size.y.max(1.0)).ceil().max(1.0)
    }
}

/// A whole number in groups of three: `12,345`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A duration in words that fit beside a progress bar.
pub(crate) fn duration(secs: f64) -> String {
    let secs = secs.max(0.0).round() as u64;
    match (secs / 3_600, secs / 60 % 60, secs % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, s) => format!("{m} min {s:02} s"),
        (h, m, _) => format!("{h} h {m:02} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        assert_eq!(grouped(7), "7");
        assert_eq!(grouped(1_234), "1,234");
        assert_eq!(grouped(12_345_678), "12,345,678");
        assert_eq!(duration(59.4), "59 s");
        assert_eq!(duration(61.0), "1 min 01 s");
        assert_eq!(duration(7_260.0), "2 h 01 min");
    }
}
