//! Rules about attention gates that are saturated, alike for all classes, or alike in all branches.

use std::collections::BTreeMap;

use super::finding::{Evidence, Finding, Kind};
use super::recent::{LEAST, Recent};
use super::words::rounded;
use crate::compare::statistics::{correlation, mean_sd};
use crate::run::gates::{distances, rows};

/// Gates nearer to 0 or 1 than this are saturated: their gradient is nearly 0, so they hardly change any more.
const SATURATED: f64 = 0.02;
/// Gates with a standard deviation over classes below this treat all classes alike.
const ALIKE: f64 = 0.01;
/// Branches whose distances between classes have a higher correlation than this distinguish classes in the same way.
const SAME: f64 = 0.95;

/// The first of three findings that applies: saturated gates, gates that treat all classes alike, branches that
/// distinguish classes in the same way. Saturated gates cannot distinguish classes, and gates that treat all classes
/// alike do so in all branches, so a later finding would add nothing.
pub(super) fn findings(recent: &Recent<'_>) -> Option<Finding> {
    let newest = recent.newest(LEAST);
    let gates: Vec<_> = newest.iter().map(|x| &x.tensors.gates).collect();
    if gates.len() < LEAST || gates.iter().any(|gates| gates.is_empty()) {
        return None;
    }
    // The share of a single branch is always 1.
    if recent.started.attention().shares_branches() && newest_has_one_branch(&gates) {
        return None;
    }
    let classes = recent.started.classes.len();
    // The shares that a class gives to the branches sum to 1, so that branches cannot but agree on classes.
    let is_independent = !recent.started.attention().shares_branches();
    let finding = saturated(&gates)
        .or_else(|| alike(&gates, classes))
        .or_else(|| same(&gates, classes).filter(|_| is_independent))?;
    Some(finding.at(Evidence {
        step: newest.last().map(|x| x.probe.step),
        ..Evidence::default()
    }))
}

fn newest_has_one_branch(gates: &[&Gates]) -> bool {
    gates.last().is_some_and(|gates| gates.len() < 2)
}

type Gates = BTreeMap<String, Vec<f32>>;

/// The finite gates of all branches.
fn values(gates: &Gates) -> impl Iterator<Item = f64> {
    let all = gates.values().flatten().copied().map(f64::from);
    all.filter(|x| x.is_finite())
}

/// Mean and standard deviation of the quantity `of` over the newest probes; `None` where it is undefined at one of them
/// or does not satisfy `holds` there.
fn at_all(
    gates: &[&Gates],
    of: impl Fn(&Gates) -> Option<f64>,
    holds: impl Fn(f64) -> bool,
) -> Option<(f64, f64)> {
    let all: Option<Vec<f64>> = gates.iter().map(|x| of(x).filter(|x| holds(*x))).collect();
    mean_sd(&all?)
}

/// The finding about gates that are saturated.
fn saturated(gates: &[&Gates]) -> Option<Finding> {
    let share = |gates: &Gates| {
        let total = values(gates).count();
        let stuck = values(gates).filter(|x| *x < SATURATED || *x > 1.0 - SATURATED);
        (total > 0).then(|| stuck.count() as f64 / total as f64)
    };
    let (mean, sd) = at_all(gates, share, |share| share > 0.5)?;
    let sentence = format!(
        "{:.0} ± {:.0} % of the gates are saturated, below {SATURATED} or above {}",
        100.0 * mean,
        100.0 * sd,
        1.0 - SATURATED
    );
    let detail = format!(
        "Mean ± standard deviation over the last {LEAST} probes, of the mean gates of all classes and channels. A gate \
         that is always shut or always open has next to no gradient, and no longer learns."
    );
    Some(Finding::new(Kind::Gates, mean, sentence, detail))
}

/// The finding about gates that treat all classes alike.
fn alike(gates: &[&Gates], classes: usize) -> Option<Finding> {
    let spread = |gates: &Gates| {
        let branches: Vec<f64> = gates.values().filter_map(|x| spread(x, classes)).collect();
        branches.into_iter().reduce(f64::max)
    };
    let (mean, sd) = at_all(gates, spread, |spread| spread < ALIKE)?;
    let sentence = format!(
        "The gates treat all classes alike: standard deviation over classes {} ± {}",
        rounded(mean, mean.max(sd)),
        rounded(sd, mean.max(sd))
    );
    let detail = format!(
        "Root mean square over channels, in the branch where classes differ most; gates lie between 0 and 1. Mean ± \
         standard deviation over the last {LEAST} probes."
    );
    let strength = 1.0 - mean / ALIKE;
    Some(Finding::new(Kind::Gates, strength, sentence, detail))
}

/// Root mean square over channels of the standard deviation over classes; `None` with fewer than two classes.
fn spread(gates: &[f32], classes: usize) -> Option<f64> {
    let rows = rows(gates, classes)?;
    let channels = rows.first()?.len();
    let column = |c: usize| rows.iter().map(|row| row[c]).collect::<Vec<_>>();
    let squares: Option<Vec<f64>> = (0..channels)
        .map(|c| Some(mean_sd(&column(c))?.1.powi(2)))
        .collect();
    let squares = squares.filter(|x| !x.is_empty())?;
    Some((squares.iter().sum::<f64>() / squares.len() as f64).sqrt())
}

/// The finding about branches that distinguish classes in the same way. Channels of different branches do not
/// correspond to each other, so the distances between every two classes in one branch are compared with those in
/// another.
fn same(gates: &[&Gates], classes: usize) -> Option<Finding> {
    let least = |gates: &Gates| {
        let distances: Option<Vec<_>> = gates.values().map(|x| distances(x, classes)).collect();
        let distances = distances.filter(|x| x.len() > 1)?;
        let pairs = (0..distances.len()).flat_map(|b| (0..b).map(move |a| (a, b)));
        let correlations: Option<Vec<f64>> = pairs
            .map(|(a, b)| correlation(&distances[a], &distances[b]))
            .collect();
        correlations?.into_iter().reduce(f64::min)
    };
    let (mean, sd) = at_all(gates, least, |least| least > SAME)?;
    let count = gates.first()?.len();
    let sentence = format!(
        "The gates of all {count} branches tell classes apart in nearly the same way (correlation {mean:.3} ± {sd:.3})"
    );
    let detail = format!(
        "Distances between the gates of every two classes, correlated between branches; of all pairs of branches the \
         lowest, mean ± standard deviation over the last {LEAST} probes. One shared gate might do as well."
    );
    let strength = (mean - SAME) / (1.0 - SAME);
    Some(Finding::new(Kind::Gates, strength, sentence, detail))
}
