//! Some images of each class, without reading the others.

use std::collections::BTreeMap;

use image::imageops::{self, FilterType};
use image::{DynamicImage, RgbImage};
use rayon::prelude::*;

use crate::config::{DataSource, RunConfig};

use super::augment::{Augmentation, Seen};
use super::dataset::{Dataset, Unsplit};
use super::error::DataError;
use super::source::{self, Reader};
use super::splits::{self, Plan};

/// Side, in pixels, that samples are brought to where they are not all of one size.
const SIDE: u32 = 32;

/// Colour of a square that is cut out. Training has the mean of all training images there, which are not read here.
const CUT_OUT: image::Rgb<u8> = image::Rgb([128; 3]);

/// Which images to look at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Which {
    /// Training images that are left after the long tail was cut, chosen at random.
    #[default]
    Training,
    /// The images that class gradients are taken of.
    Probe,
    /// One training image of each class, before augmentation and as one epoch after the other sees it.
    Augmented,
}

/// An image of a class.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Its number in the data set.
    pub index: u32,
    /// Its file relative to the source, where the source has files.
    pub file: Option<String>,
    /// The epoch whose crop and flip it shows; none where it is not augmented.
    pub epoch: Option<u64>,
    /// Its pixels, or a sentence that says why they cannot be read.
    pub image: Result<RgbImage, String>,
}

/// Images of a configuration's data.
#[derive(Clone, Debug)]
pub struct Samples {
    /// Class names.
    pub classes: Vec<String>,
    /// Number of images of each class, by split.
    pub plan: Plan,
    /// Images of each class, all of one size, [K][≤ `per_class`]. With [`Which::Augmented`] a class has one image
    /// before augmentation, followed by the same image as `per_class` epochs see it.
    pub images: Vec<Vec<Sample>>,
    /// Sentences about how the source was read, or how it differs from the images that a run recorded.
    pub notes: Vec<String>,
}

/// The images of a run, as it recorded them when it started.
#[derive(Clone, Debug, Default)]
pub struct Recorded {
    /// Labels, classes, files and splits, without pixels.
    pub dataset: Dataset,
    /// Numbers of the images that class gradients are taken of.
    pub probe: Vec<u32>,
}

/// Reads up to `per_class` images of each class. An image that cannot be decoded keeps its place, with the reason
/// instead of pixels.
///
/// # Errors
/// Where the source cannot be used.
pub fn samples(config: &RunConfig, which: Which, per_class: usize) -> Result<Samples, DataError> {
    let Unsplit {
        mut dataset, notes, ..
    } = source::index(config)?;
    let plan = splits::apply(&mut dataset, config);
    let probe = dataset.probe_indices(config.probe_images, config.data_seed);
    let mut found = looked_at(config, dataset, plan, probe, which, per_class)?;
    found.notes = notes;
    Ok(found)
}

/// As [`samples`], for the images that a run of `config` recorded. Notes say how the source of today differs from the
/// record. Where the source is gone, the result has counts but no images.
///
/// # Errors
/// Where an image source that can be listed cannot be opened.
pub fn samples_of(
    recorded: Recorded,
    config: &RunConfig,
    which: Which,
    per_class: usize,
) -> Result<Samples, DataError> {
    let Recorded { dataset, probe } = recorded;
    let today = source::index(config).map(|unsplit| unsplit.dataset);
    let notes = match &today {
        Ok(today) => changes(&dataset, today),
        Err(error) => vec![missing(config, error)],
    };
    let is_there = today.is_ok();
    let train = dataset.counts(&dataset.train);
    // The counts before the long tail was cut are not recorded, but an unchanged source still gives them.
    let natural = today
        .ok()
        .filter(|_| notes.is_empty())
        .map(|mut today| splits::apply(&mut today, config).natural);
    let plan = Plan {
        natural: natural.unwrap_or_else(|| train.clone()),
        train,
        val: dataset.counts(&dataset.val),
        test: dataset.counts(&dataset.test),
        ..Plan::default()
    };
    if !is_there {
        return Ok(Samples {
            images: vec![Vec::new(); dataset.classes.len()],
            classes: dataset.classes,
            plan,
            notes,
        });
    }
    let mut by_class = vec![Vec::new(); dataset.classes.len()];
    for index in probe {
        if let Some(own) = by_class.get_mut(usize::from(dataset.labels[index as usize])) {
            own.push(index);
        }
    }
    let mut found = looked_at(config, dataset, plan, by_class, which, per_class)?;
    found.notes = notes;
    Ok(found)
}

