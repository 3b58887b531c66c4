//! Interference in the backbone of groups of runs over time.

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

pub(in crate::figure) const FIGURE: Figure = Figure {
    kind: Kind::GroupConflict,
    name: "group-conflict",
    title: "Interference over seeds",
    subtitle: "Conflict in the backbone over time, a curve for every configuration over its seeds",
    help: "Interference (mean over class pairs of max(0, −cosine)) in all layers but the classifier, of runs that \
           differ in nothing but the seed: the thick line is their mean at the steps at which all were measured, the \
           area reaches from the least to the most of them or is mean ± standard deviation, thin lines are single runs.",
    synonyms: &[
        "conflict in the backbone over seeds",
        "interference",
        "mean over seeds",
        "standard deviation",
        "gradient conflict",
    ],
    page: Page::Compare,
    in_place_of: None,
    lacks: NEVER,
    of: Of::AllGroups,
    needs: Need::Nothing,
    at: At::End,
    gradients: Gradients::AsShown,
    names_part: false,
    names_step: false,
    colour_range: None,
    chart: None,
    ui: group_conflict_ui,
    table: |_, shown, view| table(&MEASURED, shown, view),
};

pub(in crate::figure) const MEASURED: Measured = Measured {
    points,
    y_label: "interference",
    fixed_y: None,
    column: "interference",
};

/// Interference in all layers but the classifier at every probe.
fn points(run: &Run) -> Vec<Point> {
    let probes = run.probes.iter().map(|probe| Point {
        step: probe.step,
        epoch: probe.epoch,
        value: probe.backbone.interference,
    });
    probes.collect()
}

fn group_conflict_ui(
    ui: &mut Ui,
    _: Subject<'_>,
    shown: &[Subject<'_>],
    view: &View,
) -> Option<Pick> {
    group_curves_ui(ui, (&FIGURE, &MEASURED), shown, view)
}
