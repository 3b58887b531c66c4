//! Images: one in-memory [`Dataset`] from every source, its splits, and the batches made from it.

pub mod batches;
mod decoded;
mod image_folder;
pub mod long_tail;
mod packed;
pub mod sampler;
pub mod samples;
mod sheet;
mod solar;
mod splits;

use std::path::{Path, PathBuf};

use crate::config::{DataSource, RunConfig, Size};
use crate::random::Random;
use crate::run::event::Normalise;

use decoded::Small;
use packed::Pack;

pub use sheet::sheet;
pub use splits::{Plan, Summary};

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
    /// Class names.
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

    /// Images of each class among `indices`, `[K]`.
    pub fn counts(&self, indices: &[u32]) -> Vec<usize> {
        let mut counts = vec![0; self.classes.len()];
        indices
            .iter()
            .for_each(|&i| counts[usize::from(self.labels[i as usize])] += 1);
        counts
    }

    /// A hash over size, classes, labels and pixels, in hexadecimal: whether two data sets are the same.
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
    /// never varies gets 1, so that nothing is divided by 0.
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

/// FNV-1a over words of eight bytes, finished as SplitMix64: not cryptographic, the same on every machine.
struct Hash {
    state: u64,
    pending: Vec<u8>,
}

impl Default for Hash {
    fn default() -> Self {
        Self {
            state: 0xcbf2_9ce4_8422_2325,
            pending: Vec::new(),
        }
    }
}

impl Hash {
    fn bytes(&mut self, mut bytes: &[u8]) {
        if !self.pending.is_empty() || bytes.len() < 8 {
            let take = bytes.len().min(8 - self.pending.len());
            self.pending.extend_from_slice(&bytes[..take]);
            bytes = &bytes[take..];
            if self.pending.len() < 8 {
                return;
            }
            let word = std::mem::take(&mut self.pending);
            self.words(&word);
        }
        let whole = bytes.len() / 8 * 8;
        self.words(&bytes[..whole]);
        self.pending.extend_from_slice(&bytes[whole..]);
    }

    fn words(&mut self, bytes: &[u8]) {
        let (words, _) = bytes.as_chunks::<8>();
        for word in words {
            self.state = (self.state ^ u64::from_le_bytes(*word))
                .wrapping_mul(0x0000_0100_0000_01b3)
                .rotate_left(23);
        }
    }

    fn finish(mut self) -> u64 {
        self.pending.resize(8, 0);
        let rest = std::mem::take(&mut self.pending);
        self.words(&rest);
        Random::new(self.state, "fingerprint", 0, 0).next_u64()
    }
}

/// A data set with what the user should know of how it was read.
#[derive(Debug)]
pub struct Loaded {
    /// The images.
    pub dataset: Dataset,
    /// Sentences, such as the files that were skipped.
    pub notes: Vec<String>,
}

/// Why images cannot be used. Each message says what to do; paths come last.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// A file or directory cannot be read.
    #[error("cannot read the images: {error}: {}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The system's reason.
        error: std::io::Error,
    },
    /// The directory does not have the expected layout.
    #[error("{problem}; expected root/class/image.png or root/train/class/image.png: {}", path.display())]
    Layout {
        /// What is wrong.
        problem: String,
        /// The directory.
        path: PathBuf,
    },
    /// A file that holds many images is not what it should be.
    #[error("{problem}: {}", path.display())]
    Packed {
        /// What is wrong, and what to do.
        problem: String,
        /// The file or directory.
        path: PathBuf,
    },
    /// A class has no image to learn from.
    #[error("class `{class}` has no training image; add images or delete its folder: {}", path.display())]
    EmptyClass {
        /// Name of the class.
        class: String,
        /// Its directory.
        path: PathBuf,
    },
    /// An image cannot be decoded.
    #[error("cannot decode this image ({reason}); repair or delete it, or set `skip_unreadable`: {}", path.display())]
    Unreadable {
        /// The decoder's reason.
        reason: String,
        /// The file.
        path: PathBuf,
    },
    /// The images do not fit into memory.
    #[error("{images} images of this size need {gib:.1} GiB of memory; choose a smaller `size`")]
    TooLarge {
        /// Number of images.
        images: usize,
        /// Bytes they would need, in GiB.
        gib: f64,
    },
    /// The caller asked to stop.
    #[error("reading the images was stopped")]
    Cancelled,
}

