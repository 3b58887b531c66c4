//! shim
pub(crate) fn apply(_: &egui::Context) {}
pub(crate) fn class_colour(class: usize, _: egui::Theme) -> egui::Color32 {
    [0x0072b2, 0xe69f00, 0x009e73, 0xcc79a7, 0xd55e00, 0x56b4e9].map(|c: u32| egui::Color32::from_rgb((c >> 16) as u8, (c >> 8) as u8, c as u8))[class % 6]
}
