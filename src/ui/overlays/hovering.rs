//! The hint that is shown while a file is held over the window.

/// Says which files and folders can be dropped, while one is held over the window.
pub(crate) fn hovering_ui(ctx: &egui::Context) {
    if ctx.input(|input| input.raw.hovered_files.is_empty()) {
        return;
    }
    let painter = ctx.layer_painter(egui::LayerId::new(
        egui::Order::Foreground,
        egui::Id::unique("hovering"),
    ));
    let (rect, style) = (ctx.content_rect(), ctx.global_style());
    painter.rect_filled(rect, 0.0, style.visuals.panel_fill.gamma_multiply(0.85));
    painter.text(
        rect.center(),
        egui::Align2::CENTER_CENTER,
        "Drop a run, a folder of runs, an image folder, a sweep or an exported figure",
        egui::FontId::proportional(20.0),
        style.visuals.strong_text_color(),
    );
}
