//! Mixed batches: mixup (Zhang et al. 2018) and CutMix (Yun et al. 2019).

use crate::config::RunConfig;
use crate::random::Random;

/// How the batches of a run are mixed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mixing {
    seed: u64,
    /// α of mixup.
    mixup: Option<f64>,
    /// α of CutMix, and the share of the batches that it mixes.
    cutmix: Option<(f64, f64)>,
}

/// What a batch was mixed with.
#[derive(Clone, Debug, PartialEq)]
pub struct Mixed {
    /// Classes of the images that were mixed into those of the batch, `[B]`.
    pub labels: Vec<u32>,
    /// Share λ of the batch's own images in the mixture, 0 to 1, and in its loss: λ·L(own) + (1 − λ)·L(mixed in).
    pub share: f64,
}

/// Rows and columns of an image, `[from, to)` each.
type Box2 = [(usize, usize); 2];

impl Mixing {
    /// The mixing of a configuration; `None` where batches are not mixed.
    pub(super) fn of(config: &RunConfig) -> Option<Self> {
        config.mixes().then_some(Self {
            seed: config.seed,
            mixup: config.mixup,
            cutmix: config.cutmix.map(|alpha| (alpha, config.cutmix_share())),
        })
    }

    /// Mixes the `images` [B, H, W, C] of the step `step` with those of the same batch in another order: a function of seed
    /// and step. `size`: (height, width, channels). `None` where this batch is left as it is.
    pub(super) fn mix(
        self,
        step: u64,
        images: &mut [f32],
        labels: &[u32],
        size: (usize, usize, usize),
    ) -> Option<Mixed> {
        let (h, w, c) = size;
        let len = (h * w * c).max(1);
        let mut random = Random::new(self.seed, "mix", step, 0);
        // Drawn first and always, so that a batch has the same partners whatever mixes it.
        let mut order: Vec<usize> = (0..labels.len()).collect();
        random.shuffle(&mut order);
        let chosen = random.uniform();
        let before = images.to_vec();
        let partners = order.iter().map(|&i| &before[i * len..(i + 1) * len]);
        let pairs = images.chunks_mut(len).zip(partners);
        let share = match (self.cutmix, self.mixup) {
            (Some((alpha, prob)), _) if chosen < prob => {
                let [rows, columns] = patch(&mut random, alpha, (h, w));
                for (own, other) in pairs {
                    for y in rows.0..rows.1 {
                        let line = (y * w + columns.0) * c..(y * w + columns.1) * c;
                        own[line.clone()].copy_from_slice(&other[line]);
                    }
                }
                let area = (rows.1 - rows.0) * (columns.1 - columns.0);
                1.0 - area as f64 / (h * w).max(1) as f64
            }
            (_, Some(alpha)) => {
                let share = random.beta(alpha);
                let (kept, given) = (share as f32, (1.0 - share) as f32);
                for (own, other) in pairs {
                    let values = own.iter_mut().zip(other);
                    values.for_each(|(x, other)| *x = kept * *x + given * other);
                }
                share
            }
            (_, None) => return None,
        };
        Some(Mixed {
            labels: order.iter().map(|&i| labels[i]).collect(),
            share,
        })
    }
}

/// The part of an image of (height, width) that another image's takes the place of: about the share 1 − λ of it, with λ from
/// Beta(α, α), around a pixel drawn at random and within the image.
fn patch(random: &mut Random, alpha: f64, (h, w): (usize, usize)) -> Box2 {
    let side = (1.0 - random.beta(alpha)).sqrt();
    let mut span = |whole: usize| {
        let half = (whole as f64 * side) as usize / 2;
        let centre = random.below(whole);
        (centre.saturating_sub(half), (centre + half).min(whole))
    };
    [span(h), span(w)]
}

#[cfg(test)]
mod tests;
