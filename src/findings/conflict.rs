//! Rules about class gradients: a class that is being unlearned, the pair that pulls apart, gradients that are noise.

use crate::gradient::gram::Gram;
use crate::run::Scope;

use super::recent::{LEAST, Moment, Part, Picture, Recent, WINDOW, is_clear, shared, since};
use super::{Evidence, Finding, Kind, class, in_scope, listed, rounded, signed, tail};
use crate::compare::statistics::mean_sd;

/// A step's effect must exceed this many times what noise alone makes of two classes (mean of max(0, −cosine)): for
/// normal noise, four standard deviations.
const FLOORS: f64 = 10.0;
/// A pair's cosine must exceed this many times the middle standard error of all pairs, whatever its own is: of many
/// pairs, some have a standard error that is too small by chance.
const MIDDLE_ERRORS: f64 = 4.0;
/// Only where so many classes have a clear gradient does one without stand out.
const CONTRAST: usize = 3;
/// A gradient is noise where its pieces share less than this of its squared norm.
const SHARED: f64 = 0.25;
/// A step against a class counts from this share of the largest possible effect on.
const LEAST_EFFECT: f64 = 0.02;
/// In blocks and layers, of which there are many, so many times as many standard errors are asked for.
const PART_FACTOR: f64 = 2.0;
/// Unlearning is asked of every class: so many times as many standard errors.
const UNLEARNED_FACTOR: f64 = 4.0 / 3.0;

pub(super) fn findings(recent: &Recent<'_>) -> Vec<Finding> {
    let parts = recent.parts();
    let mut found = unlearned(recent, &parts);
    found.extend(conflict(recent, &parts));
    found.extend(noise(recent));
    found
}

/// Standard errors asked for in a part of the network.
fn factor(scope: &Scope) -> f64 {
    if *scope == Scope::Backbone {
        1.0
    } else {
        PART_FACTOR
    }
}

// --- unlearning ---

/// A step's effect on a class as a share of the largest that gradients of these lengths could have, where it is told
/// apart from noise and harmful.
fn harm(
    recent: &Recent<'_>,
    scope: &Scope,
    moment: &Moment<'_>,
    picture: &Picture,
    k: usize,
) -> Option<f64> {
    let (gram, lr, shares) = (&picture.gram, moment.lr, recent.shares(moment));
    if !picture.clear[k] {
        return None;
    }
    let effect = gram.net_influence(lr, &shares, k)?;
    let asked = UNLEARNED_FACTOR * factor(scope) * recent.standard_errors();
    let lengths = (0..gram.classes()).map(|j| shares[j] * gram.norm(j).unwrap_or(0.0));
    let largest = lr * gram.norm(k)? * lengths.sum::<f64>();
    let share = effect.nats / largest;
    let holds = effect.nats > asked * effect.standard_error?
        && share > FLOORS * picture.floor
        && share > LEAST_EFFECT;
    holds.then_some(share)
}

/// The classes that steps unlearn in the last [`LEAST`] probes in a row, each in the part where it is worst; the
/// backbone goes first.
fn unlearned(recent: &Recent<'_>, parts: &[Part]) -> Vec<Finding> {
    if !recent.run.minimises_cross_entropy() || recent.started.probe.pieces < 3 {
        // The gradients of other losses are no sums of the probe's. Two pieces give no standard error of a class's own share.
        return Vec::new();
    }
    let rare = tail(recent.started);
    let newest = recent.newest(LEAST);
    let share = |part: &Part, k: usize| -> Option<f64> {
        let pictures = &part.pictures[part.pictures.len().saturating_sub(LEAST)..];
        let harms = pictures.iter().zip(newest);
        let harms: Option<Vec<_>> = harms
            .map(|(picture, moment)| harm(recent, &part.scope, moment, picture, k))
            .collect();
        Some(mean_sd(&harms?)?.0)
    };
    let found = (0..recent.started.classes.len()).filter_map(|k| {
        let shares = || parts.iter().map(|part| (part, share(part, k)));
        let whole = shares().find(|(part, share)| part.scope == Scope::Backbone && share.is_some());
        let worst = || shares().max_by(|a, b| a.1.unwrap_or(0.0).total_cmp(&b.1.unwrap_or(0.0)));
        let (part, share) = whole.or_else(worst)?;
        unlearned_finding(recent, part, k, share?, rare.contains(&k))
    });
    found.collect()
}

