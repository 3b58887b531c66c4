//! Conflict within and between the frequent and the rare third of the classes, by part of the network and moment, from
//! the log.

use crate::figure::facts::network;
use crate::figure::facts::unread::NO_SUMMARIES;
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
/// The words for a log without conflict between thirds.
pub(in crate::figure) const NOT_IN_LOG: &str = "not in this log, which an older version wrote";

/// The sentence in place of a figure of a log without conflict between thirds.
const NONE_IN_LOG: &str =
    "The conflict of frequent and rare classes is not in this log, which an older version wrote.";

/// Whether some classes are frequent and others rare.
pub(in crate::figure) fn has_thirds(run: &Run) -> bool {
    let Thirds { head, tail, .. } = run.thirds();
    !head.is_empty() && !tail.is_empty()
}

/// Why a run has no conflict of rare and frequent classes at any moment; `None` where it has, or is not known yet.
pub(in crate::figure) fn lacks(subject: Subject<'_>) -> Option<&'static str> {
    let is_known = subject.run.started.is_some();
    (is_known && !has_thirds(subject.run)).then_some(NONE_RARE)
}

/// As [`lacks`], for figures that are made from the log alone.
pub(in crate::figure) fn lacks_in_log(subject: Subject<'_>) -> Option<&'static str> {
    let probes = &subject.run.probes;
    let is_logged = |probe: &Probe| probe.backbone.thirds.is_some();
    let lacks_all = || !probes.is_empty() && !probes.iter().any(is_logged);
    let reason = match network::lacks_summaries(subject) {
        true => NO_SUMMARIES,
        false => NONE_IN_LOG,
    };
    lacks(subject).or_else(|| lacks_all().then_some(reason))
}

/// Why a part of the network has no conflict between thirds; `None` where it has.
pub(in crate::figure) fn missing(run: &Run, summary: &ConflictSummary) -> Option<&'static str> {
    match summary.thirds {
        Some(_) => None,
        None if has_thirds(run) => Some(NOT_IN_LOG),
        None => Some(NO_THIRDS),
    }
}

/// Conflict between the thirds in a part of the network at a probe: of the backbone or a single layer. `None` for other
/// parts, of which the log has none, and where the log lacks it.
pub(in crate::figure) fn of_part<'a>(
    run: &Run,
    probe: &'a Probe,
    scope: &Scope,
) -> Option<&'a ThirdsConflict> {
    let row = match (scope, &run.gram_rows(scope)[..]) {
        (Scope::Backbone, _) => None,
        (_, [row]) => Some(*row),
        (_, _) => return None,
    };
    network::summary_of(probe, row)?.thirds.as_deref()
}

#[cfg(test)]
mod tests;
