//! The runs on screen as groups that differ in nothing but the seed, and their comparison.

use std::sync::Arc;

use crate::compare::contrast::{CompareError, Compared};
use crate::compare::{Comparison, Grouped, Member};
use crate::figure::kit::memo::remembered;
use crate::figure::look::subject::Subject;
use crate::run::Ending;

/// The runs shown, as members of a comparison.
pub(in crate::figure) fn members<'a>(shown: &[Subject<'a>]) -> Vec<Member<'a>> {
    let member = |subject: &Subject<'a>| Member {
        name: subject.name,
        run: subject.run,
    };
    shown.iter().map(member).collect()
}

/// Compares the groups of the runs shown with the group of the first run, or with the default baseline where the first
/// run is not finished.
///
/// # Errors
/// Where there is nothing to compare.
pub fn compared(shown: &[Subject<'_>]) -> Result<Comparison, CompareError> {
    let members = members(shown);
    let first = shown.first().map(|first| first.name);
    match Comparison::of(&members, first) {
        Err(CompareError::UnknownBaseline { .. }) => Comparison::of(&members, None),
        found => found,
    }
}

/// As [`compared`], found once and kept until a run changes.
pub fn compared_once(
    ctx: &egui::Context,
    shown: &[Subject<'_>],
) -> Arc<Result<Comparison, CompareError>> {
    let key = comparison_key(shown);
    remembered(ctx, ("comparison", 0), key, || Arc::new(compared(shown)))
}

/// Which of these runs take part in their comparison, or in the curves of their one group.
pub fn compared_runs(ctx: &egui::Context, shown: &[Subject<'_>]) -> Vec<bool> {
    let found = compared_once(ctx, shown);
    let is_finished = |x: &Subject<'_>| matches!(x.run.ending, Some(Ending::Finished(_)));
    let takes_part = |subject: &Subject<'_>| match &*found {
        Ok(comparison) => comparison.group_of(subject.name).is_some(),
        Err(_) => is_finished(subject),
    };
    shown.iter().map(takes_part).collect()
}

/// A key that changes whenever the comparison of these runs changes.
pub(in crate::figure) fn comparison_key(
    shown: &[Subject<'_>],
) -> impl std::hash::Hash + std::fmt::Debug {
    let of = |subject: &Subject<'_>| {
        let run = subject.run;
        // A run that still trains takes no part in the comparison, so its changes do not count.
        let revisions = run
            .ending
            .is_some()
            .then_some((run.revisions.evals, run.revisions.probes));
        let id = run.started.as_ref().map(|started| started.id.clone());
        (subject.name.to_owned(), id, revisions)
    };
    shown.iter().map(of).collect::<Vec<_>>()
}

/// Whether a run is the first of its group, and its group is compared with the baseline.
pub fn stands_for_group(subject: Subject<'_>, shown: &[Subject<'_>]) -> bool {
    compared(shown).is_ok_and(|comparison| {
        let group = comparison.group_of(subject.name);
        let other = group.filter(|&group| group != comparison.baseline);
        other.is_some_and(|group| comparison.groups[group].runs[0] == subject.name)
    })
}

/// Whether a run stands for all groups: it is the first run of the first group that is compared with the baseline or,
/// where there is one group alone, the first run of that group.
pub fn stands_for_all(subject: Subject<'_>, shown: &[Subject<'_>]) -> bool {
    match compared(shown) {
        Ok(comparison) => {
            let first = comparison.others().first().copied();
            first.is_some_and(|group| comparison.groups[group].runs[0] == subject.name)
        }
        // One group alone has curves, too.
        Err(CompareError::OneGroup(_)) => Grouped::of(&members(shown))
            .is_ok_and(|found| found.groups.iter().all(|x| x.runs[0] == subject.name)),
        Err(_) => false,
    }
}

/// Index of the contrast of a run's group with the baseline; 0 for a run of the baseline itself.
pub(in crate::figure) fn contrast_of(comparison: &Comparison, subject: Subject<'_>) -> usize {
    let group = comparison.group_of(subject.name);
    let mut others = comparison.others().into_iter();
    others.position(|other| Some(other) == group).unwrap_or(0)
}

/// The runs of a group, in the order of their seeds.
pub(in crate::figure) fn runs_of<'a>(group: &Compared, shown: &[Subject<'a>]) -> Vec<Subject<'a>> {
    let names = group.runs.iter();
    names
        .filter_map(|name| shown.iter().find(|subject| subject.name == *name))
        .copied()
        .collect()
}

/// The sentence in place of a comparison where there is nothing to compare.
pub const NOTHING: &str = "Open finished runs of at least two configurations, best with several seeds each: \
                           runs that differ in nothing but the seed are one group.";
