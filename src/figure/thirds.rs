//! The frequent and the rare classes, each third as one: how strongly head and tail pull.

use egui::Color32;

use super::chart::{Band, Curve, Gap, Look};
use super::{Subject, palette};
use crate::compare::ranks::Thirds;

/// Why a third has no norm.
const NO_NORM: &str = "undefined: none of its classes has a gradient";

/// A third of the classes by training images.
pub(super) struct Third {
    /// Name on screen.
    pub(super) name: &'static str,
    /// Name in a table.
    pub(super) key: &'static str,
    color: Color32,
    look: Look,
    pub(super) classes: Vec<usize>,
}

/// The frequent third, then the rarest; none where classes are too few or equally frequent.
pub(super) fn of(subject: Subject<'_>) -> Vec<Third> {
    let started = subject.run.started.as_ref();
    let counts = started.map_or(&[][..], |started| &started.train_counts);
    let Thirds { head, tail, .. } = Thirds::of(counts);
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

/// exp of the mean logarithm of the norms of some classes; classes whose norm is undefined or 0 are left out.
pub(super) fn geometric_mean(
    classes: &[usize],
    norm: impl Fn(usize) -> Option<f64>,
) -> Option<f64> {
    let logs = logs(classes, norm);
    let sum: f64 = logs.iter().sum();
    (!logs.is_empty()).then(|| (sum / logs.len() as f64).exp())
}

/// Natural logarithms of the norms that have one.
fn logs(classes: &[usize], norm: impl Fn(usize) -> Option<f64>) -> Vec<f64> {
    let norms = classes.iter().filter_map(|&k| norm(k));
    norms.filter(|norm| *norm > 0.0).map(f64::ln).collect()
}

impl Third {
    /// log10 of its mean norm along x, and the area from its least to its largest class. `norm(i, k)` is that of class
    /// k at `xs[i]`.
    pub(super) fn drawn(
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
            let logs = logs(&self.classes, |k| norm(i, k));
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
