//! Class gradients with batch norm as in training: gradients of the network whose batch norms take the statistics of a
//! batch mixed like the training data, and pass gradients through them.
//!
//! Training normalises with the statistics of the batch, so that images mix: an image of one class moves the
//! activations of all others. For each piece number s one batch is mixed of piece s of every class. The statistics of
//! its images are weighted, w_i = π_k / n for each of the n images of class k there, where π_k is the share of the
//! class in the images that training draws: they are those of a training batch although a rare class has as many
//! images here as a frequent one. Then every class takes one backward pass through the same forward pass.

use candle_core::{Result, Tensor};

use crate::model::{Mode, Net};
use crate::ops;
use crate::run::probe_file::ProbeTensors;

use super::{BUDGET, products};

/// Most classes whose gradients are measured with batch norm as in training, since each takes a backward pass over all
/// images.
const MOST_CLASSES: usize = 20;
/// Images by which a class that is not measured takes part in the statistics of a mixed batch, at most.
const CONTEXT: usize = 2;

/// The images that class gradients with batch norm as in training are measured on.
#[derive(Clone, Copy, Debug)]
pub struct Mix<'a> {
    /// Images of each piece of each class, [K·S].
    pub pieces: &'a [Vec<u32>],
    /// Share of each class in the images that training draws, `[K]`.
    pub shares: &'a [f64],
    /// The classes whose gradients are measured, ascending.
    pub measured: &'a [usize],
}

/// One mixed batch: the images of piece s of every class.
struct Batch {
    images: Vec<u32>,
    labels: Vec<u32>,
    /// Share of each image in the statistics; they sum to 1.
    shares: Vec<f64>,
}

impl Mix<'_> {
    fn classes(&self) -> usize {
        self.shares.len()
    }

    /// Number of pieces S of a class.
    fn count(&self) -> usize {
        self.pieces.len() / self.classes().max(1)
    }

    /// The mixed batch of the pieces number `s`.
    fn batch(&self, s: usize) -> Batch {
        let mut batch = Batch {
            images: Vec::new(),
            labels: Vec::new(),
            shares: Vec::new(),
        };
        for class in 0..self.classes() {
            let mut own = self.pieces[class * self.count() + s].as_slice();
            if self.measured.binary_search(&class).is_err() {
                own = &own[..own.len().min(CONTEXT)];
            }
            batch.images.extend(own);
            batch.labels.extend(own.iter().map(|_| class as u32));
            let share = self.shares[class] / own.len().max(1) as f64;
            batch.shares.extend(own.iter().map(|_| share));
        }
        let total: f64 = batch.shares.iter().sum();
        batch.shares.iter_mut().for_each(|share| *share /= total);
        batch
    }

    /// Forward passes over one image that the measure takes, and backward passes.
    pub fn passes(&self) -> (usize, usize) {
        let images = (0..self.count()).map(|s| self.batch(s).images.len());
        let images: usize = images.sum();
        (images, images * self.measured.len())
    }
}

/// The classes whose gradients are measured with batch norm as in training, ascending: all classes that have images, or
/// where there are more than 20, 20 of them, spread evenly over the ranks by frequency. `counts` are the training
/// images of each class, `[K]`.
pub fn measured_classes(counts: &[usize]) -> Vec<usize> {
    let mut classes: Vec<usize> = (0..counts.len()).filter(|&k| counts[k] > 0).collect();
    if counts.len() > MOST_CLASSES && classes.len() > MOST_CLASSES {
        classes.sort_by_key(|&k| std::cmp::Reverse(counts[k]));
        let last = classes.len() - 1;
        let spread = (0..MOST_CLASSES).map(|i| classes[i * last / (MOST_CLASSES - 1)]);
        classes = spread.collect();
        classes.sort_unstable();
    }
    classes
}

/// Measures the gradient of the mean cross-entropy of every piece, `g[k,s]` = ∇θ (1/n) Σ CE(f(x_i), k) in the mixed
/// batch of the pieces number s, and gives for each layer the scalar products of all pieces, and those with `update`.
/// Running statistics are neither read nor changed. A class that is not measured has no images in the result.
///
/// * `images` – gives images as the network sees them, not augmented, [n, H, W, C];
/// * `update` – change of every parameter in the last optimiser step, in parameter order; none before the first step.
///
/// # Errors
/// Where a forward or backward pass fails.
pub fn mixed(
    net: &Net,
    mix: &Mix<'_>,
    images: impl FnMut(&[u32]) -> Result<Tensor>,
    update: Option<&[Tensor]>,
) -> Result<ProbeTensors> {
    mixed_within(BUDGET, net, mix, images, update)
}

pub(super) fn mixed_within(
    budget: usize,
    net: &Net,
    mix: &Mix<'_>,
    mut images: impl FnMut(&[u32]) -> Result<Tensor>,
    update: Option<&[Tensor]>,
) -> Result<ProbeTensors> {
    let (classes, count, weights) = (mix.classes(), mix.count(), net.weights());
    let mut result = ProbeTensors {
        classes,
        loss: vec![f32::NAN; mix.pieces.len()],
        n: vec![0.0; mix.pieces.len()],
        ..ProbeTensors::default()
    };
    for &class in mix.measured {
        for row in class * count..(class + 1) * count {
            result.n[row] = mix.pieces[row].len() as f32;
        }
    }
    let rows = mix.measured.len() * count;
    for layers in products::groups(net, rows, budget) {
        let params = products::span(&layers);
        let mut gradients = vec![Vec::new(); mix.pieces.len()];
        for s in 0..count {
            let batch = mix.batch(s);
            if batch.images.is_empty() {
                continue;
            }
            let x = images(&batch.images)?;
            let out = net.forward(&weights, &x, Mode::Mixed(&batch.shares))?;
            let losses = out.class_losses(&batch.labels, mix.measured)?;
            let present: Vec<usize> = (0..mix.measured.len())
                .filter(|&i| losses.values[i].is_some())
                .collect();
            // On the CPU each thread takes a whole backward pass: the threads need not wait for each other. Such a pass has a
            // few gradients of the size of the largest layer at a time.
            let [height, width, _] = net.spec().image;
            let layer = height * width * net.spec().channels()[0] * size_of::<f32>();
            let bytes = 3 * layer * batch.images.len();
            let done = ops::pieces_of(x.device(), (present.len(), bytes), |i| {
                products::flatten(&losses.backward(present[i])?[params.clone()])
            });
            for (&i, gradient) in present.iter().zip(done) {
                let row = mix.measured[i] * count + s;
                gradients[row] = gradient?;
                result.loss[row] = losses.values[i].map_or(f32::NAN, |loss| loss as f32);
            }
        }
        products::append(net, &layers, &gradients, update, &mut result)?;
    }
    Ok(result)
}
