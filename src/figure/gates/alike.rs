//! Whether branches tell classes apart alike, over time.

use std::sync::Arc;

use egui::Context;

use crate::figure::facts::gates;
use crate::figure::facts::gates::{Moment, moments, points, read};
use crate::figure::facts::probes::Need;
use crate::figure::kit::chart::{Chart, Curve, Gap, Look};
use crate::figure::kit::palette;
use crate::figure::kit::table::Table;
use crate::figure::look::kind::Kind;
use crate::figure::look::pages::Page;
use crate::figure::look::subject::Subject;
use crate::figure::look::view::View;
use crate::figure::parts::charts::{chart_of_run_ui, kept};
use crate::figure::parts::figure::{At, Figure, Gradients, Of};

pub(in crate::figure) const FIGURE: Figure = Figure {
    kind: Kind::GatesAlike,
    name: "gates-alike",
    title: "Gate agreement between branches",
    subtitle: "How alike branches gate classes: correlation between branches of the gates’ distances, −1 to 1",
    help: "Correlation between two branches, from −1 to 1, of how far the gates of every two classes are apart. Near 1 \
           they tell classes apart in the same way, and one shared gate might do as well. Undefined with fewer than \
           four classes.",
    synonyms: &[
        "how alike branches gate classes",
        "attention",
        "correlation",
        "representational similarity",
        "RSA",
        "branches",
        "CSBA",
    ],
    page: Page::Gates,
    in_place_of: None,
    lacks: gates::lacks_agreement,
    of: Of::Run,
    needs: Need::Gates,
    at: At::Probe,
    gradients: Gradients::No,
    names_part: false,
    names_step: false,
    colour_range: None,
    chart: Some(chart),
    ui: |ui, subject, shown, view| {
        chart_of_run_ui(ui, (Kind::GatesAlike, chart), subject, shown, view)
    },
    table: |subject, _, _| table(subject),
};

/// How alike every two branches tell classes apart, over time. Probes that are not read break the lines.
pub(in crate::figure) fn over_time(ctx: &Context, subject: Subject<'_>) -> Chart {
    let moments = moments(ctx, subject);
    let newest = moments.values().next_back().map(|(_, moment)| moment);
    let branches = newest.map_or(&[][..], |moment| &moment.branches);
    let pairs = newest.map_or(&[][..], |moment| &moment.alike);
    let curves = pairs.iter().enumerate().map(|(i, &(a, b, _))| {
        let name = format!("{} and {}", branches[a].0, branches[b].0);
        let value = |moment: &Moment| moment.pair((a, b));
        let points = points(subject, &moments, &value);
        let why = "undefined, or the probe is not read";
        Curve::new(name, palette::class(i), Look::Line, points).with_gaps(Gap::Undefined(why))
    });
    Chart {
        y_label: "correlation".to_owned(),
        fixed_y: Some((-1.0, 1.0)),
        curves: curves.collect(),
        empty: "Two or more branches whose gates tell four or more classes apart can be compared."
            .to_owned(),
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
    let mut table = Table::new(["step", "epoch", "branch_a", "branch_b", "correlation"]);
    for (&step, tensors) in &subject.probes.whole {
        let moment = Moment::new(tensors);
        let name = |at: usize| moment.branches[at].0.as_str();
        for &(a, b, correlation) in &moment.alike {
            table.push([
                step.into(),
                subject.run.epoch_of(step).into(),
                name(a).into(),
                name(b).into(),
                correlation.into(),
            ]);
        }
    }
    table
}
