//! The share of each class in the gradient of real training batches.

use candle_core::{Result, Tensor};

use crate::class_balance;
use crate::data::batches::{Batch, Loader};
use crate::model::Mode;
use crate::ops::{self, Mean};

use super::subject::Subject;

/// The batches that training would take next, augmented.
pub(super) fn batches(subject: &Subject, count: usize) -> Vec<Batch> {
    let mut loader = Loader::start(
        subject.data.clone(),
        &subject.normalise,
        &subject.config,
        subject.progress.step,
    );
    (0..count).map_while(|_| loader.next_batch()).collect()
}

/// Sums over batches of each measured class's share of the batch's gradient, with batch norm on the statistics of the
/// batch: (w_j / Σ w) times the sum of its images' gradients, which add up to the gradient of the step.
pub(super) struct Shares {
    measured: Vec<usize>,
    /// Shapes of all parameters, in order.
    shapes: Vec<Vec<usize>>,
    /// By class, the values of all parameters.
    sums: Vec<Vec<f32>>,
    /// By class, the sum of its weights in the loss, Σ (w_j n_j / Σ w): the gradient of the class's mean loss is the mean
    /// share divided by the mean weight.
    weights: Vec<f64>,
}

impl Shares {
    pub(super) fn new(subject: &Subject, measured: &[usize]) -> Self {
        let values = subject.net.params().values();
        let len: usize = values.iter().map(Tensor::elem_count).sum();
        Self {
            measured: measured.to_vec(),
            shapes: values.iter().map(|value| value.dims().to_vec()).collect(),
            sums: vec![vec![0.0; len]; measured.len()],
            weights: vec![0.0; measured.len()],
        }
    }

    pub(super) fn add(&mut self, subject: &Subject, batch: &Batch) -> Result<()> {
        let (net, n) = (&subject.net, batch.labels.len());
        let epoch = subject.progress.epoch;
        let criteria = subject.criteria();
        let weights = class_balance::class_weights(&subject.config, &subject.counts, epoch);
        let weight = |class: usize| weights.get(class).copied().unwrap_or(1.0);
        // Losses of several experts have one kind of mean.
        let total = match criteria.first().map(|criterion| criterion.mean) {
            Some(Mean::OfImages) => n as f64,
            Some(Mean::OfWeights) | None => batch
                .labels
                .iter()
                .map(|&label| weight(label as usize))
                .sum(),
        };
        let x = subject.tensor(batch.images.clone(), n)?;
        let out = net.forward(&net.weights(), &x, Mode::Train)?;
        let losses = out.class_losses_by(&batch.labels, &self.measured, &criteria)?;
        let done = ops::pieces(x.device(), self.measured.len(), |i| {
            let grads = losses.backward(i)?;
            let flat = grads.iter().map(Tensor::flatten_all);
            let flat = flat.collect::<Result<Vec<_>>>()?;
            if flat.is_empty() {
                return Ok(Vec::new());
            }
            Tensor::cat(&flat, 0)?.to_vec1::<f32>()
        });
        let sums = self.sums.iter_mut().zip(&mut self.weights);
        for ((&class, (sum, of_class)), gradient) in self.measured.iter().zip(sums).zip(done) {
            let images = batch
                .labels
                .iter()
                .filter(|&&label| label as usize == class);
            let factor = weight(class) * images.count() as f64 / total;
            *of_class += factor;
            let factor = factor as f32;
            let terms = sum.iter_mut().zip(gradient?);
            terms.for_each(|(sum, x)| *sum += factor * x);
        }
        Ok(())
    }

    /// The mean over this many batches.
    pub(super) fn mean(mut self, batches: usize) -> Self {
        let factor = 1.0 / batches.max(1) as f32;
        self.sums.iter_mut().flatten().for_each(|x| *x *= factor);
        self.weights
            .iter_mut()
            .for_each(|x| *x *= f64::from(factor));
        self
    }

    /// −⟨s_j, s_k⟩/ω_k for the shares s, `[K, K]`: the first-order effect of class j's share on the loss of class k,
    /// whose gradient is s_k/ω_k with the weight ω_k that the class has in the loss of these batches. NaN for a class that
    /// is not measured, or has no image in the batches.
    pub(super) fn predicted(&self, classes: usize) -> Vec<f32> {
        let rows: Vec<&[f32]> = self.sums.iter().map(Vec::as_slice).collect();
        let products = ops::products(&rows);
        let mut found = vec![f32::NAN; classes * classes];
        let measured = &self.measured;
        let present = |at: &usize| self.weights[*at] > 0.0;
        for a in (0..measured.len()).filter(present) {
            for b in (0..measured.len()).filter(present) {
                let effect = -products[a * measured.len() + b] / self.weights[b];
                found[measured[a] * classes + measured[b]] = effect as f32;
            }
        }
        found
    }

    /// The parameters after a step of the learning rate `size` along the share of the measured class number `i`.
    pub(super) fn applied(&self, start: &[Tensor], i: usize, size: f64) -> Result<Vec<Tensor>> {
        let mut rest = self.sums[i].as_slice();
        let moved = start.iter().zip(&self.shapes).map(|(value, shape)| {
            let (own, others) = rest.split_at(value.elem_count());
            rest = others;
            let share = Tensor::from_slice(own, shape.as_slice(), value.device())?;
            value - (share * size)?
        });
        moved.collect()
    }
}
