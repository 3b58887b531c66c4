//! The colours of the quantities that parts of the network are coloured by.

use egui::{Align2, Color32, FontId, Rect, Ui, pos2, vec2};

use crate::figure::facts::quantity::{DECADES, decades, greatest};
use crate::figure::kit::memo::remembered;
use crate::figure::kit::numerals::power_of_ten;
use crate::figure::kit::palette;
use crate::figure::kit::palette::{INTERFERENCE_END, sequential};
use crate::figure::kit::scale::numbers_upright;
use crate::figure::look::subject::{Subject, class_of};
use crate::figure::look::view::{Quantity, View};

/// The colours of a quantity, the same for all runs on screen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::figure) struct Scale {
    quantity: Quantity,
    /// Whole decades that a logarithmic scale holds.
    decades: (f64, f64),
    /// The value at which any other scale ends.
    end: f64,
    /// Whether larger values than `end` may be there.
    is_cut: bool,
    dark: bool,
}

impl Scale {
    pub(in crate::figure) fn of(ui: &Ui, shown: &[Subject<'_>], view: &View) -> Self {
        let key: Vec<_> = shown
            .iter()
            .map(|subject| {
                let id = subject.run.started.as_ref().map(|x| x.id.as_str());
                let class = class_of(*subject, view);
                (id, subject.run.revisions.probes, class)
            })
            .collect();
        let key = (key, view.quantity, view.fit);
        let name = ("scale of a quantity", 0);
        let (decades, end, is_cut) = remembered(ui.ctx(), name, key, || {
            if view.quantity.is_logarithmic() {
                return (decades(shown, view), 1.0, false);
            }
            let end = end(shown, view);
            let is_cut = if view.fit {
                greatest(shown, view)[1] > end
            } else {
                end < 1.0
            };
            (DECADES, end, is_cut)
        });
        Self {
            quantity: view.quantity,
            decades,
            end,
            is_cut,
            dark: ui.visuals().dark_mode,
        }
    }

    /// Where a value lies on the scale, from 0 to 1.
    fn share(&self, value: f64) -> f64 {
        match self.quantity {
            Quantity::Interference
            | Quantity::ConflictRate
            | Quantity::TailShare
            | Quantity::HeadAgainstTail
            | Quantity::TailAgainstTail
            | Quantity::HeadAgainstHead => value / self.end,
            Quantity::ClassNorm | Quantity::HeadToTail if value > 0.0 => {
                let (low, high) = self.decades;
                (value.log10() - low) / (high - low)
            }
            Quantity::ClassNorm | Quantity::HeadToTail => 0.0,
        }
    }

    /// Least and largest value that has a colour of its own.
    pub(in crate::figure) fn range(shown: &[Subject<'_>], view: &View) -> [f64; 2] {
        if !view.quantity.is_logarithmic() {
            return [0.0, end(shown, view)];
        }
        let (low, high) = decades(shown, view);
        [low, high].map(|decade| 10_f64.powf(decade))
    }

    fn color_at(&self, share: f64) -> Color32 {
        match self.quantity {
            Quantity::Interference
            | Quantity::ConflictRate
            | Quantity::HeadAgainstTail
            | Quantity::TailAgainstTail
            | Quantity::HeadAgainstHead => palette::diverging(-share.clamp(0.0, 1.0), self.dark),
            Quantity::ClassNorm | Quantity::TailShare | Quantity::HeadToTail => sequential(share),
        }
    }

    /// Colour of a value.
    pub(in crate::figure) fn color(&self, value: f64) -> Color32 {
        self.color_at(self.share(value))
    }

    /// Numbers beside the scale, and their places on it from 0 to 1.
    fn marks(&self) -> Vec<(f64, String)> {
        let (low, high) = self.decades;
        match self.quantity {
            Quantity::Interference
            | Quantity::ConflictRate
            | Quantity::TailShare
            | Quantity::HeadAgainstTail
            | Quantity::TailAgainstTail
            | Quantity::HeadAgainstHead => {
                let sign = if self.is_cut { "≥ " } else { "" };
                let last = format!("{sign}{}", plain(self.end));
                vec![
                    (0.0, "0".to_owned()),
                    (0.5, plain(self.end / 2.0)),
                    (1.0, last),
                ]
            }
            Quantity::ClassNorm | Quantity::HeadToTail => {
                let every = ((high - low) / 5.0).ceil().max(1.0);
                let count = ((high - low) / every) as u32;
                let decade = |i: u32| low + every * f64::from(i);
                let mark = |x: f64| ((x - low) / (high - low), power_of_ten(x));
                (0..=count).map(decade).map(mark).collect()
            }
        }
    }

    /// Paints the scale upright, with its numbers to the right.
    pub(in crate::figure) fn upright_ui(&self, ui: &Ui, bar: Rect) {
        let color = |t: f64| self.color_at(1.0 - t);
        palette::paint_scale(ui.painter(), bar, true, color);
        let marks = self.marks();
        numbers_upright(ui, bar, &marks);
    }

    /// Absolute difference between two runs at which colours end: that of the scale or, of a logarithmic one, a decade.
    fn difference_end(&self) -> f64 {
        if self.quantity.is_logarithmic() {
            1.0
        } else {
            self.end
        }
    }

    /// Colour of the difference between two runs, in decades on a logarithmic scale: red where the second has more.
    pub(in crate::figure) fn difference_color(&self, difference: f64) -> Color32 {
        let share = (difference / self.difference_end()).clamp(-1.0, 1.0);
        palette::diverging(-share, self.dark)
    }

    /// Paints the scale of differences upright, with its numbers to the right.
    pub(in crate::figure) fn difference_ui(&self, ui: &Ui, bar: Rect) {
        palette::paint_scale(ui.painter(), bar, true, |t| {
            palette::diverging(2.0 * t - 1.0, self.dark)
        });
        let [most, none, least] = if self.quantity.is_logarithmic() {
            ["× 10", "× 1", "÷ 10"].map(str::to_owned)
        } else {
            let end = plain(self.end);
            [format!("+{end}"), "0".to_owned(), format!("−{end}")]
        };
        numbers_upright(ui, bar, &[(0.0, least), (0.5, none), (1.0, most)]);
    }

    /// Paints the scale lying in `rect`, with its least and largest number beside it.
    pub(in crate::figure) fn lying_ui(&self, ui: &Ui, rect: Rect) {
        let bar = Rect::from_min_max(
            pos2(rect.left() + 28.0, rect.center().y - 4.5),
            pos2(rect.right() - 34.0, rect.center().y + 4.5),
        );
        palette::paint_scale(ui.painter(), bar, false, |t| self.color_at(t));
        let marks = self.marks();
        let (Some((_, first)), Some((_, last))) = (marks.first(), marks.last()) else {
            return;
        };
        let (font, color) = (FontId::proportional(10.5), ui.visuals().weak_text_color());
        for (at, align, text) in [
            (
                bar.left_center() - vec2(5.0, 0.0),
                Align2::RIGHT_CENTER,
                first,
            ),
            (
                bar.right_center() + vec2(5.0, 0.0),
                Align2::LEFT_CENTER,
                last,
            ),
        ] {
            ui.painter().text(at, align, text, font.clone(), color);
        }
    }
}

/// The value at which the colours of a quantity without a logarithmic scale end: where they are fitted, its greatest
/// value in any layer of the backbone at any probe of any run, rounded up; else the same for all runs. The classifier,
/// where classes conflict by construction, may lie beyond: else the backbone's layers would look alike.
fn end(shown: &[Subject<'_>], view: &View) -> f64 {
    let fixed = match view.quantity {
        // Over few pairs interference is larger than over all.
        Quantity::Interference => INTERFERENCE_END,
        Quantity::ConflictRate
        | Quantity::TailShare
        | Quantity::HeadAgainstTail
        | Quantity::TailAgainstTail
        | Quantity::HeadAgainstHead
        | Quantity::ClassNorm
        | Quantity::HeadToTail => 1.0,
    };
    if !view.fit {
        return fixed;
    }
    let fitted = rounded_up(greatest(shown, view)[0]);
    fitted.map_or(fixed, |end| end.min(1.0))
}

/// The next of 1, 1.5, 2, 2.5, 3, 4, 5, 6 and 8 times a power of ten; `None` for 0. Colours lose more by a coarse end
/// than axes do.
fn rounded_up(value: f64) -> Option<f64> {
    let power = 10_f64.powf(value.log10().floor());
    let steps = [1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0];
    let ends = steps.into_iter().map(|step| step * power);
    // Rounding of the logarithm must not leave the greatest value outside.
    let mut ends = ends.filter(|end| *end >= value * (1.0 - 1e-9));
    ends.next().filter(|_| value > 0.0)
}

/// A number without trailing zeros.
fn plain(value: f64) -> String {
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
