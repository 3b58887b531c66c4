//! Training batches, augmented and normalised, prepared ahead on a thread.

use std::sync::Arc;
use std::thread;

use crossbeam_channel::Receiver;
use rayon::prelude::*;

use crate::config::RunConfig;
use crate::random::Random;
use crate::run::event::Normalise;

use super::{Dataset, sampler};

/// Batches that wait ready.
const AHEAD: usize = 3;

/// One training batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Step it belongs to, from 0.
    pub step: u64,
    /// Augmented, normalised images, [B, H, W, C].
    pub images: Vec<f32>,
    /// Their classes, `[B]`.
    pub labels: Vec<u32>,
}

/// Prepares the batches of a run on a thread of its own. Dropping it ends the thread.
#[derive(Debug)]
pub struct Loader {
    batches: Receiver<Batch>,
}

impl Loader {
    /// Prepares batches from step `first_step` (counted from 0) on: the same ones that would come from the start.
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

    /// The next batch. None only where the thread died, which it does not unless the data are inconsistent.
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

/// Makes any batch of a run from its step alone.
struct Source {
    data: Arc<Dataset>,
    table: Vec<[f32; 256]>,
    config: RunConfig,
    batch: usize,
    augmentation: Augmentation,
    /// Epoch of `order`.
    epoch: Option<u64>,
    order: Vec<u32>,
}

impl Source {
    fn new(data: Arc<Dataset>, normalise: &Normalise, config: &RunConfig) -> Self {
        Self {
            data,
            table: lookup(normalise),
            batch: config.batch,
            config: config.clone(),
            augmentation: Augmentation::of(config),
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
        for (out, &index) in images.chunks_mut(len.max(1)).zip(indices) {
            self.augment(out, index, epoch);
        }
        let labels = indices
            .iter()
            .map(|&i| u32::from(self.data.labels[i as usize]))
            .collect();
        Batch {
            step,
            images,
            labels,
        }
    }

    /// The image as `epoch` sees it, normalised.
    fn augment(&self, out: &mut [f32], index: u32, epoch: u64) {
        let (size, c) = ((self.data.height, self.data.width), self.data.channels);
        let crop = self.augmentation.crop(epoch, index);
        let image = self.data.image(index);
        for (i, out) in out.chunks_mut(c).enumerate() {
            let from = crop.source(size, i);
            for (channel, out) in out.iter_mut().enumerate() {
                // Black is padded before normalisation, as PyTorch's RandomCrop on images does.
                let pixel = from.map_or(0, |from| image[from * c + channel]);
                *out = self.table[channel][usize::from(pixel)];
            }
        }
    }
}

/// Random crops from the image padded with black, and random flips.
#[derive(Clone, Copy, Debug)]
pub(super) struct Augmentation {
    seed: u64,
    padding: usize,
    flip: bool,
}

impl Augmentation {
    pub(super) fn of(config: &RunConfig) -> Self {
        Self {
            seed: config.seed,
            padding: config.crop_padding,
            flip: config.flip,
        }
    }

    /// What `epoch` (from 0) makes of an image: a function of seed, epoch and image.
    pub(super) fn crop(self, epoch: u64, index: u32) -> Crop {
        let mut random = Random::new(self.seed, "augment", epoch, u64::from(index));
        Crop {
            padding: self.padding,
            top: random.below(2 * self.padding + 1),
            left: random.below(2 * self.padding + 1),
            flipped: self.flip && random.below(2) == 1,
        }
    }
}

/// Which part of a padded image is seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crop {
    padding: usize,
    top: usize,
    left: usize,
    flipped: bool,
}

impl Crop {
    /// Number of the pixel that comes to lie at pixel `i` of an image of (height, width); none in the padding.
    pub(super) fn source(self, (h, w): (usize, usize), i: usize) -> Option<usize> {
        let (y, x) = (i / w, i % w);
        let x = if self.flipped { w - 1 - x } else { x };
        let (y, x) = (y + self.top, x + self.left);
        let inside = (self.padding..h + self.padding).contains(&y)
            && (self.padding..w + self.padding).contains(&x);
        inside.then(|| (y - self.padding) * w + x - self.padding)
    }
}

/// Normalised value of every pixel value, by channel.
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
mod tests {
    use super::*;