/// Says where a run's images were expected.
fn missing(config: &RunConfig, error: &DataError) -> String {
    match &config.data {
        DataSource::Folder(root) if !root.exists() => {
            let root = std::path::absolute(root).unwrap_or_else(|_| root.clone());
            let root = root.display();
            format!("The run's images are not there; they were expected in {root}")
        }
        DataSource::Solar | DataSource::Folder(_) => {
            format!("The run's images cannot be read: {error}")
        }
    }
}

/// Sentences that say how a source of today differs from the record that a run made of it.
fn changes(recorded: &Dataset, today: &Dataset) -> Vec<String> {
    let class = |label: u16| recorded.classes.get(usize::from(label));
    let class_today = |label: u16| today.classes.get(usize::from(label));
    let (Some(then), Some(now)) = (&recorded.files, &today.files) else {
        let same = recorded
            .labels
            .iter()
            .map(|x| class(*x))
            .eq(today.labels.iter().map(|x| class_today(*x)));
        let text = "The source has other images or labels than the run recorded; numbers and images may not match.";
        return if same {
            Vec::new()
        } else {
            vec![text.to_owned()]
        };
    };
    let labels_today: BTreeMap<&str, u16> = now
        .iter()
        .map(String::as_str)
        .zip(today.labels.iter().copied())
        .collect();
    let (mut gone, mut relabelled) = (0, 0);
    for (file, label) in then.iter().zip(&recorded.labels) {
        match labels_today.get(file.as_str()) {
            None => gone += 1,
            Some(label_today) if class_today(*label_today) != class(*label) => relabelled += 1,
            Some(_) => {}
        }
    }
    let new = (now.len() + gone).saturating_sub(then.len());
    let counted = [
        (gone, "gone from the source"),
        (relabelled, "of another class"),
        (new, "in the source that the run did not have"),
    ];
    let said: Vec<_> = counted
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, words)| format!("{count} {words}"))
        .collect();
    if said.is_empty() {
        return Vec::new();
    }
    vec![format!(
        "Shown is what the run recorded; today images are otherwise: {}.",
        said.join(", ")
    )]
}

/// Chooses and reads up to `per_class` images of each class of `dataset`, which has no pixels.
fn looked_at(
    config: &RunConfig,
    dataset: Dataset,
    plan: Plan,
    probe: Vec<Vec<u32>>,
    which: Which,
    per_class: usize,
) -> Result<Samples, DataError> {
    let reader = Reader::open(config)?;
    let chosen = match which {
        Which::Probe => probe,
        Which::Training => dataset.probe_indices(per_class, config.data_seed.wrapping_add(1)),
        Which::Augmented => dataset.probe_indices(1, config.data_seed.wrapping_add(1)),
    };
    let read = |index: u32| Sample {
        index,
        file: file(&dataset, index).map(str::to_owned),
        epoch: None,
        image: read(&reader, config, &dataset, index).map_err(|error| error.to_string()),
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
            let Some(first) = own.first().cloned() else {
                continue;
            };
            own.extend((0..per_class as u64).map(|epoch| {
                Sample {
                    epoch: Some(epoch),
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
        notes: Vec::new(),
    })
}

fn file(dataset: &Dataset, index: u32) -> Option<&str> {
    let files = dataset.files.as_ref()?;
    files.get(index as usize).map(String::as_str)
}

/// The image with this number, in as many channels as the configuration asks for.
fn read(
    reader: &Reader,
    config: &RunConfig,
    dataset: &Dataset,
    index: u32,
) -> Result<RgbImage, DataError> {
    let image = reader.image(index, file(dataset, index))?;
    Ok(match config.channels {
        Some(1) => DynamicImage::ImageLuma8(image.to_luma8()).to_rgb8(),
        _ => image.to_rgb8(),
    })
}

/// Width and height of the images where they agree; else the size that all are brought to.
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
    let (width, height) = image.dimensions();
    let view = augmentation.view((height as usize, width as usize), epoch, (index, 0));
    RgbImage::from_fn(width, height, |x, y| {
        match view.at((y * width + x) as usize) {
            Seen::Pixel(from) => *image.get_pixel(from as u32 % width, from as u32 / width),
            Seen::Border => image::Rgb([0; 3]),
            Seen::CutOut => CUT_OUT,
        }
    })
}

#[cfg(test)]
mod tests;
