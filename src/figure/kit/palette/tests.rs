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

/// A difference of about 2.3 is just noticeable; neighbouring curves need several times that.
#[test]
fn classes_stay_apart_under_every_deficiency() {
    for (name, seen) in &DEFICIENCIES {
        for a in 0..12 {
            for b in 0..a {
                let apart = distance(lab(class(a), seen), lab(class(b), seen));
                assert!(
                    apart > 12.0,
                    "{name}: classes {a} and {b} are {apart:.1} apart"
                );
            }
        }
    }
}

#[test]
fn groups_stay_apart_under_every_deficiency() {
    for (name, seen) in &DEFICIENCIES {
        for a in 0..GROUPS {
            for b in 0..a {
                let apart = distance(lab(group(a), seen), lab(group(b), seen));
                assert!(
                    apart > 12.0,
                    "{name}: groups {a} and {b} are {apart:.1} apart"
                );
            }
        }
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

/// In both themes, the colour of a class has contrast to its background (WCAG 2 asks 3 of graphics; thin marks beside
/// a name may have a little less).
#[test]
fn classes_stand_out_from_light_and_dark() {
    let luminance = |color: Color32| {
        let rgba = Rgba::from(color);
        f64::from(0.2126 * rgba.r() + 0.7152 * rgba.g() + 0.0722 * rgba.b())
    };
    let contrast = |a: f64, b: f64| (a.max(b) + 0.05) / (a.min(b) + 0.05);
    for k in 0..12 {
        let own = luminance(class(k));
        for background in [egui::Visuals::light(), egui::Visuals::dark()] {
            let ratio = contrast(own, luminance(background.panel_fill));
            assert!(ratio > 1.7, "class {k}: contrast {ratio:.2}");
        }
    }
}
