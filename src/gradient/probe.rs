//! The probe: class gradients on a fixed, class-balanced set of training images, and their products.

use std::collections::BTreeMap;
use std::ops::Range;

use candle_core::{D, Result, Tensor};
use rayon::prelude::*;

use crate::model::{Mode, Net};
use crate::run::probe_file::ProbeTensors;

/// Pieces that a class is cut into: 4, or 2 where there are many classes.
pub fn pieces_for(classes: usize) -> usize {
    if classes > 20 { 2 } else { 4 }
}

/// Cuts each class's probe images into `pieces` pieces, as equal as they can be: [K·S] lists, row a·S+s. With fewer
/// images than pieces the last pieces stay empty.
pub fn cut(images: &[Vec<u32>], pieces: usize) -> Vec<Vec<u32>> {
    let mut all = Vec::with_capacity(images.len() * pieces);
    for class in images {
        let (each, extra) = (class.len() / pieces, class.len() % pieces);
        let mut start = 0;
        for piece in 0..pieces {
            let len = each + usize::from(piece < extra);
            all.push(class[start..start + len].to_vec());
            start += len;
        }
    }
    all
}

/// Measures the gradient of the mean cross-entropy of every piece, `g[k,s]` = ∇θ (1/n) Σ CE(f(x_i), k), with batch norm on
/// its running statistics, and keeps per layer the products of all pieces and their products with `update`.
///
/// * `counts` – images of each piece, [K·S];
/// * `images` – gives the images of a piece, normalised, [n, H, W, C];
/// * `update` – change of every parameter in the last optimiser step, in parameter order; none before the first.
///
/// # Errors
/// Where a forward or backward pass fails.
pub fn probe(
    net: &Net,
    counts: &[usize],
    mut images: impl FnMut(usize) -> Result<Tensor>,
    update: Option<&[Tensor]>,
) -> Result<ProbeTensors> {
    let classes = net.spec().classes;
    let pieces = counts.len() / classes;
    let ranges = layer_ranges(net);
    let mut result = ProbeTensors {
        classes,
        loss: vec![f32::NAN; counts.len()],
        n: counts.iter().map(|&n| n as f32).collect(),
        ..ProbeTensors::default()
    };
    let mut gradients = vec![Vec::new(); counts.len()];
    let mut gates = GateMeans::new(classes);
    for (row, &count) in counts.iter().enumerate().filter(|&(_, &count)| count > 0) {
        let class = row / pieces;
        let out = net.forward(&images(row)?, Mode::Probe)?;
        let labels = Tensor::full(class as u32, count, out.logits.device())?;
        let loss = candle_nn::loss::cross_entropy(&out.logits, &labels)?;
        result.loss[row] = loss.to_scalar()?;
        gradients[row] = flat_gradient(net, &loss)?;
        gates.add(class, &out.gates)?;
    }
    let update = update.map(flatten).transpose()?;
    for range in &ranges {
        let rows: Vec<&[f32]> = gradients
            .iter()
            .map(|g| g.get(range.clone()).unwrap_or_default())
            .collect();
        result.gram.extend(products(&rows));
        let step = update
            .as_deref()
            .map_or(&[][..], |update| &update[range.clone()]);
        result
            .update
            .extend(rows.iter().map(|row| dot(row, step) as f32));
    }
    result.gates = gates.finish();
    Ok(result)
}

/// Where each layer's values lie in a gradient of all parameters, by Gram row.
fn layer_ranges(net: &Net) -> Vec<Range<usize>> {
    let specs = net.params().specs();
    let mut start = 0;
    let mut ranges = Vec::new();
    for layer in net
        .spec()
        .layers()
        .iter()
        .filter(|layer| layer.gram.is_some())
    {
        let own = specs.iter().filter(|param| param.layer_is(&layer.name));
        let len: usize = own.map(|param| param.shape.iter().product::<usize>()).sum();
        ranges.push(start..start + len);
        start += len;
    }
    ranges
}