fn unlearned_finding(
    recent: &Recent<'_>,
    part: &Part,
    k: usize,
    share: f64,
    is_rare: bool,
) -> Option<Finding> {
    let started = recent.started;
    let now = recent.moments.last()?;
    let gram = &part.pictures.last()?.gram;
    let shares = recent.shares(now);
    let effect = gram.net_influence(now.lr, &shares, k)?;
    let error = effect.standard_error?;
    let holds: Vec<_> = recent
        .moments
        .iter()
        .map(|moment| is_unlearned(recent, part, moment, k))
        .collect();
    let since = recent.since_words(since(&holds)?)?;
    let name = class(started, k);
    let asked = UNLEARNED_FACTOR * factor(&part.scope) * recent.standard_errors();
    let worst = most_harmful(gram, now.lr, &shares, k, asked);
    let (by, alone) = match worst {
        Some((j, nats, error)) => (
            format!(", most by {},", class(started, j)),
            format!(
                " {} alone adds {} ± {} nats.",
                class(started, j),
                rounded(nats, error),
                rounded(error, error)
            ),
        ),
        None => (
            String::new(),
            " No other class's share alone is told apart from 0.".to_owned(),
        ),
    };
    let sentence = format!(
        "{name} is being unlearned{by} {since} {} (a step adds {} ± {} nats to its loss)",
        in_scope(&part.scope),
        rounded(effect.nats, error),
        rounded(error, error)
    );
    let detail = format!(
        "The shares of all classes in one plain gradient step add up to a rise of {name}'s loss, resolved from 0 in the \
         last {LEAST} probes in a row; ± is one standard error.{alone} First order, at step {}.",
        now.probe.step
    );
    let strength = 0.5 * f64::from(u8::from(is_rare)) + 0.5 * share;
    Some(
        Finding::new(Kind::Unlearned, strength, sentence, detail).at(Evidence {
            scope: Some(part.scope.clone()),
            step: Some(now.probe.step),
            class: Some(k),
            pair: worst.map(|(j, ..)| (k, j)),
            ..Evidence::default()
        }),
    )
}

/// The class whose share of a step raises class k's loss most, in nats with the standard error; none where that is not
/// `asked` standard errors above 0. Of many shares the largest is picked, so as many are asked for as of the sum.
pub(super) fn most_harmful(
    gram: &Gram,
    lr: f64,
    shares: &[f64],
    k: usize,
    asked: f64,
) -> Option<(usize, f64, f64)> {
    let ledger = gram.ledger(k)?;
    let others = (0..gram.classes()).filter(|&j| j != k);
    let effects = others.filter_map(|j| Some((j, ledger.share(lr, shares, j)?)));
    let (j, effect) = effects.max_by(|(_, a), (_, b)| a.nats.total_cmp(&b.nats))?;
    let error = effect.standard_error?;
    (effect.nats > asked * error).then_some((j, effect.nats, error))
}

fn is_unlearned(recent: &Recent<'_>, part: &Part, moment: &Moment<'_>, k: usize) -> bool {
    let gram = moment.tensors.gram_of(&part.rows);
    let effect = gram.and_then(|gram| gram.net_influence(moment.lr, &recent.shares(moment), k));
    effect.is_some_and(|effect| effect.nats > 0.0 && effect.resolved())
}

// --- the pair that pulls apart ---

/// A pair at the newest probes, in one part of the network.
struct Pulling<'a> {
    part: &'a Part,
    pair: (usize, usize),
    /// Mean and standard deviation of its cosine over those probes.
    cosine: (f64, f64),
    strength: f64,
}

/// The cosine that K classes have on average where their gradients cancel: less than that is nothing to speak of.
fn unavoidable(classes: usize) -> f64 {
    -1.0 / (classes.max(2) - 1) as f64
}

/// Whether classes a and b pull against each other: told apart from 0 and from noise, and more than is unavoidable.
fn pulls(recent: &Recent<'_>, scope: &Scope, picture: &Picture, a: usize, b: usize) -> bool {
    let gram = &picture.gram;
    let Some(cosine) = gram.cosine(a, b) else {
        return false;
    };
    cosine < unavoidable(gram.classes()).min(-0.1)
        && cosine < -MIDDLE_ERRORS * picture.middle_error
        && picture.clear[a]
        && picture.clear[b]
        && is_resolved(gram, a, b, factor(scope) * recent.standard_errors())
}

