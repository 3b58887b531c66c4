//! Augmentation: the random crop, the random flip and the cut-out square of an image in an epoch.

use crate::config::RunConfig;
use crate::random::Random;

/// Random crops from the image padded with black, random flips, and squares cut out at random.
#[derive(Clone, Copy, Debug)]
pub(super) struct Augmentation {
    seed: u64,
    padding: usize,
    flip: bool,
    /// Side of the square that is cut out, in pixels; 0 where none is.
    cutout: usize,
}

/// What an epoch sees at a pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// The pixel of the original image with this number.
    Pixel(usize),
    /// The black border that the crop reaches into.
    Border,
    /// The square that is cut out: the mean of the training images.
    CutOut,
}

impl Augmentation {
    /// The augmentation of a configuration.
    pub(super) fn of(config: &RunConfig) -> Self {
        Self {
            seed: config.seed,
            padding: config.crop_padding,
            flip: config.flip,
            cutout: config.cutout.unwrap_or(0),
        }
    }

    /// The part of an image of `size` (height, width) that `epoch` (from 0) sees: a function of seed, epoch, the number of
    /// the image, and how often the epoch has seen it before, since a sampler may draw an image repeatedly.
    pub(super) fn view(
        self,
        size: (usize, usize),
        epoch: u64,
        (index, before): (u32, u32),
    ) -> View {
        let item = u64::from(index) | u64::from(before) << 32;
        let mut random = Random::new(self.seed, "augment", epoch, item);
        let mut view = View {
            size,
            padding: self.padding,
            top: random.below(2 * self.padding + 1),
            left: random.below(2 * self.padding + 1),
            flipped: self.flip && random.below(2) == 1,
            hole: None,
        };
        if self.cutout > 0 {
            // A generator of its own, so that crops are the same with and without a square that is cut out.
            let mut random = Random::new(self.seed, "cutout", epoch, item);
            view.hole = Some(Square {
                side: self.cutout,
                centre: (random.below(size.0), random.below(size.1)),
            });
        }
        view
    }
}

/// The part of a padded image that an epoch sees.
#[derive(Clone, Copy, Debug)]
pub(super) struct View {
    size: (usize, usize),
    padding: usize,
    top: usize,
    left: usize,
    flipped: bool,
    hole: Option<Square>,
}

/// A square around a pixel, which may reach beyond the image (DeVries & Taylor 2017).
#[derive(Clone, Copy, Debug)]
struct Square {
    side: usize,
    /// Row and column; half of the side lies before them.
    centre: (usize, usize),
}

impl Square {
    fn holds(self, (y, x): (usize, usize)) -> bool {
        let within = |at: usize, centre: usize| {
            let from_start = at + self.side / 2;
            (centre..centre + self.side).contains(&from_start)
        };
        within(y, self.centre.0) && within(x, self.centre.1)
    }
}

impl View {
    /// What is seen at pixel `i`.
    pub(super) fn at(self, i: usize) -> Seen {
        let (h, w) = self.size;
        let (y, x) = (i / w, i % w);
        if self.hole.is_some_and(|hole| hole.holds((y, x))) {
            return Seen::CutOut;
        }
        let x = if self.flipped { w - 1 - x } else { x };
        let (y, x) = (y + self.top, x + self.left);
        let inside = (self.padding..h + self.padding).contains(&y)
            && (self.padding..w + self.padding).contains(&x);
        if inside {
            Seen::Pixel((y - self.padding) * w + x - self.padding)
        } else {
            Seen::Border
        }
    }
}
