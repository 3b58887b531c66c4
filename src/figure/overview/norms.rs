//! Norms of class gradients along time or depth: a curve for every class, and the frequent third against the rarest.

use crate::figure::facts::network::{geometric_mean, log10};
use crate::figure::facts::unmeasured::{REASON, is_unmeasured};
use crate::figure::facts::unread::NO_PROBE;
use crate::figure::kit::chart::{Chart, Curve, Gap, Look};
use crate::figure::kit::palette;
use crate::figure::kit::table::{Table, Value};
use crate::figure::look::subject::Subject;
use crate::figure::parts::thirds;
use crate::figure::parts::thirds::Third;

/// A chart of the norms of single classes, with those of head and tail in front. `norm(i, k)` is the norm of class k
/// at `xs[i]`.
pub(in crate::figure) fn norms(
    subject: Subject<'_>,
    xs: &[f64],
    norm: impl Fn(usize, usize) -> Option<f64>,
) -> Chart {
    let thirds = thirds::of(subject);
    let look = if thirds.is_empty() {
        Look::Line
    } else {
        Look::Thin
    };
    let per_class = |(k, name): (usize, &String)| {
        let values = xs.iter().enumerate().map(|(i, x)| (*x, norm(i, k)));
        let has_images = values.clone().any(|(_, norm)| norm.is_some());
        let why = if has_images {
            "undefined: the gradient is 0, which has no place on a logarithmic axis"
        } else if is_unmeasured(subject, k) {
            REASON
        } else {
            "undefined: no training image to probe"
        };
        let points = values.map(|(x, norm)| (x, log10(norm)));
        let curve = Curve::new(name.clone(), palette::class(k), look, points);
        curve.of_class(k).with_gaps(Gap::Undefined(why))
    };
    let classes = subject.classes().iter().enumerate().map(per_class);
    let (groups, bands): (Vec<_>, Vec<_>) =
        thirds.iter().map(|third| third.drawn(xs, &norm)).unzip();
    Chart {
        y_label: "‖g‖".to_owned(),
        log_y: true,
        curves: classes.chain(groups).collect(),
        bands,
        empty: NO_PROBE.to_owned(),
        ..Chart::default()
    }
}

/// Adds a row for every class, and a row without a class for the geometric mean of head and of tail. `norm(k)` is the
/// norm of class k; `place` is step, epoch and part.
pub(in crate::figure) fn push_norms(
    table: &mut Table,
    subject: Subject<'_>,
    place: &[Value; 3],
    norm: impl Fn(usize) -> Option<f64>,
) {
    let thirds = thirds::of(subject);
    let third_of = |k| thirds.iter().find(|third| third.classes.contains(&k));
    let mut push = |class: Value, third: Option<&Third>, norm: Option<f64>| {
        let [step, epoch, part] = place.clone();
        let third = third.map_or(Value::None, |third| third.key.into());
        table.push([step, epoch, part, class, third, norm.into()]);
    };
    for (k, class) in subject.classes().iter().enumerate() {
        push(class.as_str().into(), third_of(k), norm(k));
    }
    for third in &thirds {
        let mean = geometric_mean(&third.classes, &norm);
        push(Value::None, Some(third), mean);
    }
}
