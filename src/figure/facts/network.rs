//! Layers that have class gradients, and what the log says of them at a probe.

use crate::figure::look::subject::Subject;
use crate::figure::look::view::View;
use crate::gradient::gram::ConflictSummary;
use crate::run::Scope;
use crate::run::event::{Layer, Probe};

/// Layers that have class gradients, with their Gram rows, from input to output.
pub(in crate::figure) fn layers_with_gradients(
    subject: Subject<'_>,
) -> impl Iterator<Item = (&Layer, usize)> {
    let started = subject.run.started.iter();
    started
        .flat_map(|started| &started.layers)
        .filter_map(|layer| Some((layer, layer.gram?)))
}

/// Whether the summaries of all probes are missing: the log of a recorder does not have them, and its probe files were not
/// there to make them of.
pub(in crate::figure) fn lacks_summaries(subject: Subject<'_>) -> bool {
    let probes = &subject.run.probes;
    !probes.is_empty() && probes.iter().all(|probe| probe.layers.is_empty())
}

/// ‖g_k‖ of a scope, from the log alone: squared norms add over layers.
pub(in crate::figure) fn norm(probe: &Probe, rows: &[usize], class: usize) -> Option<f64> {
    let mut square = 0.0;
    for &row in rows {
        let norm = probe.layers.get(row)?.norm.get(class).copied().flatten()?;
        square += norm * norm;
    }
    (!rows.is_empty()).then(|| square.sqrt())
}

/// log10, undefined for 0: a zero gradient has no place on a logarithmic axis.
pub(in crate::figure) fn log10(value: Option<f64>) -> Option<f64> {
    value.filter(|value| *value > 0.0).map(f64::log10)
}

/// Parts of the network whose interference is drawn over time: the backbone, and the layer that is selected.
pub(in crate::figure) fn parts(subject: Subject<'_>, view: &View) -> Vec<(String, Option<usize>)> {
    let mut parts = vec![("Backbone".to_owned(), None)];
    if let Scope::Layer(name) = &view.scope {
        let mut layers = layers_with_gradients(subject);
        let found = layers.find(|(layer, _)| layer.name == *name);
        parts.extend(found.map(|(layer, row)| (layer.name.clone(), Some(row))));
    }
    parts
}

/// The conflict summary, at a probe, of the layer with Gram row `row`, or of the backbone where `row` is `None`.
pub(in crate::figure) fn summary_of(probe: &Probe, row: Option<usize>) -> Option<&ConflictSummary> {
    match row {
        Some(row) => probe.layers.get(row),
        None => Some(&probe.backbone),
    }
}

/// exp of the mean logarithm of the norms of some classes; classes whose norm is undefined or 0 are left out.
pub(in crate::figure) fn geometric_mean(
    classes: &[usize],
    norm: impl Fn(usize) -> Option<f64>,
) -> Option<f64> {
    let logs = log_norms(classes, norm);
    let sum: f64 = logs.iter().sum();
    (!logs.is_empty()).then(|| (sum / logs.len() as f64).exp())
}

/// Natural logarithms of the norms of some classes; norms that are undefined or 0 are left out.
pub(in crate::figure) fn log_norms(
    classes: &[usize],
    norm: impl Fn(usize) -> Option<f64>,
) -> Vec<f64> {
    let norms = classes.iter().filter_map(|&k| norm(k));
    norms.filter(|norm| *norm > 0.0).map(f64::ln).collect()
}
