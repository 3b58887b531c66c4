//! Draws at random what a photograph shows. The order of the draws is part of the data set.

use std::f64::consts::TAU;

use crate::random::Random;

use super::scene::{Camera, Fault, Light, Module, Scene};
use super::texture::mix;

/// Seed of all images.
const SEED: u64 = 2024;
/// Range of the severity of faults, from barely visible to plain.
const SEVERITY: (f64, f64) = (0.35, 1.0);
/// Largest standard deviation of the sensor noise, as a share of full brightness.
const NOISE: f64 = 0.05;

impl Scene {
    /// The scene of an image by its split, class and number.
    pub(super) fn sample(split: &str, class: usize, number: usize) -> Self {
        let mut random = Random::new(SEED, &format!("solar {split}"), class as u64, number as u64);
        let r = &mut random;
        let camera = Camera::sample(r);
        let module = Module::sample(r);
        let light = Light::sample(r);
        let mut faults = Vec::new();
        blemishes(r, &mut faults);
        let (low, high) = SEVERITY;
        let severity = r.range(low, high);
        match class {
            1 => dusty(r, severity, &mut faults),
            2 => bird_drop(r, severity, &mut faults),
            3 => electrical(r, severity, &module, &mut faults),
            4 => physical(r, severity, &mut faults),
            5 => snow(r, severity, &mut faults),
            _ => {}
        }
        Self {
            field: r.next_u64(),
            camera,
            module,
            light,
            faults,
            random,
        }
    }
}

impl Camera {
    fn sample(r: &mut Random) -> Self {
        let zoom = r.range(0.72, 1.25);
        Self {
            angle: r.range(-0.45, 0.45),
            scale: [zoom * r.range(0.85, 1.15), zoom * r.range(0.85, 1.15)],
            shear: r.range(-0.25, 0.25),
            perspective: [r.range(-0.2, 0.2), r.range(-0.25, 0.25)],
            centre: [r.range(-0.18, 0.18), r.range(-0.18, 0.18)],
        }
    }
}

impl Module {
    fn sample(r: &mut Random) -> Self {
        let blue = r.uniform();
        let [dark, gap, frame] =
            [(0.7, 1.2), (0.5, 1.3), (0.55, 1.15)].map(|(low, high)| r.range(low, high));
        let backgrounds = [
            [[0.62, 0.74, 0.88], [0.85, 0.89, 0.94]],
            [[0.20, 0.30, 0.12], [0.42, 0.48, 0.22]],
            [[0.42, 0.24, 0.18], [0.60, 0.40, 0.31]],
            [[0.40, 0.38, 0.36], [0.62, 0.60, 0.57]],
        ];
        Self {
            cells: [(3 + r.below(4)) as f64, (4 + r.below(5)) as f64],
            cell: mix([0.07, 0.08, 0.11], [0.07, 0.14, 0.36], blue).map(|value| value * dark),
            gap: [0.45, 0.48, 0.55].map(|value| value * gap),
            frame: [0.66, 0.67, 0.69].map(|value| value * frame),
            bars: (2 + r.below(3)) as f64,
            variation: r.range(0.02, 0.16),
            background: backgrounds[r.below(backgrounds.len())],
        }
    }
}

impl Light {
    fn sample(r: &mut Random) -> Self {
        let warm = r.range(-0.1, 0.1);
        let chance = |r: &mut Random, p: f64| r.uniform() < p;
        Self {
            exposure: r.range(0.6, 1.5),
            tint: [1.0 + warm, 1.0, 1.0 - warm],
            gradient: [r.range(-0.25, 0.25), r.range(-0.25, 0.25)],
            glare: chance(r, 0.3)
                .then(|| ([r.range(-1.0, 1.0), r.range(-1.0, 1.0)], r.range(0.15, 0.6))),
            shadow: chance(r, 0.25).then(|| {
                (
                    [r.range(-0.7, 0.7), r.range(-0.7, 0.7)],
                    r.range(0.0, TAU),
                    r.range(0.3, 0.7),
                )
            }),
            noise: r.range(0.1, 1.0) * NOISE,
        }
    }
}

/// Slight dirt that any module may have.
fn blemishes(r: &mut Random, faults: &mut Vec<Fault>) {
    if r.uniform() < 0.45 {
        let colour = [0.50, 0.44, 0.35];
        faults.push(Fault::Dust {
            amount: r.range(0.02, 0.14),
            drift: r.range(0.0, 0.8),
            colour,
        });
    }
    if r.uniform() < 0.2 {
        let centre = [r.range(-0.9, 0.9), r.range(-0.9, 0.9)];
        faults.push(Fault::Splash {
            centre,
            radius: r.range(0.02, 0.05),
            streak: 0.0,
            strength: r.range(0.2, 0.5),
        });
    }
    if r.uniform() < 0.1 {
        let cell = [0, 0].map(|_| r.uniform());
        faults.push(Fault::BurntCell {
            cell,
            colour: [0.03, 0.03, 0.04],
            strength: r.range(0.1, 0.25),
        });
    }
}

