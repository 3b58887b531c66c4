use super::*;

/// Height, width and channels.
const SIZE: (usize, usize, usize) = (6, 8, 2);
const LEN: usize = 6 * 8 * 2;

fn config(mixup: Option<f64>, cutmix: Option<f64>) -> RunConfig {
    RunConfig {
        mixup,
        cutmix,
        ..RunConfig::default()
    }
}

/// A batch of five images; every value of image i is i, and so is its class.
fn batch() -> (Vec<f32>, Vec<u32>) {
    let images = (0..5 * LEN).map(|i| (i / LEN) as f32).collect();
    (images, (0..5).collect())
}

/// The batch of a step, mixed.
fn mixed(config: &RunConfig, step: u64) -> Option<(Vec<f32>, Mixed)> {
    let (mut images, labels) = batch();
    let mixing = Mixing::of(config)?;
    let mixed = mixing.mix(step, &mut images, &labels, SIZE);
    if mixed.is_none() {
        assert_eq!(
            images,
            batch().0,
            "a batch that is not mixed stays as it is"
        );
    }
    Some((images, mixed?))
}

#[test]
fn batches_are_left_alone_unless_mixing_is_asked_for() {
    assert!(Mixing::of(&config(None, None)).is_none());
    assert_eq!(mixed(&config(None, None), 3), None);
    let never = RunConfig {
        cutmix_prob: Some(0.0),
        ..config(None, Some(1.0))
    };
    assert!((0..50).all(|step| mixed(&never, step).is_none()));
}

/// Every value is λ·own + (1 − λ)·other, with one λ for the batch and the other's class beside it. λ is from Beta(α, α).
#[test]
fn mixup_blends_whole_images() {
    let of = |alpha| config(Some(alpha), None);
    let mut shares = Vec::new();
    for step in 0..400 {
        let (images, mixed) = mixed(&of(0.3), step).unwrap();
        let mut partners = mixed.labels.clone();
        partners.sort_unstable();
        assert_eq!(partners, [0, 1, 2, 3, 4], "each image is mixed in once");
        for (own, image) in images.chunks(LEN).enumerate() {
            let other = f64::from(mixed.labels[own]);
            let wanted = mixed.share * own as f64 + (1.0 - mixed.share) * other;
            assert!(image.iter().all(|x| (f64::from(*x) - wanted).abs() < 1e-5));
        }
        shares.push(mixed.share);
    }
    let mean = shares.iter().sum::<f64>() / 400.0;
    let square = shares.iter().map(|x| (x - 0.5).powi(2)).sum::<f64>() / 400.0;
    assert!((mean - 0.5).abs() < 0.06, "{mean}");
    assert!((square * 4.0 * 1.6 - 1.0).abs() < 0.15, "{square}");
}

/// A rectangle of the other image stands in each image, the same in all of them, and λ is the share of the image that is
/// left.
#[test]
fn cutmix_pastes_a_rectangle() {
    let always = RunConfig {
        cutmix_prob: Some(1.0),
        ..config(None, Some(1.0))
    };
    let mut sizes = std::collections::BTreeSet::new();
    for step in 0..200 {
        let (images, mixed) = mixed(&always, step).unwrap();
        let mut holes = Vec::new();
        for (own, image) in images.chunks(LEN).enumerate() {
            if mixed.labels[own] as usize == own {
                continue;
            }
            let pasted: Vec<(usize, usize)> = (0..6 * 8)
                .filter(|pixel| image[pixel * 2] == mixed.labels[own] as f32)
                .map(|pixel| (pixel / 8, pixel % 8))
                .collect();
            let kept = image.iter().filter(|x| **x == own as f32).count();
            assert_eq!(kept + 2 * pasted.len(), LEN, "all channels of a pixel");
            holes.push(pasted);
        }
        for hole in &holes {
            assert_eq!(hole, &holes[0]);
            let left = 1.0 - hole.len() as f64 / 48.0;
            assert!((mixed.share - left).abs() < 1e-12);
            let rows = hole.iter().map(|(y, _)| y);
            let columns = hole.iter().map(|(_, x)| x);
            if let Some((top, bottom)) = rows.clone().min().zip(rows.max())
                && let Some((left, right)) = columns.clone().min().zip(columns.max())
            {
                let (height, width) = (bottom - top + 1, right - left + 1);
                assert_eq!(hole.len(), height * width, "a rectangle");
                sizes.insert((height, width));
            }
        }
    }
    assert!(sizes.len() > 8, "{sizes:?}");
}

/// With both, CutMix has its share of the batches, and mixup has the others.
#[test]
fn with_both_each_batch_is_mixed_by_one() {
    let both = RunConfig {
        cutmix_prob: Some(0.25),
        ..config(Some(1.0), Some(1.0))
    };
    let mixup = config(Some(1.0), None);
    let mut blended = 0;
    for step in 0..400 {
        let (images, _) = mixed(&both, step).unwrap();
        blended += u32::from(images.iter().any(|x| x.fract() > 1e-4));
        // Whoever mixes a batch, its images have the same partners.
        let partners = |config| mixed(config, step).map(|(_, mixed)| mixed.labels);
        assert_eq!(partners(&both), partners(&mixup));
    }
    assert!((270..330).contains(&blended), "{blended} of 400 blended");
}
