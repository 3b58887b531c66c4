//! Image folders in torchvision's ImageFolder layout: `root/class/…` or `root/{train,val,test}/class/…`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::config::{RunConfig, Size};

use super::super::dataset::{Dataset, Unsplit};
use super::super::decode::{self, Small};
use super::super::error::DataError;
use super::super::splits::Summary;
use super::format::{Content, Format};
use super::listing::{children, directories, split_named};

/// Image folders, with one file for each image. Every folder that no other format recognises is read as one.
pub(super) const FORMAT: Format = Format {
    name: "image folder",
    recognises: |_| true,
    content: Content::Files,
};

const ENDINGS: [&str; 12] = [
    "png", "jpg", "jpeg", "bmp", "webp", "tif", "tiff", "gif", "ppm", "pgm", "pnm", "pbm",
];
/// An image file found in the folder.
struct Entry {
    path: PathBuf,
    class: usize,
    /// Split of the image: 0 training, 1 validation, 2 test.
    split: usize,
}

/// Classes and image files of a folder.
struct Listing {
    classes: Vec<String>,
    entries: Vec<Entry>,
    /// Whether there are training, validation and test images.
    has: [bool; 3],
}

/// Class names and counts, without opening a file.
pub(super) fn scan(root: &Path) -> Result<Summary, DataError> {
    let listing = list(root)?;
    let count = |split: usize| {
        let mut counts = vec![0; listing.classes.len()];
        listing
            .entries
            .iter()
            .filter(|entry| entry.split == split)
            .for_each(|entry| counts[entry.class] += 1);
        counts
    };
    let optional = |split: usize| listing.has[split].then(|| count(split));
    Ok(Summary {
        train: count(0),
        val: optional(1),
        test: optional(2),
        classes: listing.classes.clone(),
    })
}

/// Decodes every image, on all threads.
pub(super) fn load(
    root: &Path,
    config: &RunConfig,
    progress: &(dyn Fn(usize, usize) -> bool + Sync),
) -> Result<Unsplit, DataError> {
    let listing = list(root)?;
    let index = labelled(root, listing.classes, &listing.entries);
    decode::load(root, index, config, progress, |i| {
        image(&listing.entries[i].path, config.size)
    })
}

/// Decodes one file.
pub(super) fn image(path: &Path, size: Option<Size>) -> Result<Small, DataError> {
    let bytes = fs::read(path).map_err(|error| DataError::Io {
        path: path.to_owned(),
        error,
    })?;
    Small::decode(&bytes, path, size)
}

/// The folder without its pixels. Files that cannot be decoded are in it, too.
pub(super) fn index(root: &Path) -> Result<Dataset, DataError> {
    let listing = list(root)?;
    Ok(labelled(root, listing.classes, &listing.entries))
}

/// The data set of these files without pixels: labels, file names and splits.
fn labelled(root: &Path, classes: Vec<String>, entries: &[Entry]) -> Dataset {
    let mut dataset = Dataset {
        classes,
        ..Dataset::default()
    };
    let mut files = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        dataset.labels.push(entry.class as u16);
        files.push(relative(&entry.path, root));
        [&mut dataset.train, &mut dataset.val, &mut dataset.test][entry.split].push(index as u32);
    }
    dataset.files = Some(files);
    dataset
}

/// Lists the folder: classes in byte order, files in byte order within each, hidden ones left out.
fn list(root: &Path) -> Result<Listing, DataError> {
    let children = directories(root)?;
    let splits: Vec<(usize, PathBuf)> = children
        .iter()
        .filter_map(|(name, path)| Some((split_named(name)?, path.clone())))
        .collect();
    let splits = if splits.iter().any(|(split, _)| *split == 0) {
        splits
    } else {
        vec![(0, root.to_owned())]
    };
    let mut names = BTreeSet::new();
    for (_, directory) in &splits {
        names.extend(directories(directory)?.into_iter().map(|(name, _)| name));
    }
    let classes: Vec<String> = names.into_iter().collect();
    let layout = |problem: String| DataError::Layout {
        problem,
        path: root.to_owned(),
    };
    if classes.len() < 2 {
        return Err(layout(format!(
            "found {} class folders, and at least 2 are needed",
            classes.len()
        )));
    }
    if classes.len() > usize::from(u16::MAX) {
        return Err(layout(format!(
            "found {} class folders, more than 65535",
            classes.len()
        )));
    }
    let mut listing = Listing {
        classes,
        entries: Vec::new(),
        has: [false; 3],
    };
    for (split, directory) in &splits {
        for (class, name) in listing.classes.iter().enumerate() {
            let path = directory.join(name);
            let before = listing.entries.len();
            if path.is_dir() {
                collect(&path, class, *split, &mut listing.entries)?;
            }
            if listing.entries.len() == before && *split == 0 {
                return Err(DataError::EmptyClass {
                    class: name.clone(),
                    path,
                });
            }
            listing.has[*split] |= listing.entries.len() > before;
        }
    }
    Ok(listing)
}

/// Image files below a class folder, at any depth.
fn collect(
    directory: &Path,
    class: usize,
    split: usize,
    entries: &mut Vec<Entry>,
) -> Result<(), DataError> {
    for path in children(directory)? {
        if path.is_dir() {
            collect(&path, class, split, entries)?;
        } else if is_image(&path) {
            entries.push(Entry { path, class, split });
        }
    }
    Ok(())
}

fn is_image(path: &Path) -> bool {
    let ending = path
        .extension()
        .map(|ending| ending.to_string_lossy().to_lowercase());
    ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
}

fn relative(path: &Path, root: &Path) -> String {
    path.strip_prefix(root)
        .unwrap_or(path)
        .to_string_lossy()
        .into_owned()
}