fn is_resolved(gram: &Gram, a: usize, b: usize, asked: f64) -> bool {
    let resolved = || Some(gram.dot(a, b)?.abs() > asked * gram.standard_error(a, b)?);
    resolved().unwrap_or(false)
}

/// The pair that conflicts most in at least four of the last five probes (all, where there are fewer).
fn conflict(recent: &Recent<'_>, parts: &[Part]) -> Option<Finding> {
    let rare = tail(recent.started);
    let classes = recent.started.classes.len();
    let mut all: Vec<Pulling<'_>> = Vec::new();
    for part in parts {
        for a in 0..classes {
            for b in 0..a {
                let known = all.iter().any(|x| x.pair == (a, b));
                // What the backbone shows needs no finding in each of its layers.
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

/// Mean and standard deviation of a pair's cosine, where it pulls apart in enough of the newest probes.
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
    // In which layer the pair of the backbone shows most.
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
                && is_resolved(&gram, 0, 1, recent.standard_errors())
        })
    };
    let holds: Vec<_> = recent.moments.iter().map(holds).collect();
    // The newest may be the one of five that does not hold.
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

/// The rarer class first.
fn ordered(started: &crate::run::event::Started, (a, b): (usize, usize)) -> (usize, usize) {
    if started.train_counts[a] <= started.train_counts[b] {
        (a, b)
    } else {
        (b, a)
    }
}

// --- gradients that are noise ---

/// Classes whose gradient is noise in the last [`LEAST`] probes, where that of at least half of the classes, and of [`CONTRAST`], is not:
/// where all is noise, no class stands out.
fn noise(recent: &Recent<'_>) -> Option<Finding> {
    let started = recent.started;
    let rows = recent.run.gram_rows(&Scope::Backbone);
    let newest = recent.newest(LEAST);
    let grams: Option<Vec<_>> = newest.iter().map(|x| x.tensors.gram_of(&rows)).collect();
    let grams = grams.filter(|grams| grams.len() == LEAST)?;
    let images = |k: usize| started.probe.counts.get(k).map_or(0, |n| n.iter().sum());
    let probed: Vec<_> = (0..recent.started.classes.len())
        .filter(|&k| images(k) > 0)
        .collect();
    let noisy = |k: usize| {
        let is_noise = |gram: &Gram| shared(gram, k).is_some_and(|shared| shared < SHARED);
        grams
            .iter()
            .all(|gram| !is_clear(gram, k) && is_noise(gram))
    };
    let clear = |k: usize| grams.iter().all(|gram| is_clear(gram, k));
    let mut names: Vec<_> = probed.iter().copied().filter(|&k| noisy(k)).collect();
    let count = probed.iter().filter(|&&k| clear(k)).count();
    let is_contrast = count >= CONTRAST && 2 * count >= probed.len();
    names.sort_by_key(|&k| (images(k), started.train_counts[k]));
    let first = *names.first().filter(|_| is_contrast)?;
    let texts: Vec<_> = names.iter().map(|&k| class(started, k)).collect();
    let (number, verb): (String, _) = if names.len() == 1 {
        (format!("{} probe images", images(first)), "gradient is")
    } else {
        let (least, most) = (images(first), names.iter().map(|&k| images(k)).max()?);
        let number = if least == most {
            format!("{least} probe images each")
        } else {
            format!("{least} to {most} probe images")
        };
        (number, "gradients are")
    };
    let sentence = format!("{}'s {verb} noise: {number} do not agree", listed(&texts));
    let detail = format!(
        "In the last {LEAST} probes, gradients of different images of the class do not share a direction beyond 2 \
         standard errors. Cosines and influences of {} say little; more probe images would help.",
        listed(&texts)
    );
    let strength = names.len() as f64 / probed.len().max(1) as f64;
    Some(
        Finding::new(Kind::Noise, strength, sentence, detail).at(Evidence {
            scope: Some(Scope::Backbone),
            step: newest.last().map(|x| x.probe.step),
            class: Some(first),
            ..Evidence::default()
        }),
    )
}
