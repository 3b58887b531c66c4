//! Text sizes, fonts and colours: the same in the window and in exported figures.

use std::sync::{Arc, LazyLock};

use egui::{Color32, FallbackRequest, FontFamily, FontId, FontProvider as _, TextStyle, Theme};
use egui_system_font_provider::SystemFontProvider;

/// The fonts of the system, which are looked for only once a letter is met that the built-in fonts lack: what is drawn in
/// letters that they have is the same on every machine.
static SYSTEM_FONTS: LazyLock<SystemFontProvider> = LazyLock::new(SystemFontProvider::new);

/// Gives a context the look of Crosscurrent in the dark or the light theme, whatever the system prefers.
pub fn apply(ctx: &egui::Context, dark: bool) {
    install(ctx);
    ctx.set_theme(if dark { Theme::Dark } else { Theme::Light });
}

/// Gives a context the look of Crosscurrent in both themes and leaves the choice of theme alone.
///
/// Only the first call on a context does anything, so a later change of its style stays.
pub fn install(ctx: &egui::Context) {
    let installed = egui::Id::unique("crosscurrent style");
    if ctx.data_mut(|data| std::mem::replace(data.get_temp_mut_or_default(installed), true)) {
        return;
    }
    ctx.set_fonts(fonts());
    let of_system = |request: &FallbackRequest<'_>| SYSTEM_FONTS.font_for(request);
    ctx.add_font_provider(Arc::new(of_system));
    for theme in [Theme::Light, Theme::Dark] {
        ctx.style_mut_of(theme, |style| {
            let size = |points| FontId::new(points, FontFamily::Proportional);
            style.text_styles.insert(TextStyle::Small, size(11.0));
            style.text_styles.insert(TextStyle::Heading, size(16.0));
            style.spacing.item_spacing = egui::vec2(8.0, 4.0);
            style.spacing.button_padding = egui::vec2(7.0, 2.0);
            style.interaction.tooltip_delay = 0.3;
            colour(&mut style.visuals, theme);
        });
    }
}

/// Hack, which comes with egui, has the signs that its text font lacks (∇, ‖, →, ⁻³).
pub(in crate::figure) fn fonts() -> egui::FontDefinitions {
    let mut fonts = egui::FontDefinitions::default();
    if let Some(family) = fonts.families.get_mut(&FontFamily::Proportional) {
        family.insert(1.min(family.len()), "Hack".to_owned());
    }
    fonts
}

/// More contrast for text than egui gives, and panels that let the figures' cards stand out.
fn colour(visuals: &mut egui::Visuals, theme: Theme) {
    let (text, strong, panel, card, line) = match theme {
        Theme::Light => (45, 10, 243, 255, 214),
        Theme::Dark => (205, 245, 24, 31, 52),
    };
    visuals.widgets.noninteractive.fg_stroke.color = Color32::from_gray(text);
    visuals.widgets.active.fg_stroke.color = Color32::from_gray(strong);
    visuals.widgets.noninteractive.bg_stroke.color = Color32::from_gray(line);
    visuals.panel_fill = Color32::from_gray(panel);
    visuals.faint_bg_color = Color32::from_gray(card);
    visuals.weak_text_alpha = 0.7;
    // egui's red and orange are hard to read on either background, and its blue on light.
    (
        visuals.error_fg_color,
        visuals.warn_fg_color,
        visuals.hyperlink_color,
    ) = match theme {
        Theme::Light => (
            Color32::from_rgb(0xb3, 0x1d, 0x1d),
            Color32::from_rgb(0x8a, 0x52, 0x00),
            Color32::from_rgb(0x00, 0x5f, 0xb3),
        ),
        Theme::Dark => (
            Color32::from_rgb(0xff, 0x7d, 0x72),
            Color32::from_rgb(0xff, 0xb0, 0x4d),
            Color32::from_rgb(0x5a, 0xaa, 0xff),
        ),
    };
}
