//! Some images of each class, without reading the others.

use std::collections::BTreeMap;
use std::path::Path;

use image::imageops::{self, FilterType};
use image::{DynamicImage, RgbImage};
use rayon::prelude::*;

use super::batches::Augmentation;
use super::{DataError, Dataset, Plan, Reader, solar, splits};
use crate::config::{DataSource, RunConfig, Size};
use crate::run::recorded_data::RecordedData;

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
    /// One training image of each class, as it is and as one epoch after the other sees it.
    Augmented,
}

/// An image of a class.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Its number in the data set.
    pub index: u32,
    /// Its file relative to the source, where the source has files.
    pub file: Option<String>,
    /// The epoch that it is augmented for; none where it is as it is.
    pub epoch: Option<u64>,
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
    /// Images of each class, all of one size: [K][≤ `per_class`]; of augmented ones, the image as it is comes first.
    pub images: Vec<Vec<Sample>>,
    /// Sentences about what does not match what a run recorded.
    pub notes: Vec<String>,
}

/// Reads up to `per_class` images of each class. File names stand for files that cannot be decoded, as training would
/// find them.
///
/// # Errors
/// Where the source cannot be used.
pub fn samples(config: &RunConfig, which: Which, per_class: usize) -> Result<Samples, DataError> {
    let mut dataset = super::index(config)?;
    let plan = splits::apply(&mut dataset, config);
    let probe = dataset.probe_indices(config.probe_images, config.data_seed);
    looked_at(config, dataset, plan, probe, which, per_class)
}

/// As [`samples`], of a run: the images that it recorded in its directory, on its classes.
///
/// # Errors
/// Where the source cannot be used.
pub fn samples_of_run(
    run: &Path,
    classes: &[String],
    config: &RunConfig,
    which: Which,
    per_class: usize,
) -> Result<Samples, DataError> {
    let recorded = match RecordedData::read(run) {
        Ok(recorded) => recorded,
        Err(error) => {
            let mut found = samples(config, which, per_class)?;
            found.notes.push(format!(
                "What the run recorded of its images cannot be read, so these are chosen anew: {error}"
            ));
            return Ok(found);
        }
    };
    let today = super::index(config);
    let notes = match &today {
        Ok(today) => changes(&recorded, classes, today),
        Err(error) => vec![missing(config, error)],
    };
    let is_there = today.is_ok();
    let dataset = Dataset {
        labels: recorded.labels,
        classes: classes.to_vec(),
        files: recorded.files,
        train: recorded.train,
        val: recorded.val,
        test: recorded.test,
        ..Dataset::default()
    };
    let train = dataset.counts(&dataset.train);
    // What the long tail was cut from is not recorded; the same source still tells.
    let natural = today
        .ok()
        .filter(|_| notes.is_empty())
        .map(|mut today| splits::apply(&mut today, config).natural);
    let plan = Plan {
        natural: natural.unwrap_or_else(|| train.clone()),
        train,
        val: dataset.counts(&dataset.val),
        test: dataset.counts(&dataset.test),
    };
    let mut probe = vec![Vec::new(); classes.len()];
    for &index in &recorded.probe {
        if let Some(own) = probe.get_mut(usize::from(dataset.labels[index as usize])) {
            own.push(index);
        }
    }
    if !is_there {
        // What it recorded is shown all the same.
        return Ok(Samples {
            images: vec![Vec::new(); classes.len()],
            classes: dataset.classes,
            plan,
            notes,
        });
    }
    let mut found = looked_at(config, dataset, plan, probe, which, per_class)?;
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
        _ => format!("The run's images cannot be read: {error}"),
    }
}

/// Sentences that say in what a source is not what a run recorded of it.
fn changes(recorded: &RecordedData, classes: &[String], today: &Dataset) -> Vec<String> {
    let class = |label: u16| classes.get(usize::from(label));
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

/// Reads the images that are looked at.
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

fn read(reader: &Reader, dataset: &Dataset, index: u32) -> Result<RgbImage, DataError> {
    let config = &reader.config;
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