    fn data() -> Dataset {
        Dataset {
            images: (0..10 * 6 * 5 * 3).map(|i| (i * 37 % 251) as u8).collect(),
            height: 6,
            width: 5,
            channels: 3,
            labels: (0..10).collect(),
            classes: (0..10).map(|k| k.to_string()).collect(),
            train: (0..10).collect(),
            ..Dataset::default()
        }
    }

    fn config() -> RunConfig {
        RunConfig {
            batch: 4,
            crop_padding: 2,
            ..RunConfig::default()
        }
    }

    #[test]
    fn every_image_once_an_epoch_and_the_same_after_a_resume() -> anyhow::Result<()> {
        let data = Arc::new(data());
        let normalise = data.normalise();
        let mut loader = Loader::start(data.clone(), &normalise, &config(), 0);
        let batches: Vec<Batch> = (0..9).filter_map(|_| loader.next_batch()).collect();
        for epoch in batches.chunks(3) {
            let mut labels: Vec<u32> = epoch
                .iter()
                .flat_map(|batch| batch.labels.clone())
                .collect();
            assert_eq!(
                epoch
                    .iter()
                    .map(|batch| batch.labels.len())
                    .collect::<Vec<_>>(),
                [4, 4, 2]
            );
            labels.sort_unstable();
            assert_eq!(labels, (0..10).collect::<Vec<_>>());
        }
        assert_ne!(
            batches[0].labels, batches[3].labels,
            "each epoch has its own order"
        );
        for first in 1..9 {
            let mut resumed = Loader::start(data.clone(), &normalise, &config(), first);
            assert_eq!(resumed.next_batch().as_ref(), batches.get(first as usize));
        }
        Ok(())
    }

    #[test]
    fn without_augmentation_batches_are_the_images() {
        let data = Arc::new(data());
        let normalise = data.normalise();
        let plain = RunConfig {
            crop_padding: 0,
            flip: false,
            ..config()
        };
        let batch = Source::new(data.clone(), &normalise, &plain).batch(1);
        let indices: Vec<u32> = batch.labels.clone();
        assert_eq!(batch.images, eval_batch(&data, &indices, &normalise));
        let mean: f32 = eval_batch(&data, &data.train, &normalise)
            .iter()
            .sum::<f32>()
            / 900.0;
        assert!(mean.abs() < 1e-4, "normalised to mean 0, not {mean}");
    }

    #[test]
    fn crops_move_and_flip_within_the_padding() {
        let data = Arc::new(data());
        let normalise = Normalise {
            mean: vec![0.0; 3],
            std: vec![1.0 / 255.0; 3],
        };
        let mut source = Source::new(data.clone(), &normalise, &config());
        let mut seen = std::collections::BTreeSet::new();
        for epoch in 0..200 {
            let batch = source.batch(epoch * 3);
            let (label, image) = (batch.labels[0], &batch.images[..90]);
            let value = |y: usize, x: usize| image[(y * 5 + x) * 3].round() as i32;
            let original = |y: isize, x: isize| match (usize::try_from(y), usize::try_from(x)) {
                (Ok(y), Ok(x)) if y < 6 && x < 5 => i32::from(data.image(label)[(y * 5 + x) * 3]),
                _ => 0,
            };
            let found = (-2..=2)
                .flat_map(|dy| (-2..=2).flat_map(move |dx| [(dy, dx, false), (dy, dx, true)]))
                .find(|&(dy, dx, flip)| {
                    (0..6).all(|y| {
                        (0..5).all(|x| {
                            let source = if flip { 4 - x } else { x };
                            value(y as usize, x as usize) == original(y + dy, source + dx)
                        })
                    })
                });
            seen.insert(found.expect("every crop is a shift, perhaps flipped, of its image"));
        }
        assert!(
            seen.len() > 40,
            "{} of 50 shifts and flips seen",
            seen.len()
        );
    }
}
