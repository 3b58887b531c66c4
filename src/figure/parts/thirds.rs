//! The frequent and the rare classes, each third as one: how strongly head and tail pull.

use egui::Color32;

use crate::figure::facts::network::{geometric_mean, log_norms};
use crate::figure::kit::chart::{Band, Curve, Gap, Look};
use crate::figure::kit::palette;
use crate::figure::look::subject::Subject;
use crate::run::Thirds;

/// Why a third has no norm.
const NO_NORM: &str = "undefined: none of its classes has a gradient";

/// A third of the classes by training images.
pub(in crate::figure) struct Third {
    /// Name on screen.
    pub(in crate::figure) name: &'static str,
    /// Name in a table.
    pub(in crate::figure) key: &'static str,
    color: Color32,
    look: Look,
    pub(in crate::figure) classes: Vec<usize>,
}

/// The frequent third, then the rarest; empty where classes are too few or equally frequent.
pub(in crate::figure) fn of(subject: Subject<'_>) -> Vec<Third> {
    let Thirds { head, tail, .. } = subject.run.thirds();
    if head.is_empty() || tail.is_empty() {
        return Vec::new();
    }
    let third = |name, key, color, dashed, classes| Third {
        name,
        key,
        color,
        look: Look::Thick { dashed },
        classes,
    };
    vec![
        third("Frequent third", "frequent", palette::HEAD, false, head),
        third("Rarest third", "rarest", palette::TAIL, true, tail),
    ]
}

impl Third {
    /// log10 of the third's geometric mean norm along x, and the area from its least to its largest norm. `norm(i, k)`
    /// is the norm of class k at `xs[i]`.
    pub(in crate::figure) fn drawn(
        &self,
        xs: &[f64],
        norm: impl Fn(usize, usize) -> Option<f64>,
    ) -> (Curve, Band) {
        let mut band = Band {
            name: self.name.to_owned(),
            color: self.color,
            x: Vec::new(),
            low: Vec::new(),
            high: Vec::new(),
        };
        let mut points = Vec::new();
        for (i, &x) in xs.iter().enumerate() {
            let mean = geometric_mean(&self.classes, |k| norm(i, k));
            points.push((x, mean.map(f64::log10)));
            let logs = log_norms(&self.classes, |k| norm(i, k));
            let logs = logs.iter().map(|x| x / std::f64::consts::LN_10);
            let (least, largest) = (logs.clone().reduce(f64::min), logs.reduce(f64::max));
            if let (Some(least), Some(largest)) = (least, largest) {
                band.x.push(x);
                band.low.push(least);
                band.high.push(largest);
            }
        }
        let curve = Curve::new(
            self.name.to_owned(),
            self.color,
            self.look,
            points.into_iter(),
        );
        (curve.with_gaps(Gap::Undefined(NO_NORM)), band)
    }
}
