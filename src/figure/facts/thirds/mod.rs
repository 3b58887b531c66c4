//! Conflict within and between the frequent and the rare third of the classes, by part of the network and moment: from
//! the log, or from the tensors of a probe that are in memory where the log lacks it.

use std::borrow::Cow;
use std::sync::Arc;

use egui::Context;

use crate::figure::facts::network;
use crate::figure::facts::probes::{Made, of_steps};
use crate::figure::look::subject::Subject;
use crate::gradient::gram::{ConflictSummary, ThirdsConflict};
use crate::run::event::Probe;
use crate::run::{Run, Scope, Thirds};

pub(in crate::figure) mod strongest;

/// The words for classes that have no frequent and no rare third.
pub(in crate::figure) const NO_THIRDS: &str =
    "undefined: the classes are equally frequent, or fewer than three have training images";
/// The sentence in place of a figure of frequent and rare classes where there are none.
pub(in crate::figure) const NONE_RARE: &str = "All classes are equally frequent, or fewer than three have training images: none is rare beside others.";
/// The words for a log without conflict between thirds, where the tensors of the probe are not in memory.
pub(in crate::figure) const NOT_IN_LOG: &str =
    "not in this log, which an older version wrote; known where the probe is read whole";

/// Conflict between the thirds in all parts of the network at one probe, from its tensors.
struct Parts {
    /// By Gram row.
    layers: Vec<Option<ThirdsConflict>>,
    backbone: Option<ThirdsConflict>,
}

/// Whether some classes are frequent and others rare.
pub(in crate::figure) fn has_thirds(run: &Run) -> bool {
    let Thirds { head, tail, .. } = run.thirds();
    !head.is_empty() && !tail.is_empty()
}

/// Why a part of the network has no conflict between thirds; `None` where it has.
pub(in crate::figure) fn missing(run: &Run, summary: &ConflictSummary) -> Option<&'static str> {
    match summary.thirds {
        Some(_) => None,
        None if has_thirds(run) => Some(NOT_IN_LOG),
        None => Some(NO_THIRDS),
    }
}

/// The summary of the layer with Gram row `row` at a probe, or of the backbone where `row` is `None`. Where the log
/// lacks the conflict between thirds, it is added from the tensors of the probe, if these are in memory.
pub(in crate::figure) fn completed<'a>(
    ctx: &Context,
    subject: Subject<'_>,
    probe: &'a Probe,
    row: Option<usize>,
) -> Option<Cow<'a, ConflictSummary>> {
    let logged = network::summary_of(probe, row)?;
    if logged.thirds.is_some() || subject.probes.get(&probe.step).is_none() {
        return Some(Cow::Borrowed(logged));
    }
    let made = from_tensors(ctx, subject);
    let parts = made.by_step.get(&probe.step);
    let thirds = parts.and_then(|parts| match row {
        Some(row) => *parts.layers.get(row)?,
        None => parts.backbone,
    });
    Some(match thirds {
        None => Cow::Borrowed(logged),
        Some(thirds) => Cow::Owned(ConflictSummary {
            thirds: Some(Box::new(thirds)),
            ..logged.clone()
        }),
    })
}

/// Conflict between the thirds in a part of the network at a probe. Of blocks and the whole network the log has none,
/// so that the tensors of the probe must be in memory.
pub(in crate::figure) fn of_part(
    ctx: &Context,
    subject: Subject<'_>,
    probe: &Probe,
    scope: &Scope,
) -> Option<ThirdsConflict> {
    match (scope, &subject.run.gram_rows(scope)[..]) {
        (Scope::Backbone, _) => completed(ctx, subject, probe, None)?
            .thirds
            .as_deref()
            .copied(),
        (_, [row]) => completed(ctx, subject, probe, Some(*row))?
            .thirds
            .as_deref()
            .copied(),
        (_, _) => *of_block(ctx, subject, scope)
            .by_step
            .get(&probe.step)?
            .as_ref(),
    }
}

/// A key of the tensors that conflicts between thirds are computed from, for pictures of many moments; empty where the
/// log has them all.
pub(in crate::figure) fn key(ctx: &Context, subject: Subject<'_>, scope: &Scope) -> String {
    let is_single = *scope == Scope::Backbone || subject.run.gram_rows(scope).len() == 1;
    match (is_single, without(subject).is_empty()) {
        (false, _) => of_block(ctx, subject, scope).key(),
        (true, false) => from_tensors(ctx, subject).key(),
        (true, true) => String::new(),
    }
}

/// Steps of the probes whose tensors are in memory and whose conflict between thirds the log lacks.
fn without(subject: Subject<'_>) -> Vec<u64> {
    if !has_thirds(subject.run) {
        return Vec::new();
    }
    let probes = subject.run.probes.iter();
    let lacking = probes.filter(|probe| probe.backbone.thirds.is_none());
    let steps = lacking.map(|probe| probe.step);
    steps
        .filter(|step| subject.probes.get(step).is_some())
        .collect()
}

fn from_tensors(ctx: &Context, subject: Subject<'_>) -> Arc<Made<Parts>> {
    let Thirds { head, tail, .. } = subject.run.thirds();
    let backbone = subject.run.gram_rows(&Scope::Backbone);
    let name = ("thirds from tensors", subject.identity());
    of_steps(ctx, name, subject.run, without(subject), (), |step| {
        let tensors = subject.probes.get(&step)?;
        let of = |rows: &[usize]| tensors.gram_of(rows)?.thirds(&head, &tail);
        Some(Parts {
            layers: (0..tensors.layers()).map(|row| of(&[row])).collect(),
            backbone: of(&backbone),
        })
    })
}

fn of_block(
    ctx: &Context,
    subject: Subject<'_>,
    scope: &Scope,
) -> Arc<Made<Option<ThirdsConflict>>> {
    let Thirds { head, tail, .. } = subject.run.thirds();
    let rows = subject.run.gram_rows(scope);
    let steps = subject.run.probes.iter().map(|probe| probe.step);
    let steps = steps.filter(|step| subject.probes.get(step).is_some());
    let name = ("thirds of a block", subject.identity());
    of_steps(ctx, name, subject.run, steps.collect(), scope, |step| {
        let gram = subject.probes.get(&step)?.gram_of(&rows)?;
        Some(gram.thirds(&head, &tail))
    })
}

#[cfg(test)]
mod tests;
