//! Files that hold many images each: CIFAR's binary batches, IDX (the MNIST family), and the parquet shards of Hugging
//! Face image data sets. A folder of them is recognised by the names in it.

mod cifar;
mod idx;
mod parquet;

use std::path::{Path, PathBuf};

use image::DynamicImage;
use rayon::prelude::*;

use crate::config::{RunConfig, Size};

use super::decoded::{self, Small};
use super::{DataError, Dataset, Source, Summary};

/// How images are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    Cifar10,
    Cifar100,
    Idx,
    Parquet,
}

/// What files hold, in the order of the splits.
#[derive(Debug, Default)]
pub(super) struct Pack {
    /// Labels, names of the images, and splits; no pixels.
    pub(super) index: Dataset,
    /// The images, where they were asked for.
    images: Vec<Image>,
}

#[derive(Debug)]
enum Image {
    Pixels(DynamicImage),
    /// A file within the file.
    Encoded(Vec<u8>),
}

/// One image as it is found.
struct Item {
    label: usize,
    /// File relative to the folder, and number in it.
    name: String,
    image: Option<Image>,
}

/// Training, validation and test images.
type Items = [Vec<Item>; 3];

/// What a folder holds; none where it is no folder of such files.
pub(super) fn recognise(root: &Path) -> Option<Packing> {
    if cifar::ten(root).is_some() {
        Some(Packing::Cifar10)
    } else if cifar::hundred(root).is_some() {
        Some(Packing::Cifar100)
    } else if idx::is_there(root) {
        Some(Packing::Idx)
    } else if !parquet::shards(root).is_empty() {
        Some(Packing::Parquet)
    } else {
        None
    }
}

impl Pack {
    /// Reads a folder; the images only where `with_images`.
    pub(super) fn read(
        packing: Packing,
        root: &Path,
        with_images: bool,
    ) -> Result<Self, DataError> {
        let (classes, items) = match packing {
            Packing::Cifar10 => cifar::read_ten(root, with_images)?,
            Packing::Cifar100 => cifar::read_hundred(root, with_images)?,
            Packing::Idx => idx::read(root, with_images)?,
            Packing::Parquet => parquet::read(root, with_images)?,
        };
        Self::new(root, classes, items)
    }

    /// Puts the splits one after the other, and leaves out classes that no image is of.
    fn new(root: &Path, classes: Vec<String>, items: Items) -> Result<Self, DataError> {
        let mut counts = vec![0_usize; classes.len()];
        items
            .iter()
            .flatten()
            .for_each(|item| counts[item.label] += 1);
        let used: Vec<usize> = (0..classes.len()).filter(|&k| counts[k] > 0).collect();
        if used.len() < 2 {
            return Err(problem(
                root,
                format!(
                    "it holds images of {} classes, and at least 2 are needed",
                    used.len()
                ),
            ));
        }
        let mut new = vec![0_u16; classes.len()];
        for (number, &class) in used.iter().enumerate() {
            new[class] = u16::try_from(number)
                .map_err(|_| problem(root, "it holds more than 65535 classes".to_owned()))?;
        }
        let mut pack = Self::default();
        let mut files = Vec::new();
        let index = &mut pack.index;
        for (split, items) in items.into_iter().enumerate() {
            for item in items {
                let number = index.labels.len() as u32;
                [&mut index.train, &mut index.val, &mut index.test][split].push(number);
                index.labels.push(new[item.label]);
                files.push(item.name);
                pack.images.extend(item.image);
            }
        }
        index.classes = used
            .into_iter()
            .map(|class| classes[class].clone())
            .collect();
        index.files = Some(files);
        Ok(pack)
    }

    /// Class names and counts.
    pub(super) fn summary(&self) -> Summary {
        let counts = |split: &[u32]| self.index.counts(split);
        let optional = |split: &[u32]| (!split.is_empty()).then(|| counts(split));
        Summary {
            train: counts(&self.index.train),
            val: optional(&self.index.val),
            test: optional(&self.index.test),
            classes: self.index.classes.clone(),
        }
    }

    /// Decodes every image, on all threads.
    pub(super) fn load(
        mut self,
        root: &Path,
        config: &RunConfig,
        progress: &(dyn Fn(usize, usize) -> bool + Sync),
    ) -> Result<Source, DataError> {
        let index = std::mem::take(&mut self.index);
        let names = index.files.clone().unwrap_or_default();
        decoded::load(root, index, config, progress, |i| {
            self.decode(i, &root.join(&names[i]), config.size)
        })
    }

    /// The image of this name.
    pub(super) fn image(
        &self,
        root: &Path,
        name: &str,
        size: Option<Size>,
    ) -> Result<Small, DataError> {
        let files = self.index.files.as_deref().unwrap_or_default();
        let number = files.iter().position(|file| file == name);
        let number = number.ok_or_else(|| problem(root, format!("there is no image {name}")))?;
        self.decode(number, &root.join(name), size)
    }

    fn decode(&self, number: usize, path: &Path, size: Option<Size>) -> Result<Small, DataError> {
        match self.images.get(number) {
            Some(Image::Pixels(image)) => Ok(Small::new(image.clone(), size)),
            Some(Image::Encoded(bytes)) => Small::decode(bytes, path, size),
            None => Err(problem(path, "the image was not read".to_owned())),
        }
    }
}

/// The items of equally long records, in parallel: `item` is given a record's number and bytes.
fn records(
    bytes: &[u8],
    length: usize,
    item: impl Fn(usize, &[u8]) -> Result<Item, DataError> + Sync,
) -> Result<Vec<Item>, DataError> {
    bytes
        .par_chunks_exact(length)
        .enumerate()
        .map(|(number, record)| item(number, record))
        .collect()
}

/// A file's path relative to the folder, with the number of an image in it.
fn name(root: &Path, file: &Path, number: usize) -> String {
    let file = file.strip_prefix(root).unwrap_or(file);
    format!("{}#{number}", file.display())
}

fn read_file(path: &Path) -> Result<Vec<u8>, DataError> {
    std::fs::read(path).map_err(|error| DataError::Io {
        path: path.to_owned(),
        error,
    })
}

fn problem(path: &Path, problem: String) -> DataError {
    DataError::Packed {
        problem,
        path: PathBuf::from(path),
    }
}

#[cfg(test)]
mod tests;
