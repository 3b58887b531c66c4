//! Folders whose files hold many images each.

use std::path::Path;

use crate::config::{RunConfig, Size};

use super::super::dataset::{Dataset, Unsplit};
use super::super::decode::{self, Small};
use super::super::error::DataError;
use super::super::splits::Summary;
use super::format::{Found, ReadPacked, Source};
use super::item::{Image, problem};
use super::names::{self, class_name};

/// The images of a folder whose files hold many each, in the order of the splits.
#[derive(Debug, Default)]
pub(super) struct Pack {
    /// Labels, names of the images, and splits; no pixels.
    index: Dataset,
    /// The images; empty where only labels were asked for.
    images: Vec<Image>,
    /// Sentences for the user.
    pub(super) notes: Vec<String>,
    /// Images that are left out because they cannot be read, a sentence each.
    unreadable: Vec<String>,
}

impl Pack {
    /// Reads a folder.
    pub(super) fn read(read: ReadPacked, source: &Source<'_>) -> Result<Self, DataError> {
        Self::new(source.root, read(source)?)
    }

    /// Puts the splits one after the other, and leaves out classes without images.
    fn new(root: &Path, found: Found) -> Result<Self, DataError> {
        let Found {
            classes,
            is_named,
            items,
            notes,
            unreadable,
        } = found;
        let mut counts = vec![0_usize; classes.len()];
        items
            .iter()
            .flatten()
            .for_each(|item| counts[item.label] += 1);
        let used: Vec<usize> = (0..classes.len()).filter(|&k| counts[k] > 0).collect();
        if used.len() < 2 {
            return Err(problem(
                root,
                format!(
                    "it holds images of {} classes, and at least 2 are needed",
                    used.len()
                ),
            ));
        }
        let mut new = vec![0_u16; classes.len()];
        for (number, &class) in used.iter().enumerate() {
            new[class] = u16::try_from(number)
                .map_err(|_| problem(root, "it holds more than 65535 classes".to_owned()))?;
        }
        let mut pack = Self {
            notes,
            unreadable,
            ..Self::default()
        };
        if is_named {
            pack.notes.extend(without_images(&classes, &counts));
        }
        let mut files = Vec::new();
        let index = &mut pack.index;
        for (split, items) in items.into_iter().enumerate() {
            for item in items {
                let number = index.labels.len() as u32;
                [&mut index.train, &mut index.val, &mut index.test][split].push(number);
                index.labels.push(new[item.label]);
                files.push(item.name);
                pack.images.extend(item.image);
            }
        }
        let raw = || used.iter().map(|&class| classes[class].as_str());
        index.classes = raw().map(class_name).collect();
        pack.notes.extend(names::notes(&index.classes, raw()));
        index.files = Some(files);
        Ok(pack)
    }

    /// The folder without its images.
    pub(super) fn into_index(self) -> Unsplit {
        Unsplit {
            dataset: self.index,
            notes: self.notes,
            unreadable: self.unreadable,
        }
    }

    /// Class names and counts.
    pub(super) fn summary(&self) -> Summary {
        let counts = |split: &[u32]| self.index.counts(split);
        let optional = |split: &[u32]| (!split.is_empty()).then(|| counts(split));
        Summary {
            train: counts(&self.index.train),
            val: optional(&self.index.val),
            test: optional(&self.index.test),
            classes: self.index.classes.clone(),
        }
    }

    /// Decodes every image, on all threads.
    pub(super) fn load(
        mut self,
        root: &Path,
        config: &RunConfig,
        progress: &(dyn Fn(usize, usize) -> bool + Sync),
    ) -> Result<Unsplit, DataError> {
        let index = std::mem::take(&mut self.index);
        let names = index.files.clone().unwrap_or_default();
        let mut unsplit = decode::load(root, index, config, progress, |i| {
            self.decode(i, &root.join(&names[i]), config.size)
        })?;
        unsplit.notes.append(&mut self.notes);
        unsplit.unreadable.append(&mut self.unreadable);
        Ok(unsplit)
    }

    /// The image with the name `name`, as in the index.
    pub(super) fn image(
        &self,
        root: &Path,
        name: &str,
        size: Option<Size>,
    ) -> Result<Small, DataError> {
        let files = self.index.files.as_deref().unwrap_or_default();
        let number = files.iter().position(|file| file == name);
        let number = number.ok_or_else(|| problem(root, format!("there is no image {name}")))?;
        self.decode(number, &root.join(name), size)
    }

    fn decode(&self, number: usize, path: &Path, size: Option<Size>) -> Result<Small, DataError> {
        match self.images.get(number) {
            Some(Image::Pixels(image)) => Ok(Small::new(image.clone(), size)),
            Some(Image::Encoded(bytes)) => Small::decode(bytes, path, size),
            Some(Image::Missing(reason)) => Err(DataError::Unreadable {
                reason: (*reason).to_owned(),
                path: path.to_owned(),
            }),
            None => Err(problem(path, "the image was not read".to_owned())),
        }
    }
}

/// A sentence about named classes that have no image; none where each has one.
fn without_images(classes: &[String], counts: &[usize]) -> Option<String> {
    let without = classes.iter().zip(counts).filter(|(_, count)| **count == 0);
    let names: Vec<String> = without.map(|(class, _)| class_name(class)).collect();
    let example = names.first()?;
    let (left, them) = match names.len() {
        1 => (format!("has no image and is left out: `{example}`"), "it"),
        _ => (
            format!("have no image and are left out, such as `{example}`"),
            "them",
        ),
    };
    Some(format!(
        "{} of {} named classes {left}; classes are numbered without {them}",
        names.len(),
        classes.len()
    ))
}
