//! Rules about depth, from the summaries in the log alone: the layer in which conflict exceeds noise most, and the
//! layers in which no pair is resolved.

use crate::gradient::gram::ConflictSummary;
use crate::run::event::{Layer, Probe, Started};
use crate::run::{Run, Scope};

use super::finding::{Evidence, Finding, Kind};
use super::recent::{LEAST, WINDOW};
use super::subject::trained_probes;
use super::words::listed;
use crate::compare::statistics::mean_sd;

/// Interference must exceed this many times its noise floor.
const FLOORS: f64 = 3.0;
/// Least share of the class pairs that must be in resolved conflict.
const LEAST_SHARE: f64 = 0.15;
/// Least number of class pairs that must be in resolved conflict.
const LEAST_PAIRS: f64 = 2.0;

pub(super) fn findings(run: &Run, started: &Started) -> Vec<Finding> {
    let probes = trained_probes(run);
    let newest = &probes[probes.len().saturating_sub(WINDOW)..];
    if newest.len() < LEAST {
        return Vec::new();
    }
    let trained = started.layers.iter().filter(|x| x.is_in_backbone());
    let rows: Vec<(&Layer, usize)> = trained.filter_map(|x| Some((x, x.gram?))).collect();
    let Some(most) = most(&rows, newest) else {
        return Vec::new();
    };
    // The absence of conflict in some layers says something only where conflict is resolved elsewhere.
    let mut found = vec![most];
    found.extend(unresolved(&rows, newest));
    found
}

/// The summaries of a layer, given by its Gram row `row`, at the newest probes; those of the backbone where `row` is
/// `None`.
fn summaries(newest: &[Probe], row: Option<usize>) -> impl Iterator<Item = &ConflictSummary> {
    newest.iter().filter_map(move |probe| match row {
        Some(row) => probe.layers.get(row),
        None => Some(&probe.backbone),
    })
}

/// Interference minus noise floor at each of the newest probes; `None` where conflict does not exceed noise at all of
/// these probes.
fn excess(newest: &[Probe], row: Option<usize>) -> Option<Vec<f64>> {
    let excess = |summary: &ConflictSummary| {
        let (interference, floor) = (summary.interference?, summary.floor?);
        let needed = (LEAST_SHARE * summary.pairs as f64).max(LEAST_PAIRS);
        let holds = interference > FLOORS * floor && summary.conflicting as f64 >= needed;
        holds.then_some(interference - floor)
    };
    let all: Option<Vec<_>> = summaries(newest, row).map(excess).collect();
    all.filter(|all| all.len() == newest.len())
}

/// The finding about the layer whose interference exceeds its noise floor most, provided that this excess is above the
/// median excess of all layers at every probe. Otherwise the finding about the backbone, where its interference exceeds
/// its noise floor.
fn most(rows: &[(&Layer, usize)], newest: &[Probe]) -> Option<Finding> {
    let mean = |values: &[f64]| mean_sd(values).map_or(0.0, |(mean, _)| mean);
    let layers = rows
        .iter()
        .filter_map(|(layer, row)| Some((*layer, *row, excess(newest, Some(*row))?)));
    let first = layers.max_by(|a, b| mean(&a.2).total_cmp(&mean(&b.2)));
    let leads = first.filter(|(_, _, excess)| {
        let middles = newest.iter().map(|probe| middle(rows, probe));
        excess
            .iter()
            .zip(middles)
            .all(|(own, middle)| *own > middle)
    });
    let (scope, row) = match leads {
        Some((layer, row, _)) => (Scope::Layer(layer.name.clone()), Some(row)),
        None => {
            excess(newest, None)?;
            (Scope::Backbone, None)
        }
    };
    let values = |of: fn(&ConflictSummary) -> Option<f64>| {
        summaries(newest, row).filter_map(of).collect::<Vec<_>>()
    };
    let (interference, sd) = mean_sd(&values(|summary| summary.interference))?;
    let (floor, _) = mean_sd(&values(|summary| summary.floor))?;
    let last = summaries(newest, row).last()?;
    let place = match &scope {
        Scope::Layer(name) => format!("Conflict exceeds noise most in {name}"),
        Scope::Group(_) | Scope::Backbone | Scope::Network => {
            "Classes pull against each other in the backbone as a whole, where no single layer stands out".to_owned()
        }
    };
    let sentence =
        format!("{place}: interference {interference:.2} ± {sd:.2}, noise floor {floor:.3}");
    let detail = format!(
        "Mean over class pairs of max(0, −cosine); mean ± standard deviation over the last {} probes. At the newest, {} of \
         {} pairs are in resolved conflict.",
        newest.len(),
        last.conflicting,
        last.pairs
    );
    let strength = 0.5 + 0.5 * (interference - floor);
    Some(
        Finding::new(Kind::Depth, strength, sentence, detail).at(Evidence {
            scope: Some(scope),
            step: newest.last().map(|probe| probe.step),
            ..Evidence::default()
        }),
    )
}

/// Median over all layers of interference minus noise floor at one probe.
fn middle(rows: &[(&Layer, usize)], probe: &Probe) -> f64 {
    let summaries = rows.iter().filter_map(|(_, row)| probe.layers.get(*row));
    let mut all: Vec<f64> = summaries
        .filter_map(|x| Some(x.interference? - x.floor?))
        .collect();
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(0.0)
}

/// The finding about the layers in which no pair was resolved at any of the newest probes.
fn unresolved(rows: &[(&Layer, usize)], newest: &[Probe]) -> Option<Finding> {
    // Of a layer without gradients, such as one that is frozen, no pair is known; more images would tell nothing.
    let is_silent = |row: usize| {
        summaries(newest, Some(row)).all(|summary| summary.resolved == 0 && summary.pairs > 0)
    };
    let silent: Vec<_> = rows.iter().filter(|(_, row)| is_silent(*row)).collect();
    let (first, row) = silent.first()?;
    let names: Vec<_> = silent
        .iter()
        .map(|(layer, _)| layer.name.as_str())
        .collect();
    let pairs = summaries(newest, Some(*row)).last()?.pairs;
    let sentence = format!(
        "Nothing is resolved in {}: 0 of {pairs} pairs in the last {} probes",
        listed(&names),
        newest.len()
    );
    let detail = "No class pair's product differs from 0 by more than 3 standard errors there: the colours of these layers \
                  are noise. More probe images would tell more."
        .to_owned();
    let strength = 0.5 * silent.len() as f64 / rows.len() as f64;
    Some(
        Finding::new(Kind::Depth, strength, sentence, detail).at(Evidence {
            scope: Some(Scope::Layer(first.name.clone())),
            step: newest.last().map(|probe| probe.step),
            ..Evidence::default()
        }),
    )
}
