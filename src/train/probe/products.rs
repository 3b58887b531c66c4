//! The products of class gradients, layer by layer, and the groups of layers whose gradients are held at a time.

use std::ops::Range;

use candle_core::{Result, Tensor};

use crate::model::Net;
use crate::ops;
use crate::run::probe_file::ProbeTensors;

/// Positions of the parameters of a group of layers.
pub(super) fn span(layers: &[Range<usize>]) -> Range<usize> {
    layers.first().map_or(0, |layer| layer.start)..layers.last().map_or(0, |layer| layer.end)
}

/// Appends the products of the gradients of all pieces, and those with the optimiser's last step, for each of `layers`.
/// `gradients` holds for each piece the values of the parameters of `layers`, or nothing for an empty piece.
pub(super) fn append(
    net: &Net,
    layers: &[Range<usize>],
    gradients: &[Vec<f32>],
    update: Option<&[Tensor]>,
    result: &mut ProbeTensors,
) -> Result<()> {
    let update = update
        .map(|update| flatten(&update[span(layers)]))
        .transpose()?;
    let mut start = 0;
    for layer in layers {
        let len: usize = net.params().values()[layer.clone()]
            .iter()
            .map(Tensor::elem_count)
            .sum();
        // The optimiser's step is one more vector beside the gradients, so that its products with them are computed in
        // the same call.
        let vectors = gradients
            .iter()
            .map(Vec::as_slice)
            .chain([update.as_deref().unwrap_or_default()]);
        let rows: Vec<&[f32]> = vectors
            .map(|vector| vector.get(start..start + len).unwrap_or_default())
            .collect();
        let size = rows.len();
        let products = ops::products(&rows);
        for row in products.chunks_exact(size).take(size - 1) {
            result
                .gram
                .extend(row[..size - 1].iter().map(|&value| value as f32));
            result.update.push(row[size - 1] as f32);
        }
        start += len;
    }
    Ok(())
}

/// Positions of the parameters of each layer that has parameters, by Gram row.
pub(super) fn layer_params(net: &Net) -> Vec<Range<usize>> {
    let specs = net.params().specs();
    let mut start = 0;
    let mut ranges = Vec::new();
    for layer in net
        .spec()
        .layers()
        .iter()
        .filter(|layer| layer.gram.is_some())
    {
        let count = specs
            .iter()
            .filter(|param| param.layer_is(&layer.name))
            .count();
        ranges.push(start..start + count);
        start += count;
    }
    ranges
}

/// The layers in groups whose gradients fit into `budget` bytes; a group has at least one layer.
pub(super) fn groups(net: &Net, pieces: usize, budget: usize) -> Vec<Vec<Range<usize>>> {
    let mut groups: Vec<Vec<Range<usize>>> = Vec::new();
    let mut used = 0;
    for layer in layer_params(net) {
        let values: usize = net.params().values()[layer.clone()]
            .iter()
            .map(Tensor::elem_count)
            .sum();
        let bytes = values * pieces * size_of::<f32>();
        match groups.last_mut() {
            Some(group) if used + bytes <= budget => group.push(layer),
            _ => {
                groups.push(vec![layer]);
                used = 0;
            }
        }
        used += bytes;
    }
    groups
}

/// All values of the tensors, one tensor after the other. They are joined before they are read, so that a device is
/// waited for only once.
pub(super) fn flatten(tensors: &[Tensor]) -> Result<Vec<f32>> {
    let flat = tensors.iter().map(Tensor::flatten_all);
    Tensor::cat(&flat.collect::<Result<Vec<_>>>()?, 0)?.to_vec1()
}
