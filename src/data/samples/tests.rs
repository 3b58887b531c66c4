use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};

use super::super::batches::Loader;
use super::super::source::load;
use super::*;
use crate::network::Normalise;

fn pixels(sample: &Sample) -> Result<&[u8]> {
    let image = sample.image.as_ref();
    let image = image.map_err(|error| anyhow::anyhow!(error.clone()))?;
    Ok(image.as_raw())
}

/// Samples have the pixels that training loads, although not every image is read.
#[test]
fn samples_are_the_images_that_training_loads() -> Result<()> {
    let config = RunConfig {
        imbalance: 50.0,
        ..RunConfig::default()
    };
    let data = load(&config, &|_, _| true)?.dataset;
    let training = samples(&config, Which::Training, 7)?;
    ensure!(training.plan.train == data.counts(&data.train));
    for (class, own) in training.images.iter().enumerate() {
        ensure!(own.len() == 7.min(training.plan.train[class]));
        for sample in own {
            ensure!(data.train.contains(&sample.index));
            ensure!(usize::from(data.labels[sample.index as usize]) == class);
            ensure!(pixels(sample)? == data.image(sample.index));
        }
    }
    let probe = samples(&config, Which::Probe, 1000)?;
    let indices = |own: &Vec<Sample>| own.iter().map(|sample| sample.index).collect::<Vec<_>>();
    let chosen: Vec<_> = probe.images.iter().map(indices).collect();
    ensure!(chosen == data.probe_indices(config.probe_images, config.data_seed));
    Ok(())
}

/// Epoch after epoch, the preview shows the very pixels of the training batches.
#[test]
fn augmented_samples_are_those_of_the_batches() -> Result<()> {
    let config = RunConfig {
        imbalance: 50.0,
        seed: 3,
        ..RunConfig::default()
    };
    let data = Arc::new(load(&config, &|_, _| true)?.dataset);
    let plain = Normalise {
        mean: vec![0.0; 3],
        std: vec![1.0; 3],
    };
    // With a batch as large as the data set, every epoch is one batch.
    let whole = RunConfig {
        batch: data.train.len(),
        ..config.clone()
    };
    let mut loader = Loader::start(data.clone(), &plain, &whole, 0);
    let shown = samples(&config, Which::Augmented, 2)?;
    for epoch in 0..2 {
        let batch = loader.next_batch().context("a batch")?;
        let images: Vec<Vec<u8>> = batch
            .images
            .chunks(data.image_len())
            .map(|image| image.iter().map(|x| (x * 255.0).round() as u8).collect())
            .collect();
        for own in &shown.images {
            ensure!(own[0].epoch.is_none() && own[epoch + 1].epoch == Some(epoch as u64));
            let wanted = pixels(&own[epoch + 1])?;
            ensure!(images.iter().any(|image| image == wanted), "epoch {epoch}");
        }
    }
    Ok(())
}

/// A file that cannot be decoded is named in its place; the other images are shown.
#[test]
fn a_damaged_file_is_shown_as_such() -> Result<()> {
    let folder = tempfile::tempdir()?;
    for class in ["cat", "dog"] {
        let dir = folder.path().join(class);
        std::fs::create_dir(&dir)?;
        for number in 0..4 {
            RgbImage::from_pixel(20, 24, image::Rgb([40 * number; 3]))
                .save(dir.join(format!("{number}.png")))?;
        }
    }
    std::fs::write(folder.path().join("dog/1.png"), "no image")?;
    let config = RunConfig {
        data: DataSource::Folder(folder.path().to_owned()),
        val: Some(0),
        ..RunConfig::default()
    };
    let found = samples(&config, Which::Training, 10)?;
    ensure!(found.images.iter().map(Vec::len).eq([4, 4]));
    for sample in found.images.iter().flatten() {
        match (&sample.image, sample.file.as_deref()) {
            (Err(sentence), Some("dog/1.png")) => ensure!(sentence.contains("1.png")),
            (Ok(image), Some(_)) => ensure!(image.dimensions() == (20, 24)),
            other => anyhow::bail!("{other:?}"),
        }
    }
    Ok(())
}
