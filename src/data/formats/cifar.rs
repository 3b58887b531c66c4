//! CIFAR-10 and CIFAR-100, “binary version” (Krizhevsky 2009): records of one or two label bytes and three planes of
//! 32 × 32 pixels.

use std::path::{Path, PathBuf};

use image::{DynamicImage, RgbImage};

use super::super::decode::MOST_BYTES;
use super::super::error::DataError;
use super::format::{Content, Format, Found, Source};
use super::item::{Image, Item, name, problem, read_file, records};

/// CIFAR-10.
pub(super) const TEN: Format = Format {
    name: "CIFAR-10",
    recognises: |root| ten(root).is_some(),
    content: Content::Packed(read_ten),
};

/// CIFAR-100, with its fine labels.
pub(super) const HUNDRED: Format = Format {
    name: "CIFAR-100",
    recognises: |root| hundred(root).is_some(),
    content: Content::Packed(read_hundred),
};

const SIDE: usize = 32;
const PLANE: usize = SIDE * SIDE;

/// Class names where the folder does not name them.
const TEN_CLASSES: [&str; 10] = [
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
];

/// The folder with the batches of CIFAR-10: `root` itself, or the folder in it that the archive unpacks to.
fn ten(root: &Path) -> Option<PathBuf> {
    within(root, "cifar-10-batches-bin", "data_batch_1.bin")
}

/// The folder with the files of CIFAR-100, found in the same way.
fn hundred(root: &Path) -> Option<PathBuf> {
    within(root, "cifar-100-binary", "train.bin")
}

fn within(root: &Path, folder: &str, file: &str) -> Option<PathBuf> {
    let candidates = [root.to_owned(), root.join(folder)];
    candidates.into_iter().find(|dir| dir.join(file).is_file())
}

fn read_ten(source: &Source<'_>) -> Result<Found, DataError> {
    let dir = ten(source.at).unwrap_or_else(|| source.at.to_owned());
    let classes = names(&dir.join("batches.meta.txt"), 10, |k| {
        TEN_CLASSES[k].to_owned()
    })?;
    let mut train = Vec::new();
    for batch in 1..=5 {
        train.extend(batch_of(
            source,
            &dir.join(format!("data_batch_{batch}.bin")),
            1,
            10,
        )?);
    }
    let test = batch_of(source, &dir.join("test_batch.bin"), 1, 10)?;
    Ok(Found {
        classes,
        is_named: true,
        items: [train, Vec::new(), test],
        notes: hundred_beside(source).into_iter().collect(),
        ..Found::default()
    })
}

/// A sentence about CIFAR-100 in a folder of which CIFAR-10 is read.
fn hundred_beside(source: &Source<'_>) -> Option<String> {
    let other = hundred(source.at)?;
    let how = if other == source.at {
        "move its files to a folder of their own".to_owned()
    } else {
        format!("write `--data folder:{}` for it", other.display())
    };
    Some(format!(
        "CIFAR-10 is read; CIFAR-100, which lies in the folder, too, is not: {how}"
    ))
}

fn read_hundred(source: &Source<'_>) -> Result<Found, DataError> {
    let dir = hundred(source.at).unwrap_or_else(|| source.at.to_owned());
    let classes = names(&dir.join("fine_label_names.txt"), 100, |k| {
        format!("{k:02}")
    })?;
    let split = |file| batch_of(source, &dir.join(file), 2, 100);
    Ok(Found {
        classes,
        is_named: true,
        items: [split("train.bin")?, Vec::new(), split("test.bin")?],
        ..Found::default()
    })
}

/// Class names from a file with one name a line; the names that `other` gives where there is no such file.
fn names(path: &Path, count: usize, other: fn(usize) -> String) -> Result<Vec<String>, DataError> {
    if !path.is_file() {
        return Ok((0..count).map(other).collect());
    }
    let text = String::from_utf8_lossy(&read_file(path, MOST_BYTES as u64)?).into_owned();
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let names: Vec<String> = lines.map(str::to_owned).collect();
    if names.len() != count {
        let reason = format!(
            "it names {} classes instead of {count}; delete it or restore it",
            names.len()
        );
        return Err(problem(path, reason));
    }
    Ok(names)
}

/// Reads a file of records. Each record begins with `labels` label bytes, of which the last is the class.
fn batch_of(
    source: &Source<'_>,
    path: &Path,
    labels: usize,
    classes: usize,
) -> Result<Vec<Item>, DataError> {
    let bytes = read_file(path, MOST_BYTES as u64)?;
    let length = labels + 3 * PLANE;
    if bytes.is_empty() || bytes.len() % length != 0 {
        let reason = format!(
            "its {} bytes are no whole number of records of {length}; it is cut short or another format, get it again",
            bytes.len()
        );
        return Err(problem(path, reason));
    }
    records(&bytes, length, |number, record| {
        let label = usize::from(record[labels - 1]);
        if label >= classes {
            let reason = format!(
                "record {number} has label {label}, and there are {classes} classes; get it again"
            );
            return Err(problem(path, reason));
        }
        Ok(Item {
            label,
            name: name(source.root, path, number),
            image: source
                .with_images
                .then(|| Image::Pixels(picture(&record[labels..]))),
        })
    })
}

/// The image whose red, green and blue planes lie one after the other in `planes`.
fn picture(planes: &[u8]) -> DynamicImage {
    let mut image = RgbImage::new(SIDE as u32, SIDE as u32);
    for (at, pixel) in image.pixels_mut().enumerate() {
        pixel.0 = [planes[at], planes[PLANE + at], planes[2 * PLANE + at]];
    }
    image.into()
}
