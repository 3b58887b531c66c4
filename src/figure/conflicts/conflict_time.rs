//! Interference over time.

use std::sync::Arc;

use egui::Context;

use crate::figure::facts::network;
use crate::figure::facts::probes::Need;
use crate::figure::facts::unread::{NO_PROBE, NO_SUMMARIES};
use crate::figure::kit::chart::{Chart, Curve, Gap, Look};
use crate::figure::kit::palette;
use crate::figure::kit::table::Table;
use crate::figure::look::kind::Kind;
use crate::figure::look::pages::Page;
use crate::figure::look::subject::Subject;
use crate::figure::look::view::View;
use crate::figure::parts::charts::{chart_of_run_ui, kept};
use crate::figure::parts::figure::{At, Figure, Gradients, NEVER, Of};
use crate::gradient::gram::ConflictSummary;

pub(in crate::figure) const FIGURE: Figure = Figure {
    kind: Kind::ConflictTime,
    name: "conflict-time",
    title: "Interference over time",
    subtitle: "Conflict in the backbone and the selected layer, 0 to 1",
    help: "Interference: mean over class pairs of max(0, −cosine), from 0 to 1, in all layers but the classifier and in \
           the layer that is selected. The thin line of the same colour is the noise floor: what probes this small \
           would show without any conflict. Only what lies clearly above it is conflict.",
    synonyms: &[
        "conflict over time",
        "interference",
        "gradient conflict",
        "noise floor",
    ],
    page: Page::Conflicts,
    in_place_of: None,
    lacks: NEVER,
    of: Of::Run,
    needs: Need::Nothing,
    at: At::Probe,
    gradients: Gradients::AsShown,
    names_part: false,
    names_step: false,
    colour_range: None,
    chart: Some(chart),
    ui: |ui, subject, shown, view| {
        chart_of_run_ui(ui, (Kind::ConflictTime, chart), subject, shown, view)
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

/// Interference of the backbone and of the layer selected, each with its noise floor.
fn over_time(subject: Subject<'_>, view: &View) -> Chart {
    let why = "undefined: no pair of classes has gradients";
    let of_part = |(i, (name, row)): (usize, (String, Option<usize>))| {
        let color = palette::series(i);
        let curve = |name, look, value: fn(&ConflictSummary) -> Option<f64>| {
            let probes = subject.run.probes.iter();
            let points = probes.map(|x| (x.epoch, network::summary_of(x, row).and_then(value)));
            Curve::new(name, color, look, points)
        };
        let floor = curve(format!("{name}, noise floor"), Look::Thin, |x| x.floor);
        let value = curve(name, Look::Line, |x| x.interference);
        [value.with_gaps(Gap::Undefined(why)), floor]
    };
    let parts = network::parts(subject, view).into_iter().enumerate();
    Chart {
        y_label: "interference".to_owned(),
        curves: parts.flat_map(of_part).collect(),
        empty: if subject.run.probes.is_empty() {
            NO_PROBE.to_owned()
        } else if network::lacks_summaries(subject) {
            NO_SUMMARIES.to_owned()
        } else {
            "No pair of classes has gradients that could conflict.".to_owned()
        },
        ..Chart::default()
    }
}

pub(in crate::figure) fn table(subject: Subject<'_>, view: &View) -> Table {
    let mut table = Table::new(["step", "epoch", "part", "interference", "noise_floor"]);
    let parts = network::parts(subject, view);
    for probe in &subject.run.probes {
        for (name, row) in &parts {
            let summary = network::summary_of(probe, *row);
            table.push([
                probe.step.into(),
                probe.epoch.into(),
                name.as_str().into(),
                summary.and_then(|x| x.interference).into(),
                summary.and_then(|x| x.floor).into(),
            ]);
        }
    }
    table
}