/// What a source brings, before any split or subset is made by us.
struct Source {
    dataset: Dataset,
    notes: Vec<String>,
}

/// Reads and decodes the images of `config`, splits them and cuts the long tail, as [`Summary::plan`] says.
/// `progress(done, total)` may be called from any thread, and cancels by returning false.
///
/// # Errors
/// Where the images cannot be used.
pub fn load(
    config: &RunConfig,
    progress: &(dyn Fn(usize, usize) -> bool + Sync),
) -> Result<Loaded, DataError> {
    let Source { mut dataset, notes } = match &config.data {
        DataSource::Solar => solar::load(config, progress)?,
        DataSource::Folder(path) => match packed::recognise(path) {
            Some(packing) => Pack::read(packing, path, true)?.load(path, config, progress)?,
            None => image_folder::load(path, config, progress)?,
        },
    };
    splits::apply(&mut dataset, config);
    if let DataSource::Folder(path) = &config.data
        && let Some(class) = dataset.counts(&dataset.train).iter().position(|&n| n == 0)
    {
        let class = dataset.classes[class].clone();
        return Err(if packed::recognise(path).is_some() {
            DataError::Packed {
                problem: format!("class `{class}` has no training image; leave the class out"),
                path: path.clone(),
            }
        } else {
            DataError::EmptyClass {
                path: path.join(&class),
                class,
            }
        });
    }
    Ok(Loaded { dataset, notes })
}

/// Single images of a source, for looking at.
#[derive(Debug)]
pub struct Reader {
    config: RunConfig,
    /// Where many images share a file, they are all held.
    pack: Option<Pack>,
}

impl Reader {
    /// Opens the source of `config`.
    ///
    /// # Errors
    /// Where the source cannot be used.
    pub fn open(config: &RunConfig) -> Result<Self, DataError> {
        let pack = match &config.data {
            DataSource::Solar => None,
            DataSource::Folder(path) => match packed::recognise(path) {
                Some(packing) => Some(Pack::read(packing, path, true)?),
                None => None,
            },
        };
        Ok(Self {
            config: config.clone(),
            pack,
        })
    }

    /// Whether it reads the source of `config`.
    pub fn is_of(&self, config: &RunConfig) -> bool {
        self.config.data == config.data
    }

    /// Pixels [H, W, C] as training sees them before augmentation: of the image with this number in the data set, whose
    /// file, where the source has files, is `file`, and whose size is `[H, W, C]`.
    ///
    /// # Errors
    /// Where the source does not have the image.
    pub fn pixels(
        &self,
        index: u32,
        file: Option<&str>,
        [height, width, channels]: [usize; 3],
    ) -> Result<Vec<u8>, DataError> {
        let size = Size { width, height };
        let missing = |path: &Path| DataError::Layout {
            problem: format!("there is no image {index}"),
            path: path.to_owned(),
        };
        match (&self.config.data, file) {
            (DataSource::Solar, _) => {
                solar::image(index, size, channels).ok_or_else(|| missing(Path::new("solar")))
            }
            (DataSource::Folder(path), Some(file)) => {
                Ok(self.small(path, file, Some(size))?.pixels(size, channels))
            }
            (DataSource::Folder(path), None) => Err(missing(path)),
        }
    }

    fn small(&self, root: &Path, file: &str, size: Option<Size>) -> Result<Small, DataError> {
        match &self.pack {
            Some(pack) => pack.image(root, file, size),
            None => image_folder::image(&root.join(file), size),
        }
    }
}

/// The data set of `config` without its pixels, unreadable images included.
fn index(config: &RunConfig) -> Result<Dataset, DataError> {
    match &config.data {
        DataSource::Solar => Ok(solar::index()),
        DataSource::Folder(path) => match packed::recognise(path) {
            Some(packing) => Ok(Pack::read(packing, path, false)?.index),
            None => image_folder::index(path),
        },
    }
}

/// Class names and image counts of a source, without decoding any image.
///
/// # Errors
/// Where the source cannot be used.
pub fn scan(config: &RunConfig) -> Result<Summary, DataError> {
    match &config.data {
        DataSource::Solar => Ok(solar::summary()),
        DataSource::Folder(path) => match packed::recognise(path) {
            Some(packing) => Ok(Pack::read(packing, path, false)?.summary()),
            None => image_folder::scan(path),
        },
    }
}

#[cfg(test)]
mod tests;
