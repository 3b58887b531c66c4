//! Cosine and norms of the gradients of two classes, at one probe and at all of them.

use std::sync::Arc;

use egui::Context;

use crate::figure::facts::conflict::cosine_error;
use crate::figure::facts::network::layers_with_gradients;
use crate::figure::facts::probes::{Made, of_probes};
use crate::figure::look::subject::Subject;
use crate::figure::look::view::View;
use crate::gradient::gram::{Cell, Gram};

/// Cosine and norms of the gradients of two classes, in some layers at one probe.
pub(in crate::figure) struct PairCell {
    pub(in crate::figure) cell: Cell,
    /// The cosine from each half of the images alone.
    pub(in crate::figure) halves: Option<[f64; 2]>,
    pub(in crate::figure) norms: [Option<f64>; 2],
    /// Standard error of the cosine.
    pub(in crate::figure) error: Option<f64>,
}

impl PairCell {
    /// The pair at one probe; `None` where `layers` is empty or out of range, or the probe is not read. Of a probe
    /// that is read whole, only the products of the two classes are used.
    pub(in crate::figure) fn at(
        subject: Subject<'_>,
        step: u64,
        (a, b): (usize, usize),
        layers: &[usize],
    ) -> Option<Self> {
        if let Some(whole) = subject.probes.get(&step) {
            return Some(Self::of(&whole.gram_of_pair(layers, a, b)?));
        }
        let rows = |class| subject.probes.rows_of(step, class);
        Some(Self::of(&rows(a)?.gram_with(&*rows(b)?, layers)?))
    }

    fn of(gram: &Gram) -> Self {
        Self {
            cell: gram.cell(0, 1),
            halves: gram.half_cosines(0, 1),
            norms: [gram.norm(0), gram.norm(1)],
            error: cosine_error(gram, 0, 1),
        }
    }
}

/// Cosine and norms of the pair at every probe that is read, computed once for all charts of the pair.
pub(in crate::figure) fn made(
    ctx: &Context,
    subject: Subject<'_>,
    view: &View,
    (a, b): (usize, usize),
) -> Arc<Made<PairCell>> {
    let (name, key) = (("pair over time", subject.identity()), (a, b, &view.scope));
    let layers = subject.run.gram_rows(&view.scope);
    of_probes(ctx, name, (subject, &[a, b]), key, |step| {
        PairCell::at(subject, step, (a, b), &layers)
    })
}

/// Cosine and norms of the pair in every layer at one probe, by Gram row.
pub(in crate::figure) type Layers = Vec<Option<PairCell>>;

/// Cosine and norms of the pair in every layer at one probe; `None` while the probe is not read.
pub(in crate::figure) fn layers_at(
    subject: Subject<'_>,
    step: u64,
    pair: (usize, usize),
) -> Option<Layers> {
    let is_read = |class| subject.probes.has_rows_of(step, class);
    if !is_read(pair.0) || !is_read(pair.1) {
        return None;
    }
    let layers = layers_with_gradients(subject).map(|(_, gram)| gram + 1);
    let layers = 0..layers.max().unwrap_or(0);
    Some(
        layers
            .map(|gram| PairCell::at(subject, step, pair, &[gram]))
            .collect(),
    )
}

/// Cosine and norms of the pair in every layer at every probe that is read, computed once for all figures of the pair.
pub(in crate::figure) fn made_by_layer(
    ctx: &Context,
    subject: Subject<'_>,
    (a, b): (usize, usize),
) -> Arc<Made<Layers>> {
    let name = ("pair by depth", subject.identity());
    of_probes(ctx, name, (subject, &[a, b]), (a, b), |step| {
        layers_at(subject, step, (a, b))
    })
}