/// The gradient of `loss` in all parameters, in their order.
fn flat_gradient(net: &Net, loss: &Tensor) -> Result<Vec<f32>> {
    let grads = loss.backward()?;
    let vars = net.params().vars().iter();
    let own = vars.map(|var| grads.get(var).cloned().map_or_else(|| var.zeros_like(), Ok));
    flatten(&own.collect::<Result<Vec<_>>>()?)
}

/// All values one after the other. They are joined before they are read, so that a device is waited for only once.
fn flatten(tensors: &[Tensor]) -> Result<Vec<f32>> {
    let flat = tensors.iter().map(Tensor::flatten_all);
    Tensor::cat(&flat.collect::<Result<Vec<_>>>()?, 0)?.to_vec1()
}

/// The symmetric matrix of all products of `rows`, row-major; an empty row counts as 0.
fn products(rows: &[&[f32]]) -> Vec<f32> {
    let size = rows.len();
    let upper: Vec<Vec<f32>> = (0..size)
        .into_par_iter()
        .map(|i| (0..=i).map(|j| dot(rows[i], rows[j]) as f32).collect())
        .collect();
    let mut matrix = vec![0.0; size * size];
    for (i, row) in upper.iter().enumerate() {
        for (j, &value) in row.iter().enumerate() {
            matrix[i * size + j] = value;
            matrix[j * size + i] = value;
        }
    }
    matrix
}

/// ⟨a, b⟩ in f64, in eight interleaved sums so that the compiler can vectorise it; 0 where either is empty.
fn dot(a: &[f32], b: &[f32]) -> f64 {
    const LANES: usize = 8;
    let mut sums = [0.0_f64; LANES];
    let (a_body, a_tail) = a.as_chunks::<LANES>();
    let (b_body, b_tail) = b.as_chunks::<LANES>();
    for (a, b) in a_body.iter().zip(b_body) {
        for lane in 0..LANES {
            sums[lane] += f64::from(a[lane]) * f64::from(b[lane]);
        }
    }
    let tail: f64 = a_tail
        .iter()
        .zip(b_tail)
        .map(|(a, b)| f64::from(*a) * f64::from(*b))
        .sum();
    sums.iter().sum::<f64>() + tail
}

/// Mean gate per class, gathered piece by piece.
struct GateMeans {
    classes: usize,
    images: Vec<f64>,
    sums: BTreeMap<String, Vec<f64>>,
}

impl GateMeans {
    fn new(classes: usize) -> Self {
        Self {
            classes,
            images: vec![0.0; classes],
            sums: BTreeMap::new(),
        }
    }

    fn add(&mut self, class: usize, gates: &[(String, Tensor)]) -> Result<()> {
        for (i, (layer, gate)) in gates.iter().enumerate() {
            let (n, channels) = (gate.dim(0)?, gate.dim(D::Minus1)?);
            if i == 0 {
                self.images[class] += n as f64;
            }
            let branch = layer.strip_suffix(".gate").unwrap_or(layer);
            let sums = self
                .sums
                .entry(branch.to_owned())
                .or_insert_with(|| vec![0.0; self.classes * channels]);
            let own = &mut sums[class * channels..(class + 1) * channels];
            for (sum, value) in own.iter_mut().zip(gate.sum(0)?.to_vec1::<f32>()?) {
                *sum += f64::from(value);
            }
        }
        Ok(())
    }

    fn finish(self) -> BTreeMap<String, Vec<f32>> {
        let images = self.images;
        let mean = |sums: Vec<f64>| {
            let channels = sums.len() / images.len();
            sums.chunks(channels)
                .zip(&images)
                .flat_map(|(row, n)| row.iter().map(move |sum| (sum / n) as f32))
                .collect()
        };
        self.sums
            .into_iter()
            .map(|(branch, sums)| (branch, mean(sums)))
            .collect()
    }
}

#[cfg(test)]
mod tests;
