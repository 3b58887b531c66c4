//! Colours. A class keeps its colour by its number, in every view, theme and export.

use egui::ecolor::Hsva;
use egui::{Color32, Rgba, Ui};

use crate::text::fnv1a;

/// Twelve colours that stay apart on light and dark and under colour-vision deficiencies: those of Paul Tol's "bright"
/// scheme (2021), moved and completed by a search for the largest least distance under all of them.
const CLASSES: [Color32; 12] = [
    Color32::from_rgb(0x44, 0x77, 0xaa),
    Color32::from_rgb(0xe1, 0x6e, 0x75),
    Color32::from_rgb(0x2b, 0x8e, 0x32),
    Color32::from_rgb(0xc5, 0x9c, 0x23),
    Color32::from_rgb(0x55, 0xbf, 0xef),
    Color32::from_rgb(0xb4, 0x36, 0x6f),
    Color32::from_rgb(0x41, 0xd5, 0x5c),
    Color32::from_rgb(0x57, 0x8c, 0xf2),
    Color32::from_rgb(0x89, 0xbd, 0xa8),
    Color32::from_rgb(0xeb, 0x14, 0xb4),
    Color32::from_rgb(0xbb, 0x32, 0x0d),
    Color32::from_rgb(0x91, 0x1a, 0xf2),
];

/// Colour of class `k`.
pub fn class(k: usize) -> Color32 {
    CLASSES.get(k).copied().unwrap_or_else(|| {
        // The golden angle keeps neighbours apart however many classes there are.
        let hue = (k as f32 * 0.618_034).fract();
        Hsva::new(
            hue,
            0.6 + 0.2 * ((k / 3) % 2) as f32,
            0.6 + 0.12 * (k % 3) as f32,
            1.0,
        )
        .into()
    })
}

/// Colours of groups of runs: those of Okabe and Ito (2008) that stay apart on light and dark.
const OF_GROUPS: [Color32; GROUPS] = [
    Color32::from_rgb(0x00, 0x72, 0xb2),
    Color32::from_rgb(0xd5, 0x5e, 0x00),
    Color32::from_rgb(0x00, 0x9e, 0x73),
    Color32::from_rgb(0xcc, 0x79, 0xa7),
    Color32::from_rgb(0xe6, 0x9f, 0x00),
];

/// Number of groups of runs that have a colour of their own.
pub const GROUPS: usize = 5;

/// The number, below [`GROUPS`], of the colour that a configuration has where no other has taken it.
pub fn group_number(identity: &str) -> usize {
    (fnv1a(identity) % GROUPS as u64) as usize
}

/// Colour of a group of runs by its number.
pub fn group(number: usize) -> Color32 {
    OF_GROUPS
        .get(number)
        .copied()
        .unwrap_or_else(|| class(CLASSES.len() + number))
}

/// Colour of one of a chart's own quantities, such as macro-F1.
pub fn series(i: usize) -> Color32 {
    [CLASSES[0], CLASSES[6], CLASSES[7]][i % 3]
}

/// Colour of the frequent classes taken together.
pub const HEAD: Color32 = Color32::from_rgb(0x6f, 0x7d, 0x95);
/// Colour of the rare classes taken together: it stands out, as readers look for them.
pub const TAIL: Color32 = Color32::from_rgb(0xe0, 0x7a, 0x1f);

/// Colour of pairs of a frequent and a rare class.
pub const BETWEEN: Color32 = Color32::from_rgb(0xb5, 0x3a, 0x8c);

/// Anchors of the diverging scale: red (conflict) over the neutral middle to blue (agreement), after ColorBrewer RdBu.
/// Each is given from dark to light: away from the neutral middle the scale darkens on light, and lightens on dark.
const RED: [Color32; 2] = [
    Color32::from_rgb(0xb2, 0x18, 0x2b),
    Color32::from_rgb(0xef, 0x8a, 0x62),
];
const BLUE: [Color32; 2] = [
    Color32::from_rgb(0x21, 0x66, 0xac),
    Color32::from_rgb(0x67, 0xa9, 0xcf),
];

