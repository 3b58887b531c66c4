//! The built-in data set: procedural photographs of solar modules in six classes, naturally imbalanced.
//!
//! Every image is a pure function of its split, class and number, so that the set is the same everywhere. Each is
//! drawn as a photograph would be made: a module (cells, bars, frame) before a background, a fault of some severity on
//! it, then camera angle, light, shadow, blur and sensor noise. Slight dirt, shadow and glare occur in every class, and
//! faults go down to barely visible, so that classes overlap. The difficulty was set by looking at the baseline alone
//! and is frozen: changing anything here changes the data set.

use std::f64::consts::TAU;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use crate::config::{RunConfig, Size};
use crate::random::Random;

use super::{DataError, Dataset, Source, Summary};

const CLASSES: [&str; 6] = [
    "Clean",
    "Dusty",
    "Bird-drop",
    "Electrical-damage",
    "Physical-damage",
    "Snow-covered",
];
/// Training images: what a survey finds, Physical-damage 10 times rarer than Clean.
const TRAIN: [usize; 6] = [1400, 900, 700, 500, 140, 600];
/// Test images: the same number of each class.
const TEST: [usize; 6] = [150; 6];
const SEED: u64 = 2024;
/// Size where none is asked for.
pub(super) const SIZE: Size = Size {
    width: 32,
    height: 32,
};
/// Samples per pixel and axis.
const SAMPLES: usize = 2;
/// Severity of faults, from barely visible to plain.
const SEVERITY: (f64, f64) = (0.35, 1.0);
/// Largest standard deviation of the sensor noise, of full brightness.
const NOISE: f64 = 0.05;

type Colour = [f64; 3];

/// Class names and counts.
pub(super) fn summary() -> Summary {
    Summary {
        classes: CLASSES.map(str::to_owned).to_vec(),
        train: TRAIN.to_vec(),
        val: None,
        test: Some(TEST.to_vec()),
    }
}

/// Split, class and number within it, of every image.
fn items() -> Vec<(&'static str, usize, usize)> {
    let mut items = Vec::new();
    for (split, counts) in [("train", TRAIN), ("test", TEST)] {
        for (class, count) in counts.into_iter().enumerate() {
            items.extend((0..count).map(|number| (split, class, number)));
        }
    }
    items
}

/// Draws one image, [H, W, C]; none where there is no such number.
pub(super) fn image(index: u32, size: Size, channels: usize) -> Option<Vec<u8>> {
    let &(split, class, number) = items().get(index as usize)?;
    let mut pixels = vec![0; size.width * size.height * channels];
    Scene::new(split, class, number).photograph(size, channels, &mut pixels);
    Some(pixels)
}

/// The set without its pixels.
pub(super) fn index() -> Dataset {
    let items = items();
    let train: usize = TRAIN.iter().sum();
    Dataset {
        labels: items.iter().map(|(_, class, _)| *class as u16).collect(),
        classes: CLASSES.map(str::to_owned).to_vec(),
        train: (0..train as u32).collect(),
        test: (train as u32..items.len() as u32).collect(),
        ..Dataset::default()
    }
}

/// Draws every image, on all threads.
pub(super) fn load(
    config: &RunConfig,
    progress: &(dyn Fn(usize, usize) -> bool + Sync),
) -> Result<Source, DataError> {
    let size = config.size.unwrap_or(SIZE);
    let channels = config.channels.unwrap_or(3);
    let items = items();
    let done = AtomicUsize::new(0);
    let mut images = vec![0; items.len() * size.width * size.height * channels];
    images
        .par_chunks_mut(size.width * size.height * channels)
        .zip(&items)
        .try_for_each(|(pixels, &(split, class, number))| {
            Scene::new(split, class, number).photograph(size, channels, pixels);
            if progress(done.fetch_add(1, Ordering::Relaxed) + 1, items.len()) {
                Ok(())
            } else {
                Err(DataError::Cancelled)
            }
        })?;
    let dataset = Dataset {
        images,
        height: size.height,
        width: size.width,
        channels,
        ..index()
    };
    Ok(Source {
        dataset,
        notes: Vec::new(),
    })
}

/// Everything that one photograph shows. Positions on the module run from −1 to 1 in both directions.
struct Scene {
    random: Random,
    /// Seed of the noise fields.
    field: u64,
    camera: Camera,
    module: Module,
    light: Light,
    faults: Vec<Fault>,
}