fn dusty(r: &mut Random, severity: f64, faults: &mut Vec<Fault>) {
    let colour = mix([0.52, 0.43, 0.31], [0.58, 0.55, 0.50], r.uniform());
    faults.push(Fault::Dust {
        amount: 0.1 + 0.5 * severity,
        drift: r.range(0.2, 1.0),
        colour,
    });
}

fn bird_drop(r: &mut Random, severity: f64, faults: &mut Vec<Fault>) {
    for _ in 0..1 + r.below(1 + (4.0 * severity) as usize) {
        faults.push(Fault::Splash {
            centre: [r.range(-0.8, 0.8), r.range(-0.85, 0.7)],
            radius: r.range(0.05, 0.09) + 0.12 * severity * r.uniform(),
            streak: if r.uniform() < 0.6 {
                r.range(0.1, 0.5) * (0.4 + severity)
            } else {
                0.0
            },
            strength: 0.45 + 0.5 * severity,
        });
    }
}

fn electrical(r: &mut Random, severity: f64, module: &Module, faults: &mut Vec<Fault>) {
    let brown = [0.42, 0.20, 0.05];
    let black = [0.02, 0.02, 0.02];
    match r.below(3) {
        0 => {
            for _ in 0..2 + r.below(4) {
                let colour = if r.uniform() < 0.7 { brown } else { black };
                let cell = [0, 0].map(|_| r.uniform());
                faults.push(Fault::BurntCell {
                    cell,
                    colour,
                    strength: 0.5 + 0.45 * severity,
                });
            }
        }
        1 => {
            for _ in 0..1 + r.below(2) {
                let centre = [r.range(-0.8, 0.8), r.range(-0.8, 0.8)];
                faults.push(Fault::Burn {
                    centre,
                    radius: r.range(0.12, 0.18) + 0.22 * severity,
                    strength: 0.4 + 0.6 * severity,
                });
            }
        }
        _ => {
            // Snail trails wander along the cells' edges.
            for _ in 0..1 + r.below(3) {
                let mut point = [r.range(-0.8, 0.8), r.range(-0.8, 0.8)];
                let mut points = vec![point];
                for _ in 0..6 {
                    point = [
                        point[0] + r.range(-1.0, 1.0) / module.cells[0],
                        point[1] + r.range(-1.0, 1.0) / module.cells[1],
                    ];
                    points.push(point);
                }
                faults.push(Fault::Line {
                    points,
                    width: 0.035 + 0.035 * severity,
                    colour: brown,
                    strength: 0.4 + 0.6 * severity,
                });
            }
        }
    }
}

fn physical(r: &mut Random, severity: f64, faults: &mut Vec<Fault>) {
    let white = [0.82, 0.85, 0.88];
    let kind = r.below(4);
    if kind == 0 {
        let sign = |r: &mut Random| if r.uniform() < 0.5 { -1.0 } else { 1.0 };
        faults.push(Fault::MissingCorner {
            corner: [sign(r), sign(r)],
            reach: 0.25 + 0.6 * severity,
        });
    }
    // Cracks run from one impact, straight at first and then bending.
    let centre = [r.range(-0.7, 0.7), r.range(-0.7, 0.7)];
    let rays = if kind == 1 {
        7 + r.below(7)
    } else {
        2 + r.below(4)
    };
    let turn = r.range(0.0, TAU);
    for ray in 0..rays {
        let mut direction = turn + TAU * (ray as f64 + r.range(-0.3, 0.3)) / rays as f64;
        let mut point = centre;
        let mut points = vec![point];
        for _ in 0..4 {
            let step = r.range(0.1, 0.2) + 0.25 * severity * r.uniform();
            point = [
                point[0] + step * direction.cos(),
                point[1] + step * direction.sin(),
            ];
            direction += r.range(-0.6, 0.6);
            points.push(point);
        }
        let colour = if r.uniform() < 0.75 {
            white
        } else {
            [0.0, 0.0, 0.0]
        };
        faults.push(Fault::Line {
            points,
            width: 0.024 + 0.026 * severity,
            colour,
            strength: 0.55 + 0.45 * severity,
        });
    }
}

fn snow(r: &mut Random, severity: f64, faults: &mut Vec<Fault>) {
    // Snow slides down: it mostly lies at the lower edge or covers all but a part.
    let direction = if r.uniform() < 0.7 {
        std::f64::consts::FRAC_PI_2
    } else {
        r.range(0.0, TAU)
    };
    faults.push(Fault::Snow {
        direction: direction + r.range(-0.3, 0.3),
        level: 0.75 - 1.5 * severity,
        rough: r.range(0.15, 0.6),
        opacity: r.range(0.55, 0.97),
    });
}
