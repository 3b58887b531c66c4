//! Image folders in torchvision's ImageFolder layout: `root/class/…` or `root/{train,val,test}/class/…`.

use std::collections::BTreeSet;
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use image::imageops::FilterType;
use image::{DynamicImage, ImageDecoder, ImageReader, Limits};
use rayon::prelude::*;

use crate::config::{RunConfig, Size};

use super::{DataError, Dataset, Source, Summary};

const ENDINGS: [&str; 12] = [
    "png", "jpg", "jpeg", "bmp", "webp", "tif", "tiff", "gif", "ppm", "pgm", "pnm", "pbm",
];
/// Images up to this size keep it where all agree.
const OWN_SIZE: u32 = 64;
/// Size that others are brought to.
const DEFAULT_SIZE: usize = 32;
/// Smallest width and height the network takes.
const SMALLEST: usize = 16;
/// Bytes of pixels that a data set may have.
const MOST_BYTES: usize = 16 << 30;
/// Bytes that decoding one image may take: a hostile file cannot take them all.
const DECODE_BYTES: u64 = 1 << 30;

/// Splits by the names their directories may have.
const SPLITS: [(&str, usize); 5] = [
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
    let total = listing.entries.len();
    let done = AtomicUsize::new(0);
    // Files are read once, as they are; which size and how many channels they get is known only after the last.
    let decode = |entry: &Entry| {
        if !progress(done.fetch_add(1, Ordering::Relaxed), total) {
            return Err(DataError::Cancelled);
        }
        match Small::decode(&entry.path, config.size) {
            Err(error) if config.skip_unreadable => Ok(Err(error)),
            decoded => decoded.map(Ok),
        }
    };
    let decoded: Vec<Result<Small, DataError>> = listing
        .entries
        .par_iter()
        .map(decode)
        .collect::<Result<_, _>>()?;
    progress(total, total);
    assemble(root, config, listing, decoded)
}

/// A decoded image, at its own size while that is small.
struct Small {
    image: DynamicImage,
    /// Size in the file.
    own: (u32, u32),
    grey: bool,
}

impl Small {
    fn decode(path: &Path, size: Option<Size>) -> Result<Self, DataError> {
        let unreadable = |reason: &dyn std::fmt::Display| DataError::Unreadable {
            reason: reason.to_string(),
            path: path.to_owned(),
        };
        let bytes = fs::read(path).map_err(|source| DataError::Io {
            path: path.to_owned(),
            source,
        })?;
        let mut reader = ImageReader::new(Cursor::new(bytes))
            .with_guessed_format()
            .map_err(|e| unreadable(&e))?;
        let mut limits = Limits::default();
        limits.max_alloc = Some(DECODE_BYTES);
        reader.limits(limits);
        let mut decoder = reader.into_decoder().map_err(|e| unreadable(&e))?;
        let orientation = decoder.orientation().map_err(|e| unreadable(&e))?;
        let mut image = DynamicImage::from_decoder(decoder).map_err(|e| unreadable(&e))?;
        image.apply_orientation(orientation);
        let own = (image.width(), image.height());
        let grey = !image.color().has_color();
        // A photograph is brought down at once, so that a folder of them need not fit into memory.
        let target = match size {
            Some(size) => Some((size.width as u32, size.height as u32)),
            None if own.0.max(own.1) > OWN_SIZE => Some((DEFAULT_SIZE as u32, DEFAULT_SIZE as u32)),
            None => None,
        };
        if let Some((width, height)) = target {
            image = resize(&image, width, height);
        }
        Ok(Self { image, own, grey })
    }
}

/// Resizes with a filter that averages what it makes smaller.
fn resize(image: &DynamicImage, width: u32, height: u32) -> DynamicImage {
    if (image.width(), image.height()) == (width, height) {
        return image.clone();
    }
    image.resize_exact(width, height, FilterType::Triangle)
}

