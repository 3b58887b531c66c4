//! Numbers beside a scale of colours.

use egui::{Align2, FontId, Rect, Ui, pos2};

/// Paints numbers to the right of an upright scale of colours, each at a share of its height: 0 at the foot, 1 at the
/// top.
pub(in crate::figure) fn numbers_upright(ui: &Ui, bar: Rect, marks: &[(f64, String)]) {
    let font = FontId::proportional(10.5);
    for (share, text) in marks {
        let y = egui::lerp(bar.bottom()..=bar.top(), *share as f32);
        let align = match *share {
            x if x < 0.05 => Align2::LEFT_BOTTOM,
            x if x > 0.95 => Align2::LEFT_TOP,
            _ => Align2::LEFT_CENTER,
        };
        let at = pos2(bar.right() + 4.0, y);
        let color = ui.visuals().weak_text_color();
        ui.painter().text(at, align, text, font.clone(), color);
    }
}
