//! The conflict matrix of one part of the network at one moment, and the differences between two such matrices.

use std::sync::Arc;

use egui::Context;

use crate::figure::facts::unread::{NO_PROBE, damaged, no_parameters, not_read};
use crate::figure::kit::memo::remembered;
use crate::figure::look::subject::Subject;
use crate::figure::look::view::View;
use crate::gradient::gram::{Cell, ConflictSummary, Gram, RESOLVED_STANDARD_ERRORS};
use crate::run::{BatchNorm, Run};

/// A Gram matrix, with the cosines and the summary derived from it.
#[derive(Clone)]
pub(in crate::figure) struct Shown {
    pub(in crate::figure) gram: Gram,
    pub(in crate::figure) cells: Vec<Vec<Cell>>,
    pub(in crate::figure) summary: ConflictSummary,
}

/// The matrix of the selected scope at the cursor, computed once; else a sentence that says why there is none.
pub(in crate::figure) fn shown(
    ctx: &Context,
    subject: Subject<'_>,
    view: &View,
) -> Result<Arc<Shown>, String> {
    let Some(probe) = subject.probe(view) else {
        return Err(NO_PROBE.to_owned());
    };
    let Some(tensors) = subject.probes.get(&probe.step) else {
        return Err(not_read(probe.step));
    };
    let rows = subject.run.gram_rows(&view.scope);
    let id = subject.run.started.as_ref().map(|started| &started.id);
    // After a resume the same step may be probed anew.
    let key = (id, &rows, probe.step, subject.run.revisions.probes);
    let shown = remembered(ctx, ("matrix", subject.identity()), key, || {
        Some(made(subject.run, probe.step, tensors.gram_of(&rows)?))
    });
    shown.ok_or_else(|| match rows.is_empty() {
        true => no_parameters(subject.run, &view.scope),
        false => damaged(probe.step),
    })
}

fn made(run: &Run, step: u64, gram: Gram) -> Arc<Shown> {
    Arc::new(Shown {
        cells: gram.matrix(),
        summary: run.summary_of(&gram, step),
        gram,
    })
}

/// The matrices of the selected scope at the cursor measured in both ways: with batch norm frozen and as in training.
///
/// # Errors
/// A sentence that says why there are not both.
pub(in crate::figure) fn in_both_ways(
    ctx: &Context,
    subject: Subject<'_>,
    view: &View,
) -> Result<[Arc<Shown>; 2], String> {
    if subject.run.started.is_none() {
        return Err(NO_PROBE.to_owned());
    }
    if subject
        .run
        .started
        .as_ref()
        .is_some_and(|x| !x.mixes_images())
    {
        return Err(format!(
            "`{}` has no batch norm: images do not mix, so that nothing comes through batch statistics.",
            subject.name
        ));
    }
    if !subject.run.records_training() {
        return Err(format!(
            "`{}` recorded only the frozen measure, so it is not known what comes through batch statistics.",
            subject.name
        ));
    }
    if subject.run.batch_norm() == BatchNorm::Frozen {
        return Err(format!(
            "`{}` is shown with batch norm frozen; the difference shows where it is shown as in training.",
            subject.name
        ));
    }
    let training = shown(ctx, subject, view)?;
    let probe = subject.probe(view).ok_or(NO_PROBE)?;
    let tensors = subject.probes.get(&probe.step);
    let tensors = tensors.and_then(|tensors| tensors.frozen.as_deref());
    let tensors = tensors.ok_or_else(|| not_read(probe.step))?;
    let rows = subject.run.gram_rows(&view.scope);
    let id = subject.run.started.as_ref().map(|started| &started.id);
    let key = (id, &rows, probe.step, subject.run.revisions.probes);
    let frozen = remembered(ctx, ("frozen matrix", subject.identity()), key, || {
        Some(made(subject.run, probe.step, tensors.gram_of(&rows)?))
    });
    let frozen = frozen.ok_or_else(|| damaged(probe.step))?;
    Ok([frozen, training])
}

/// Cosine of the second of two matrices minus that of the first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::figure) struct Change {
    /// Cosine of the second minus that of the first, −2 to 2; `None` where either is undefined.
    pub(in crate::figure) difference: Option<f64>,
    /// Standard error of the difference; `None` where that of either cosine is unknown.
    pub(in crate::figure) standard_error: Option<f64>,
}

impl Change {
    /// The change between two runs, whose errors are independent.
    pub(in crate::figure) fn of(before: &Gram, after: &Gram, a: usize, b: usize) -> Self {
        let cosines = after.cosine(a, b).zip(before.cosine(a, b));
        let errors = cosine_error(after, a, b).zip(cosine_error(before, a, b));
        Self {
            difference: cosines.map(|(after, before)| after - before),
            standard_error: errors.map(|(after, before)| after.hypot(before)),
        }
    }

    /// The change between two measures of the same images.
    pub(in crate::figure) fn of_same_images(
        before: &Gram,
        after: &Gram,
        a: usize,
        b: usize,
    ) -> Self {
        let cosines = after.cosine(a, b).zip(before.cosine(a, b));
        Self {
            difference: cosines.map(|(after, before)| after - before),
            standard_error: after.paired_error(before, a, b),
        }
    }

    pub(in crate::figure) fn resolved(&self) -> bool {
        let both = self.difference.zip(self.standard_error);
        both.is_some_and(|(difference, error)| difference.abs() > RESOLVED_STANDARD_ERRORS * error)
    }
}

/// Standard error of a cosine: that of the inner product over both norms. The formula holds to first order near a
/// cosine of 0, where errors of the norms hardly matter.
pub(in crate::figure::facts) fn cosine_error(gram: &Gram, a: usize, b: usize) -> Option<f64> {
    let norms = gram.norm(a)? * gram.norm(b)?;
    let error = gram.standard_error(a, b)?;
    (norms > 0.0).then(|| error / norms)
}
