//! Stand-ins until the real modules land.
#![allow(dead_code, missing_docs)]
pub(crate) mod figure {
    use crate::figure::*;
    pub(crate) struct Scales;
    pub(crate) fn figure_png(
        _: Kind,
        _: Subject<'_>,
        _: &View,
        _: &Scales,
        _: [u32; 2],
        _: u32,
        _: egui::Theme,
    ) -> Result<Vec<u8>, String> {
        Err("not there yet".to_owned())
    }
    impl Scales {
        pub(crate) fn of(_: Kind, _: &[Subject<'_>], _: &View) -> Self {
            Self
        }
    }
    pub(crate) fn figure_ui(
        ui: &mut egui::Ui,
        kind: Kind,
        _s: Subject<'_>,
        _v: &View,
        _: &Scales,
    ) -> Option<Pick> {
        let size = ui.available_size();
        let (rect, _) = ui.allocate_exact_size(size, egui::Sense::hover());
        ui.painter().rect_stroke(
            rect,
            0.0,
            ui.visuals().window_stroke,
            egui::StrokeKind::Inside,
        );
        ui.painter().text(
            rect.center(),
            egui::Align2::CENTER_CENTER,
            format!("{kind:?}"),
            egui::FontId::default(),
            ui.visuals().text_color(),
        );
        None
    }
}
pub(crate) fn class_colour(class: usize, _: egui::Theme) -> egui::Color32 {
    [0x0072b2, 0xe69f00, 0x009e73, 0xcc79a7, 0xd55e00, 0x56b4e9]
        .map(|c: u32| egui::Color32::from_rgb((c >> 16) as u8, (c >> 8) as u8, c as u8))[class % 6]
}
