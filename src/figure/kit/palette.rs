//! Colours. A class keeps its colour by its number, in every view, theme and export.

use egui::ecolor::Hsva;
use egui::{Color32, Rgba, Ui};

use crate::text::fnv1a;

/// Twelve colours that have a contrast of at least 3 to 1 (WCAG 2) to the backgrounds of both themes, found by simulated
/// annealing for the largest least distance with and without colour-vision deficiencies: 19.1 (CIE 1976). Neighbouring
/// numbers are far apart.
const CLASSES: [Color32; 12] = colors([
    0x0785ff, 0xd50026, 0xc86fa8, 0x38772c, 0xb4309e, 0x03a166, 0xa728ce, 0xfb4a5f, 0x977ed5,
    0xcf7700, 0x7b37ff, 0x8f5a6c,
]);

/// Colour of class `k`.
pub fn class(k: usize) -> Color32 {
    CLASSES.get(k).copied().unwrap_or_else(|| {
        // The golden angle keeps neighbours apart however many classes there are.
        let hue = (k as f32 * 0.618_034).fract();
        let saturation = 0.6 + 0.2 * ((k / 3) % 2) as f32;
        // Any luminance from 0.142 to 0.265 stands out from both themes. A value of 1 has more, whatever the hue, and
        // luminance rises in proportion to the value.
        let wanted = 0.16 + 0.04 * (k % 3) as f32;
        let brightest = luminance(Hsva::new(hue, saturation, 1.0, 1.0).into());
        Hsva::new(hue, saturation, wanted / brightest, 1.0).into()
    })
}

/// Relative luminance (WCAG 2), from 0 for black to 1 for white.
fn luminance(color: Rgba) -> f32 {
    0.2126 * color.r() + 0.7152 * color.g() + 0.0722 * color.b()
}

/// Colours of groups of runs: near those of Okabe and Ito (2008), moved until they stand out from light and dark.
const OF_GROUPS: [Color32; GROUPS] = colors([0x4669aa, 0xdc6e05, 0x00a069, 0xaa78a0, 0x9b5f28]);

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

/// Colours of the quantities of a chart that are not those of a class. None of them is mistaken for a class.
const SERIES: [Color32; 3] = colors([0x5f69b4, 0xcd5f1e, 0x41917d]);

/// Colour of one of a chart's own quantities, such as macro-F1.
pub fn series(i: usize) -> Color32 {
    SERIES[i % SERIES.len()]
}

/// Colour of the frequent classes taken together.
pub const HEAD: Color32 = Color32::from_rgb(0x7d, 0x7d, 0x82);
/// Colour of the rare classes taken together: it stands out, as readers look for them.
pub const TAIL: Color32 = Color32::from_rgb(0xcd, 0x69, 0x0f);

/// Colour of pairs of a frequent and a rare class.
pub const BETWEEN: Color32 = Color32::from_rgb(0xaf, 0x3c, 0x9b);

/// Anchors of the diverging scale from the neutral middle to red (conflict) and to blue (agreement), after ColorBrewer
/// RdBu: away from the middle the scale darkens on light, and lightens on dark. Their lightness (CIE L*) is evenly spaced.
const ON_LIGHT: [[Color32; 7]; 2] = [
    colors([
        0xf4f4f4, 0xf8d0c1, 0xf6ad90, 0xee8961, 0xdb684e, 0xc7463c, 0xb2182b,
    ]),
    colors([
        0xf4f4f4, 0xccdde9, 0xa4c6de, 0x77b0d3, 0x5998c6, 0x417eb9, 0x2166ac,
    ]),
];
const ON_DARK: [[Color32; 7]; 2] = [
    colors([
        0x303030, 0x6a312e, 0xa0242c, 0xbe3434, 0xcf5343, 0xdf6f52, 0xef8a62,
    ]),
    colors([
        0x303030, 0x364258, 0x335483, 0x2468ad, 0x3f7db8, 0x5493c4, 0x67a9cf,
    ]),
];

/// Colours from numbers of the form 0xrrggbb.
const fn colors<const N: usize>(numbers: [u32; N]) -> [Color32; N] {
    let mut colors = [Color32::BLACK; N];
    let mut i = 0;
    while i < N {
        let [_, r, g, b] = numbers[i].to_be_bytes();
        colors[i] = Color32::from_rgb(r, g, b);
        i += 1;
    }
    colors
}

/// The colour at a share `t` (0 to 1) of the way along evenly spaced anchors, of which there are at least two.
fn along(anchors: &[Color32], t: f64) -> Color32 {
    let at = t.clamp(0.0, 1.0) * (anchors.len() - 1) as f64;
    let low = (at.floor() as usize).min(anchors.len() - 2);
    blend(anchors[low], anchors[low + 1], (at - low as f64) as f32)
}

/// Colour of a cosine in [−1, 1].
pub fn diverging(value: f64, dark: bool) -> Color32 {
    let [red, blue] = if dark { &ON_DARK } else { &ON_LIGHT };
    along(if value < 0.0 { red } else { blue }, value.abs())
}

/// Interference at which a scale that is the same for all runs ends: values above it are hardly ever seen.
pub const INTERFERENCE_END: f64 = 0.5;

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

/// Black or white, whichever reads better on `background`: its contrast is at least 4.5 to 1, whatever that is.
pub fn text_on(background: Color32) -> Color32 {
    // The luminance at which both have the same contrast ratio (WCAG 2).
    if luminance(background.into()) > 0.179 {
        Color32::BLACK
    } else {
        Color32::WHITE
    }
}

/// Anchors of the scale of values without a sign, from little to much: viridis (Smith and van der Walt 2015).
const SEQUENTIAL: [Color32; 9] = colors([
    0x440154, 0x472d7b, 0x3b528b, 0x2c728e, 0x21918c, 0x28ae80, 0x5ec962, 0xaddc30, 0xfde725,
]);

/// Colour of a share, from 0 to 1.
pub(in crate::figure) fn sequential(share: f64) -> Color32 {
    along(&SEQUENTIAL, share)
}

/// Colour of undefined values.
pub(in crate::figure) fn undefined(ui: &Ui) -> Color32 {
    let visuals = ui.visuals();
    blend(visuals.panel_fill, visuals.weak_text_color(), 0.35)
}

#[cfg(test)]
mod tests;
