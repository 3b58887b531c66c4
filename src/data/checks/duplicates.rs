//! Images that are there more than once: in two splits, in two classes, or repeated.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::fmt;

use rayon::prelude::*;

use crate::text::grouped;

use super::super::dataset::Dataset;
use super::super::fingerprint::Hash;
use super::super::splits::SPLIT_NAMES;

/// Two images with the same pixels, as training sees them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// Split, class and file of each.
    pub images: [Place; 2],
}

/// Where an image is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// `training`, `validation` or `test`.
    pub split: &'static str,
    /// Name of its class.
    pub class: String,
    /// Its file, or its number where the source has no files.
    pub file: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}, {})", self.file, self.class, self.split)
    }
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, other] = &self.images;
        write!(f, "{other} is {first}")
    }
}

/// The images of a data set that are there more than once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Duplicates {
    /// Each image beside an earlier one with the same pixels: pairs of two classes first, then pairs of two splits.
    pub pairs: Vec<Pair>,
    /// Sentences that count them.
    pub sentences: Vec<String>,
}

/// An image with what it is compared by. The order is that of the splits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Image {
    hash: u64,
    split: usize,
    index: u32,
}

impl Duplicates {
    /// Compares the images that train, validate and test, on all threads.
    pub fn of(data: &Dataset) -> Self {
        let splits = [&data.train, &data.val, &data.test];
        let of_split = |split: usize| splits[split].iter().map(move |&index| (split, index));
        let all: Vec<_> = (0..3).flat_map(of_split).collect();
        let mut images: Vec<Image> = all
            .into_par_iter()
            .map(|(split, index)| {
                let mut hash = Hash::default();
                hash.bytes(data.image(index));
                Image {
                    hash: hash.finish(),
                    split,
                    index,
                }
            })
            .collect();
        images.par_sort_unstable();
        let alike = images
            .chunk_by(|a, b| a.hash == b.hash)
            .filter(|group| group.len() > 1);
        // Equal hashes of different pixels are as good as impossible; comparing costs little all the same.
        let is_same = |group: &&[Image]| {
            group
                .windows(2)
                .all(|two| data.image(two[0].index) == data.image(two[1].index))
        };
        let groups: Vec<&[Image]> = alike.filter(is_same).collect();
        Self {
            pairs: pairs(data, &groups),
            sentences: sentences(data, &groups),
        }
    }
}

fn class(data: &Dataset, image: &Image) -> u16 {
    data.labels[image.index as usize]
}

fn pairs(data: &Dataset, groups: &[&[Image]]) -> Vec<Pair> {
    let mut pairs: Vec<[&Image; 2]> = Vec::new();
    for group in groups {
        pairs.extend(group.iter().skip(1).map(|image| [&group[0], image]));
    }
    pairs.sort_by_key(|[a, b]| {
        (
            Reverse(class(data, a) != class(data, b)),
            Reverse(a.split != b.split),
            a.index,
            b.index,
        )
    });
    let place = |image: &Image| Place {
        split: SPLIT_NAMES[image.split],
        class: data.classes[usize::from(class(data, image))].clone(),
        file: match data
            .files
            .as_ref()
            .and_then(|files| files.get(image.index as usize))
        {
            Some(file) => file.clone(),
            None => format!("image {}", image.index),
        },
    };
    pairs
        .into_iter()
        .map(|pair| Pair {
            images: pair.map(place),
        })
        .collect()
}

fn sentences(data: &Dataset, groups: &[&[Image]]) -> Vec<String> {
    let mut sentences = Vec::new();
    let sizes = [data.train.len(), data.val.len(), data.test.len()];
    for (later, earlier) in [(2, 0), (1, 0), (2, 1)] {
        let shared = |group: &&&[Image]| group.iter().any(|image| image.split == earlier);
        let of_later = |group: &&[Image]| group.iter().filter(|image| image.split == later).count();
        let count: usize = groups.iter().filter(shared).map(of_later).sum();
        if count > 0 {
            let (size, verb) = (
                grouped(sizes[later] as u64),
                if count == 1 { "is" } else { "are" },
            );
            let count = grouped(count as u64);
            let (later, earlier) = (SPLIT_NAMES[later], SPLIT_NAMES[earlier]);
            sentences.push(format!(
                "{count} of {size} {later} images {verb} also among the {earlier} images"
            ));
        }
    }
    let in_two = |group: &&&[Image]| {
        group
            .iter()
            .map(|image| class(data, image))
            .collect::<BTreeSet<_>>()
            .len()
            > 1
    };
    let count: usize = groups.iter().filter(in_two).map(|group| group.len()).sum();
    if count > 0 {
        sentences.push(format!(
            "{} images have the same pixels as one of another class",
            grouped(count as u64)
        ));
    }
    let of_train = |group: &&[Image]| group.iter().filter(|image| image.split == 0).count();
    let repeated: usize = groups
        .iter()
        .map(|group| of_train(group).saturating_sub(1))
        .sum();
    if repeated > 0 {
        let (size, verb) = (
            grouped(sizes[0] as u64),
            if repeated == 1 { "repeats" } else { "repeat" },
        );
        sentences.push(format!(
            "{} of {size} training images {verb} another one",
            grouped(repeated as u64)
        ));
    }
    sentences
}

#[cfg(test)]
mod tests;
