//! Macro-F1, accuracy and balanced accuracy over time.

use std::sync::Arc;

use egui::Context;

use crate::figure::facts::mistakes::{evals, not_evaluated, split_name};
use crate::figure::facts::probes::Need;
use crate::figure::kit::chart::Chart;
use crate::figure::kit::palette;
use crate::figure::kit::table::Table;
use crate::figure::look::kind::Kind;
use crate::figure::look::pages::Page;
use crate::figure::look::subject::Subject;
use crate::figure::look::view::View;
use crate::figure::parts::charts::{chart_of_run_ui, kept, over_evals};
use crate::figure::parts::figure::{At, Figure, Gradients, NEVER, Of};

pub(in crate::figure) const FIGURE: Figure = Figure {
    kind: Kind::Scores,
    name: "scores",
    title: "Macro-F1 and accuracy",
    subtitle: "Macro-F1, accuracy and balanced accuracy over time, 0 to 1",
    help: "Macro-F1 is the mean F1 over classes, balanced accuracy the mean recall, accuracy the share of all images; \
           rare classes count as much as frequent ones only in the first two. Points alone are test results.",
    synonyms: &[
        "overall scores",
        "macro-F1",
        "accuracy",
        "balanced accuracy",
        "mean recall",
        "metrics",
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
    ui: |ui, subject, shown, view| chart_of_run_ui(ui, (Kind::Scores, chart), subject, shown, view),
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
    let curves = [
        over_evals(subject, "Macro-F1", palette::series(0), |eval| {
            eval.macro_f1
        }),
        over_evals(subject, "Accuracy", palette::series(1), |eval| {
            eval.accuracy
        }),
        over_evals(subject, "Balanced accuracy", palette::series(2), |eval| {
            eval.balanced_accuracy
        }),
    ];
    Chart {
        y_label: "score".to_owned(),
        fixed_y: Some((0.0, 1.0)),
        curves: curves.into_iter().flatten().collect(),
        empty: not_evaluated(subject.run).to_owned(),
        ..Chart::default()
    }
}

pub(in crate::figure) fn table(subject: Subject<'_>) -> Table {
    let columns = [
        "step",
        "epoch",
        "split",
        "macro_f1",
        "accuracy",
        "balanced_accuracy",
    ];
    let mut table = Table::new(columns);
    for eval in evals(subject) {
        table.push([
            eval.step.into(),
            eval.epoch.into(),
            split_name(eval.split).into(),
            eval.macro_f1.into(),
            eval.accuracy.into(),
            eval.balanced_accuracy.into(),
        ]);
    }
    table
}
