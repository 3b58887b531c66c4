//! Classes whose gradients a run has in one of its measures alone: where there are many classes, only some are measured
//! with batch norm as in training. In figures of that measure the others are undefined, although they have images.

use crate::figure::look::subject::Subject;

/// Why a class that has images is undefined, for a tooltip.
pub(in crate::figure) const REASON: &str =
    "undefined: not among the classes that are measured with batch norm as in training";

/// Whether a class has images, but no gradients in the measure in which the run is shown.
pub(in crate::figure) fn is_unmeasured(subject: Subject<'_>, class: usize) -> bool {
    let started = subject.run.started.as_ref();
    let has_images = started.is_some_and(|x| x.train_counts.get(class).is_some_and(|&n| n > 0));
    has_images && !subject.run.measures(class)
}

/// The number of measured classes in words, such as `20 of 100 classes`; `None` where every class that has images is
/// measured in the way in which the run is shown.
pub(in crate::figure) fn count(subject: Subject<'_>) -> Option<String> {
    let started = subject.run.started.as_ref()?;
    let all = started.classes.len();
    let is_cut = (0..all).any(|k| is_unmeasured(subject, k));
    is_cut.then(|| format!("{} of {all} classes", started.probe.training.len()))
}

/// The sentence in place of a figure of some classes of which one is not measured in the way in which the run is shown;
/// `None` where all of them are.
pub(in crate::figure) fn sentence(subject: Subject<'_>, classes: &[usize]) -> Option<String> {
    let class = classes.iter().find(|&&k| is_unmeasured(subject, k))?;
    let (name, count) = (subject.classes().get(*class)?, count(subject)?);
    Some(format!(
        "{name} is not among the {count} that are measured with batch norm as in training; choose frozen to see it."
    ))
}
