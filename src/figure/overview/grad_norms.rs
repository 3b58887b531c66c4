//! How strongly each class pulls, over time.

use std::sync::Arc;

use egui::Context;

use crate::figure::facts::network;
use crate::figure::facts::probes::Need;
use crate::figure::facts::unread::no_parameters;
use crate::figure::kit::chart::Chart;
use crate::figure::kit::table::Table;
use crate::figure::look::kind::Kind;
use crate::figure::look::pages::Page;
use crate::figure::look::subject::Subject;
use crate::figure::look::view::View;
use crate::figure::overview::norms::{norms, push_norms};
use crate::figure::parts::charts::{chart_of_run_ui, kept};
use crate::figure::parts::figure::{At, Figure, Gradients, NEVER, Of};

pub(in crate::figure) const FIGURE: Figure = Figure {
    kind: Kind::GradNorms,
    name: "grad-norms",
    title: "Class gradient norms",
    subtitle: "How strongly each class pulls: gradient norm of every class over time, logarithmic",
    help: "Norm of each class's mean-loss gradient in the selected part of the network (batch norm as chosen), on a \
           logarithmic axis. Thick lines are geometric means of the frequent (solid) and the rarest third (dashed) of \
           the classes by training images, in areas from their least to their largest class; thin lines are single \
           classes. A ring at the lower edge is a norm that is undefined or 0.",
    synonyms: &[
        "how strongly each class pulls",
        "gradient norm",
        "gradient magnitude",
        "head and tail",
        "long tail",
        "imbalance",
    ],
    page: Page::Overview,
    in_place_of: None,
    lacks: NEVER,
    of: Of::Run,
    needs: Need::Nothing,
    at: At::Probe,
    gradients: Gradients::AsShown,
    names_part: true,
    names_step: false,
    colour_range: None,
    chart: Some(chart),
    ui: |ui, subject, shown, view| {
        chart_of_run_ui(ui, (Kind::GradNorms, chart), subject, shown, view)
    },
    table: |subject, _, view| table(subject, view),
};

/// The chart of a run, made anew only where something it shows has changed.
pub(in crate::figure) fn chart(ctx: &Context, subject: Subject<'_>, view: &View) -> Arc<Chart> {
    kept(
        ctx,
        &FIGURE,
        (subject, view),
        (subject.run.revisions.probes, &view.scope),
        || over_time(subject, view),
    )
}

fn over_time(subject: Subject<'_>, view: &View) -> Chart {
    let rows = subject.run.gram_rows(&view.scope);
    if rows.is_empty() && !subject.classes().is_empty() {
        return Chart {
            empty: no_parameters(subject.run, &view.scope),
            ..Chart::default()
        };
    }
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
