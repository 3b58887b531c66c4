//! Augmentation: the random crop and the random flip of an image in an epoch.

use crate::config::RunConfig;
use crate::random::Random;

/// Random crops from the image padded with black, and random flips.
#[derive(Clone, Copy, Debug)]
pub(super) struct Augmentation {
    seed: u64,
    padding: usize,
    flip: bool,
}

impl Augmentation {
    /// The augmentation of a configuration.
    pub(super) fn of(config: &RunConfig) -> Self {
        Self {
            seed: config.seed,
            padding: config.crop_padding,
            flip: config.flip,
        }
    }

    /// Crop and flip of an image in `epoch` (from 0): a function of seed, epoch and the number of the image.
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

/// The part of a padded image that an epoch sees.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crop {
    padding: usize,
    top: usize,
    left: usize,
    flipped: bool,
}

impl Crop {
    /// Number of the pixel of the original image that lies at pixel `i` of the crop, for images of (height, width);
    /// none where the padding lies.
    pub(super) fn source(self, (h, w): (usize, usize), i: usize) -> Option<usize> {
        let (y, x) = (i / w, i % w);
        let x = if self.flipped { w - 1 - x } else { x };
        let (y, x) = (y + self.top, x + self.left);
        let inside = (self.padding..h + self.padding).contains(&y)
            && (self.padding..w + self.padding).contains(&x);
        inside.then(|| (y - self.padding) * w + x - self.padding)
    }
}
