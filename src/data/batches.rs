//! Training batches, augmented and normalised, prepared ahead on a thread.

use std::sync::Arc;
use std::thread;

use crossbeam_channel::Receiver;
use rayon::prelude::*;

use crate::config::RunConfig;
use crate::network::Normalise;

use super::augment::{Augmentation, Seen};
use super::dataset::Dataset;
use super::mixing::{Mixed, Mixing};
use super::sampler;

/// Batches that are kept ready, at most.
const AHEAD: usize = 3;

/// One training batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Step that the batch belongs to, counted from 0.
    pub step: u64,
    /// Augmented, normalised images, [B, H, W, C], mixed with others where there is a `mixed`.
    pub images: Vec<f32>,
    /// Classes of the images, `[B]`.
    pub labels: Vec<u32>,
    /// What the images were mixed with; `None` where they were not.
    pub mixed: Option<Mixed>,
}

/// Prepares the batches of a run on a thread of its own. Dropping it ends the thread.
#[derive(Debug)]
pub struct Loader {
    batches: Receiver<Batch>,
}

impl Loader {
    /// Prepares the batches from step `first_step` (counted from 0) on, the same as a loader from step 0 gives for
    /// these steps.
    pub fn start(
        data: Arc<Dataset>,
        normalise: &Normalise,
        config: &RunConfig,
        first_step: u64,
    ) -> Self {
        let (sender, batches) = crossbeam_channel::bounded(AHEAD);
        let mut source = Source::new(data, normalise, config);
        thread::spawn(move || {
            crate::threads::give_way();
            for step in first_step.. {
                // The receiver is gone once training ended.
                if sender.send(source.batch(step)).is_err() {
                    break;
                }
            }
        });
        Self { batches }
    }

    /// The next batch; none only where the thread has panicked, because the data are inconsistent.
    pub fn next_batch(&mut self) -> Option<Batch> {
        self.batches.recv().ok()
    }
}

/// Steps of one epoch; the last batch may be smaller.
pub fn steps_per_epoch(data: &Dataset, batch: usize) -> u64 {
    data.train.len().div_ceil(batch.max(1)).max(1) as u64
}

/// Images as the network sees them, not augmented: [n, H, W, C], normalised.
pub fn eval_batch(data: &Dataset, indices: &[u32], normalise: &Normalise) -> Vec<f32> {
    let table = lookup(normalise);
    let channels = data.channels;
    let mut values = vec![0.0; indices.len() * data.image_len()];
    values
        .par_chunks_mut(data.image_len().max(1))
        .zip(indices)
        .for_each(|(out, &index)| {
            for (i, (out, &pixel)) in out.iter_mut().zip(data.image(index)).enumerate() {
                *out = table[i % channels][usize::from(pixel)];
            }
        });
    values
}

/// Makes any batch of a run from the number of its step alone.
struct Source {
    data: Arc<Dataset>,
    table: Vec<[f32; 256]>,
    config: RunConfig,
    batch: usize,
    augmentation: Augmentation,
    mixing: Option<Mixing>,
    /// Epoch of `order`.
    epoch: Option<u64>,
    /// Numbers of the images, each with how often it occurs before.
    order: Vec<(u32, u32)>,
}

impl Source {
    fn new(data: Arc<Dataset>, normalise: &Normalise, config: &RunConfig) -> Self {
        Self {
            data,
            table: lookup(normalise),
            batch: config.batch,
            config: config.clone(),
            augmentation: Augmentation::of(config),
            mixing: Mixing::of(config),
            epoch: None,
            order: Vec::new(),
        }
    }

    fn batch(&mut self, step: u64) -> Batch {
        let steps = steps_per_epoch(&self.data, self.batch);
        let epoch = step / steps;
        if self.epoch != Some(epoch) {
            self.order = sampler::order(&self.data, &self.config, epoch);
            self.epoch = Some(epoch);
        }
        let start = (step % steps) as usize * self.batch;
        let indices =
            &self.order[start.min(self.order.len())..(start + self.batch).min(self.order.len())];
        let len = self.data.image_len();
        let mut images = vec![0.0; indices.len() * len];
        for (out, &drawn) in images.chunks_mut(len.max(1)).zip(indices) {
            self.augment(out, drawn, epoch);
        }
        let labels: Vec<u32> = indices
            .iter()
            .map(|&(index, _)| u32::from(self.data.labels[index as usize]))
            .collect();
        let size = (self.data.height, self.data.width, self.data.channels);
        let mixing = self.mixing.as_ref();
        let mixed = mixing.and_then(|mixing| mixing.mix(step, &mut images, &labels, size));
        Batch {
            step,
            images,
            labels,
            mixed,
        }
    }

    /// Writes an image as `epoch` sees it, augmented and normalised, [H, W, C].
    fn augment(&self, out: &mut [f32], drawn: (u32, u32), epoch: u64) {
        let (size, c) = ((self.data.height, self.data.width), self.data.channels);
        let view = self.augmentation.view(size, epoch, drawn);
        let image = self.data.image(drawn.0);
        for (i, out) in out.chunks_mut(c).enumerate() {
            let seen = view.at(i);
            for (channel, out) in out.iter_mut().enumerate() {
                let of = |pixel: u8| self.table[channel][usize::from(pixel)];
                *out = match seen {
                    Seen::Pixel(from) => of(image[from * c + channel]),
                    // Black is padded before normalisation, as PyTorch's RandomCrop on images does.
                    Seen::Border => of(0),
                    // Squares are cut out after normalisation, where 0 is the mean.
                    Seen::CutOut => 0.0,
                };
            }
        }
    }
}

/// Normalised value of every pixel value, [C][256].
fn lookup(normalise: &Normalise) -> Vec<[f32; 256]> {
    let channel = |(mean, std): (&f32, &f32)| {
        std::array::from_fn(|pixel| (pixel as f32 / 255.0 - mean) / std)
    };
    normalise
        .mean
        .iter()
        .zip(&normalise.std)
        .map(channel)
        .collect()
}

#[cfg(test)]
mod tests;
