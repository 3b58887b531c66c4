//! Signed bars around 0, in nats per step: the axis that the ledger and what-if share, and differences of scores.

use egui::{Align2, Color32, FontId, Painter, Rangef, Rect, Stroke, StrokeKind, Ui, pos2};

use crate::figure::kit::numerals::{power_of_ten, round_up, three_figures};
use crate::figure::kit::palette;
use crate::gradient::gram::Effect;

/// Room for the numbers under the bars, in points.
pub(in crate::figure) const AXIS_HEIGHT: f32 = 16.0;
/// Least distance of two marks, in points.
const MARK_DISTANCE: f64 = 46.0;
/// Width of the outline of a hollow bar, in points.
const OUTLINE: f32 = 1.5;

/// A horizontal axis that holds 0.
#[derive(Clone, Copy, Debug)]
pub(in crate::figure) struct BarAxis {
    low: f64,
    high: f64,
    x: Rangef,
    /// Power of ten of the unit in which numbers are given, a multiple of 3.
    exponent: i32,
    /// Decimals of these numbers.
    decimals: usize,
}

impl BarAxis {
    /// An axis between `x` (points) for all `values`, in nats per step.
    pub(in crate::figure) fn new(values: impl Iterator<Item = f64>, x: Rangef) -> Self {
        let (mut low, mut high) = (0.0_f64, 0.0_f64);
        for value in values.filter(|value| value.is_finite()) {
            (low, high) = (low.min(value), high.max(value));
        }
        let largest = high.max(-low);
        if largest <= 0.0 {
            (low, high) = (-1e-3, 1e-3);
        }
        let largest = high.max(-low);
        // A little room beside the longest bar, and beside 0 where all bars are on one side.
        let margin = 0.06 * (high - low);
        let exponent = 3 * (largest.log10() / 3.0).floor() as i32;
        let digits = (largest.log10() - f64::from(exponent)).max(0.0) as usize;
        Self {
            low: low - margin,
            high: high + margin,
            x,
            exponent,
            decimals: 2_usize.saturating_sub(digits),
        }
    }

    /// An axis of plain numbers, such as differences of scores.
    pub(in crate::figure) fn plain(values: impl Iterator<Item = f64>, x: Rangef) -> Self {
        Self {
            exponent: 0,
            decimals: 3,
            ..Self::new(values, x)
        }
    }

    /// Where a value lies, in points; a value beyond an end of the axis lies on that end.
    pub(in crate::figure) fn at(&self, value: f64) -> f32 {
        let t = (value - self.low) / (self.high - self.low);
        egui::lerp(self.x.min..=self.x.max, t.clamp(0.0, 1.0) as f32)
    }

    /// The unit of [`Self::number`], such as "10⁻³ nats per step".
    pub(in crate::figure) fn unit(&self) -> String {
        match self.exponent {
            0 => "nats per step".to_owned(),
            exponent => format!("{} nats per step", power_of_ten(f64::from(exponent))),
        }
    }

    /// A value in units, with a minus sign where it is negative.
    pub(in crate::figure) fn number(&self, value: f64) -> String {
        self.rounded(value, self.decimals)
    }

    /// A value in units, with a minus sign where it is negative, to more decimals where it is small beside the bars.
    pub(in crate::figure) fn fine_number(&self, value: f64) -> String {
        let units = self.units(value).abs();
        if units < 10.0 {
            self.rounded(value, if units < 0.1 { 4 } else { 2 })
        } else {
            self.number(value)
        }
    }

    fn rounded(&self, value: f64, decimals: usize) -> String {
        let text = format!("{:.decimals$}", self.units(value).abs());
        if value < 0.0 && text.bytes().any(|byte| (b'1'..=b'9').contains(&byte)) {
            format!("−{text}")
        } else {
            text
        }
    }

    /// An effect in units, with its standard error where there is one.
    pub(in crate::figure) fn effect(&self, effect: &Effect) -> String {
        let nats = self.number(effect.nats);
        match effect.standard_error {
            Some(error) => format!("{nats} ± {}", self.number(error)),
            None => nats,
        }
    }

    fn units(&self, value: f64) -> f64 {
        value / 10_f64.powi(self.exponent)
    }

    /// Lines across `rect` at round values and their numbers under it; the line at 0 is stronger.
    pub(in crate::figure) fn paint(&self, painter: &Painter, ui: &Ui, rect: Rect) {
        let color = ui.visuals().weak_text_color();
        let least = MARK_DISTANCE * (self.high - self.low) / f64::from(self.x.span().max(1.0));
        let step = round_up(least).unwrap_or(least);
        let (first, last) = ((self.low / step).ceil(), (self.high / step).floor());
        for i in (first as i64..=last as i64).take(50) {
            let value = i as f64 * step;
            let x = self.at(value);
            let stroke = Stroke::new(1.0, color.gamma_multiply(if i == 0 { 1.0 } else { 0.25 }));
            painter.vline(x, rect.y_range(), stroke);
            // As many decimals as the step needs.
            let unit = 10_f64.powi(self.exponent);
            let decimals = (-(step / unit).log10()).ceil().clamp(0.0, 6.0) as usize;
            let text = format!("{:.decimals$}", value / unit + 0.0).replace('-', "−");
            let font = FontId::proportional(11.0);
            let at = pos2(x, rect.bottom() + 2.0);
            painter.text(at, Align2::CENTER_TOP, text, font, color);
        }
    }

