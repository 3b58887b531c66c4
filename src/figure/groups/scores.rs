//! Macro-F1 of groups of runs over time.

use egui::Ui;

use crate::figure::facts::probes::Need;
use crate::figure::groups::curves::{Measured, Point, group_curves_ui, table};
use crate::figure::look::kind::Kind;
use crate::figure::look::pages::Page;
use crate::figure::look::pick::Pick;
use crate::figure::look::subject::Subject;
use crate::figure::look::view::View;
use crate::figure::parts::figure::{At, Figure, Gradients, NEVER, Of};
use crate::run::Run;
use crate::run::event::Split;

pub(in crate::figure) const FIGURE: Figure = Figure {
    kind: Kind::GroupScores,
    name: "group-scores",
    title: "Macro-F1 over seeds",
    subtitle: "Macro-F1 over time, a curve for every configuration over its seeds",
    help: "Macro-F1 on the validation images (test images where a run has none), from 0 to 1, of runs that differ in \
           nothing but the seed: the thick line is their mean at the steps at which all were measured, the area reaches \
           from the worst to the best of them or is mean ± standard deviation, thin lines are single runs. One line \
           alone is a single seed: what another would do is not known.",
    synonyms: &[
        "macro-F1",
        "mean over seeds",
        "standard deviation",
        "learning curves",
    ],
    page: Page::Compare,
    in_place_of: None,
    lacks: NEVER,
    of: Of::AllGroups,
    needs: Need::Nothing,
    at: At::End,
    gradients: Gradients::No,
    names_part: false,
    names_step: false,
    colour_range: None,
    chart: None,
    ui: group_scores_ui,
    table: |_, shown, view| table(&MEASURED, shown, view),
};

pub(in crate::figure) const MEASURED: Measured = Measured {
    points,
    y_label: "macro-F1",
    fixed_y: Some((0.0, 1.0)),
    column: "macro_f1",
};

/// Macro-F1 on the validation images; where there are none, on the test images.
fn points(run: &Run) -> Vec<Point> {
    let has_val = run.evals_of(Split::Val).next().is_some();
    let split = if has_val { Split::Val } else { Split::Test };
    let evals = run.evals_of(split).map(|eval| Point {
        step: eval.step,
        epoch: eval.epoch,
        value: eval.macro_f1,
    });
    evals.collect()
}

fn group_scores_ui(
    ui: &mut Ui,
    _: Subject<'_>,
    shown: &[Subject<'_>],
    view: &View,
) -> Option<Pick> {
    group_curves_ui(ui, (&FIGURE, &MEASURED), shown, view)
}
