//! How strongly each class pulls, over time.

use std::sync::Arc;

use egui::Context;

use crate::figure::facts::network;
use crate::figure::kit::chart::Chart;
use crate::figure::kit::table::Table;
use crate::figure::look::kind::Kind;
use crate::figure::look::subject::Subject;
use crate::figure::look::view::View;
use crate::figure::overview::norms::{norms, push_norms};
use crate::figure::parts::charts::kept;

/// The chart of a run, made anew only where something it shows has changed.
pub(in crate::figure) fn chart(ctx: &Context, subject: Subject<'_>, view: &View) -> Arc<Chart> {
    kept(
        ctx,
        Kind::GradNorms,
        (subject, view),
        (subject.run.revisions.probes, &view.scope),
        || over_time(subject, view),
    )
}

fn over_time(subject: Subject<'_>, view: &View) -> Chart {
    let rows = subject.run.gram_rows(&view.scope);
    let probes = &subject.run.probes;
    let xs: Vec<f64> = probes.iter().map(|probe| probe.epoch).collect();
    norms(subject, &xs, |i, k| network::norm(&probes[i], &rows, k))
}

pub(in crate::figure) fn table(subject: Subject<'_>, view: &View) -> Table {
    let mut table = Table::new(["step", "epoch", "part", "class", "third", "grad_norm"]);
    let rows = subject.run.gram_rows(&view.scope);
    for probe in &subject.run.probes {
        let part = view.scope.name().into();
        let place = [probe.step.into(), probe.epoch.into(), part];
        push_norms(&mut table, subject, &place, |k| {
            network::norm(probe, &rows, k)
        });
    }
    table
}
