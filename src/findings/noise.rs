//! The rule about classes whose gradient is noise.

use super::finding::{Evidence, Finding, Kind};
use super::recent::{LEAST, Recent, is_clear, shared};
use super::words::{class, listed};
use crate::gradient::gram::Gram;
use crate::run::Scope;

/// Fewest classes with a clear gradient that are needed for a class without one to stand out.
const CONTRAST: usize = 3;
/// A gradient is noise where its pieces agree on less than this share of its squared norm ([`shared`]).
const SHARED: f64 = 0.25;

/// The finding about the classes whose gradient is noise in the last [`LEAST`] probes. At least half of the classes,
/// and at least [`CONTRAST`], must have a clear gradient: where all gradients are noise, no class stands out.
pub(super) fn finding(recent: &Recent<'_>) -> Option<Finding> {
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
