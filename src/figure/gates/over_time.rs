//! Gates over time: how open they are, how far they tell classes apart, and whether branches do it alike.

use std::sync::Arc;

use egui::Context;

use crate::figure::facts::gates::{Moment, moments};
use crate::figure::facts::network::log10;
use crate::figure::kit::chart::{Chart, Curve, Gap, Look};
use crate::figure::kit::palette;
use crate::figure::kit::table::{Table, Value};
use crate::figure::look::kind::Kind;
use crate::figure::look::subject::Subject;
use crate::figure::look::view::View;
use crate::figure::parts::charts::kept;

/// Mean and spread of every branch, or how alike every two of them are. Probes that are not read break the lines.
pub(in crate::figure) fn over_time(ctx: &Context, kind: Kind, subject: Subject<'_>) -> Chart {
    let moments = moments(ctx, subject);
    let at = |step: u64| moments.get(&step).map(|(_, moment)| moment.as_ref());
    let curve = |name: String, color, look, value: &dyn Fn(&Moment) -> Option<f64>| {
        let probes = subject.run.probes.iter();
        let points = probes.map(|probe| (probe.epoch, at(probe.step).and_then(value)));
        Curve::new(name, color, look, points)
    };
    let newest = moments.values().next_back().map(|(_, moment)| moment);
    let branches = newest.map_or(&[][..], |moment| &moment.branches);
    if kind == Kind::GatesAlike {
        let pairs = newest.map_or(&[][..], |moment| &moment.alike);
        let curves = pairs.iter().enumerate().map(|(i, &(a, b, _))| {
            let name = format!("{} and {}", branches[a].0, branches[b].0);
            let why = "undefined, or the probe is not read";
            curve(name, palette::class(i), Look::Line, &|x| x.pair((a, b)))
                .with_gaps(Gap::Undefined(why))
        });
        return Chart {
            y_label: "correlation".to_owned(),
            fixed_y: Some((-1.0, 1.0)),
            curves: curves.collect(),
            empty:
                "Two or more branches whose gates tell four or more classes apart can be compared."
                    .to_owned(),
            ..Chart::default()
        };
    }
    let curves = branches.iter().enumerate().flat_map(|(i, (name, ..))| {
        let color = palette::class(i);
        let mean = format!("{name}, mean");
        let spread = format!("{name}, over classes");
        [
            curve(mean, color, Look::Thin, &|x| log10(x.branches.get(i)?.1)),
            curve(spread, color, Look::Line, &|x| log10(x.branches.get(i)?.2)),
        ]
    });
    Chart {
        y_label: "gate".to_owned(),
        log_y: true,
        curves: curves.collect(),
        empty: "No probe with gates is read; train a network with branch attention.".to_owned(),
        ..Chart::default()
    }
}

/// The numbers of [`over_time`].
pub(in crate::figure) fn table(kind: Kind, subject: Subject<'_>) -> Table {
    let mut table = if kind == Kind::GatesAlike {
        Table::new(["step", "epoch", "branch_a", "branch_b", "correlation"])
    } else {
        Table::new(["step", "epoch", "branch", "mean", "sd_over_classes"])
    };
    for (&step, tensors) in &subject.probes.whole {
        let moment = Moment::new(tensors);
        let name = |at: usize| Value::from(moment.branches[at].0.as_str());
        let place = || [Value::from(step), Value::from(subject.epoch(step))];
        if kind == Kind::GatesAlike {
            for &(a, b, correlation) in &moment.alike {
                let [step, epoch] = place();
                table.push([step, epoch, name(a), name(b), correlation.into()]);
            }
            continue;
        }
        for (at, (_, mean, spread)) in moment.branches.iter().enumerate() {
            let [step, epoch] = place();
            table.push([step, epoch, name(at), (*mean).into(), (*spread).into()]);
        }
    }
    table
}

/// The chart of one of the two kinds, made anew only where something it shows has changed.
fn chart_of(ctx: &Context, kind: Kind, subject: Subject<'_>, view: &View) -> Arc<Chart> {
    let read: Vec<u64> = subject.probes.whole.keys().copied().collect();
    let key = (subject.run.revisions.probes, read);
    kept(ctx, kind, (subject, view), key, || {
        over_time(ctx, kind, subject)
    })
}

/// The chart of how open gates are.
pub(in crate::figure) fn chart(ctx: &Context, subject: Subject<'_>, view: &View) -> Arc<Chart> {
    chart_of(ctx, Kind::GatesTime, subject, view)
}

/// The chart of how alike branches are.
pub(in crate::figure) fn chart_alike(
    ctx: &Context,
    subject: Subject<'_>,
    view: &View,
) -> Arc<Chart> {
    chart_of(ctx, Kind::GatesAlike, subject, view)
}

#[cfg(test)]
mod tests;