/// Maps image positions to module positions: rotation, scale, shear and a little perspective.
struct Camera {
    angle: f64,
    scale: [f64; 2],
    shear: f64,
    perspective: [f64; 2],
    centre: [f64; 2],
}

struct Module {
    cells: [f64; 2],
    cell: Colour,
    gap: Colour,
    frame: Colour,
    bars: f64,
    /// How much cells differ from each other.
    variation: f64,
    background: [Colour; 2],
}

struct Light {
    exposure: f64,
    tint: Colour,
    gradient: [f64; 2],
    glare: Option<([f64; 2], f64)>,
    /// Edge (through a point, with a direction) and darkness of a cast shadow.
    shadow: Option<([f64; 2], f64, f64)>,
    noise: f64,
}

/// One fault, or a slight blemish that any class may have.
enum Fault {
    Dust {
        amount: f64,
        drift: f64,
        colour: Colour,
    },
    Splash {
        centre: [f64; 2],
        radius: f64,
        streak: f64,
        strength: f64,
    },
    /// A cell darkened or browned.
    BurntCell {
        cell: [f64; 2],
        colour: Colour,
        strength: f64,
    },
    /// A burn mark with a halo.
    Burn {
        centre: [f64; 2],
        radius: f64,
        strength: f64,
    },
    /// A thin line of the given colour.
    Line {
        points: Vec<[f64; 2]>,
        width: f64,
        colour: Colour,
        strength: f64,
    },
    MissingCorner {
        corner: [f64; 2],
        reach: f64,
    },
    Snow {
        direction: f64,
        level: f64,
        rough: f64,
        opacity: f64,
    },
}

impl Scene {
    fn new(split: &str, class: usize, number: usize) -> Self {
        let mut random = Random::new(SEED, &format!("solar {split}"), class as u64, number as u64);
        let r = &mut random;
        let camera = Camera::draw(r);
        let module = Module::draw(r);
        let light = Light::draw(r);
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

    fn photograph(mut self, size: Size, channels: usize, pixels: &mut [u8]) {
        for (i, pixel) in pixels.chunks_mut(channels).enumerate() {
            let (x, y) = (i % size.width, i / size.width);
            let mut sum = [0.0; 3];
            for sample in 0..SAMPLES * SAMPLES {
                let offset = |k: usize| (k as f64 + 0.5) / SAMPLES as f64;
                let across = (x as f64 + offset(sample % SAMPLES)) / size.width as f64 * 2.0 - 1.0;
                let down = (y as f64 + offset(sample / SAMPLES)) / size.height as f64 * 2.0 - 1.0;
                let colour = self.colour([across, down]);
                sum.iter_mut()
                    .zip(colour)
                    .for_each(|(sum, value)| *sum += value);
            }
            let noise = self.light.noise;
            let values =
                sum.map(|sum| sum / (SAMPLES * SAMPLES) as f64 + noise * self.random.normal());
            let byte = |value: f64| (value.clamp(0.0, 1.0) * 255.0).round() as u8;
            if let [grey] = pixel {
                *grey = byte(0.299 * values[0] + 0.587 * values[1] + 0.114 * values[2]);
            } else {
                pixel
                    .iter_mut()
                    .zip(values)
                    .for_each(|(pixel, value)| *pixel = byte(value));
            }
        }
    }

    /// Colour at an image position in [−1, 1]².
    fn colour(&self, at: [f64; 2]) -> Colour {
        let on = self.camera.module_position(at);
        let gone = self.faults.iter().any(|fault| fault.removes(on));
        let inside = on[0].abs() < 1.0 && on[1].abs() < 1.0 && !gone;
        let mut colour = if inside {
            self.module.colour(on, self.field)
        } else {
            self.background(at)
        };
        if inside {
            for fault in &self.faults {
                fault.paint(on, &self.module, self.field, &mut colour);
            }
        }
        self.light.apply(at, colour)
    }

    fn background(&self, at: [f64; 2]) -> Colour {
        let t = fractal([at[0] * 3.0, at[1] * 3.0], self.field ^ 1);
        mix(self.module.background[0], self.module.background[1], t)
    }
}

impl Camera {
    fn draw(r: &mut Random) -> Self {
        let zoom = r.range(0.72, 1.25);
        Self {
            angle: r.range(-0.45, 0.45),
            scale: [zoom * r.range(0.85, 1.15), zoom * r.range(0.85, 1.15)],
            shear: r.range(-0.25, 0.25),
            perspective: [r.range(-0.2, 0.2), r.range(-0.25, 0.25)],
            centre: [r.range(-0.18, 0.18), r.range(-0.18, 0.18)],
        }
    }

