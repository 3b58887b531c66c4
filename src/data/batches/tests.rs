use super::*;
use crate::config::Sampler;

fn data() -> Dataset {
    Dataset {
        images: (0..10 * 6 * 5 * 3).map(|i| (i * 37 % 251) as u8).collect(),
        height: 6,
        width: 5,
        channels: 3,
        labels: (0..10).collect(),
        classes: (0..10).map(|k| k.to_string()).collect(),
        train: (0..10).collect(),
        ..Dataset::default()
    }
}

fn config() -> RunConfig {
    RunConfig {
        batch: 4,
        crop_padding: 2,
        ..RunConfig::default()
    }
}

#[test]
fn every_image_once_an_epoch_and_the_same_after_a_resume() -> anyhow::Result<()> {
    let data = Arc::new(data());
    let normalise = data.normalise();
    let mut loader = Loader::start(data.clone(), &normalise, &config(), 0);
    let batches: Vec<Batch> = (0..9).filter_map(|_| loader.next_batch()).collect();
    for epoch in batches.chunks(3) {
        let mut labels: Vec<u32> = epoch
            .iter()
            .flat_map(|batch| batch.labels.clone())
            .collect();
        assert_eq!(
            epoch
                .iter()
                .map(|batch| batch.labels.len())
                .collect::<Vec<_>>(),
            [4, 4, 2]
        );
        labels.sort_unstable();
        assert_eq!(labels, (0..10).collect::<Vec<_>>());
    }
    assert_ne!(
        batches[0].labels, batches[3].labels,
        "each epoch has its own order"
    );
    for first in 1..9 {
        let mut resumed = Loader::start(data.clone(), &normalise, &config(), first);
        assert_eq!(resumed.next_batch().as_ref(), batches.get(first as usize));
    }
    Ok(())
}

#[test]
fn without_augmentation_batches_are_the_normalised_images() {
    let data = Arc::new(data());
    let normalise = data.normalise();
    let plain = RunConfig {
        crop_padding: 0,
        flip: false,
        ..config()
    };
    let batch = Source::new(data.clone(), &normalise, &plain).batch(1);
    let indices: Vec<u32> = batch.labels.clone();
    assert_eq!(batch.images, eval_batch(&data, &indices, &normalise));
    let mean: f32 = eval_batch(&data, &data.train, &normalise)
        .iter()
        .sum::<f32>()
        / 900.0;
    assert!(mean.abs() < 1e-4, "normalised to mean 0, not {mean}");
}

/// An image that a sampler draws repeatedly in an epoch is cropped, mirrored and cut out anew each time: of 50 views two are
/// rarely the same.
#[test]
fn repeated_images_are_augmented_anew() {
    let data = Arc::new(data());
    for cutout in [None, Some(2)] {
        let balanced = RunConfig {
            sampler: Sampler::Balanced,
            cutout,
            ..config()
        };
        let mut source = Source::new(data.clone(), &data.normalise(), &balanced);
        let (mut repeated, mut alike) = (0, 0);
        for epoch in 0..100 {
            let batches = (0..3).map(|i| source.batch(3 * epoch + i));
            let mut seen: Vec<(u32, Vec<f32>)> = Vec::new();
            for batch in batches {
                for (label, image) in batch.labels.iter().zip(batch.images.chunks(90)) {
                    let before = seen.iter().filter(|(other, _)| other == label);
                    let same = before.clone().filter(|(_, other)| other == image).count();
                    repeated += before.count();
                    alike += same;
                    seen.push((*label, image.to_vec()));
                }
            }
        }
        assert!(
            repeated > 300 && alike < repeated / 10,
            "{alike} of {repeated}"
        );
    }
}

