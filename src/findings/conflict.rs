//! The rule about pairs of classes whose gradients pull against each other.

use super::finding::{Evidence, Finding, Kind};
use super::recent::{Moment, Part, Picture, Recent, WINDOW, factor, since};
use super::subject::tail;
use super::words::{class, in_scope, listed};
use crate::compare::statistics::mean_sd;
use crate::gradient::gram::Gram;
use crate::run::Scope;
use crate::run::event::Started;
use crate::text::signed;

/// A pair's negative cosine must exceed this many times the median standard error of all pairs, whatever the pair's own
/// standard error is: among many pairs, some have a standard error that is too small by chance.
const MIDDLE_ERRORS: f64 = 4.0;

/// A pair of classes that pull against each other at the newest probes in one part of the network.
struct Pulling<'a> {
    part: &'a Part,
    pair: (usize, usize),
    /// Mean and standard deviation of the pair's cosine over the newest probes.
    cosine: (f64, f64),
    strength: f64,
}

/// The mean cosine of K classes with equally long gradients that cancel, −1/(K − 1). Near a stationary point gradients
/// cancel, so conflict down to this cosine cannot be avoided.
fn unavoidable(classes: usize) -> f64 {
    -1.0 / (classes.max(2) - 1) as f64
}

/// Whether classes a and b pull against each other: their cosine is distinguishable from 0 and from noise, and it lies
/// below −0.1 and below the unavoidable cosine.
fn pulls(recent: &Recent<'_>, scope: &Scope, picture: &Picture, a: usize, b: usize) -> bool {
    let gram = &picture.gram;
    let Some(cosine) = gram.cosine(a, b) else {
        return false;
    };
    cosine < unavoidable(gram.classes()).min(-0.1)
        && cosine < -MIDDLE_ERRORS * picture.middle_error
        && picture.clear[a]
        && picture.clear[b]
        && is_resolved(gram, a, b, factor(scope) * recent.standard_errors(&[a, b]))
}

fn is_resolved(gram: &Gram, a: usize, b: usize, asked: f64) -> bool {
    let resolved = || Some(gram.dot(a, b)?.abs() > asked * gram.standard_error(a, b)?);
    resolved().unwrap_or(false)
}

/// The finding about the strongest pair that pulls apart in at least four of the last five probes, or in all of them
/// where there are fewer. Pairs with exactly one rare class are stronger than all others; among equals the mean cosine
/// decides.
pub(super) fn finding(recent: &Recent<'_>, parts: &[Part]) -> Option<Finding> {
    let rare = tail(recent.started);
    let classes = recent.started.classes.len();
    let mut all: Vec<Pulling<'_>> = Vec::new();
    for part in parts {
        for a in 0..classes {
            for b in 0..a {
                let known = all.iter().any(|x| x.pair == (a, b));
                // A pair that pulls apart in the backbone needs no further finding in each layer.
                if !known && let Some(cosine) = lasting(recent, part, a, b) {
                    let contrast = rare.contains(&a) != rare.contains(&b);
                    let strength =
                        0.5 * f64::from(u8::from(contrast)) + 0.5 * cosine.0.abs().min(1.0);
                    all.push(Pulling {
                        part,
                        pair: (a, b),
                        cosine,
                        strength,
                    });
                }
            }
        }
    }
    all.sort_by(|x, y| y.strength.total_cmp(&x.strength));
    conflict_finding(recent, parts, &all)
}

/// Mean and standard deviation of a pair's cosine over the newest probes; `None` where the pair does not pull apart in
/// enough of them.
fn lasting(recent: &Recent<'_>, part: &Part, a: usize, b: usize) -> Option<(f64, f64)> {
    let needed = part.pictures.len().min(WINDOW - 1);
    let newest = part.pictures.iter().rev();
    let (mut hits, mut misses) = (0, 0);
    for picture in newest {
        if pulls(recent, &part.scope, picture, a, b) {
            hits += 1;
        } else {
            misses += 1;
            if misses + needed > part.pictures.len() {
                return None;
            }
        }
    }
    let cosines = part.pictures.iter();
    let cosines: Vec<_> = cosines.filter_map(|x| x.gram.cosine(a, b)).collect();
    (hits >= needed).then(|| mean_sd(&cosines))?
}

fn conflict_finding(recent: &Recent<'_>, parts: &[Part], all: &[Pulling<'_>]) -> Option<Finding> {
    let (most, others) = all.split_first()?;
    let started = recent.started;
    let (rarer, other) = ordered(started, most.pair);
    // The layer in which the pair pulls apart most.
    let layer = |part: &&Part| matches!(part.scope, Scope::Layer(_));
    let mean = |part: &Part| {
        let cosines: Vec<_> = part
            .pictures
            .iter()
            .filter_map(|x| x.gram.cosine(rarer, other))
            .collect();
        mean_sd(&cosines).map_or(0.0, |(mean, _)| mean)
    };
    let layers = parts.iter().filter(layer);
    let worst = layers.min_by(|x, y| mean(x).total_cmp(&mean(y)))?;
    let place = if most.part.scope == Scope::Backbone {
        format!("in the backbone, most in {}", worst.scope.name())
    } else {
        in_scope(&most.part.scope)
    };
    let holds = |moment: &Moment<'_>| {
        let gram = moment.tensors.gram_of_pair(&most.part.rows, rarer, other);
        gram.is_some_and(|gram| {
            gram.dot(0, 1).is_some_and(|dot| dot < 0.0)
                && is_resolved(&gram, 0, 1, recent.standard_errors(&[rarer, other]))
        })
    };
    let holds: Vec<_> = recent.moments.iter().map(holds).collect();
    // The pair may pull apart at only four of the last five probes, and the newest probe may be the one at which it
    // does not.
    let end = holds.iter().rposition(|holds| *holds)? + 1;
    let since = recent.since_words(since(&holds[..end])?)?;
    let (mean, sd) = most.cosine;
    let (name, against) = (class(started, rarer), class(started, other));
    let sentence = format!(
        "{name} and {against} pull against each other (cosine {} ± {sd:.2}) {since} {place}",
        signed(mean, 2)
    );
    let mut detail = format!(
        "{name} has {} training images, {against} {}. Mean ± standard deviation over the last {} probes; the product is \
         resolved from 0 in at least four of five, beyond {MIDDLE_ERRORS} standard errors of a usual pair, and below the {} \
         that {} classes cannot avoid.",
        started.train_counts[rarer],
        started.train_counts[other],
        most.part.pictures.len(),
        signed(unavoidable(recent.started.classes.len()), 2),
        recent.started.classes.len()
    );
    let names: Vec<String> = others
        .iter()
        .map(|x| ordered(started, x.pair))
        .map(|(a, b)| format!("{} × {}", class(started, a), class(started, b)))
        .collect();
    if !names.is_empty() {
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        detail.push_str(&format!(" So do {}.", listed(&names)));
    }
    let step = recent.moments.last()?.probe.step;
    Some(
        Finding::new(Kind::Conflict, most.strength, sentence, detail).at(Evidence {
            scope: Some(most.part.scope.clone()),
            step: Some(step),
            class: Some(rarer),
            pair: Some((rarer, other)),
            ..Evidence::default()
        }),
    )
}

/// A pair of classes, the one with fewer training images first.
fn ordered(started: &Started, (a, b): (usize, usize)) -> (usize, usize) {
    if started.train_counts[a] <= started.train_counts[b] {
        (a, b)
    } else {
        (b, a)
    }
}
