//! Image folders in torchvision's ImageFolder layout: `root/class/…` or `root/{train,val,test}/class/…`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::config::{RunConfig, Size};

use super::decoded::{self, Small};
use super::{DataError, Dataset, Source, Summary};

const ENDINGS: [&str; 12] = [
    "png", "jpg", "jpeg", "bmp", "webp", "tif", "tiff", "gif", "ppm", "pgm", "pnm", "pbm",
];
/// Splits by the names their directories may have.
pub(super) const SPLITS: [(&str, usize); 5] = [
    ("train", 0),
    ("val", 1),
    ("valid", 1),
    ("validation", 1),
    ("test", 2),
];

/// An image file found in the folder.
struct Entry {
    path: PathBuf,
    class: usize,
    /// 0 train, 1 val, 2 test.
    split: usize,
}

/// What a folder holds.
struct Listing {
    classes: Vec<String>,
    entries: Vec<Entry>,
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
) -> Result<Source, DataError> {
    let listing = list(root)?;
    let index = labelled(root, listing.classes, &listing.entries);
    decoded::load(root, index, config, progress, |i| {
        image(&listing.entries[i].path, config.size)
    })
}

/// One file.
pub(super) fn image(path: &Path, size: Option<Size>) -> Result<Small, DataError> {
    let bytes = fs::read(path).map_err(|error| DataError::Io {
        path: path.to_owned(),
        error,
    })?;
    Small::decode(&bytes, path, size)
}

/// The folder without its pixels, unreadable files included.
pub(super) fn index(root: &Path) -> Result<Dataset, DataError> {
    let listing = list(root)?;
    Ok(labelled(root, listing.classes, &listing.entries))
}

/// Labels, file names and splits of these files.
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
    let is_split = |name: &str| {
        SPLITS
            .iter()
            .find(|(split, _)| *split == name)
            .map(|(_, split)| *split)
    };
    let splits: Vec<(usize, PathBuf)> = children
        .iter()
        .filter_map(|(name, path)| Some((is_split(name)?, path.clone())))
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

/// Sub-directories by name, sorted, hidden ones left out.
fn directories(root: &Path) -> Result<Vec<(String, PathBuf)>, DataError> {
    let mut found = Vec::new();
    for path in children(root)? {
        if path.is_dir() {
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .map(str::to_owned);
            let name = name.ok_or_else(|| DataError::Layout {
                problem: "a folder's name is not valid UTF-8; rename it".to_owned(),
                path: path.clone(),
            })?;
            found.push((name, path));
        }
    }
    Ok(found)
}

/// Everything in a directory that is not hidden, sorted.
pub(super) fn children(directory: &Path) -> Result<Vec<PathBuf>, DataError> {
    let error = |error| DataError::Io {
        path: directory.to_owned(),
        error,
    };
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory).map_err(error)? {
        let entry = entry.map_err(error)?;
        if !entry.file_name().to_string_lossy().starts_with('.') {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
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
