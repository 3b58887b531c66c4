//! Gates over time: how open they are, how far they tell classes apart, and whether branches do it alike.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use egui::{Context, Id};

use super::chart::{Chart, Curve, Gap, Look};
use super::curves::log10;
use super::gates::{Shown, short};
use super::table::{Table, Value};
use super::{Kind, Subject, gate_distance, palette};
use crate::run::probe_file::ProbeTensors;

/// What is kept of the gates of one probe.
#[derive(Debug)]
pub(super) struct Moment {
    /// Name, mean and spread over classes of every branch.
    branches: Vec<(String, Option<f64>, Option<f64>)>,
    /// How alike two branches tell classes apart.
    alike: Vec<(usize, usize, Option<f64>)>,
    /// The largest distance between the gates of two classes.
    pub(super) farthest: f64,
}

impl Moment {
    fn new(tensors: &ProbeTensors) -> Self {
        let shown = Shown::new(tensors);
        let distances = gate_distance::all(&shown.branches, tensors.classes);
        let branches = shown.branches.iter();
        Self {
            branches: branches
                .map(|branch| (short(&branch.name).to_owned(), branch.mean, branch.spread))
                .collect(),
            alike: shown.alike,
            farthest: distances.into_iter().flatten().fold(0.0, f64::max),
        }
    }

    fn pair(&self, (a, b): (usize, usize)) -> Option<f64> {
        let found = self.alike.iter().find(|pair| (pair.0, pair.1) == (a, b))?;
        found.2
    }
}

/// Moments by step, each with the tensors it was made from.
type Moments = BTreeMap<u64, (Weak<ProbeTensors>, Arc<Moment>)>;

/// The moments of all probes that are read, each computed once.
pub(super) fn moments(ctx: &Context, subject: Subject<'_>) -> Arc<Moments> {
    let id = Id::unique(("gates over time", subject.name));
    let kept: Arc<Moments> = ctx.data(|data| data.get_temp(id)).unwrap_or_default();
    let known = |(step, tensors): (&u64, &Arc<ProbeTensors>)| {
        let (source, moment) = kept.get(step)?;
        let is_same = source.ptr_eq(&Arc::downgrade(tensors));
        is_same.then(|| moment.clone())
    };
    let probes = &subject.probes.whole;
    if kept.len() == probes.len() && probes.iter().all(|probe| known(probe).is_some()) {
        return kept;
    }
    let moment = |probe: (&u64, &Arc<ProbeTensors>)| {
        let moment = known(probe).unwrap_or_else(|| Arc::new(Moment::new(probe.1)));
        (*probe.0, (Arc::downgrade(probe.1), moment))
    };
    let moments: Arc<Moments> = Arc::new(probes.iter().map(moment).collect());
    ctx.data_mut(|data| data.insert_temp(id, moments.clone()));
    moments
}

/// Mean and spread of every branch, or how alike every two of them are. Probes that are not read break the lines.
pub(super) fn over_time(ctx: &Context, kind: Kind, subject: Subject<'_>) -> Chart {
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
pub(super) fn table(kind: Kind, subject: Subject<'_>) -> Table {
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

#[cfg(test)]
mod tests;
