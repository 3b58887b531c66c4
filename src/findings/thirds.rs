//! The rule about frequent against rare classes: where the two thirds conflict with each other more than all other pairs
//! of classes do.

use super::finding::{Evidence, Finding, Kind};
use super::recent::{Moment, Part, Recent, since};
use super::words::{class, in_scope, listed};
use crate::compare::statistics::mean_sd;
use crate::gradient::gram::{ConflictSummary, Gram, PairsConflict};
use crate::run::{Scope, Thirds};
use crate::text::signed;

/// The interference between the thirds, and its distance from that of all other pairs, must exceed this many times the
/// noise floor.
const FLOORS: f64 = 3.0;
/// The interference between the thirds must be this many times that of all other pairs.
const TIMES: f64 = 1.5;
/// Least number of pairs of a frequent and a rare class in resolved conflict, and least share of these pairs: a single
/// pair that pulls apart is a finding of its own.
const LEAST_PAIRS: f64 = 2.0;
const LEAST_SHARE: f64 = 0.5;

/// Conflict between the thirds in a part of the network at one probe, where it stands out.
#[derive(Clone, Copy)]
struct Standing {
    between: PairsConflict,
    /// Interference over all other pairs.
    rest: f64,
    floor: f64,
}

impl Standing {
    /// `None` where the conflict between the thirds does not stand above noise and above that of all other pairs.
    fn of(gram: &Gram, all: &ConflictSummary, thirds: &Thirds) -> Option<Self> {
        let between = gram.thirds(&thirds.head, &thirds.tail)?.head_tail;
        let interference = between.interference?;
        let others = all.pairs.checked_sub(between.pairs).filter(|n| *n > 0)?;
        let sum = all.interference? * all.pairs as f64 - interference * between.pairs as f64;
        let rest = (sum / others as f64).max(0.0);
        let floor = between.floor?.max(all.floor?);
        let needed = (LEAST_SHARE * between.pairs as f64).max(LEAST_PAIRS);
        let holds = interference > FLOORS * floor
            && interference - rest > FLOORS * floor
            && interference > TIMES * rest
            && between.conflicting as f64 >= needed;
        holds.then_some(Self {
            between,
            rest,
            floor,
        })
    }
}

/// A part of the network in which the conflict between the thirds stands out at all of the newest probes.
struct Place<'a> {
    part: &'a Part,
    /// Mean and standard deviation of the interference over the newest probes: between the thirds, and over all other
    /// pairs.
    between: (f64, f64),
    rest: (f64, f64),
    floor: f64,
    newest: Standing,
}

impl<'a> Place<'a> {
    fn of(part: &'a Part, thirds: &Thirds) -> Option<Self> {
        let pictures = part.pictures.iter();
        let all: Option<Vec<_>> = pictures
            .map(|picture| Standing::of(&picture.gram, &picture.all, thirds))
            .collect();
        let all = all?;
        let over = |of: fn(&Standing) -> f64| mean_sd(&all.iter().map(of).collect::<Vec<_>>());
        Some(Self {
            part,
            between: over(|x| x.between.interference.unwrap_or(0.0))?,
            rest: over(|x| x.rest)?,
            floor: over(|x| x.floor)?.0,
            newest: *all.last()?,
        })
    }

    fn excess(&self) -> f64 {
        self.between.0 - self.rest.0
    }
}

/// The finding about the layer in which the conflict of frequent and rare classes stands out most; about a block or the
/// backbone where it stands out in no layer.
pub(super) fn finding(recent: &Recent<'_>, parts: &[Part]) -> Option<Finding> {
    let thirds = recent.started.thirds();
    let places = parts.iter().filter_map(|part| Place::of(part, &thirds));
    let (layers, others): (Vec<_>, Vec<_>) =
        places.partition(|place| matches!(place.part.scope, Scope::Layer(_)));
    let in_layers = layers.len();
    let is_layer = |part: &&Part| matches!(part.scope, Scope::Layer(_));
    let all_layers = parts.iter().filter(is_layer).count();
    let places = if layers.is_empty() { others } else { layers };
    let most = places.into_iter();
    let place = most.max_by(|a, b| a.excess().total_cmp(&b.excess()))?;
    said(recent, &thirds, &place, (in_layers, all_layers))
}

fn said(
    recent: &Recent<'_>,
    thirds: &Thirds,
    place: &Place<'_>,
    (in_layers, all_layers): (usize, usize),
) -> Option<Finding> {
    let started = recent.started;
    let holds = |moment: &Moment<'_>| {
        let gram = moment.tensors.gram_of(&place.part.rows);
        let gram = gram.map(|gram| (gram.summary(&recent.shares(moment)), gram));
        gram.is_some_and(|(all, gram)| Standing::of(&gram, &all, thirds).is_some())
    };
    let holds: Vec<_> = recent.moments.iter().map(holds).collect();
    let since = recent.since_words(since(&holds)?)?;
    let ((between, sd), (rest, rest_sd)) = (place.between, place.rest);
    let sentence = format!(
        "Frequent and rare classes conflict with each other {} {since}: interference {between:.2} ± {sd:.2}, among all \
         other pairs {rest:.2} ± {rest_sd:.2}, noise floor {:.3}",
        in_scope(&place.part.scope),
        place.floor
    );
    let gram = &place.part.pictures.last()?.gram;
    let pairs = thirds.tail.iter().flat_map(|&rare| {
        let frequent = thirds.head.iter();
        frequent.map(move |&frequent| (rare, frequent))
    });
    let cosines = pairs.filter_map(|(a, b)| Some(((a, b), gram.cosine(a, b)?)));
    let ((rare, frequent), cosine) = cosines.min_by(|x, y| x.1.total_cmp(&y.1))?;
    let names = |classes: &[usize]| {
        let names: Vec<_> = classes.iter().map(|&k| class(started, k)).collect();
        listed(&names)
    };
    let pairs = place.newest.between;
    let mut detail = format!(
        "Frequent are {}, rare {}. Mean over class pairs of max(0, −cosine); mean ± standard deviation over the last {} \
         probes. At the newest, {} of their {} pairs are in resolved conflict, most {} × {} (cosine {}).",
        names(&thirds.head),
        names(&thirds.tail),
        place.part.pictures.len(),
        pairs.conflicting,
        pairs.pairs,
        class(started, rare),
        class(started, frequent),
        signed(cosine, 2)
    );
    if in_layers > 0 {
        detail.push_str(&format!(
            " The same holds in {in_layers} of {all_layers} layers; here it is clearest."
        ));
    }
    let step = recent.moments.last()?.probe.step;
    Some(
        Finding::new(Kind::Thirds, place.excess(), sentence, detail).at(Evidence {
            scope: Some(place.part.scope.clone()),
            step: Some(step),
            class: Some(rare),
            pair: Some((rare, frequent)),
            ..Evidence::default()
        }),
    )
}
