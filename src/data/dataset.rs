//! The data set: images with labels, all of one size, and their splits.

use crate::network::Normalise;
use crate::random::Random;

use super::fingerprint::Hash;

/// Images with labels, all of one size, and which of them train, validate and test.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dataset {
    /// Pixels, [N, H, W, C], u8.
    pub images: Vec<u8>,
    /// H, pixels from top to bottom.
    pub height: usize,
    /// W, pixels from left to right.
    pub width: usize,
    /// C: 1 (grey) or 3 (RGB).
    pub channels: usize,
    /// Class of every image, `[N]`.
    pub labels: Vec<u16>,
    /// Class names, `[K]`.
    pub classes: Vec<String>,
    /// File of every image, relative to the source, where it has files.
    pub files: Option<Vec<String>>,
    /// Indices of the training images, ascending.
    pub train: Vec<u32>,
    /// Indices of the validation images, ascending.
    pub val: Vec<u32>,
    /// Indices of the test images, ascending.
    pub test: Vec<u32>,
}

impl Dataset {
    /// Values of one image, H·W·C.
    pub fn image_len(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// Pixels of one image, [H, W, C].
    pub fn image(&self, index: u32) -> &[u8] {
        let len = self.image_len();
        &self.images[index as usize * len..][..len]
    }

    /// Number of images of each class among `indices`, `[K]`.
    pub fn counts(&self, indices: &[u32]) -> Vec<usize> {
        let mut counts = vec![0; self.classes.len()];
        indices
            .iter()
            .for_each(|&i| counts[usize::from(self.labels[i as usize])] += 1);
        counts
    }

    /// A hash of size, classes, labels and pixels, in hexadecimal, which shows whether the data have changed.
    pub fn fingerprint(&self) -> String {
        let mut hash = Hash::default();
        for number in [self.height, self.width, self.channels, self.classes.len()] {
            hash.bytes(&(number as u64).to_le_bytes());
        }
        for class in &self.classes {
            hash.bytes(class.as_bytes());
            hash.bytes(&[0]);
        }
        self.labels
            .iter()
            .for_each(|label| hash.bytes(&label.to_le_bytes()));
        hash.bytes(&self.images);
        format!("{:016x}", hash.finish())
    }

    /// Mean and standard deviation per channel over the training images, for pixel values in [0, 1]. A channel that
    /// never varies gets the standard deviation 1, so that nothing is divided by 0.
    pub fn normalise(&self) -> Normalise {
        let mut counts = vec![[0_u64; 256]; self.channels];
        for &index in &self.train {
            for pixel in self.image(index).chunks(self.channels) {
                for (counts, &value) in counts.iter_mut().zip(pixel) {
                    counts[usize::from(value)] += 1;
                }
            }
        }
        let mut normalise = Normalise {
            mean: Vec::new(),
            std: Vec::new(),
        };
        for counts in counts {
            let total = counts.iter().sum::<u64>().max(1) as f64;
            let moment = |f: &dyn Fn(f64) -> f64| {
                let terms = counts
                    .iter()
                    .enumerate()
                    .map(|(value, &n)| n as f64 * f(value as f64 / 255.0));
                terms.sum::<f64>() / total
            };
            let mean = moment(&|x| x);
            let std = moment(&|x| (x - mean) * (x - mean)).sqrt();
            normalise.mean.push(mean as f32);
            normalise
                .std
                .push(if std > 1e-6 { std as f32 } else { 1.0 });
        }
        normalise
    }

    /// A fixed, class-balanced choice of training images, [K][≤ `per_class`], each ascending.
    pub fn probe_indices(&self, per_class: usize, data_seed: u64) -> Vec<Vec<u32>> {
        let mut by_class = vec![Vec::new(); self.classes.len()];
        for &index in &self.train {
            by_class[usize::from(self.labels[index as usize])].push(index);
        }
        for (class, indices) in by_class.iter_mut().enumerate() {
            Random::new(data_seed, "probe", 0, class as u64).shuffle(indices);
            indices.truncate(per_class);
            indices.sort_unstable();
        }
        by_class
    }
}

/// The images of a source, before any split or subset is made.
pub(super) struct Unsplit {
    /// The images, with the splits that the source itself has.
    pub(super) dataset: Dataset,
    /// Sentences for the user, such as the files that were left out.
    pub(super) notes: Vec<String>,
    /// Images that are left out because they cannot be read, a sentence each.
    pub(super) unreadable: Vec<String>,
}
