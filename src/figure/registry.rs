//! The list of figures: how each is drawn, and the numbers that it shows.
//!
//! Imports the page folders.

use std::collections::BTreeMap;

use egui::{Context, RichText, Ui};

use crate::figure::conflicts::{
    conflict_time, depth_time, matrix, matrix_difference, network, pair, pair_depth,
};
use crate::figure::gates::{distance, over_time, strips};
use crate::figure::groups::{curves, differences, measures, pair_difference};
use crate::figure::kit::chart::Scales;
use crate::figure::kit::table::Table;
use crate::figure::look::kind::Kind;
use crate::figure::look::marks::Range;
use crate::figure::look::pick::Pick;
use crate::figure::look::subject::Subject;
use crate::figure::look::view::View;
use crate::figure::mistakes::{class_scores, confusion, scatter};
use crate::figure::one_class::{ledger, ledger_depth, ledger_time, what_if};
use crate::figure::overview::{class_f1, depth_profile, grad_norms, loss, scores};
use crate::figure::parts::charts::{ChartOf, chart_of_run_ui};

/// Draws a figure into the space that is left; returns what was clicked. `shown` are all runs on screen: they share
/// scales, and differences are from the first.
pub fn figure_ui(
    ui: &mut Ui,
    kind: Kind,
    subject: Subject<'_>,
    shown: &[Subject<'_>],
    view: &View,
) -> Option<Pick> {
    // Two figures of a kind stand side by side where two runs are compared.
    ui.push_id((kind, subject.name), |ui| match kind {
        Kind::ConflictMatrix => matrix::matrix_ui(ui, subject, view),
        Kind::Architecture => network::architecture_ui(ui, subject, shown, view),
        Kind::DepthTime => depth_time::depth_time_ui(ui, subject, shown, view),
        Kind::Ledger => ledger::ledger_ui(ui, subject, shown, view),
        Kind::WhatIf => what_if::what_if_ui(ui, subject, shown, view),
        Kind::Gates => strips::gates_ui(ui, subject, view),
        Kind::GateDistance => distance::gate_distance_ui(ui, subject, shown, view),
        Kind::Confusion => confusion::confusion_ui(ui, subject, view),
        Kind::ConflictDifference => {
            matrix_difference::matrix_difference_ui(ui, subject, shown, view)
        }
        Kind::ConflictConfusion => scatter::scatter_ui(ui, subject, shown, view),
        Kind::ClassScores => class_scores::class_scores_ui(ui, subject, shown, view),
        Kind::ClassDifference | Kind::LayerDifference => {
            differences::difference_ui(ui, kind, subject, shown, view)
        }
        Kind::PairDifference => pair_difference::pair_difference_ui(ui, subject, shown, view),
        Kind::Measures => {
            measures::measures_ui(ui, subject, shown);
            None
        }
        Kind::GroupScores | Kind::GroupConflict => curves::group_curves_ui(ui, kind, shown, view),
        Kind::PairDepth => pair_depth::pair_depth_ui(ui, subject, view),
        Kind::LedgerDepth => ledger_depth::ledger_depth_ui(ui, subject, shown, view),
        Kind::PairCosine => pair::pair_ui(ui, subject, shown, view),
        Kind::ClassF1
        | Kind::Scores
        | Kind::Loss
        | Kind::GradNorms
        | Kind::DepthProfile
        | Kind::ConflictTime
        | Kind::GatesTime
        | Kind::GatesAlike
        | Kind::LedgerTime => {
            if kind == Kind::LedgerTime {
                ledger_time::note_ui(ui, subject, view);
            }
            let of = chart_of(kind)?;
            chart_of_run_ui(ui, (kind, of), subject, shown, view)
        }
    })
    .inner
}

/// A figure with its heading, as it is exported.
pub(in crate::figure) fn page_ui(
    ui: &mut Ui,
    kind: Kind,
    subject: Subject<'_>,
    shown: &[Subject<'_>],
    view: &View,
) {
    ui.label(RichText::new(kind.title()).strong().size(16.0));
    let caption = RichText::new(caption(kind, subject, view)).small().weak();
    ui.add(egui::Label::new(caption).truncate());
    ui.add_space(6.0);
    figure_ui(ui, kind, subject, shown, view);
}

/// Run, part of the network and moment that a figure shows.
pub(in crate::figure) fn caption(kind: Kind, subject: Subject<'_>, view: &View) -> String {
    if kind.is_of_all_groups() {
        return "a curve for every configuration, over its seeds".to_owned();
    }
    if kind.compares_groups() {
        let mut text = "at the last step of all runs, paired by seed".to_owned();
        if kind == Kind::PairDifference {
            text.push_str(" · ");
            text.push_str(view.scope.name());
        }
        return text;
    }
    let mut parts = vec![subject.name.to_owned()];
    if matches!(
        kind,
        Kind::GradNorms
            | Kind::ConflictMatrix
            | Kind::ConflictDifference
            | Kind::ConflictConfusion
            | Kind::PairCosine
            | Kind::Ledger
            | Kind::LedgerTime
            | Kind::WhatIf
    ) {
        parts.push(view.scope.name().to_owned());
    }
    if matches!(
        kind,
        Kind::DepthProfile
            | Kind::ConflictMatrix
            | Kind::ConflictConfusion
            | Kind::Architecture
            | Kind::DepthTime
            | Kind::PairDepth
            | Kind::LedgerDepth
            | Kind::Gates
            | Kind::GateDistance
            | Kind::Ledger
            | Kind::WhatIf
    ) && let Some(probe) = subject.probe(view)
    {
        parts.push(format!("step {}", probe.step));
    }
    parts.join(" · ")
}

/// Names of a figure's curves, which can be switched off and on; none where it has none.
pub(crate) fn curve_names(
    ctx: &egui::Context,
    kind: Kind,
    subject: Subject<'_>,
    view: &View,
) -> Vec<String> {
    let Some(of) = chart_of(kind) else {
        return Vec::new();
    };
    let chart = of(ctx, subject, view);
    chart
        .curves
        .iter()
        .map(|curve| curve.name.clone())
        .collect()
}

/// The numbers that a figure shows, from the run itself. `shown` are all runs on screen: differences are from the first.
pub fn table(kind: Kind, subject: Subject<'_>, shown: &[Subject<'_>], view: &View) -> Table {
    match kind {
        Kind::ClassF1 => class_f1::table(subject),
        Kind::Scores => scores::table(subject),
        Kind::Loss => loss::table(subject),
        Kind::GradNorms => grad_norms::table(subject, view),
        Kind::DepthProfile => depth_profile::table(subject, view),
        Kind::PairCosine => pair::table(subject, view),
        Kind::Ledger => ledger::table(subject, view),
        Kind::PairDepth => pair_depth::table(subject, view),
        Kind::LedgerDepth => ledger_depth::table(subject, view),
        Kind::LedgerTime => ledger_time::table(subject, view),
        Kind::WhatIf => what_if::table(subject, view),
        Kind::Architecture => network::table(subject, view),
        Kind::DepthTime => depth_time::table(subject, view),
        Kind::ConflictTime => conflict_time::table(subject, view),
        Kind::Gates => strips::table(subject, view),
        Kind::GateDistance => distance::table(subject, view),
        Kind::GatesTime | Kind::GatesAlike => over_time::table(kind, subject),
        Kind::ConflictMatrix => matrix::table(subject, view),
        Kind::Confusion => confusion::table(subject, view),
        Kind::ConflictDifference => matrix_difference::table(subject, shown, view),
        Kind::ConflictConfusion => scatter::table(subject, view),
        Kind::ClassScores => class_scores::table(subject, shown, view),
        Kind::ClassDifference | Kind::LayerDifference => {
            differences::table(kind, subject, shown, view)
        }
        Kind::PairDifference => pair_difference::table(subject, shown, view),
        Kind::Measures => measures::table(shown),
        Kind::GroupScores | Kind::GroupConflict => curves::table(kind, shown, view),
    }
}

/// How the chart of a run is made; none for other figures.
pub(in crate::figure) fn chart_of(kind: Kind) -> Option<ChartOf> {
    Some(match kind {
        Kind::ClassF1 => class_f1::chart,
        Kind::Scores => scores::chart,
        Kind::Loss => loss::chart,
        Kind::GradNorms => grad_norms::chart,
        Kind::DepthProfile => depth_profile::chart,
        Kind::ConflictTime => conflict_time::chart,
        Kind::GatesTime => over_time::chart,
        Kind::GatesAlike => over_time::chart_alike,
        Kind::LedgerTime => ledger_time::chart,
        Kind::PairCosine => pair::chart,
        _ => return None,
    })
}

/// Ranges that keep y as it is in every chart of these runs; what was chosen before stays.
pub fn locked(ctx: &Context, subjects: &[Subject<'_>], view: &View) -> BTreeMap<Kind, Range> {
    let lock = |&kind: &Kind| {
        let of = chart_of(kind)?;
        let charts = subjects.iter().map(|subject| of(ctx, *subject, view));
        let charts: Vec<_> = charts.collect();
        // A chart that shows nothing yet has no scale to keep.
        if !charts.iter().any(|chart| chart.is_drawn()) {
            return None;
        }
        let before = view.ranges.get(&kind).copied();
        let range = before.unwrap_or(Range {
            time: view.time,
            ..Range::default()
        });
        let y = range.y.unwrap_or_else(|| Scales::holding(&charts).y());
        let y = Some(y);
        Some((kind, Range { y, ..range }))
    };
    Kind::ALL.iter().filter_map(lock).collect()
}

#[cfg(test)]
mod tests;
