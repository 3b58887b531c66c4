//! The pixels of a scene.

use crate::config::Size;

use super::scene::{Camera, Colour, Light, Module, Scene};
use super::texture::{distance_squared, fractal, hash, mix, smooth, value_noise};

/// Samples of a pixel along each axis, whose mean is its colour.
const SAMPLES: usize = 2;

impl Scene {
    /// Draws the photograph into `pixels` [H, W, C], with sensor noise.
    pub(super) fn photograph(mut self, size: Size, channels: usize, pixels: &mut [u8]) {
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
        let colour = if inside {
            let bare = self.module.colour(on, self.field);
            let faults = self.faults.iter();
            faults.fold(bare, |colour, fault| {
                fault.paint(on, &self.module, self.field, colour)
            })
        } else {
            self.background(at)
        };
        self.light.apply(at, colour)
    }

    fn background(&self, at: [f64; 2]) -> Colour {
        let t = fractal([at[0] * 3.0, at[1] * 3.0], self.field ^ 1);
        mix(self.module.background[0], self.module.background[1], t)
    }
}

impl Camera {
    /// Module position that is seen at an image position.
    fn module_position(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        let depth = 1.0 + self.perspective[0] * x + self.perspective[1] * y;
        let (x, y) = (x / depth - self.centre[0], y / depth - self.centre[1]);
        let (sin, cos) = self.angle.sin_cos();
        let (x, y) = (cos * x + sin * y, cos * y - sin * x);
        [(x + self.shear * y) / self.scale[0], y / self.scale[1]]
    }
}

impl Module {
    /// The cell that a module position lies in, counted from 0 across and down, and the position within it, from 0 to
    /// 1.
    pub(super) fn cell_at(&self, on: [f64; 2]) -> ([f64; 2], [f64; 2]) {
        let scaled = [
            (on[0] + 1.0) / 2.0 * self.cells[0],
            (on[1] + 1.0) / 2.0 * self.cells[1],
        ];
        let cell = scaled.map(f64::floor);
        (cell, [scaled[0] - cell[0], scaled[1] - cell[1]])
    }

    /// Colour at a module position, without faults.
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
    /// The colour that the camera stores of a surface of the given colour at an image position.
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
