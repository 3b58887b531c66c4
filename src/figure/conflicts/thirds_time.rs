//! Conflict between and within the frequent and the rare third of the classes over time.

use std::sync::Arc;

use egui::{Color32, Context};

use crate::figure::facts::probes::Need;
use crate::figure::facts::thirds;
use crate::figure::facts::thirds::{NONE_RARE, has_thirds, of_part};
use crate::figure::facts::unread::{NO_PROBE, no_parameters};
use crate::figure::kit::chart::{Chart, Curve, Gap, Look};
use crate::figure::kit::palette;
use crate::figure::kit::table::{Table, Value};
use crate::figure::look::kind::Kind;
use crate::figure::look::pages::Page;
use crate::figure::look::subject::Subject;
use crate::figure::look::view::{Quantity, View};
use crate::figure::parts::charts::{chart_of_run_ui, kept};
use crate::figure::parts::figure::{At, Figure, Gradients, Of};
use crate::gradient::gram::{PairsConflict, ThirdsConflict};
use crate::run::Scope;

pub(in crate::figure) const FIGURE: Figure = Figure {
    kind: Kind::ThirdsTime,
    name: "head-tail-time",
    title: "Head × tail interference",
    subtitle: "Conflict between frequent and rare classes, and within both, over time, 0 to 1",
    help: "Interference, the mean of max(0, −cosine), over three groups of class pairs in the selected part of the \
           network: one class of the frequent third and one of the rarest, two rare ones, two frequent ones. The thin \
           line of the same colour is the group's noise floor: only what lies clearly above it is conflict. Groups can \
           be compared with each other, since all three are means over pairs.",
    synonyms: &[
        "head against tail over time",
        "head and tail",
        "frequent against rare",
        "long tail",
        "interference",
        "gradient conflict",
        "noise floor",
    ],
    page: Page::Conflicts,
    in_place_of: None,
    lacks: thirds::lacks_in_log,
    of: Of::Run,
    needs: Need::Nothing,
    at: At::Probe,
    gradients: Gradients::AsShown,
    names_part: true,
    names_step: false,
    colour_range: None,
    chart: Some(chart),
    ui: |ui, subject, shown, view| {
        chart_of_run_ui(ui, (Kind::ThirdsTime, chart), subject, shown, view)
    },
    table: |subject, _, view| table(subject, view),
};

/// A group of class pairs.
struct Group {
    quantity: Quantity,
    color: Color32,
    of: fn(&ThirdsConflict) -> &PairsConflict,
}

const GROUPS: [Group; 3] = [
    Group {
        quantity: Quantity::HeadAgainstTail,
        color: palette::BETWEEN,
        of: |thirds| &thirds.head_tail,
    },
    Group {
        quantity: Quantity::TailAgainstTail,
        color: palette::TAIL,
        of: |thirds| &thirds.tail_tail,
    },
    Group {
        quantity: Quantity::HeadAgainstHead,
        color: palette::HEAD,
        of: |thirds| &thirds.head_head,
    },
];

/// The chart of a run, made anew only where something it shows has changed.
pub(in crate::figure) fn chart(ctx: &Context, subject: Subject<'_>, view: &View) -> Arc<Chart> {
    let key = (subject.run.revisions.probes, &view.scope);
    kept(ctx, &FIGURE, (subject, view), key, || {
        over_time(subject, view)
    })
}

/// Interference of the three groups of pairs in the selected part, each with its noise floor.
fn over_time(subject: Subject<'_>, view: &View) -> Chart {
    let run = subject.run;
    let moments: Vec<_> = run
        .probes
        .iter()
        .map(|probe| (probe.epoch, of_part(run, probe, &view.scope)))
        .collect();
    // What was not recorded is no undefined value, and has no mark.
    let gap = match moments.iter().all(|(_, thirds)| thirds.is_some()) {
        true => Gap::Undefined("undefined: no such pair of classes has gradients"),
        false => Gap::Unmarked,
    };
    let of_group = |group: &Group| {
        let name = group.quantity.label();
        let curve = |name: String, look, value: fn(&PairsConflict) -> Option<f64>| {
            let points = moments.iter().map(|(x, thirds)| {
                let pairs = thirds.map(group.of);
                (*x, pairs.and_then(value))
            });
            Curve::new(name, group.color, look, points)
        };
        let floor = curve(format!("{name}, noise floor"), Look::Thin, |x| x.floor);
        let value = curve(name.to_owned(), Look::Line, |x| x.interference);
        [value.with_gaps(gap), floor]
    };
    Chart {
        y_label: "interference".to_owned(),
        curves: GROUPS.iter().flat_map(of_group).collect(),
        empty: empty(subject, view),
        ..Chart::default()
    }
}

/// The sentence in place of the chart where there is nothing to draw.
fn empty(subject: Subject<'_>, view: &View) -> String {
    let run = subject.run;
    let is_single = view.scope == Scope::Backbone || run.gram_rows(&view.scope).len() == 1;
    if run.probes.is_empty() {
        NO_PROBE.to_owned()
    } else if !has_thirds(run) {
        NONE_RARE.to_owned()
    } else if run.gram_rows(&view.scope).is_empty() {
        no_parameters(subject.run, &view.scope)
    } else if is_single {
        "This log, which an older version wrote, does not say how frequent and rare classes conflict.".to_owned()
    } else {
        format!(
            "The log says how frequent and rare classes conflict in single layers and the backbone, not in {}: select \
             one of these.",
            view.scope.name()
        )
    }
}

pub(in crate::figure) fn table(subject: Subject<'_>, view: &View) -> Table {
    let mut table = Table::new([
        "step",
        "epoch",
        "part",
        "classes",
        "interference",
        "noise_floor",
        "pairs",
        "resolved",
        "conflicting",
    ]);
    for probe in &subject.run.probes {
        let thirds = of_part(subject.run, probe, &view.scope);
        for group in &GROUPS {
            let pairs = thirds.map(group.of);
            let count =
                |of: fn(&PairsConflict) -> usize| pairs.map_or(Value::None, |x| of(x).into());
            table.push([
                probe.step.into(),
                probe.epoch.into(),
                view.scope.name().into(),
                group.quantity.label().to_lowercase().as_str().into(),
                pairs.and_then(|x| x.interference).into(),
                pairs.and_then(|x| x.floor).into(),
                count(|x| x.pairs),
                count(|x| x.resolved),
                count(|x| x.conflicting),
            ]);
        }
    }
    table
}
