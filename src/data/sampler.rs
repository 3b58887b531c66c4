//! Which training images an epoch sees, and in which order (Kang et al. 2020).

use crate::class_balance::shares;
use crate::config::{RunConfig, Sampler};
use crate::random::Random;

use super::dataset::Dataset;

/// Numbers of the images of `epoch` (from 0), as many as there are training images. Sampling by instance takes every
/// image once; the other samplers draw a class first and then one of its images, with replacement. Beside each number stands
/// how often it occurs before.
pub(super) fn order(data: &Dataset, config: &RunConfig, epoch: u64) -> Vec<(u32, u32)> {
    let mut seen = vec![0; data.labels.len()];
    let count = |index: u32| {
        let times = &mut seen[index as usize];
        *times += 1;
        (index, *times - 1)
    };
    drawn(data, config, epoch).into_iter().map(count).collect()
}

fn drawn(data: &Dataset, config: &RunConfig, epoch: u64) -> Vec<u32> {
    let mut order = data.train.clone();
    if config.sampler == Sampler::Instance {
        Random::new(config.seed, "order", epoch, 0).shuffle(&mut order);
        return order;
    }
    let mut by_class = vec![Vec::new(); data.classes.len()];
    for &index in &data.train {
        by_class[usize::from(data.labels[index as usize])].push(index);
    }
    let counts: Vec<usize> = by_class.iter().map(Vec::len).collect();
    let mut ends = shares(config.sampler, &counts, epoch, config.epochs);
    let mut sum = 0.0;
    for end in &mut ends {
        sum += *end;
        *end = sum;
    }
    let mut random = Random::new(config.seed, "sampler", epoch, 0);
    for index in &mut order {
        let at = random.uniform() * sum;
        // A class without images has a share of 0, so its end is never the first one above `at`.
        let class = ends.partition_point(|&end| end <= at);
        if let Some(own) = by_class.get(class).filter(|own| !own.is_empty()) {
            *index = own[random.below(own.len())];
        }
    }
    order
}

#[cfg(test)]
mod tests;
