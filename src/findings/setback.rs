//! The rule about classes that steps unlearned during a span of training that may be over.

use super::finding::{Evidence, Finding, Kind};
use super::recent::{LEAST, Picture, Recent};
use super::subject::tail;
use super::unlearned::{culprit, harm, is_measured};
use super::words::{class, epoch, in_scope, listed, rounded, unit};
use crate::compare::statistics::mean_sd;
use crate::run::Scope;

/// A class and the probes from `first` to `last`, at which its loss rose.
struct Span {
    class: usize,
    first: usize,
    last: usize,
    /// Indices of the probes at which the rise holds.
    hits: Vec<usize>,
    /// Index of the probe with the largest rise, as a share of the largest possible.
    worst: usize,
    /// Mean of these shares over the hits.
    share: f64,
}

/// The finding about the class whose loss the common step Σ π_j g_j raised over a span of probes in the backbone, and
/// about other such classes: ⟨g_k, Σ π_j g_j⟩ is resolved and negative there, by the same bounds as in the last probes
/// ([`super::unlearned`]). Classes that are being unlearned now, `unlearned`, are left out: their finding says since
/// when.
pub(super) fn finding(recent: &Recent<'_>, unlearned: &[Finding]) -> Option<Finding> {
    if !is_measured(recent) || recent.moments.len() < LEAST {
        return None;
    }
    let pictures = recent.pictures(&Scope::Backbone);
    let is_known = |k: usize| unlearned.iter().any(|x| x.evidence.class == Some(k));
    let classes = (0..recent.started.classes.len()).filter(|&k| !is_known(k));
    let mut spans: Vec<Span> = classes.filter_map(|k| span(recent, &pictures, k)).collect();
    let rare = tail(recent.started);
    let strength =
        |span: &Span| 0.5 * f64::from(u8::from(rare.contains(&span.class))) + 0.5 * span.share;
    spans.sort_by(|a, b| strength(b).total_cmp(&strength(a)));
    let (span, others) = spans.split_first()?;
    let names: Vec<&str> = others
        .iter()
        .map(|x| class(recent.started, x.class))
        .collect();
    let (sentence, detail) = words(recent, &pictures, span, &names)?;
    let (moment, picture) = (
        recent.moments.get(span.worst)?,
        pictures[span.worst].as_ref()?,
    );
    let by = culprit(recent, &Scope::Backbone, moment, &picture.gram, span.class);
    Some(
        Finding::new(Kind::Setback, strength(span), sentence, detail).at(Evidence {
            scope: Some(Scope::Backbone),
            step: Some(moment.probe.step),
            class: Some(span.class),
            pair: by.map(|(j, ..)| (span.class, j)),
            ..Evidence::default()
        }),
    )
}

fn span(recent: &Recent<'_>, pictures: &[Option<Picture>], k: usize) -> Option<Span> {
    let moments = recent.moments.iter().zip(pictures);
    let harms: Vec<Option<f64>> = moments
        .map(|(moment, picture)| harm(recent, &Scope::Backbone, moment, picture.as_ref()?, k))
        .collect();
    let holds: Vec<bool> = harms.iter().map(Option::is_some).collect();
    let (first, last) = longest(&holds)?;
    let hits: Vec<usize> = (first..=last).filter(|&at| holds[at]).collect();
    let shares: Vec<f64> = hits.iter().filter_map(|&at| harms[at]).collect();
    let worst = *hits.iter().max_by(|a, b| {
        let share = |at: usize| harms[at].unwrap_or(0.0);
        share(**a).total_cmp(&share(**b))
    })?;
    Some(Span {
        class: k,
        first,
        last,
        worst,
        share: mean_sd(&shares)?.0,
        hits,
    })
}

/// The first and the last index of the span in which a fact holds most often, the newest of equals. It holds at both
/// ends, at [`LEAST`] indices or more, and at four or more times as many as it does not. `None` without such a span.
pub(super) fn longest(holds: &[bool]) -> Option<(usize, usize)> {
    let mut best = None;
    let mut most = LEAST;
    let at = |index: usize| holds.get(index).copied().unwrap_or(false);
    for first in (0..holds.len()).filter(|&x| at(x)) {
        let mut hits = 0;
        for last in first..holds.len() {
            hits += usize::from(at(last));
            let misses = last + 1 - first - hits;
            if at(last) && hits >= most && hits >= 4 * misses {
                (best, most) = (Some((first, last)), hits);
            }
        }
    }
    best
}

/// Sentence and detail.
fn words(
    recent: &Recent<'_>,
    pictures: &[Option<Picture>],
    span: &Span,
    others: &[&str],
) -> Option<(String, String)> {
    let effect = |at: usize| {
        let (moment, picture) = (recent.moments.get(at)?, pictures.get(at)?.as_ref()?);
        let shares = recent.shares(moment);
        picture.gram.net_influence(moment.lr, &shares, span.class)
    };
    let mean = |values: &[f64]| mean_sd(values).map(|(mean, _)| mean);
    let effects: Vec<_> = span.hits.iter().filter_map(|&at| effect(at)).collect();
    let nats = mean(&effects.iter().map(|x| x.nats).collect::<Vec<_>>())?;
    // The probes share their images, so their errors do not average out.
    let errors: Vec<f64> = effects.iter().filter_map(|x| x.standard_error).collect();
    let error = mean(&errors)?;
    let at_epoch = |at: usize| Some(epoch(recent.moments.get(at)?.probe.epoch));
    let unit = unit(recent.run);
    let (hits, probes) = (span.hits.len(), span.last + 1 - span.first);
    let of = if hits == probes {
        String::new()
    } else {
        format!("{hits} of ")
    };
    let span_words = if recent.is_first(span.first) {
        format!(
            "{of}the first {probes} probes, up to {unit} {},",
            at_epoch(span.last)?
        )
    } else {
        let (from, to) = (at_epoch(span.first)?, at_epoch(span.last)?);
        format!("{of}{probes} successive probes, from {unit} {from} to {to},")
    };
    let name = class(recent.started, span.class);
    let sentence = format!(
        "At {span_words} the common step raised {name}'s loss {} (by {} ± {} nats a step)",
        in_scope(&Scope::Backbone),
        rounded(nats, error),
        rounded(error, error)
    );
    let newest = recent.moments.len() - 1;
    let now = match effect(newest) {
        Some(now) if now.resolved() => {
            let verb = if now.nats < 0.0 { "lowers" } else { "raises" };
            format!("{verb} it")
        }
        _ => "neither raises nor lowers it beyond noise".to_owned(),
    };
    let mut detail = format!(
        "The product of {name}'s gradient with that of the whole step, in which every class has its share, was negative \
         and resolved there; the mean rise and its mean standard error are first order. At the newest probe, {unit} {}, \
         the step {now}.",
        at_epoch(newest)?
    );
    if !others.is_empty() {
        detail.push_str(&format!(" The same happened to {}.", listed(others)));
    }
    Some((sentence, detail))
}
