//! The rule about classes that steps unlearn.

use super::finding::{Evidence, Finding, Kind};
use super::recent::{LEAST, Moment, Part, Picture, Recent, factor, since};
use super::subject::tail;
use super::words::{class, in_scope, rounded};
use crate::compare::statistics::mean_sd;
use crate::gradient::gram::Gram;
use crate::run::Scope;

/// A step's effect, as a share of the largest possible, must exceed this many times the noise floor (mean over pairs of
/// max(0, −cosine) that noise alone would produce). For normally distributed noise, this is four standard deviations.
const FLOORS: f64 = 10.0;
/// The least effect of a step, as a share of the largest possible, that counts.
const LEAST_EFFECT: f64 = 0.02;
/// Factor on the number of standard errors: the rule is applied to every class, and among many classes some exceed a
/// bound by chance.
const UNLEARNED_FACTOR: f64 = 4.0 / 3.0;

/// Number of standard errors that what happens to classes in a part of the network must exceed.
fn asked(recent: &Recent<'_>, scope: &Scope, classes: &[usize]) -> f64 {
    UNLEARNED_FACTOR * factor(scope) * recent.standard_errors(classes)
}

/// The effect of a step on the loss of class k, as a share of the largest effect that gradients of these lengths could
/// have; `None` where the loss does not rise or the rise cannot be distinguished from noise. With two pieces the standard
/// error of the class's own share is only an approximation.
pub(super) fn harm(
    recent: &Recent<'_>,
    scope: &Scope,
    moment: &Moment<'_>,
    picture: &Picture,
    k: usize,
) -> Option<f64> {
    let (gram, lr, shares) = (&picture.gram, moment.lr, recent.shares(moment));
    if !picture.clear[k] || recent.fewest_pieces(&[k]) <= 2 {
        return None;
    }
    let effect = gram.net_influence(lr, &shares, k)?;
    let asked = asked(recent, scope, &[k]);
    let lengths = (0..gram.classes()).map(|j| shares[j] * gram.norm(j).unwrap_or(0.0));
    let largest = lr * gram.norm(k)? * lengths.sum::<f64>();
    let share = effect.nats / largest;
    let holds = effect.nats > asked * effect.standard_error?
        && share > FLOORS * picture.floor
        && share > LEAST_EFFECT;
    holds.then_some(share)
}

/// Whether the probe measures what a step does to a class. The steps of Adam, and those on losses other than
/// cross-entropy, are not sums of the probe's class gradients; two pieces are too few for any class ([`harm`]). Without an
/// image of some class its part of a step is unknown.
pub(super) fn is_measured(recent: &Recent<'_>) -> bool {
    recent.run.departs_from_class_gradients().is_none()
        && recent.run.not_probed().is_none()
        && recent.started.probe.pieces > 2
}

/// The findings about classes that steps unlearn in each of the last [`LEAST`] probes: in the backbone, or where steps
/// do not unlearn the class there, in the part of the network with the largest effect.
pub(super) fn findings(recent: &Recent<'_>, parts: &[Part]) -> Vec<Finding> {
    if !is_measured(recent) {
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
    let worst = culprit(recent, &part.scope, now, gram, k);
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

/// As [`most_harmful`], with the bound that the pieces of both classes ask for.
pub(super) fn culprit(
    recent: &Recent<'_>,
    scope: &Scope,
    moment: &Moment<'_>,
    gram: &Gram,
    k: usize,
) -> Option<(usize, f64, f64)> {
    let bound = asked(recent, scope, &[k]);
    let found = most_harmful(gram, moment.lr, &recent.shares(moment), k, bound);
    found.filter(|&(j, nats, error)| nats > asked(recent, scope, &[k, j]) * error)
}

/// The class whose share of a step raises class k's loss most, with the rise and its standard error in nats; `None`
/// where the rise is not `asked` standard errors above 0. The largest of many shares is picked, so as many standard
/// errors are required as for the sum of all shares.
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