/// Pixels [H, W, C] at the size asked for.
fn pixels(image: &DynamicImage, size: Size, channels: usize) -> Vec<u8> {
    let image = resize(image, size.width as u32, size.height as u32);
    if channels == 1 {
        image.to_luma8().into_raw()
    } else {
        image.to_rgb8().into_raw()
    }
}

/// Pixels [H, W, C] of one file.
pub(super) fn image(path: &Path, size: Size, channels: usize) -> Result<Vec<u8>, DataError> {
    let small = Small::decode(path, Some(size))?;
    Ok(pixels(&small.image, size, channels))
}

/// An image as it comes, brought down to a small size, for looking at.
pub(super) fn thumbnail(path: &Path, size: Option<Size>) -> Result<DynamicImage, DataError> {
    Small::decode(path, size).map(|small| small.image)
}

/// The folder without its pixels, unreadable files included.
pub(super) fn index(root: &Path) -> Result<Dataset, DataError> {
    let listing = list(root)?;
    Ok(labelled(root, listing.classes, listing.entries.iter()))
}

/// Labels, file names and splits of these files.
fn labelled<'a>(
    root: &Path,
    classes: Vec<String>,
    entries: impl Iterator<Item = &'a Entry>,
) -> Dataset {
    let mut dataset = Dataset {
        classes,
        ..Dataset::default()
    };
    let mut files = Vec::new();
    for (index, entry) in entries.enumerate() {
        dataset.labels.push(entry.class as u16);
        files.push(relative(&entry.path, root));
        [&mut dataset.train, &mut dataset.val, &mut dataset.test][entry.split].push(index as u32);
    }
    dataset.files = Some(files);
    dataset
}

fn assemble(
    root: &Path,
    config: &RunConfig,
    listing: Listing,
    decoded: Vec<Result<Small, DataError>>,
) -> Result<Source, DataError> {
    let skipped: Vec<String> = decoded
        .iter()
        .filter_map(|result| result.as_ref().err().map(ToString::to_string))
        .collect();
    let read: Vec<(Entry, Small)> = listing
        .entries
        .into_iter()
        .zip(decoded)
        .filter_map(|(entry, image)| Some((entry, image.ok()?)))
        .collect();
    let Some((_, first)) = read.first() else {
        return Err(DataError::Layout {
            problem: "there is no readable image".to_owned(),
            path: root.to_owned(),
        });
    };
    let agree = read.iter().all(|(_, image)| image.own == first.own);
    let small = first.own.0.max(first.own.1) <= OWN_SIZE;
    let size = match config.size {
        Some(size) => size,
        None if agree && small => Size {
            width: (first.own.0 as usize).max(SMALLEST),
            height: (first.own.1 as usize).max(SMALLEST),
        },
        None => Size {
            width: DEFAULT_SIZE,
            height: DEFAULT_SIZE,
        },
    };
    let grey = read.iter().all(|(_, image)| image.grey);
    let channels = config.channels.unwrap_or(if grey { 1 } else { 3 });
    let len = size.width * size.height * channels;
    if read.len().saturating_mul(len) > MOST_BYTES {
        let gib = read.len() as f64 * len as f64 / f64::from(1 << 30);
        return Err(DataError::TooLarge {
            images: read.len(),
            gib,
        });
    }
    let mut images = vec![0; read.len() * len];
    images
        .par_chunks_mut(len)
        .zip(&read)
        .for_each(|(out, (_, small))| {
            out.copy_from_slice(&pixels(&small.image, size, channels));
        });
    let dataset = Dataset {
        images,
        height: size.height,
        width: size.width,
        channels,
        ..labelled(root, listing.classes, read.iter().map(|(entry, _)| entry))
    };
    let mut notes = Vec::new();
    if !skipped.is_empty() {
        notes.push(format!(
            "{} files could not be decoded and are left out",
            skipped.len()
        ));
        notes.extend(skipped);
    }
    Ok(Source { dataset, notes })
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
fn children(directory: &Path) -> Result<Vec<PathBuf>, DataError> {
    let error = |source| DataError::Io {
        path: directory.to_owned(),
        source,
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
