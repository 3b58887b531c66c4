//! Colours as people with colour-vision deficiencies see them.

use super::*;

/// Linear RGB as seen under complete protanopia, deuteranopia and tritanopia: Machado, Oliveira & Fernandes 2009, "A
/// Physiologically-based Model for Simulation of Color Vision Deficiency", table for severity 1.
const DEFICIENCIES: [(&str, [[f64; 3]; 3]); 4] = [
    ("none", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
    (
        "protanopia",
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ],
    ),
    (
        "deuteranopia",
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ],
    ),
    (
        "tritanopia",
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ],
    ),
];

fn times(matrix: &[[f64; 3]; 3], v: [f64; 3]) -> [f64; 3] {
    matrix.map(|row| row.iter().zip(v).map(|(a, b)| a * b).sum())
}

/// CIE L*a*b* (D65) of a colour as it is seen.
fn lab(color: Color32, seen: &[[f64; 3]; 3]) -> [f64; 3] {
    let rgba = Rgba::from(color);
    let linear = [rgba.r(), rgba.g(), rgba.b()].map(f64::from);
    let seen = times(seen, linear).map(|x| x.clamp(0.0, 1.0));
    let xyz = times(
        &[
            [0.4124564, 0.3575761, 0.1804375],
            [0.2126729, 0.7151522, 0.0721750],
            [0.0193339, 0.1191920, 0.9503041],
        ],
        seen,
    );
    let white = [0.95047, 1.0, 1.08883];
    let f = |t: f64| {
        if t > 216.0 / 24389.0 {
            t.cbrt()
        } else {
            (24389.0 / 27.0 * t + 16.0) / 116.0
        }
    };
    let [x, y, z] = [0, 1, 2].map(|i| f(xyz[i] / white[i]));
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

/// CIE 1976 colour difference.
fn distance(a: [f64; 3], b: [f64; 3]) -> f64 {
    let squares = a.iter().zip(b).map(|(a, b)| (a - b).powi(2));
    squares.sum::<f64>().sqrt()
}

/// The least difference of any two of these colours under any deficiency, with the deficiency and the two indices.
fn least_difference(colors: &[Color32]) -> (f64, &'static str, usize, usize) {
    let mut least = (f64::INFINITY, "none", 0, 0);
    for (name, seen) in &DEFICIENCIES {
        let labs: Vec<_> = colors.iter().map(|&color| lab(color, seen)).collect();
        for (a, one) in labs.iter().enumerate() {
            for (b, other) in labs[..a].iter().enumerate() {
                let apart = distance(*one, *other);
                if apart < least.0 {
                    least = (apart, name, a, b);
                }
            }
        }
    }
    least
}

/// A difference of about 2.3 is just noticeable; neighbouring curves need several times that.
#[test]
fn classes_stay_apart_under_every_deficiency() {
    let classes: Vec<_> = (0..12).map(class).collect();
    let (apart, seen, a, b) = least_difference(&classes);
    assert!(
        apart > 19.0,
        "{seen}: classes {a} and {b} are {apart:.1} apart"
    );
    // Classes of neighbouring numbers stand beside each other in legends and lists.
    for pair in classes.windows(2) {
        let apart = least_difference(pair).0;
        assert!(apart > 40.0, "{pair:?} are {apart:.1} apart");
    }
}

/// Colours that have a meaning of their own, by set.
fn sets() -> [(&'static str, Vec<Color32>); 3] {
    [
        ("groups", (0..GROUPS).map(group).collect()),
        ("thirds", vec![HEAD, TAIL, BETWEEN]),
        ("quantities", (0..3).map(series).collect()),
    ]
}

#[test]
fn each_set_of_colours_stays_apart_under_every_deficiency() {
    for (set, colors) in sets() {
        let (apart, seen, a, b) = least_difference(&colors);
        assert!(
            apart > 20.0,
            "{seen}: {set} {a} and {b} are {apart:.1} apart"
        );
    }
}

#[test]
fn quantities_do_not_look_like_classes() {
    for (i, k) in (0..3).flat_map(|i| (0..12).map(move |k| (i, k))) {
        let (apart, seen, ..) = least_difference(&[series(i), class(k)]);
        assert!(
            apart > 6.0,
            "{seen}: quantity {i} and class {k} are {apart:.1} apart"
        );
    }
}

/// Red and blue mean opposite things, and the stronger a value, the darker its colour is on light and the lighter on
/// dark.
#[test]
fn conflict_and_agreement_stay_apart_under_every_deficiency() {
    const VALUES: [f64; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];
    for (name, seen) in &DEFICIENCIES {
        for dark in [false, true] {
            let at = |value: f64| lab(diverging(value, dark), seen);
            for value in &VALUES[1..] {
                let apart = distance(at(*value), at(-value));
                let least = (80.0 * value).min(50.0);
                assert!(apart > least, "{name}: ±{value} are {apart:.1} apart");
            }
            for sign in [-1.0, 1.0] {
                let lightness = VALUES.map(|value| at(sign * value)[0]);
                let rises = |pair: &[f64]| (pair[1] > pair[0]) == dark;
                let steady = lightness.windows(2).all(rises);
                assert!(steady, "{name}, dark {dark}, sign {sign}: {lightness:?}");
                let whole = distance(at(sign), at(0.0));
                assert!(whole > 50.0, "{name}, dark {dark}: {whole:.1}");
            }
        }
    }
}

/// In either theme, equal steps of a value look about equally large.
#[test]
fn scales_rise_evenly() {
    const STEPS: usize = 20;
    let none = &DEFICIENCIES[0].1;
    let check = |name: &str, at: &dyn Fn(f64) -> Color32| {
        let lightness = |i: usize| lab(at(i as f64 / STEPS as f64), none)[0];
        let mean = (lightness(STEPS) - lightness(0)) / STEPS as f64;
        for i in 0..STEPS {
            let step = (lightness(i + 1) - lightness(i)) / mean;
            assert!(
                (0.75..1.25).contains(&step),
                "{name}: step {i} is {step:.2} of the mean"
            );
        }
    };
    for dark in [false, true] {
        check(&format!("red, dark {dark}"), &|t| diverging(-t, dark));
        check(&format!("blue, dark {dark}"), &|t| diverging(t, dark));
    }
    check("sequential", &sequential);
}

/// WCAG 2 asks a contrast of 3 to 1 of graphics. Figures are drawn on panels and on cards, in either theme.
#[test]
fn colours_stand_out_from_light_and_dark() {
    let ctx = egui::Context::default();
    crate::figure::kit::style::install(&ctx);
    let themes = [egui::Theme::Light, egui::Theme::Dark].map(|theme| ctx.style_of(theme));
    let backgrounds = themes
        .iter()
        .flat_map(|style| [style.visuals.panel_fill, style.visuals.faint_bg_color]);
    let backgrounds: Vec<_> = backgrounds.collect();
    let check = |name: &str, color: Color32| {
        for &background in &backgrounds {
            let (a, b) = (luminance(color.into()), luminance(background.into()));
            let ratio = (a.max(b) + 0.05) / (a.min(b) + 0.05);
            assert!(ratio >= 3.0, "{name}: {ratio:.2} on {background:?}");
        }
    };
    for k in 0..1000 {
        check(&format!("class {k}"), class(k));
    }
    for (set, colors) in sets() {
        for (i, &color) in colors.iter().enumerate() {
            check(&format!("{set} {i}"), color);
        }
    }
}
