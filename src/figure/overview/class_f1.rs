//! F1 of every class over time.

use std::sync::Arc;

use egui::Context;

use crate::figure::facts::mistakes::{evals, not_evaluated, split_name};
use crate::figure::facts::probes::Need;
use crate::figure::kit::chart::{Chart, Gap};
use crate::figure::kit::palette;
use crate::figure::kit::table::Table;
use crate::figure::look::kind::Kind;
use crate::figure::look::pages::Page;
use crate::figure::look::subject::Subject;
use crate::figure::look::view::View;
use crate::figure::parts::charts::{chart_of_run_ui, kept, over_evals};
use crate::figure::parts::figure::{At, Figure, Gradients, NEVER, Of};

pub(in crate::figure) const FIGURE: Figure = Figure {
    kind: Kind::ClassF1,
    name: "class-f1",
    title: "Per-class F1",
    subtitle: "F1 score of every class over time, 0 to 1",
    help: "F1 = 2TP/(2TP+FP+FN) of every class on the validation images, from 0 to 1; diamonds are test results. A \
           class that was neither present nor predicted has none, and a small ring at the lower edge. Click a line to \
           select its class, which is then drawn on top; a box drawn with the pointer is enlarged.",
    synonyms: &[
        "f1 of each class",
        "F1 score",
        "F-measure",
        "per-class F1",
        "Dice",
        "learning curves",
    ],
    page: Page::Overview,
    in_place_of: None,
    lacks: NEVER,
    of: Of::Run,
    needs: Need::Nothing,
    at: At::Evaluation,
    gradients: Gradients::No,
    names_part: false,
    names_step: false,
    colour_range: None,
    chart: Some(chart),
    ui: |ui, subject, shown, view| {
        chart_of_run_ui(ui, (Kind::ClassF1, chart), subject, shown, view)
    },
    table: |subject, _, _| table(subject),
};

/// The chart of a run, made anew only where something it shows has changed.
pub(in crate::figure) fn chart(ctx: &Context, subject: Subject<'_>, view: &View) -> Arc<Chart> {
    kept(
        ctx,
        &FIGURE,
        (subject, view),
        subject.run.revisions.evals,
        || over_time(subject),
    )
}

fn over_time(subject: Subject<'_>) -> Chart {
    let per_class = |(k, name): (usize, &String)| {
        let curves = over_evals(subject, name, palette::class(k), move |eval| {
            eval.f1.get(k).copied().flatten()
        });
        let why = "undefined: neither present nor predicted";
        curves.map(|curve| curve.of_class(k).with_gaps(Gap::Undefined(why)))
    };
    Chart {
        y_label: "F1".to_owned(),
        fixed_y: Some((0.0, 1.0)),
        curves: subject
            .classes()
            .iter()
            .enumerate()
            .flat_map(per_class)
            .collect(),
        empty: if subject.run.evals.is_empty() {
            not_evaluated(subject.run).to_owned()
        } else {
            "No class has an F1 yet: none was there or predicted.".to_owned()
        },
        ..Chart::default()
    }
}

pub(in crate::figure) fn table(subject: Subject<'_>) -> Table {
    let mut table = Table::new(["step", "epoch", "split", "class", "f1"]);
    for eval in evals(subject) {
        for (k, class) in subject.classes().iter().enumerate() {
            table.push([
                eval.step.into(),
                eval.epoch.into(),
                split_name(eval.split).into(),
                class.as_str().into(),
                eval.f1.get(k).copied().flatten().into(),
            ]);
        }
    }
    table
}
