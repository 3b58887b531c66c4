//! How faults change the look of a module.

use super::scene::{Colour, Fault, Module};
use super::texture::{distance_squared, fractal, mix, segment_distance, smooth, value_noise};

impl Fault {
    /// Whether the module is missing at the module position `on`.
    pub(super) fn removes(&self, on: [f64; 2]) -> bool {
        match self {
            Self::MissingCorner { corner, reach } => {
                let from = [(corner[0] - on[0]).abs(), (corner[1] - on[1]).abs()];
                from[0] + from[1] + 0.15 * (9.0 * from[0]).sin() * from[1] < *reach
            }
            Self::Dust { .. }
            | Self::Splash { .. }
            | Self::BurntCell { .. }
            | Self::Burn { .. }
            | Self::Line { .. }
            | Self::Snow { .. } => false,
        }
    }

    /// The colour at the module position `on` with the fault; `colour` is the colour without it. `field` is the seed of
    /// the noise.
    pub(super) fn paint(
        &self,
        on: [f64; 2],
        module: &Module,
        field: u64,
        colour: Colour,
    ) -> Colour {
        match self {
            Self::Dust {
                amount,
                drift,
                colour: dust,
            } => {
                let cloud = fractal([on[0] * 2.2, on[1] * 2.2], field ^ 3);
                let low = 0.5 + 0.5 * drift * on[1];
                let cover = (amount * (0.5 + cloud) * (0.55 + low)).min(0.9);
                mix(colour, *dust, cover)
            }
            Self::Splash {
                centre,
                radius,
                streak,
                strength,
            } => {
                let (paint, cover) = splash(on, *centre, *radius, *streak, field);
                mix(colour, paint, strength * cover)
            }
            Self::BurntCell {
                cell,
                colour: burnt,
                strength,
            } => {
                let target = [
                    (cell[0] * module.cells[0]).floor(),
                    (cell[1] * module.cells[1]).floor(),
                ];
                let (at, _) = module.cell_at(on);
                if distance_squared(at, target) < 0.5 {
                    mix(colour, *burnt, *strength)
                } else {
                    colour
                }
            }
            Self::Burn {
                centre,
                radius,
                strength,
            } => {
                let distance = distance_squared(on, *centre).sqrt() / radius;
                let halo = 0.75 * strength * smooth(1.3 - distance);
                let core = strength * smooth(2.0 * (0.7 - distance));
                let browned = mix(colour, [0.45, 0.22, 0.06], halo);
                mix(browned, [0.02, 0.015, 0.01], core)
            }
            Self::Line {
                points,
                width,
                colour: paint,
                strength,
            } => {
                let nearest = points
                    .windows(2)
                    .map(|ends| segment_distance(on, ends[0], ends[1]))
                    .fold(f64::MAX, f64::min);
                let cover = strength * smooth((width - nearest) / (0.5 * width));
                mix(colour, *paint, cover)
            }
            Self::Snow {
                direction,
                level,
                rough,
                opacity,
            } => {
                let (snow, cover) = snow(on, *direction, *level, *rough, field);
                mix(colour, snow, opacity * cover)
            }
            Self::MissingCorner { .. } => colour,
        }
    }
}

/// Colour of a bird dropping at `on`, and how much of the module it covers there: a drop of uneven edge, with a streak
/// of length `streak` below it that runs thin.
fn splash(on: [f64; 2], centre: [f64; 2], radius: f64, streak: f64, field: u64) -> (Colour, f64) {
    let wobble = 0.7 + 0.7 * value_noise([on[0] * 7.0, on[1] * 7.0], field ^ 4);
    let reach = radius * wobble;
    let distance = distance_squared(on, centre).sqrt();
    let mut cover = smooth((reach - distance) / (0.35 * radius));
    let below = on[1] - centre[1];
    if streak > 0.0 && (0.0..streak).contains(&below) {
        let thin = 0.35 * radius * (1.0 - below / streak);
        let line = smooth((thin - (on[0] - centre[0]).abs()) / (0.3 * radius));
        cover = cover.max(0.8 * line);
    }
    let core = smooth((0.4 * reach - distance) / (0.3 * radius));
    let paint = mix([0.88, 0.87, 0.82], [0.45, 0.42, 0.34], 0.5 * core);
    (paint, cover)
}

/// Colour of the snow at `on`, and how much of the module it covers there: all beyond an uneven edge at `level` along
/// `direction`.
fn snow(on: [f64; 2], direction: f64, level: f64, rough: f64, field: u64) -> (Colour, f64) {
    let height = on[0] * direction.cos() + on[1] * direction.sin();
    let edge = level + rough * (fractal([on[0] * 2.5, on[1] * 2.5], field ^ 5) - 0.5);
    let shade = 0.86 + 0.12 * value_noise([on[0] * 9.0, on[1] * 9.0], field ^ 6);
    let cover = smooth((height - edge) / 0.1);
    ([shade, shade, 1.02 * shade], cover)
}