    fn module_position(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        let depth = 1.0 + self.perspective[0] * x + self.perspective[1] * y;
        let (x, y) = (x / depth - self.centre[0], y / depth - self.centre[1]);
        let (sin, cos) = self.angle.sin_cos();
        let (x, y) = (cos * x + sin * y, cos * y - sin * x);
        [(x + self.shear * y) / self.scale[0], y / self.scale[1]]
    }
}

impl Module {
    fn draw(r: &mut Random) -> Self {
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

    /// The cell that a position lies in, and where in it, both from 0.
    fn cell_at(&self, on: [f64; 2]) -> ([f64; 2], [f64; 2]) {
        let scaled = [
            (on[0] + 1.0) / 2.0 * self.cells[0],
            (on[1] + 1.0) / 2.0 * self.cells[1],
        ];
        let cell = scaled.map(f64::floor);
        (cell, [scaled[0] - cell[0], scaled[1] - cell[1]])
    }

    fn colour(&self, on: [f64; 2], field: u64) -> Colour {
        if on[0].abs() > 0.95 || on[1].abs() > 0.96 {
            return self.frame;
        }
        let (cell, within) = self.cell_at(on);
        let edge = within.map(|t| t.min(1.0 - t));
        if edge[0] < 0.045 || edge[1] < 0.035 {
            return self.gap;
        }
        let tint = 1.0 + self.variation * (4.0 * hash(cell, field) - 2.0);
        let grain = 1.0
            + 0.5 * self.variation * (value_noise([on[0] * 22.0, on[1] * 22.0], field ^ 2) - 0.5);
        let base = self.cell.map(|value| value * tint * grain);
        // Bus bars are thin bright lines along the cell.
        let bar = (within[0] * self.bars).fract() - 0.5;
        if bar.abs() < 0.05 {
            mix(base, [0.6, 0.62, 0.66], 0.45)
        } else {
            base
        }
    }
}

impl Light {
    fn draw(r: &mut Random) -> Self {
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

    fn apply(&self, at: [f64; 2], colour: Colour) -> Colour {
        let mut brightness =
            self.exposure * (1.0 + self.gradient[0] * at[0] + self.gradient[1] * at[1]);
        if let Some((through, direction, darkness)) = self.shadow {
            let side =
                (at[0] - through[0]) * direction.cos() + (at[1] - through[1]) * direction.sin();
            brightness *= 1.0 - darkness * smooth(side / 0.12);
        }
        let mut light = [0, 1, 2].map(|i| colour[i] * brightness * self.tint[i]);
        if let Some((centre, strength)) = self.glare {
            let glare = strength * (-distance_squared(at, centre) / 0.16).exp();
            light = mix(light, [1.0, 0.99, 0.95], glare);
        }
        // Photographs are stored with a gamma; a mild one keeps dark cells apart.
        light.map(|value| value.max(0.0).powf(0.8))
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

impl Fault {
    fn removes(&self, on: [f64; 2]) -> bool {
        match self {
            Self::MissingCorner { corner, reach } => {
                let from = [(corner[0] - on[0]).abs(), (corner[1] - on[1]).abs()];
                from[0] + from[1] + 0.15 * (9.0 * from[0]).sin() * from[1] < *reach
            }
            _ => false,
        }
    }

    fn paint(&self, on: [f64; 2], module: &Module, field: u64, colour: &mut Colour) {
        match self {
            Self::Dust {
                amount,
                drift,
                colour: dust,
            } => {
                let cloud = fractal([on[0] * 2.2, on[1] * 2.2], field ^ 3);
                let low = 0.5 + 0.5 * drift * on[1];
                *colour = mix(
                    *colour,
                    *dust,
                    (amount * (0.5 + cloud) * (0.55 + low)).min(0.9),
                );
            }
            Self::Splash {
                centre,
                radius,
                streak,
                strength,
            } => {
                let wobble = 0.7 + 0.7 * value_noise([on[0] * 7.0, on[1] * 7.0], field ^ 4);
                let reach = radius * wobble;
                let distance = distance_squared(on, *centre).sqrt();
                let mut cover = smooth((reach - distance) / (0.35 * radius));
                let below = on[1] - centre[1];
                if *streak > 0.0 && (0.0..*streak).contains(&below) {
                    let thin = 0.35 * radius * (1.0 - below / streak);
                    cover = cover
                        .max(0.8 * smooth((thin - (on[0] - centre[0]).abs()) / (0.3 * radius)));
                }
                let core = smooth((0.4 * reach - distance) / (0.3 * radius));
                let paint = mix([0.88, 0.87, 0.82], [0.45, 0.42, 0.34], 0.5 * core);
                *colour = mix(*colour, paint, strength * cover);
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
                    *colour = mix(*colour, *burnt, *strength);
                }
            }
            Self::Burn {
                centre,
                radius,
                strength,
            } => {
                let distance = distance_squared(on, *centre).sqrt() / radius;
                *colour = mix(
                    *colour,
                    [0.45, 0.22, 0.06],
                    0.75 * strength * smooth(1.3 - distance),
                );
                *colour = mix(
                    *colour,
                    [0.02, 0.015, 0.01],
                    strength * smooth(2.0 * (0.7 - distance)),
                );
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
                *colour = mix(
                    *colour,
                    *paint,
                    strength * smooth((width - nearest) / (0.5 * width)),
                );
            }
            Self::Snow {
                direction,
                level,
                rough,
                opacity,
            } => {
                let height = on[0] * direction.cos() + on[1] * direction.sin();
                let edge = level + rough * (fractal([on[0] * 2.5, on[1] * 2.5], field ^ 5) - 0.5);
                let shade = 0.86 + 0.12 * value_noise([on[0] * 9.0, on[1] * 9.0], field ^ 6);
                *colour = mix(
                    *colour,
                    [shade, shade, 1.02 * shade],
                    opacity * smooth((height - edge) / 0.1),
                );
            }
            Self::MissingCorner { .. } => {}
        }
    }
}

fn mix(a: Colour, b: Colour, t: f64) -> Colour {
    let t = t.clamp(0.0, 1.0);
    [0, 1, 2].map(|i| a[i] + (b[i] - a[i]) * t)
}

/// 0 below −½, 1 above ½, smooth between.
fn smooth(x: f64) -> f64 {
    let t = (x + 0.5).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

fn distance_squared(a: [f64; 2], b: [f64; 2]) -> f64 {
    (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2)
}

fn segment_distance(at: [f64; 2], a: [f64; 2], b: [f64; 2]) -> f64 {
    let along = [b[0] - a[0], b[1] - a[1]];
    let length = (along[0] * along[0] + along[1] * along[1]).max(1e-12);
    let t = (((at[0] - a[0]) * along[0] + (at[1] - a[1]) * along[1]) / length).clamp(0.0, 1.0);
    distance_squared(at, [a[0] + t * along[0], a[1] + t * along[1]]).sqrt()
}

/// A fixed number in [0, 1) for a lattice point.
fn hash(at: [f64; 2], field: u64) -> f64 {
    let key = (at[0] as i64 as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        ^ (at[1] as i64 as u64).wrapping_mul(0xc2b2_ae3d_27d4_eb4f);
    let mut z = key ^ field;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

/// Smooth noise in [0, 1), one feature per unit.
fn value_noise(at: [f64; 2], field: u64) -> f64 {
    let corner = at.map(f64::floor);
    let t = [at[0] - corner[0], at[1] - corner[1]].map(|t| t * t * (3.0 - 2.0 * t));
    let value = |dx: f64, dy: f64| hash([corner[0] + dx, corner[1] + dy], field);
    let top = value(0.0, 0.0) + (value(1.0, 0.0) - value(0.0, 0.0)) * t[0];
    let bottom = value(0.0, 1.0) + (value(1.0, 1.0) - value(0.0, 1.0)) * t[0];
    top + (bottom - top) * t[1]
}

/// Three octaves of noise, in [0, 1).
fn fractal(at: [f64; 2], field: u64) -> f64 {
    let octave = |scale: f64, salt: u64| {
        value_noise([at[0] * scale, at[1] * scale], field.wrapping_add(salt))
    };
    (4.0 * octave(1.0, 0) + 2.0 * octave(2.1, 11) + octave(4.3, 23)) / 7.0
}
