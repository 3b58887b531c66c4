//! Gates over time: how open they are, and how far they tell classes apart.

use std::sync::Arc;

use egui::Context;

use crate::figure::facts::gates;
use crate::figure::facts::gates::{Moment, moments, points, read};
use crate::figure::facts::network::log10;
use crate::figure::facts::probes::Need;
use crate::figure::kit::chart::{Chart, Curve, Look};
use crate::figure::kit::palette;
use crate::figure::kit::table::Table;
use crate::figure::look::kind::Kind;
use crate::figure::look::pages::Page;
use crate::figure::look::subject::Subject;
use crate::figure::look::view::View;
use crate::figure::parts::charts::{chart_of_run_ui, kept};
use crate::figure::parts::figure::{At, Figure, Gradients, Of};

pub(in crate::figure) const FIGURE: Figure = Figure {
    kind: Kind::GatesTime,
    name: "gates-time",
    title: "Gate mean and spread over time",
    subtitle: "Mean gate and its standard deviation over classes, by branch",
    help: "Mean gate of every branch over classes and channels (thin), from 0 (shut) to 1 (open), and its standard \
           deviation over classes, mean over channels, on a logarithmic axis: the lower, the more all classes are \
           treated alike. Lines break where a probe is not read. With class attention the shares that classes \
           give to the branches are shown as gates.",
    synonyms: &[
        "gates over time",
        "attention",
        "channel attention",
        "CSBA",
        "gates",
    ],
    page: Page::Gates,
    in_place_of: None,
    lacks: gates::lacks,
    of: Of::Run,
    needs: Need::Gates,
    at: At::Probe,
    gradients: Gradients::No,
    names_part: false,
    names_step: false,
    colour_range: None,
    chart: Some(chart),
    ui: |ui, subject, shown, view| {
        chart_of_run_ui(ui, (Kind::GatesTime, chart), subject, shown, view)
    },
    table: |subject, _, _| table(subject),
};

/// Mean and spread of every branch. Probes that are not read break the lines.
pub(in crate::figure) fn over_time(ctx: &Context, subject: Subject<'_>) -> Chart {
    let moments = moments(ctx, subject);
    let curve = |name: String, color, look, value: &dyn Fn(&Moment) -> Option<f64>| {
        Curve::new(name, color, look, points(subject, &moments, value))
    };
    let newest = moments.values().next_back().map(|(_, moment)| moment);
    let branches = newest.map_or(&[][..], |moment| &moment.branches);
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

/// The chart of a run, made anew only where something it shows has changed.
fn chart(ctx: &Context, subject: Subject<'_>, view: &View) -> Arc<Chart> {
    kept(ctx, &FIGURE, (subject, view), read(subject), || {
        over_time(ctx, subject)
    })
}

/// The numbers of [`over_time`].
pub(in crate::figure) fn table(subject: Subject<'_>) -> Table {
    let mut table = Table::new(["step", "epoch", "branch", "mean", "sd_over_classes"]);
    for (&step, tensors) in &subject.probes.whole {
        for (name, mean, spread) in &Moment::new(tensors).branches {
            table.push([
                step.into(),
                subject.run.epoch_of(step).into(),
                name.as_str().into(),
                (*mean).into(),
                (*spread).into(),
            ]);
        }
    }
    table
}

#[cfg(test)]
mod tests;
