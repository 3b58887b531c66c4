//! Any source of images: counts its images, reads all of them, or reads single ones.

use std::path::Path;

use image::{DynamicImage, RgbImage};

use crate::config::{DataSource, RunConfig, Size};
use crate::text::visible;

use super::checks::duplicates::Duplicates;
use super::dataset::{Dataset, Unsplit};
use super::error::DataError;
use super::formats::{Folder, Images};
use super::solar;
use super::splits::{self, Plan, Summary};

/// A data set, and notes on how it was read.
#[derive(Debug)]
pub struct Loaded {
    /// The images.
    pub dataset: Dataset,
    /// Sentences for the user, such as what was recognised and what was left out.
    pub notes: Vec<String>,
    /// Images that are left out because they cannot be read, a sentence each.
    pub unreadable: Vec<String>,
    /// Images that are there more than once.
    pub duplicates: Duplicates,
    /// How many images train, validate and test.
    pub plan: Plan,
}

impl Loaded {
    /// All sentences for the user, those about unreadable images last, each on its own.
    pub fn sentences(&self) -> Vec<String> {
        let mut all = self.notes.clone();
        if !self.unreadable.is_empty() {
            all.push(match self.unreadable.len() {
                1 => "1 file could not be decoded and is left out".to_owned(),
                count => format!("{count} files could not be decoded and are left out"),
            });
            all.extend_from_slice(&self.unreadable);
        }
        all
    }
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
    let (folder, unsplit) = match &config.data {
        DataSource::Solar => (None, solar::load(config, progress)?),
        DataSource::Folder(path) => {
            let folder = Folder::at(path, config);
            let unsplit = folder.load(progress)?;
            (Some(folder), unsplit)
        }
    };
    let Unsplit {
        mut dataset,
        mut notes,
        mut unreadable,
    } = unsplit;
    let plan = splits::apply(&mut dataset, config);
    let empty = dataset.counts(&dataset.train).iter().position(|&n| n == 0);
    if let (Some(folder), Some(class)) = (folder, empty) {
        return Err(folder.empty_class(&dataset.classes[class]));
    }
    // The built-in images are all different.
    let duplicates = match &config.data {
        DataSource::Solar => Duplicates::default(),
        DataSource::Folder(_) => Duplicates::of(&dataset),
    };
    notes.extend_from_slice(&duplicates.sentences);
    notes.extend(plan.advice(config, &dataset.classes));
    // Names of files and folders are in them.
    for sentence in notes.iter_mut().chain(&mut unreadable) {
        *sentence = visible(sentence).into_owned();
    }
    Ok(Loaded {
        dataset,
        notes,
        unreadable,
        duplicates,
        plan,
    })
}

/// Class names and image counts of a source, without decoding any image.
///
/// # Errors
/// Where the source cannot be used.
pub fn scan(config: &RunConfig) -> Result<Summary, DataError> {
    match &config.data {
        DataSource::Solar => Ok(solar::summary()),
        DataSource::Folder(path) => Folder::at(path, config).scan(),
    }
}

/// The data set of `config` without its pixels, and sentences about it. Images that cannot be decoded are in it, too.
///
/// # Errors
/// Where the source cannot be used.
pub(super) fn index(config: &RunConfig) -> Result<Unsplit, DataError> {
    match &config.data {
        DataSource::Solar => Ok(Unsplit {
            dataset: solar::index(),
            notes: Vec::new(),
            unreadable: Vec::new(),
        }),
        DataSource::Folder(path) => Folder::at(path, config).index(),
    }
}

/// Largest width and height, in pixels, of the images that a configuration asks for.
const LARGEST: usize = 512;

/// Reads single images of a source, for looking at.
#[derive(Debug)]
pub struct Reader {
    config: RunConfig,
    source: Opened,
}

/// A source of which single images are read.
#[derive(Debug)]
enum Opened {
    Solar,
    Folder(Box<Images>),
}

impl Reader {
    /// Opens the source of `config`.
    ///
    /// # Errors
    /// Where the source cannot be used.
    pub fn open(config: &RunConfig) -> Result<Self, DataError> {
        let source = match &config.data {
            DataSource::Solar => Opened::Solar,
            DataSource::Folder(path) => {
                Opened::Folder(Box::new(Folder::at(path, config).images()?))
            }
        };
        Ok(Self {
            config: config.clone(),
            source,
        })
    }

    /// Whether the reader reads the source of `config`.
    pub fn is_of(&self, config: &RunConfig) -> bool {
        self.config.data == config.data
            && self.config.label_column == config.label_column
            && self.config.image_column == config.image_column
            && self.config.splits == config.splits
    }

    /// Pixels [H, W, C] of one image as training sees them before augmentation. `index` is the number of the image in
    /// the data set, `file` its file where the source has files, and the last argument its size `[H, W, C]`.
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
        // The size comes from the log of a run, which strangers may have written.
        if width.max(height) > LARGEST || ![1, 3].contains(&channels) {
            let reason = format!(
                "images of {width}×{height} pixels with {channels} channels are not trained on"
            );
            return Err(DataError::Settings(reason));
        }
        match &self.source {
            Opened::Solar => {
                solar::image(index, size, channels).ok_or_else(|| missing(index, "solar".as_ref()))
            }
            Opened::Folder(images) => {
                let file = file.ok_or_else(|| missing(index, images.root()))?;
                Ok(images.image(file, Some(size))?.pixels(size, channels))
            }
        }
    }

    /// The size that the configuration asks for; none where it is larger than any that is trained on.
    fn size(&self) -> Option<Size> {
        let size = self.config.size;
        size.filter(|size| size.width.max(size.height) <= LARGEST)
    }

    /// One image, at the size that the configuration asks for, else at its own size while that is small. `index` and
    /// `file` are as in [`Self::pixels`].
    ///
    /// # Errors
    /// Where the source does not have the image, or it cannot be decoded.
    pub(super) fn image(&self, index: u32, file: Option<&str>) -> Result<DynamicImage, DataError> {
        match &self.source {
            Opened::Solar => {
                let size = self.size().unwrap_or(solar::SIZE);
                let (width, height) = (size.width as u32, size.height as u32);
                let pixels = solar::image(index, size, 3);
                let image = pixels.and_then(|pixels| RgbImage::from_raw(width, height, pixels));
                Ok(DynamicImage::ImageRgb8(image.unwrap_or_default()))
            }
            Opened::Folder(images) => {
                let file = file.ok_or_else(|| missing(index, images.root()))?;
                Ok(images.image(file, self.size())?.into_image())
            }
        }
    }
}

fn missing(index: u32, path: &Path) -> DataError {
    DataError::Layout {
        problem: format!("there is no image {index}"),
        path: path.to_owned(),
    }
}
