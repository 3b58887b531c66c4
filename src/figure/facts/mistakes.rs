//! Evaluations, which classes are taken for which other class, and whether those are the classes in conflict.

use egui::Context;

use crate::figure::facts::conflict;
use crate::figure::facts::unread::NO_EVALUATION;
use crate::figure::look::subject::Subject;
use crate::figure::look::view::View;
use crate::run::Run;
use crate::run::event::{Eval, Split};

/// The evaluation at the cursor, by [`Run::evaluation_at`]: of the test images where they are chosen, else of the
/// validation images or, where there is no such evaluation, of the test images.
pub(crate) fn evaluation<'a>(subject: Subject<'a>, view: &View) -> Option<&'a Eval> {
    evaluation_at(subject.run, view.split, view.step.unwrap_or(u64::MAX))
}

/// As [`evaluation`], at a step.
pub(in crate::figure) fn evaluation_at(
    run: &Run,
    split: Option<Split>,
    step: u64,
) -> Option<&Eval> {
    let at = |split| run.evaluation_at(split, step);
    match split {
        Some(Split::Test) => at(Split::Test),
        _ => at(Split::Val).or_else(|| at(Split::Test)),
    }
}

/// Why there is no evaluation to show.
pub(in crate::figure) fn missing(subject: Subject<'_>, view: &View) -> String {
    let run = subject.run;
    let first = run.evals_of(Split::Test).next();
    let is_recorded = run.is_recorded();
    match (view.split, first) {
        (Some(Split::Test), Some(first)) if !is_recorded => format!(
            "The test images are evaluated at the best and at the last step only, the first time at step {}.",
            first.step
        ),
        (Some(Split::Test), None) if !is_recorded && has_validation(run) => {
            "The test images are evaluated at the end of training; choose the validation images."
                .to_owned()
        }
        _ => not_evaluated(run).to_owned(),
    }
}

/// Why a run has no evaluation up to a step.
pub(in crate::figure) fn not_evaluated(run: &Run) -> &'static str {
    match (run.is_recorded(), has_validation(run)) {
        (true, _) => "The script that recorded this run has evaluated nothing up to this step.",
        (false, true) => NO_EVALUATION,
        (false, false) => {
            "This run has no validation images: the test images are evaluated at its end."
        }
    }
}

/// Whether a run of the program evaluates validation images while it trains; taken for granted before the header.
fn has_validation(run: &Run) -> bool {
    let started = run.started.as_ref();
    started.is_none_or(|started| started.val_counts.iter().any(|count| *count > 0))
}

/// Images of `truth` taken for `predicted`, and their share of all images of `truth`; no share where there are none.
pub(in crate::figure) fn cell(eval: &Eval, truth: usize, predicted: usize) -> (u64, Option<f64>) {
    let row = eval.confusion.get(truth).map_or(&[][..], Vec::as_slice);
    let count = row.get(predicted).copied().unwrap_or(0);
    let total: u64 = row.iter().sum();
    (count, (total > 0).then(|| count as f64 / total as f64))
}

pub(in crate::figure) fn word(split: Split) -> &'static str {
    match split {
        Split::Train => "train",
        Split::Val => "validation",
        Split::Test => "test",
    }
}

/// A point of the scatter: a pair of classes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::figure) struct Dot {
    pub(in crate::figure) pair: (usize, usize),
    pub(in crate::figure) cosine: f64,
    pub(in crate::figure) resolved: bool,
    /// Share of the images of both classes that are taken for the other class of the pair.
    pub(in crate::figure) mistaken: f64,
}

/// A point for every pair whose cosine is defined and that has images.
pub(in crate::figure) fn dots(
    cosine: impl Fn(usize, usize) -> Option<(f64, bool)>,
    eval: &Eval,
) -> Vec<Dot> {
    let k = eval.support.len();
    let pairs = (0..k).flat_map(|a| (a + 1..k).map(move |b| (a, b)));
    let dot = |(a, b): (usize, usize)| {
        let (cosine, resolved) = cosine(a, b)?;
        let images = eval.support[a] + eval.support[b];
        let mistaken = cell(eval, a, b).0 + cell(eval, b, a).0;
        (images > 0).then(|| Dot {
            pair: (a, b),
            cosine,
            resolved,
            mistaken: mistaken as f64 / images as f64,
        })
    };
    pairs.filter_map(dot).collect()
}

/// A point for every pair of classes at the cursor.
///
/// # Errors
/// A sentence that says why there is no point.
pub(in crate::figure) fn shown(
    ctx: &Context,
    subject: Subject<'_>,
    view: &View,
) -> Result<Vec<Dot>, String> {
    let eval = evaluation(subject, view).ok_or_else(|| missing(subject, view))?;
    let shown = conflict::shown(ctx, subject, view)?;
    let cosine = |a: usize, b: usize| {
        let cell = shown.cells.get(a)?.get(b)?;
        Some((cell.cosine?, cell.resolved))
    };
    let dots = dots(cosine, eval);
    if dots.is_empty() {
        return Err("No pair of classes has both a cosine and images.".to_owned());
    }
    Ok(dots)
}

/// The pairs in the rectangle that was drawn over the scatter.
pub(in crate::figure) fn brushed(
    ctx: &Context,
    subject: Subject<'_>,
    view: &View,
) -> Vec<(usize, usize)> {
    let Some(brush) = view.brush else {
        return Vec::new();
    };
    let dots = shown(ctx, subject, view).unwrap_or_default();
    let held = dots
        .iter()
        .filter(|dot| brush.holds(dot.cosine, dot.mistaken));
    held.map(|dot| dot.pair).collect()
}

/// The cells with an outline, as row, column and width in points: the selected pair and the brushed pairs.
pub(in crate::figure) fn marked(
    ctx: &Context,
    subject: Subject<'_>,
    view: &View,
) -> Vec<(usize, usize, f32)> {
    let brushed = brushed(ctx, subject, view);
    let mut marked: Vec<_> = brushed
        .iter()
        .flat_map(|&(a, b)| [(a, b, 1.0), (b, a, 1.0)])
        .collect();
    if let Some((a, b)) = view.pair {
        marked.extend([(a, b, 2.0), (b, a, 1.0)]);
    }
    marked
}

/// The name of a split in a table.
pub(in crate::figure) fn split_name(split: Split) -> &'static str {
    match split {
        Split::Train => "train",
        Split::Val => "validation",
        Split::Test => "test",
    }
}

/// The evaluations that charts show: those of the validation images, then those of the test images.
pub(in crate::figure) fn evals<'a>(subject: Subject<'a>) -> impl Iterator<Item = &'a Eval> {
    let of = move |split| subject.run.evals_of(split);
    of(Split::Val).chain(of(Split::Test))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::testing::recorded;

    /// What is not there yet is not promised where it will never be.
    #[test]
    fn a_run_without_evaluations_says_why() -> anyhow::Result<()> {
        let mut run = recorded("solar-none")?.run;
        assert_eq!(not_evaluated(&run), NO_EVALUATION);
        if let Some(started) = &mut run.started {
            started.val_counts.fill(0);
        }
        assert!(not_evaluated(&run).starts_with("This run has no validation images"));
        if let Some(started) = &mut run.started {
            started.recorder = Some(Box::default());
        }
        assert!(not_evaluated(&run).starts_with("The script"));
        Ok(())
    }
}
