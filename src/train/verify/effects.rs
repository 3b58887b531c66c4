//! The losses of all classes after a change of the weights, with the running statistics estimated anew.

use candle_core::{Result, Tensor};

use crate::data::batches::Batch;
use crate::model::Mode;

use super::subject::Subject;

/// Batches from which the running statistics are estimated.
const NORM_BATCHES: usize = 12;
/// Images that go through the network at a time, at most; a batch that could be trained on fits.
const AT_ONCE: usize = 250;
/// The largest change of a loss that a small step is to cause, in nats: small enough to be first-order, and far above
/// the rounding of an f32 loss.
const CHANGE: f64 = 0.01;

/// The images whose losses are measured, and the batches that the running statistics follow.
pub(super) struct Effects {
    norms: Vec<Tensor>,
    /// Of training images, then of held-out images: (indices, classes).
    splits: [Vec<(u32, usize)>; 2],
    held_out: &'static str,
}

/// Losses by class of training images and of held-out images; `None` for a class without images.
pub(super) type Losses = [Vec<Option<f64>>; 2];

/// The learning rate at which the largest predicted effect `[K]`, for each unit of learning rate, is [`CHANGE`]; 0
/// where nothing is predicted.
pub(super) fn step_size(effects: &[f32]) -> f64 {
    let finite = effects.iter().filter(|x| x.is_finite());
    let largest = finite.map(|x| f64::from(x.abs())).fold(0.0, f64::max);
    if largest > 0.0 { CHANGE / largest } else { 0.0 }
}

impl Effects {
    /// Takes up to `most` images of each class.
    pub(super) fn new(subject: &Subject, drawn: &[Batch], most: usize) -> Result<Self> {
        let norms = drawn
            .iter()
            .take(NORM_BATCHES)
            .map(|batch| subject.tensor(batch.images.clone(), batch.labels.len()));
        let data = &subject.data;
        let chosen = |indices: &[u32]| {
            let mut taken = vec![0; data.classes.len()];
            let mut of_class = |&index: &u32| {
                let class = usize::from(data.labels[index as usize]);
                taken[class] += 1;
                (taken[class] <= most).then_some((index, class))
            };
            indices.iter().filter_map(&mut of_class).collect()
        };
        let (held_out, indices) = if data.test.is_empty() {
            ("val", &data.val)
        } else {
            ("test", &data.test)
        };
        Ok(Self {
            norms: norms.collect::<Result<_>>()?,
            splits: [chosen(&data.train), chosen(indices)],
            held_out: if indices.is_empty() { "" } else { held_out },
        })
    }

    /// The split of the held-out images; empty without any.
    pub(super) fn held_out(&self) -> &'static str {
        self.held_out
    }

    /// The losses that training minimises, without class weights, with the network's present parameters. Sets its running
    /// statistics.
    pub(super) fn losses(&self, subject: &mut Subject) -> Result<Losses> {
        let weights = subject.net.weights();
        let mut updates = Vec::with_capacity(self.norms.len());
        for batch in &self.norms {
            updates.push(subject.net.forward(&weights, batch, Mode::Train)?.norms);
        }
        subject.net.set_norms(&updates);
        let classes = subject.data.classes.len();
        let criteria = subject.criteria();
        let of = |split: &[(u32, usize)]| -> Result<Vec<Option<f64>>> {
            let (mut sums, mut images) = (vec![0.0; classes], vec![0_usize; classes]);
            for chunk in split.chunks(AT_ONCE.min(subject.config.batch)) {
                let indices: Vec<u32> = chunk.iter().map(|(index, _)| *index).collect();
                let x = subject.images(&indices)?;
                let out = subject.net.forward(&weights, &x, Mode::Eval)?;
                let labels: Vec<u32> = chunk.iter().map(|(_, class)| *class as u32).collect();
                let losses = out.image_losses(&labels, &criteria)?;
                for (loss, (_, class)) in losses.iter().zip(chunk) {
                    sums[*class] += loss;
                    images[*class] += 1;
                }
            }
            let mean = |(sum, n): (f64, usize)| (n > 0).then(|| sum / n as f64);
            Ok(sums.into_iter().zip(images).map(mean).collect())
        };
        Ok([of(&self.splits[0])?, of(&self.splits[1])?])
    }
}
