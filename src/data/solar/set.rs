//! Which images there are, and the whole data set.

use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use crate::config::{RunConfig, Size};

use super::super::dataset::{Dataset, Unsplit};
use super::super::error::DataError;
use super::super::splits::Summary;
use super::scene::Scene;

const CLASSES: [&str; 6] = [
    "Clean",
    "Dusty",
    "Bird-drop",
    "Electrical-damage",
    "Physical-damage",
    "Snow-covered",
];
/// Training images of each class, as a survey would find them: Physical-damage is 10 times rarer than Clean.
const TRAIN: [usize; 6] = [1400, 900, 700, 500, 140, 600];
/// Test images of each class.
const TEST: [usize; 6] = [150; 6];
/// Size of the images where the configuration gives none.
pub(in crate::data) const SIZE: Size = Size {
    width: 32,
    height: 32,
};

/// Class names and counts.
pub(in crate::data) fn summary() -> Summary {
    Summary {
        classes: CLASSES.map(str::to_owned).to_vec(),
        train: TRAIN.to_vec(),
        val: None,
        test: Some(TEST.to_vec()),
    }
}

/// Split, class, and number within the two, of every image.
fn items() -> Vec<(&'static str, usize, usize)> {
    let mut items = Vec::new();
    for (split, counts) in [("train", TRAIN), ("test", TEST)] {
        for (class, count) in counts.into_iter().enumerate() {
            items.extend((0..count).map(|number| (split, class, number)));
        }
    }
    items
}

/// Draws the image with this number, [H, W, C]; none where there is no such image.
pub(in crate::data) fn image(index: u32, size: Size, channels: usize) -> Option<Vec<u8>> {
    let &(split, class, number) = items().get(index as usize)?;
    let mut pixels = vec![0; size.width * size.height * channels];
    Scene::sample(split, class, number).photograph(size, channels, &mut pixels);
    Some(pixels)
}

/// The set without its pixels.
pub(in crate::data) fn index() -> Dataset {
    let items = items();
    let train: usize = TRAIN.iter().sum();
    Dataset {
        labels: items.iter().map(|(_, class, _)| *class as u16).collect(),
        classes: CLASSES.map(str::to_owned).to_vec(),
        train: (0..train as u32).collect(),
        test: (train as u32..items.len() as u32).collect(),
        ..Dataset::default()
    }
}

/// Draws every image, on all threads.
pub(in crate::data) fn load(
    config: &RunConfig,
    progress: &(dyn Fn(usize, usize) -> bool + Sync),
) -> Result<Unsplit, DataError> {
    let size = config.size.unwrap_or(SIZE);
    let channels = config.channels.unwrap_or(3);
    let items = items();
    let done = AtomicUsize::new(0);
    let mut images = vec![0; items.len() * size.width * size.height * channels];
    images
        .par_chunks_mut(size.width * size.height * channels)
        .zip(&items)
        .try_for_each(|(pixels, &(split, class, number))| {
            Scene::sample(split, class, number).photograph(size, channels, pixels);
            if progress(done.fetch_add(1, Ordering::Relaxed) + 1, items.len()) {
                Ok(())
            } else {
                Err(DataError::Cancelled)
            }
        })?;
    let dataset = Dataset {
        images,
        height: size.height,
        width: size.width,
        channels,
        ..index()
    };
    Ok(Unsplit {
        dataset,
        notes: Vec::new(),
        unreadable: Vec::new(),
    })
}
