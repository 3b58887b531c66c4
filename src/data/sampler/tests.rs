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

/// An epoch has as many images as there are, of each class its share, and the same ones again for the same seed.
#[test]
fn orders_have_the_shares() -> Result<()> {
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
            ensure!(order == super::order(&data, &config, epoch));
            for index in order {
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

/// Sampling by instance shows every image once.
#[test]
fn instances_come_once() {
    let mut order = order(&data(), &RunConfig::default(), 3);
    order.sort_unstable();
    assert_eq!(order, (0..500).collect::<Vec<_>>());
}
