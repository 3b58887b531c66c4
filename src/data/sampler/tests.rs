use anyhow::{Result, ensure};

use super::*;

fn data() -> Dataset {
    let counts = [400, 90, 10, 0];
    let labels = (0..4).flat_map(|k| std::iter::repeat_n(k as u16, counts[k]));
    Dataset {
        labels: labels.collect(),
        classes: (0..4).map(|k| k.to_string()).collect(),
        train: (0..500).collect(),
        ..Dataset::default()
    }
}

/// An epoch has as many images as there are training images, and each class has its share of them.
#[test]
fn each_class_is_drawn_as_often_as_its_share_says() -> Result<()> {
    let data = data();
    for &sampler in Sampler::ALL {
        let config = RunConfig {
            sampler,
            epochs: 40,
            ..RunConfig::default()
        };
        let mut drawn = [0; 4];
        let mut expected = [0.0; 4];
        for epoch in 0..40 {
            let order = order(&data, &config, epoch);
            ensure!(order.len() == 500);
            for (index, _) in order {
                drawn[usize::from(data.labels[index as usize])] += 1;
            }
            let shares = shares(sampler, &[400, 90, 10, 0], epoch, 40);
            expected
                .iter_mut()
                .zip(shares)
                .for_each(|(sum, x)| *sum += 500.0 * x);
        }
        for (drawn, expected) in drawn.into_iter().zip(expected) {
            // Five standard deviations of a count.
            let room = 5.0 * f64::sqrt(expected) + 1e-6;
            ensure!(
                (f64::from(drawn) - expected).abs() < room,
                "{sampler}: {drawn} {expected}"
            );
        }
    }
    Ok(())
}

/// The first images of epoch 3 at seed 7, from a second implementation (in Python) of SplitMix64, the Fisher–Yates
/// shuffle and the draw by class: the same images come on every machine and after every change of the code.
#[test]
fn the_order_is_a_fixed_function_of_seed_and_epoch() {
    let first = |sampler, seed, epoch| {
        let config = RunConfig {
            sampler,
            seed,
            ..RunConfig::default()
        };
        drawn(&data(), &config, epoch)[..8].to_vec()
    };
    let wanted = [44, 206, 196, 179, 318, 363, 61, 150];
    assert_eq!(first(Sampler::Instance, 7, 3), wanted);
    let wanted = [291, 431, 160, 24, 398, 199, 22, 499];
    assert_eq!(first(Sampler::Balanced, 7, 3), wanted);
    for &sampler in Sampler::ALL {
        let base = first(sampler, 7, 3);
        assert_ne!(base, first(sampler, 8, 3), "{sampler}: another seed");
        assert_ne!(base, first(sampler, 7, 4), "{sampler}: another epoch");
    }
}

#[test]
fn sampling_by_instance_shows_every_image_once() {
    let mut order = order(&data(), &RunConfig::default(), 3);
    order.sort_unstable();
    let once: Vec<_> = (0..500).map(|index| (index, 0)).collect();
    assert_eq!(order, once);
}
