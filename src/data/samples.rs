//! Some images of each class, without reading the others.

use image::imageops::{self, FilterType};
use image::{DynamicImage, RgbImage};
use rayon::prelude::*;

use super::batches::Augmentation;
use super::{DataError, Dataset, Plan, Reader, solar, splits};
use crate::config::{DataSource, RunConfig, Size};

/// Size of samples that are not all of one size.
const SIDE: u32 = 32;

/// Which images to look at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Which {
    /// Training images that are left after the long tail was cut, chosen at random.
    #[default]
    Training,
    /// The images that class gradients are taken of.
    Probe,
    /// One training image of each class, as one epoch after the other sees it.
    Augmented,
}

/// An image of a class.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Its number in the data set.
    pub index: u32,
    /// Its file relative to the source, where the source has files.
    pub file: Option<String>,
    /// Its pixels, or a sentence that says why there are none.
    pub image: Result<RgbImage, String>,
}

/// Images of a configuration's data.
#[derive(Clone, Debug)]
pub struct Samples {
    /// Class names.
    pub classes: Vec<String>,
    /// How many images of each class there are.
    pub plan: Plan,
    /// Images of each class, all of one size: [K][≤ `per_class`].
    pub images: Vec<Vec<Sample>>,
}

/// Reads up to `per_class` images of each class. File names stand for files that cannot be decoded, as training would
/// find them.
///
/// # Errors
/// Where the source cannot be used.
pub fn samples(config: &RunConfig, which: Which, per_class: usize) -> Result<Samples, DataError> {
    let mut dataset = super::index(config)?;
    let reader = Reader::open(config)?;
    let plan = splits::apply(&mut dataset, config);
    let chosen = match which {
        Which::Probe => dataset.probe_indices(config.probe_images, config.data_seed),
        Which::Training => dataset.probe_indices(per_class, config.data_seed.wrapping_add(1)),
        Which::Augmented => dataset.probe_indices(1, config.data_seed.wrapping_add(1)),
    };
    let read = |index: u32| Sample {
        index,
        file: file(&dataset, index).map(str::to_owned),
        image: read(&reader, &dataset, index).map_err(|error| error.to_string()),
    };
    let mut images: Vec<Vec<Sample>> = chosen
        .into_par_iter()
        .map(|own| own.into_iter().take(per_class).map(read).collect())
        .collect();
    let size = common_size(&images);
    for sample in images.iter_mut().flatten() {
        if let Ok(image) = &mut sample.image
            && image.dimensions() != size
        {
            *image = imageops::resize(image, size.0, size.1, FilterType::Triangle);
        }
    }
    if which == Which::Augmented {
        let augmentation = Augmentation::of(config);
        for own in &mut images {
            let Some(first) = own.pop() else { continue };
            own.extend((0..per_class as u64).map(|epoch| {
                Sample {
                    image: first
                        .image
                        .clone()
                        .map(|image| augmented(&image, augmentation, first.index, epoch)),
                    ..first.clone()
                }
            }));
        }
    }
    Ok(Samples {
        classes: dataset.classes,
        plan,
        images,
    })
}

fn file(dataset: &Dataset, index: u32) -> Option<&str> {
    let files = dataset.files.as_ref()?;
    files.get(index as usize).map(String::as_str)
}

fn read(reader: &Reader<'_>, dataset: &Dataset, index: u32) -> Result<RgbImage, DataError> {
    let config = reader.config;
    let image = match (&config.data, file(dataset, index)) {
        (DataSource::Folder(root), Some(file)) => {
            reader.small(root, file, config.size)?.into_image()
        }
        _ => {
            let Size { width, height } = config.size.unwrap_or(solar::SIZE);
            let pixels = solar::image(index, Size { width, height }, 3);
            let image = pixels.and_then(|x| RgbImage::from_raw(width as u32, height as u32, x));
            DynamicImage::ImageRgb8(image.unwrap_or_default())
        }
    };
    Ok(match config.channels {
        Some(1) => DynamicImage::ImageLuma8(image.to_luma8()).to_rgb8(),
        _ => image.to_rgb8(),
    })
}

/// The size that all have, or else one for all.
fn common_size(images: &[Vec<Sample>]) -> (u32, u32) {
    let decoded = images.iter().flatten();
    let mut sizes = decoded.filter_map(|sample| Some(sample.image.as_ref().ok()?.dimensions()));
    let first = sizes.next().unwrap_or((SIDE, SIDE));
    if sizes.all(|size| size == first) {
        first
    } else {
        (SIDE, SIDE)
    }
}

fn augmented(image: &RgbImage, augmentation: Augmentation, index: u32, epoch: u64) -> RgbImage {
    let crop = augmentation.crop(epoch, index);
    let (width, height) = image.dimensions();
    RgbImage::from_fn(width, height, |x, y| {
        let from = crop.source((height as usize, width as usize), (y * width + x) as usize);
        from.map_or(image::Rgb([0; 3]), |from| {
            *image.get_pixel(from as u32 % width, from as u32 / width)
        })
    })
}

#[cfg(test)]
mod tests;