/// Colour of a cosine in [−1, 1].
pub fn diverging(value: f64, dark: bool) -> Color32 {
    let neutral = if dark {
        Color32::from_gray(0x30)
    } else {
        Color32::from_gray(0xf4)
    };
    // The middle anchor stands where its lightness puts it, so that lightness rises evenly on either side.
    let ([near, far], middle) = match (value < 0.0, dark) {
        (true, false) => ([RED[1], RED[0]], 0.49),
        (true, true) => ([RED[0], RED[1]], 0.41),
        (false, false) => ([BLUE[1], BLUE[0]], 0.55),
        (false, true) => ([BLUE[0], BLUE[1]], 0.49),
    };
    let share = value.abs().min(1.0);
    if share < middle {
        blend(neutral, near, (share / middle) as f32)
    } else {
        blend(near, far, ((share - middle) / (1.0 - middle)) as f32)
    }
}

/// Interference at and beyond which the colour is darkest: values above it are hardly ever seen.
pub const INTERFERENCE_END: f64 = 0.5;

/// Colour of an interference: neutral at 0, darkest red from [`INTERFERENCE_END`] on.
pub fn interference(value: f64, dark: bool) -> Color32 {
    diverging(-value / INTERFERENCE_END, dark)
}

/// Paints a continuous colour scale: `color(t)` for t from 0 (left or top) to 1.
pub fn paint_scale(
    painter: &egui::Painter,
    rect: egui::Rect,
    vertical: bool,
    color: impl Fn(f64) -> Color32,
) {
    const STEPS: u32 = 48;
    let mut mesh = egui::Mesh::default();
    for i in 0..=STEPS {
        let t = i as f32 / STEPS as f32;
        let color = color(f64::from(t));
        let ends = if vertical {
            let y = egui::lerp(rect.y_range(), t);
            [egui::pos2(rect.left(), y), egui::pos2(rect.right(), y)]
        } else {
            let x = egui::lerp(rect.x_range(), t);
            [egui::pos2(x, rect.top()), egui::pos2(x, rect.bottom())]
        };
        ends.into_iter()
            .for_each(|end| mesh.colored_vertex(end, color));
        if i > 0 {
            let last = 2 * i;
            mesh.add_triangle(last - 2, last - 1, last);
            mesh.add_triangle(last - 1, last, last + 1);
        }
    }
    painter.add(mesh);
}

/// The colour at a share `t` (0 to 1) of the way from `a` to `b`.
pub fn blend(a: Color32, b: Color32, t: f32) -> Color32 {
    let mix = |a: u8, b: u8| (f32::from(a) + (f32::from(b) - f32::from(a)) * t).round() as u8;
    Color32::from_rgb(mix(a.r(), b.r()), mix(a.g(), b.g()), mix(a.b(), b.b()))
}

/// Black or white, whichever reads better on `background`.
pub fn text_on(background: Color32) -> Color32 {
    let rgba = Rgba::from(background);
    let luminance = 0.2126 * rgba.r() + 0.7152 * rgba.g() + 0.0722 * rgba.b();
    // The luminance at which both have the same contrast ratio (WCAG 2).
    if luminance > 0.179 {
        Color32::from_gray(0x18)
    } else {
        Color32::from_gray(0xf8)
    }
}

/// Anchors of the scale of values without a sign, from little to much (after viridis, Smith and van der Walt 2015).
const SEQUENTIAL: [Color32; 5] = [
    Color32::from_rgb(0x44, 0x01, 0x54),
    Color32::from_rgb(0x3b, 0x52, 0x8b),
    Color32::from_rgb(0x21, 0x91, 0x8c),
    Color32::from_rgb(0x5e, 0xc9, 0x62),
    Color32::from_rgb(0xfd, 0xe7, 0x25),
];

/// Colour of a share, from 0 to 1.
pub(in crate::figure) fn sequential(share: f64) -> Color32 {
    let at = share.clamp(0.0, 1.0) * 4.0;
    let low = (at.floor() as usize).min(3);
    blend(
        SEQUENTIAL[low],
        SEQUENTIAL[low + 1],
        (at - low as f64) as f32,
    )
}

/// Colour of undefined values.
pub(in crate::figure) fn undefined(ui: &Ui) -> Color32 {
    let visuals = ui.visuals();
    blend(visuals.panel_fill, visuals.weak_text_color(), 0.35)
}

#[cfg(test)]
mod tests;
