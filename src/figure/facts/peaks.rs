//! The moments at which each layer's conflict, or another quantity, is highest.

use crate::figure::facts::network::layers_with_gradients;
use crate::figure::facts::pair::PairCell;
use crate::figure::facts::probes::Made;
use crate::figure::facts::quantity::{Classes, between_thirds};
use crate::figure::look::subject::Subject;
use crate::figure::look::view::Quantity;
use crate::gradient::gram::ConflictSummary;
use crate::run::event::Layer;

/// The moment at which a layer's value is highest or, of the cosine of a pair, lowest.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::figure) struct Peak {
    /// Name of the layer.
    pub(in crate::figure) layer: String,
    /// Name of the layer's block.
    pub(in crate::figure) block: String,
    /// Index of the probe.
    pub(in crate::figure) probe: usize,
    pub(in crate::figure) value: f64,
    /// Noise floor of an interference, or standard error of a cosine; `None` where it is unknown.
    pub(in crate::figure) floor: Option<f64>,
    /// Class pairs in significant conflict, and all that have a cosine; `None` of another quantity.
    pub(in crate::figure) pairs: Option<(usize, usize)>,
}

/// The value of a cell of layers by moments with its floor and its pairs.
type Value = (f64, Option<f64>, Option<(usize, usize)>);

/// The value of a quantity in a layer at a moment. An interference in which no pair is in significant conflict is noise,
/// and has no peak.
fn value(classes: &Classes, quantity: Quantity, summary: &ConflictSummary) -> Option<Value> {
    let value = classes.value(quantity, summary)?;
    let (floor, pairs) = match quantity {
        Quantity::Interference => (summary.floor, (summary.conflicting, summary.pairs)),
        Quantity::HeadAgainstTail | Quantity::TailAgainstTail | Quantity::HeadAgainstHead => {
            let pairs = between_thirds(quantity, summary)?;
            (pairs.floor, (pairs.conflicting, pairs.pairs))
        }
        Quantity::ConflictRate
        | Quantity::ClassNorm
        | Quantity::TailShare
        | Quantity::HeadToTail => return Some((value, None, None)),
    };
    (pairs.0 > 0).then_some((value, floor, Some(pairs)))
}

/// The peak of a quantity in every layer but the classifier, where classes conflict by construction; the highest first.
pub(in crate::figure) fn of_quantity(
    subject: Subject<'_>,
    quantity: Quantity,
    classes: &Classes,
) -> Vec<Peak> {
    let mut peaks = of_layers(subject, |row, probe| {
        let summary = subject.run.probes.get(probe)?.layers.get(row)?;
        value(classes, quantity, summary)
    });
    peaks.sort_by(|a, b| b.value.total_cmp(&a.value));
    peaks
}

/// The lowest significant negative cosine of a pair in every layer but the classifier; the lowest first.
pub(in crate::figure) fn of_pair(
    subject: Subject<'_>,
    pairs: &Made<Vec<Option<PairCell>>>,
) -> Vec<Peak> {
    let mut peaks = of_layers(subject, |row, probe| {
        let pair = pairs.cell(subject.run, row, probe).flatten()?;
        let cosine = pair
            .cell
            .cosine
            .filter(|x| *x < 0.0 && pair.cell.resolved)?;
        Some((-cosine, pair.error, None))
    });
    peaks.iter_mut().for_each(|peak| peak.value = -peak.value);
    peaks.sort_by(|a, b| a.value.total_cmp(&b.value));
    peaks
}

/// The highest value of every layer of the backbone over all probes, the earliest of equal ones.
fn of_layers(subject: Subject<'_>, value: impl Fn(usize, usize) -> Option<Value>) -> Vec<Peak> {
    let layers = layers_with_gradients(subject);
    let backbone = layers.filter(|(layer, _)| layer.is_in_backbone());
    let peak = |(layer, row): (&Layer, usize)| {
        let probes = 0..subject.run.probes.len();
        let values = probes.filter_map(|probe| Some((probe, value(row, probe)?)));
        let highest = values.rev().max_by(|a, b| a.1.0.total_cmp(&b.1.0));
        highest.map(|(probe, (value, floor, pairs))| Peak {
            layer: layer.name.clone(),
            block: layer.group.clone(),
            probe,
            value,
            floor,
            pairs,
        })
    };
    backbone.filter_map(peak).collect()
}