    /// Paints a bar from 0 to an effect, `y` high, with a line of one standard error to both sides. The bar is hollow
    /// where the effect is not resolved: a faded colour would be hard to see, and be taken for a small value.
    pub(in crate::figure) fn bar(&self, ui: &Ui, y: Rangef, effect: &Effect, color: Color32) {
        let painter = ui.painter();
        let (zero, end) = (self.at(0.0), self.at(effect.nats));
        let bar = Rect::from_x_y_ranges(Rangef::new(zero.min(end), zero.max(end)), y);
        if effect.resolved() {
            painter.rect_filled(bar, 1.0, color);
        } else {
            painter.rect_stroke(bar, 1.0, Stroke::new(OUTLINE, color), StrokeKind::Inside);
        }
        if let Some(error) = effect.standard_error {
            let x = Rangef::new(self.at(effect.nats - error), self.at(effect.nats + error));
            let stroke = Stroke::new(1.0, ui.visuals().text_color());
            painter.hline(x, y.center(), stroke);
        }
    }
}

/// An effect to two figures of its standard error, where it has one: −0.0654 ± 0.0043, (−1.83 ± 0.21)·10⁻⁸.
pub(in crate::figure) fn with_error(effect: &Effect) -> String {
    let (value, error) = (effect.nats, effect.standard_error);
    let Some(error) = error.filter(|error| *error > 0.0 && error.is_finite()) else {
        return three_figures(value);
    };
    // The power of ten is that of the larger of effect and error.
    let power = |x: f64| x.abs().log10().floor() as i32;
    let largest = power(value).max(power(error));
    let unit = if (-3..=3).contains(&largest) {
        0
    } else {
        largest
    };
    let scale = 10_f64.powi(unit);
    let (value, error) = (value / scale, error / scale);
    let decimals = (1 - power(error)).clamp(0, 6) as usize;
    let text = format!("{value:.decimals$} ± {error:.decimals$}");
    let text = match unit {
        0 => text,
        _ => format!("({text})·{}", power_of_ten(f64::from(unit))),
    };
    format!("{} (standard error)", text.replace('-', "−"))
}

/// Red where a loss rises, blue where it falls, as in the conflict matrix.
pub(in crate::figure) fn color_of(ui: &Ui, effect: &Effect) -> Color32 {
    palette::diverging(-0.8 * effect.nats.signum(), ui.visuals().dark_mode)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest value decides the unit and how many decimals all have.
    #[test]
    fn numbers_share_unit_and_decimals() {
        let axis = |values: &[f64]| BarAxis::new(values.iter().copied(), Rangef::new(0.0, 100.0));
        let small = axis(&[0.0042, -0.0123]);
        assert_eq!(small.unit(), "10⁻³ nats per step");
        assert_eq!(small.number(-0.0123), "−12.3");
        assert_eq!(small.number(-0.000_001), "0.0", "no sign of nothing");
        assert_eq!(small.fine_number(0.000_012_3), "0.0123");
        let large = axis(&[2.5]);
        assert_eq!(
            (large.unit(), large.number(2.5)),
            ("nats per step".to_owned(), "2.50".to_owned())
        );
        let effect = Effect {
            nats: -0.2349,
            standard_error: Some(0.0294),
        };
        assert_eq!(axis(&[-0.2349]).effect(&effect), "−235 ± 29");
        // 0 is on every axis, and no value leaves it.
        assert!(large.at(0.0) > 0.0 && large.at(2.5) < 100.0);
        assert!(large.at(1e9) <= 100.0 && axis(&[]).at(0.0) > 0.0);
    }

    #[test]
    fn values_share_their_power_of_ten_with_the_error() {
        let cases = [
            (-0.065_43, Some(0.0043), "−0.0654 ± 0.0043 (standard error)"),
            (12.34, Some(2.5), "12.3 ± 2.5 (standard error)"),
            (
                -1.83e-8,
                Some(2.12e-9),
                "(−1.83 ± 0.21)·10⁻⁸ (standard error)",
            ),
            (1e-9, Some(4.2e-8), "(0.1 ± 4.2)·10⁻⁸ (standard error)"),
            (0.0, Some(0.02), "0.000 ± 0.020 (standard error)"),
            (0.5, None, "0.500"),
        ];
        for (nats, standard_error, text) in cases {
            let effect = Effect {
                nats,
                standard_error,
            };
            assert_eq!(with_error(&effect), text);
        }
    }
}
