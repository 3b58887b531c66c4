use super::*;

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
