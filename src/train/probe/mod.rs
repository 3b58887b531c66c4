//! The probe: class gradients on a fixed, class-balanced set of training images, and their products. With batch norm
//! frozen they are measured here, with batch norm as in training in [`mixed`].

mod mixed;
mod products;

use std::collections::BTreeMap;

use candle_core::{D, Result, Tensor};

use crate::model::{Mode, Net};
use crate::ops;
use crate::run::probe_file::ProbeTensors;

pub use mixed::{Mix, measured_classes, mixed};

/// Memory for the gradients of all pieces, in bytes. Where the gradients do not fit, layers are probed in groups, with
/// one pass over the images for each group.
const BUDGET: usize = 1 << 30;

/// Number of pieces per thread whose images are read before any of these pieces is computed. With more pieces the
/// threads wait less for each other after the last of them.
const READ_AHEAD: usize = 8;

/// Number of pieces that a class is cut into: 4, or 2 where there are more than 20 classes.
pub fn pieces_for(classes: usize) -> usize {
    if classes > 20 { 2 } else { 4 }
}

/// Cuts each class's probe images into `pieces` pieces (S), as equal as they can be: [K·S] lists, of which list k·S+s
/// is piece s of class k. With fewer images than pieces the last pieces stay empty.
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

/// Measures the gradient of the mean cross-entropy of every piece, `g[k,s]` = ∇θ (1/n) Σ CE(f(x_i), k), with batch norm
/// on its running statistics, and gives for each layer the scalar products of all pieces, and those with `update`.
///
/// * `counts` – number of images of each piece, [K·S];
/// * `images` – gives the images of a piece, normalised, [n, H, W, C];
/// * `update` – change of every parameter in the last optimiser step, in parameter order; none before the first step.
///
/// # Errors
/// Where a forward or backward pass fails.
pub fn probe(
    net: &Net,
    counts: &[usize],
    images: impl FnMut(usize) -> Result<Tensor>,
    update: Option<&[Tensor]>,
) -> Result<ProbeTensors> {
    probe_within(BUDGET, net, counts, images, update)
}

fn probe_within(
    budget: usize,
    net: &Net,
    counts: &[usize],
    mut images: impl FnMut(usize) -> Result<Tensor>,
    update: Option<&[Tensor]>,
) -> Result<ProbeTensors> {
    let classes = net.spec().classes;
    let pieces = counts.len() / classes;
    let weights = net.weights();
    let mut result = ProbeTensors {
        classes,
        loss: vec![f32::NAN; counts.len()],
        n: counts.iter().map(|&n| n as f32).collect(),
        ..ProbeTensors::default()
    };
    let measured: Vec<usize> = (0..counts.len()).filter(|&row| counts[row] > 0).collect();
    for (turn, layers) in products::groups(net, counts.len(), budget)
        .into_iter()
        .enumerate()
    {
        let mut gates = GateMeans::new(classes);
        let params = products::span(&layers);
        let mut gradients = vec![Vec::new(); counts.len()];
        for rows in measured.chunks(READ_AHEAD * rayon::current_num_threads()) {
            let batches = rows.iter().map(|&row| images(row));
            let batches = batches.collect::<Result<Vec<_>>>()?;
            let work = |i: usize| -> Result<_> {
                let class = (rows[i] / pieces) as u32;
                let mut out = net.forward(&weights, &batches[i], Mode::Probe)?;
                let gates = std::mem::take(&mut out.gates);
                let loss = out.cross_entropy(&vec![class; counts[rows[i]]])?;
                let value = loss.value;
                let gradient = products::flatten(&loss.backward()?[params.clone()])?;
                Ok((gates, value, gradient))
            };
            let done = ops::pieces(batches[0].device(), rows.len(), work);
            for (&row, done) in rows.iter().zip(done) {
                let (piece_gates, loss, gradient) = done?;
                gates.add(row / pieces, &piece_gates)?;
                result.loss[row] = loss as f32;
                gradients[row] = gradient;
            }
        }
        products::append(net, &layers, &gradients, update, &mut result)?;
        if turn == 0 {
            result.gates = gates.finish();
        }
    }
    Ok(result)
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
            // Of class attention, the share of the branch for the images' own class.
            let gate = match gate.rank() {
                3 => &gate.narrow(1, class, 1)?.squeeze(1)?,
                _ => gate,
            };
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