/// The square is as large as asked for where it lies within the image, and cut at its edges; it holds the mean, which is 0
/// after normalisation. Everything around it is as without it.
#[test]
fn a_square_is_cut_out_around_a_random_pixel() {
    let data = Arc::new(data());
    let normalise = Normalise {
        mean: vec![0.3; 3],
        std: vec![0.1; 3],
    };
    let with = |cutout| {
        let config = RunConfig { cutout, ..config() };
        Source::new(data.clone(), &normalise, &config)
    };
    let (mut whole, mut cut) = (with(None), with(Some(3)));
    let mut seen = std::collections::BTreeSet::new();
    for step in 0..300 {
        let (whole, cut) = (whole.batch(step), cut.batch(step));
        assert_eq!(whole.labels, cut.labels);
        let images = whole.images.chunks(90).zip(cut.images.chunks(90));
        for (whole, cut) in images {
            let is_cut = |pixel: &usize| cut[pixel * 3..pixel * 3 + 3] == [0.0; 3];
            let hole: Vec<usize> = (0..30).filter(is_cut).collect();
            let around = (0..30).filter(|pixel| !is_cut(pixel));
            assert!(
                around
                    .flat_map(|pixel| pixel * 3..pixel * 3 + 3)
                    .all(|i| whole[i] == cut[i])
            );
            let (top, bottom) = (hole[0] / 5, hole[hole.len() - 1] / 5);
            let (left, right) = (hole[0] % 5, hole[hole.len() - 1] % 5);
            let (height, width) = (bottom - top + 1, right - left + 1);
            assert_eq!(hole.len(), height * width, "a rectangle: {hole:?}");
            assert!((2..=3).contains(&height) && (2..=3).contains(&width));
            assert!(
                height == 3 || top == 0 || bottom == 5,
                "cut at an edge alone"
            );
            assert!(
                width == 3 || left == 0 || right == 4,
                "cut at an edge alone"
            );
            seen.insert((top, left, height, width));
        }
    }
    assert_eq!(seen.len(), 30, "every pixel is a centre");
}

#[test]
fn mixed_batches_are_the_same_after_a_resume() {
    let data = Arc::new(data());
    let mixing = RunConfig {
        mixup: Some(1.0),
        cutmix: Some(1.0),
        cutout: Some(2),
        ..config()
    };
    let normalise = data.normalise();
    let start = |step| Loader::start(data.clone(), &normalise, &mixing, step);
    let mut loader = start(0);
    let batches: Vec<Batch> = (0..6).filter_map(|_| loader.next_batch()).collect();
    assert!(batches.iter().all(|batch| batch.mixed.is_some()));
    let plain = Source::new(data.clone(), &normalise, &config()).batch(4);
    assert_eq!(plain.labels, batches[4].labels, "mixing changes no order");
    assert_ne!(plain.images, batches[4].images);
    for first in 1..6 {
        assert_eq!(
            start(first).next_batch().as_ref(),
            batches.get(first as usize)
        );
    }
}

#[test]
fn crops_move_and_flip_within_the_padding() {
    let data = Arc::new(data());
    let normalise = Normalise {
        mean: vec![0.0; 3],
        std: vec![1.0 / 255.0; 3],
    };
    let mut source = Source::new(data.clone(), &normalise, &config());
    let mut seen = std::collections::BTreeSet::new();
    for epoch in 0..200 {
        let batch = source.batch(epoch * 3);
        let (label, image) = (batch.labels[0], &batch.images[..90]);
        let value = |y: usize, x: usize| image[(y * 5 + x) * 3].round() as i32;
        let original = |y: isize, x: isize| match (usize::try_from(y), usize::try_from(x)) {
            (Ok(y), Ok(x)) if y < 6 && x < 5 => i32::from(data.image(label)[(y * 5 + x) * 3]),
            _ => 0,
        };
        let found = (-2..=2)
            .flat_map(|dy| (-2..=2).flat_map(move |dx| [(dy, dx, false), (dy, dx, true)]))
            .find(|&(dy, dx, flip)| {
                (0..6).all(|y| {
                    (0..5).all(|x| {
                        let source = if flip { 4 - x } else { x };
                        value(y as usize, x as usize) == original(y + dy, source + dx)
                    })
                })
            });
        seen.insert(found.expect("every crop is a shift, perhaps flipped, of its image"));
    }
    assert!(
        seen.len() > 40,
        "{} of 50 shifts and flips seen",
        seen.len()
    );
}
