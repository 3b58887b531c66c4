//! Choices made in a figure by drawing in it: the bounds of charts, and a rectangle over a scatter.

use serde::{Deserialize, Serialize};

use crate::figure::look::clock::TimeAxis;

/// Bounds that were chosen for the charts of a kind, in every run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Range {
    /// Least and largest x; `None` leaves the bounds to the data.
    pub x: Option<(f64, f64)>,
    /// Least and largest y, as the axis has it (log10 where it is logarithmic); `None` leaves the bounds to the data.
    pub y: Option<(f64, f64)>,
    /// The unit of time that x was chosen in: in another unit, x does not apply.
    pub time: TimeAxis,
}

/// A rectangle drawn over the scatter: the pairs in it are marked in both matrices.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Brush {
    /// Least and largest cosine.
    pub cosine: [f64; 2],
    /// Least and largest share of images mistaken.
    pub mistaken: [f64; 2],
}

impl Brush {
    /// Rectangles to choose by name instead of drawing one; the last choice marks nothing.
    pub(crate) const CHOICES: [(&'static str, Option<Self>); 4] = {
        const fn of(cosine: [f64; 2], mistaken: [f64; 2]) -> Option<Brush> {
            Some(Brush { cosine, mistaken })
        }
        let (below, above, some) = ([-1.0, 0.0], [0.0, 1.0], [f64::MIN_POSITIVE, 1.0]);
        [
            ("that pull against each other", of(below, [0.0, 1.0])),
            (
                "that pull against each other and are mistaken for each other",
                of(below, some),
            ),
            (
                "that pull the same way and are mistaken for each other",
                of(above, some),
            ),
            ("none", None),
        ]
    };

    /// The rectangle between two corners.
    pub(in crate::figure) fn between(a: [f64; 2], b: [f64; 2]) -> Self {
        Self {
            cosine: [a[0].min(b[0]), a[0].max(b[0])],
            mistaken: [a[1].min(b[1]), a[1].max(b[1])],
        }
    }

    /// Whether a pair of classes lies in it.
    pub(in crate::figure) fn holds(&self, cosine: f64, mistaken: f64) -> bool {
        let within = |[low, high]: [f64; 2], x: f64| (low..=high).contains(&x);
        within(self.cosine, cosine) && within(self.mistaken, mistaken)
    }
}
