//! The quantities that parts of the network are coloured by, for single layers and the backbone from the log alone.

use std::sync::Arc;

use egui::Context;

use crate::figure::facts::network;
use crate::figure::facts::network::geometric_mean;
use crate::figure::kit::memo::remembered;
use crate::figure::look::subject::{Subject, class_of};
use crate::figure::look::view::{Quantity, View};
use crate::gradient::gram::{ConflictSummary, PairsConflict};
use crate::run::event::Probe;
use crate::run::{Scope, Thirds};

/// Decades (log10) of a logarithmic scale before anything is measured.
pub(in crate::figure) const DECADES: (f64, f64) = (-1.0, 0.0);

/// The classes that quantities depend on.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::figure) struct Classes {
    /// The selected class or, where none is selected, the rarest.
    pub(in crate::figure) one: Option<usize>,
    /// The frequent third by training images; empty where there is none.
    pub(in crate::figure) head: Vec<usize>,
    /// The rarest third by training images; empty where there is none.
    pub(in crate::figure) tail: Vec<usize>,
}

impl Classes {
    pub(in crate::figure) fn of(subject: Subject<'_>, view: &View) -> Self {
        let Thirds { head, tail, .. } = subject.run.thirds();
        Self {
            one: class_of(subject, view),
            head,
            tail,
        }
    }

    /// The value of a quantity in a layer; `None` where the quantity is undefined.
    pub(in crate::figure) fn value(
        &self,
        quantity: Quantity,
        summary: &ConflictSummary,
    ) -> Option<f64> {
        match quantity {
            Quantity::Interference => summary.interference,
            Quantity::ConflictRate => {
                let resolved = summary.resolved as f64;
                (resolved > 0.0).then(|| summary.conflicting as f64 / resolved)
            }
            Quantity::ClassNorm => summary.norm.get(self.one?).copied().flatten(),
            Quantity::TailShare => {
                let square = |k: usize| {
                    let norm = summary.norm.get(k).copied().flatten();
                    norm.map_or(0.0, |norm| norm * norm)
                };
                let total: f64 = (0..summary.norm.len()).map(square).sum();
                let tail: f64 = self.tail.iter().copied().map(square).sum();
                (total > 0.0 && !self.tail.is_empty()).then(|| tail / total)
            }
            Quantity::HeadToTail => {
                let norm = |k: usize| summary.norm.get(k).copied().flatten();
                Some(geometric_mean(&self.head, norm)? / geometric_mean(&self.tail, norm)?)
            }
            Quantity::HeadAgainstTail | Quantity::TailAgainstTail | Quantity::HeadAgainstHead => {
                between_thirds(quantity, summary)?.interference
            }
        }
    }
}

/// The conflict over the pairs of classes that a quantity is restricted to; `None` for a quantity of all classes, and
/// where the conflict between thirds is not known.
pub(in crate::figure) fn between_thirds(
    quantity: Quantity,
    summary: &ConflictSummary,
) -> Option<&PairsConflict> {
    let thirds = summary.thirds.as_ref()?;
    match quantity {
        Quantity::HeadAgainstTail => Some(&thirds.head_tail),
        Quantity::TailAgainstTail => Some(&thirds.tail_tail),
        Quantity::HeadAgainstHead => Some(&thirds.head_head),
        Quantity::Interference
        | Quantity::ConflictRate
        | Quantity::ClassNorm
        | Quantity::TailShare
        | Quantity::HeadToTail => None,
    }
}

/// The quantity in every layer and the backbone at every probe of every run, where it is defined.
fn values(shown: &[Subject<'_>], view: &View) -> impl Iterator<Item = f64> {
    shown.iter().flat_map(move |subject| {
        let classes = Classes::of(*subject, view);
        let probes = subject.run.probes.iter();
        let summaries = probes.flat_map(|probe| probe.layers.iter().chain([&probe.backbone]));
        summaries.filter_map(move |summary| classes.value(view.quantity, summary))
    })
}

/// The greatest value of the quantity at any probe of any run, in any layer of the backbone and in any layer of the
/// network; 0 where there is none.
pub(in crate::figure) fn greatest(shown: &[Subject<'_>], view: &View) -> [f64; 2] {
    let backbone = shown.iter().flat_map(|subject| {
        let classes = Classes::of(*subject, view);
        let rows = subject.run.gram_rows(&Scope::Backbone);
        let probes = subject.run.probes.iter();
        let summaries = probes.flat_map(move |probe| {
            let rows = rows.clone().into_iter();
            rows.filter_map(|row| probe.layers.get(row))
        });
        summaries.filter_map(move |summary| classes.value(view.quantity, summary))
    });
    let network = values(shown, view).fold(0.0, f64::max);
    [backbone.fold(0.0, f64::max), network]
}

/// Whole decades that hold the quantity in every layer at every probe of every run.
pub(in crate::figure) fn decades(shown: &[Subject<'_>], view: &View) -> (f64, f64) {
    let logs = values(shown, view)
        .map(f64::log10)
        .filter(|x| x.is_finite());
    let ends = logs.fold(None, |ends: Option<(f64, f64)>, x| {
        let (low, high) = ends.unwrap_or((x, x));
        Some((low.min(x), high.max(x)))
    });
    let (low, high) = ends.map_or(DECADES, |(low, high)| (low.floor(), high.ceil()));
    (low, high.max(low + 1.0))
}

/// The conflict summary of a part of the network at a probe. The backbone and single layers are in the log; other
/// parts take the tensors of the probe, and are `None` where those are not read.
pub(in crate::figure) fn summary_of(
    ctx: &Context,
    subject: Subject<'_>,
    probe: &Probe,
    scope: &Scope,
) -> Option<Arc<ConflictSummary>> {
    let logged = |row| Some(Arc::new(network::summary_of(probe, row)?.clone()));
    if *scope == Scope::Backbone {
        return logged(None);
    }
    let rows = subject.run.gram_rows(scope);
    if let [row] = rows[..] {
        return logged(Some(row));
    }
    let tensors = subject.probes.get(&probe.step)?;
    let id = subject.run.started.as_ref().map(|started| &started.id);
    // The same step may be probed anew after a resume, and is measured in more than one way.
    let key = (id, &rows, probe.step, subject.run.revisions.probes);
    remembered(ctx, ("values of a part", subject.identity()), key, || {
        let gram = tensors.gram_of(&rows)?;
        Some(Arc::new(subject.run.summary_of(&gram, probe.step)))
    })
}
