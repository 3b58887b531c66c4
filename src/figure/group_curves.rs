//! How groups of runs develop over seeds: their means, the range of their runs, and every single run.

use std::collections::BTreeMap;
use std::sync::Arc;

use egui::Ui;

use super::chart::{Axis, Band, Chart, Curve, Look, Scales, chart_ui};
use super::difference::{NOTHING, compared_once, comparison_key};
use super::table::Table;
use super::time::Clock;
use super::{Kind, Pick, Subject, TimeAxis, View, empty_ui, palette, remembered};
use crate::compare::Comparison;
use crate::compare::statistics::mean;
use crate::run::Run;
use crate::run::event::Split;

/// A value of a run at a step.
struct Point {
    step: u64,
    epoch: f64,
    value: Option<f64>,
}

/// What the figure shows of a run. Scores are of validation images; where there are none, of test images.
fn points(kind: Kind, run: &Run) -> Vec<Point> {
    if kind == Kind::GroupConflict {
        let probes = run.probes.iter().map(|probe| Point {
            step: probe.step,
            epoch: probe.epoch,
            value: probe.backbone.interference,
        });
        return probes.collect();
    }
    let has_val = run.evals_of(Split::Val).next().is_some();
    let split = if has_val { Split::Val } else { Split::Test };
    let evals = run.evals_of(split).map(|eval| Point {
        step: eval.step,
        epoch: eval.epoch,
        value: eval.macro_f1,
    });
    evals.collect()
}

/// Mean, least and largest value of the runs at every step at which all of them have one: (step, [mean, least,
/// largest]).
fn over_runs(runs: &[Vec<Point>]) -> Vec<(u64, [f64; 3])> {
    let mut at: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
    for point in runs.iter().flatten() {
        at.entry(point.step).or_default().extend(point.value);
    }
    let complete = at
        .into_iter()
        .filter(|(_, values)| values.len() == runs.len());
    let of = |(step, values): (u64, Vec<f64>)| {
        let least = values.iter().copied().reduce(f64::min)?;
        let largest = values.iter().copied().reduce(f64::max)?;
        Some((step, [mean(&values)?, least, largest]))
    };
    complete.filter_map(of).collect()
}

/// The runs of a group, in the order of their seeds.
fn runs_of<'a>(comparison: &Comparison, group: usize, shown: &[Subject<'a>]) -> Vec<Subject<'a>> {
    let names = comparison.groups[group].runs.iter();
    names
        .filter_map(|name| shown.iter().find(|subject| subject.name == *name))
        .copied()
        .collect()
}

/// Wall time and images differ between machines and data; what is compared is compared by steps or epochs.
fn axis(view: &View) -> TimeAxis {
    match view.time {
        TimeAxis::Step => TimeAxis::Step,
        _ => TimeAxis::Epoch,
    }
}

fn chart(kind: Kind, comparison: &Comparison, shown: &[Subject<'_>], axis: TimeAxis) -> Chart {
    let mut curves = Vec::new();
    let mut bands = Vec::new();
    let mut clock = Clock::default();
    for (at, group) in comparison.groups.iter().enumerate() {
        let color = palette::class(at);
        let subjects = runs_of(comparison, at, shown);
        let Some(first) = subjects.first() else {
            continue;
        };
        clock = Clock::new(first.run, axis);
        let runs: Vec<_> = subjects.iter().map(|x| points(kind, x.run)).collect();
        for run in runs.iter().filter(|_| runs.len() > 1) {
            let place = run.iter().map(|x| (clock.at(x.step as f64), x.value));
            curves.push(Curve::new(group.name.clone(), color, Look::Thin, place));
        }
        let over = over_runs(&runs);
        let xs = over.iter().map(|(step, _)| clock.at(*step as f64));
        let means = xs.clone().zip(&over).map(|(x, (_, y))| (x, Some(y[0])));
        let mean = Curve::new(group.name.clone(), color, Look::Line, means);
        if runs.len() > 1 {
            bands.push(Band {
                name: group.name.clone(),
                color,
                x: xs.collect(),
                low: over.iter().map(|(_, y)| y[1]).collect(),
                high: over.iter().map(|(_, y)| y[2]).collect(),
            });
        }
        curves.push(mean);
    }
    // Means lie over single runs.
    curves.sort_by_key(|curve| curve.look != Look::Thin);
    Chart {
        name: kind.title(),
        y_label: y_label(kind).to_owned(),
        x: Axis::Time(clock),
        fixed_y: (kind == Kind::GroupScores).then_some((0.0, 1.0)),
        curves,
        bands,
        empty: "Nothing was measured on the way.".to_owned(),
        ..Chart::default()
    }
}

fn y_label(kind: Kind) -> &'static str {
    match kind {
        Kind::GroupConflict => "interference",
        _ => "macro-F1",
    }
}

/// Draws all groups of the runs shown.
pub(super) fn group_curves_ui(
    ui: &mut Ui,
    kind: Kind,
    shown: &[Subject<'_>],
    view: &View,
) -> Option<Pick> {
    let found = compared_once(ui.ctx(), shown);
    let Ok(comparison) = &*found else {
        empty_ui(ui, NOTHING);
        return None;
    };
    let key = (comparison_key(shown), axis(view));
    let chart = remembered(ui.ctx(), (kind.name(), ""), key, || {
        Arc::new(chart(kind, comparison, shown, axis(view)))
    });
    let scales = Scales::holding(std::slice::from_ref(&chart));
    // A moment of one run is none of all; only what is hidden can be chosen here.
    let picked = chart_ui(ui, &chart, &scales, None, &view.hidden);
    picked.filter(|pick| matches!(pick, Pick::Curve(_)))
}

/// A row for every point of every run.
pub(super) fn table(kind: Kind, shown: &[Subject<'_>]) -> Table {
    let quantity = match kind {
        Kind::GroupConflict => "interference",
        _ => "macro_f1",
    };
    let mut table = Table::new(["group", "run", "seed", "step", "epoch", quantity]);
    let Ok(comparison) = super::difference::compared(shown) else {
        return table;
    };
    for (at, group) in comparison.groups.iter().enumerate() {
        for (subject, seed) in runs_of(&comparison, at, shown).iter().zip(&group.seeds) {
            for point in points(kind, subject.run) {
                table.push([
                    group.name.as_str().into(),
                    subject.name.into(),
                    (*seed).into(),
                    point.step.into(),
                    point.epoch.into(),
                    point.value.into(),
                ]);
            }
        }
    }
    table
}

#[cfg(test)]
mod tests;
