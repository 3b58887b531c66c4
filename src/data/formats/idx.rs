//! IDX files, of which the MNIST family is made (LeCun et al. 1998): `…images-idx3-ubyte` and `…labels-idx1-ubyte`,
//! plain or gzip.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use flate2::bufread::GzDecoder;
use image::{DynamicImage, GrayImage};

use super::super::decode::MOST_BYTES;
use super::super::error::DataError;
use super::super::splits::SPLIT_NAMES;
use super::format::{Content, Format, Found, Source};
use super::item::{Image, Item, Items, name, problem, read_file, records};
use super::listing::children;
use super::names::{split_within, words};

/// IDX files.
pub(super) const FORMAT: Format = Format {
    name: "IDX",
    recognises: is_there,
    content: Content::Packed(read),
};

/// Whether a folder has files of this format, by their names. What is wrong with them is for [`read`] to say.
fn is_there(root: &Path) -> bool {
    candidates(root, "images").is_ok_and(|found| !found.is_empty())
}

fn read(source: &Source<'_>) -> Result<Found, DataError> {
    let (mut items, mut taken): (Items, Vec<String>) = Default::default();
    for (split, items) in items.iter_mut().enumerate() {
        let images = find(source.at, "images", split)?;
        let labels = find(source.at, "labels", split)?;
        let lacks = |path: &Path, what: &str| {
            let reason = format!("the {what} are not beside them; add the file");
            Err(problem(path, reason))
        };
        let (images, labels) = match (images, labels) {
            (Some(images), Some(labels)) => (images, labels),
            (Some(images), None) => return lacks(&images, "labels of these images"),
            (None, Some(labels)) => return lacks(&labels, "images of these labels"),
            (None, None) => continue,
        };
        let file = images.strip_prefix(source.at).unwrap_or(&images);
        let said = SPLIT_NAMES[split];
        taken.push(format!("{said} images from `{}`", file.display()));
        *items = split_of(source, &images, &labels)?;
    }
    if items[0].is_empty() {
        let reason = "there are no training images (`train-images-idx3-ubyte`); add the files of the training split";
        return Err(problem(source.at, reason.to_owned()));
    }
    let most = items.iter().flatten().map(|item| item.label).max();
    let classes = (0..=most.unwrap_or(0)).map(|label| label.to_string());
    Ok(Found {
        classes: classes.collect(),
        items,
        notes: vec![format!("splits: {}", taken.join(", "))],
        ..Found::default()
    })
}

/// Files of images or labels in a folder, or in a folder of such a name in it, as some unpackers leave them.
fn candidates(root: &Path, kind: &str) -> Result<Vec<PathBuf>, DataError> {
    let is_named = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.contains("idx") && name.contains("ubyte") && name.contains(kind)
    };
    let mut found = Vec::new();
    for path in children(root)?.into_iter().filter(is_named) {
        if path.is_dir() {
            let inside = children(&path)?.into_iter().filter(is_named);
            found.extend(inside.filter(|path| !path.is_dir()));
        } else {
            found.push(path);
        }
    }
    Ok(found)
}

/// The split that a file is of, by its name: 0 training, 1 validation, 2 test. A name that says nothing, such as
/// `t10k-images-idx3-ubyte`, is that of test images.
fn split_said(path: &Path) -> usize {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let has_train = name.to_lowercase().contains("train");
    let other = if has_train { 0 } else { 2 };
    split_within(&words(&name)).unwrap_or(other)
}

/// The file of a split, such as `train-images-idx3-ubyte.gz`; a plain file is preferred to a compressed one, and a file in
/// the folder to one below it.
fn find(root: &Path, kind: &str, split: usize) -> Result<Option<PathBuf>, DataError> {
    let mut found = candidates(root, kind)?;
    found.retain(|path| split_said(path) == split);
    let is_plain = |path: &PathBuf| path.extension().is_none_or(|end| end != "gz");
    let is_near = |path: &PathBuf| path.parent() == Some(root);
    for is_better in [&is_plain as &dyn Fn(&PathBuf) -> bool, &is_near] {
        if found.iter().any(is_better) {
            found.retain(is_better);
        }
    }
    match found.as_slice() {
        [_, other, ..] => Err(problem(
            other,
            format!(
                "there are several files of {kind} for one split; keep one data set in a folder"
            ),
        )),
        _ => Ok(found.pop()),
    }
}

fn split_of(source: &Source<'_>, images: &Path, labels: &Path) -> Result<Vec<Item>, DataError> {
    let ([count], label_bytes) = open::<1>(labels)?;
    let ([n, height, width], bytes) = open::<3>(images)?;
    if n != count {
        let reason = format!("it has {count} labels for {n} images; get both again");
        return Err(problem(labels, reason));
    }
    if n == 0 || height == 0 || width == 0 {
        return Err(problem(
            images,
            "it holds no image; get it again".to_owned(),
        ));
    }
    records(&bytes, height * width, |number, pixels| {
        let image = GrayImage::from_raw(width as u32, height as u32, pixels.to_vec());
        Ok(Item {
            label: usize::from(label_bytes[number]),
            name: name(source.root, images, number),
            image: image
                .filter(|_| source.with_images)
                .map(|image| Image::Pixels(DynamicImage::ImageLuma8(image))),
        })
    })
}

/// Types of values by the third byte of a file.
const TYPES: [(u8, &str); 6] = [
    (0x08, "unsigned bytes"),
    (0x09, "signed bytes"),
    (0x0b, "16-bit integers"),
    (0x0c, "32-bit integers"),
    (0x0d, "32-bit floating-point numbers"),
    (0x0e, "64-bit floating-point numbers"),
];

/// Dimensions and values of a file of bytes with `D` dimensions: 3 for images, 1 for labels.
fn open<const D: usize>(path: &Path) -> Result<([usize; D], Vec<u8>), DataError> {
    let wrong = |reason: String| Err(problem(path, reason));
    let mut bytes = read_file(path, MOST_BYTES as u64)?;
    if bytes.starts_with(&GZIP) {
        bytes = unpacked::<D>(path, &bytes)?;
    }
    let [0, 0, kind, dimensions, ..] = bytes[..] else {
        return wrong(format!(
            "it does not begin with 0x08{D:02x} as an IDX file of bytes with {D} dimensions does; get it again"
        ));
    };
    let Some((_, words)) = TYPES.iter().find(|(known, _)| *known == kind) else {
        return wrong(format!(
            "it begins with {kind:#04x} as no IDX file does; get it again"
        ));
    };
    if kind != TYPES[0].0 {
        return wrong(format!(
            "it holds {words}, and unsigned bytes are read; write its values as unsigned bytes (0 to 255)"
        ));
    }
    if usize::from(dimensions) != D {
        let advice = match D {
            3 => {
                "images of one grey value a pixel are read; write others as PNG files into folders of their classes"
            }
            _ => "labels have one",
        };
        return wrong(format!(
            "it has {dimensions} dimensions instead of {D}: {advice}"
        ));
    }
    let word = |at: usize| {
        let bytes = bytes.get(4 * at..4 * at + 4)?;
        Some(u32::from_be_bytes(bytes.try_into().ok()?))
    };
    let mut dimensions = [0; D];
    for (at, dimension) in dimensions.iter_mut().enumerate() {
        let Some(value) = word(at + 1) else {
            return wrong("it is cut short; get it again".to_owned());
        };
        *dimension = value as usize;
    }
    let wanted = dimensions
        .iter()
        .try_fold(1_usize, |product, &d| product.checked_mul(d));
    let start = 4 * (D + 1);
    let there = bytes.len() - start;
    if wanted != Some(there) {
        let how = if wanted.is_some_and(|wanted| wanted < there) {
            "too long"
        } else {
            "cut short"
        };
        return wrong(format!(
            "it has {there} values and announces {dimensions:?}; it is {how}, get it again"
        ));
    }
    bytes.drain(..start);
    Ok((dimensions, bytes))
}

/// First bytes of a gzip file.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The content of a gzip file, which may have several parts and be padded with zeros. Since a small compressed file can hold
/// a huge one, no more is unpacked than its first bytes, the dimensions, announce, and one byte that tells that there is more.
fn unpacked<const D: usize>(path: &Path, bytes: &[u8]) -> Result<Vec<u8>, DataError> {
    let mut plain = Vec::new();
    let mut rest = bytes;
    while rest.starts_with(&GZIP) {
        let mut part = GzDecoder::new(rest);
        loop {
            let most = announced::<D>(&plain);
            if plain.len() >= most {
                return Ok(plain);
            }
            let mut limited = part.by_ref().take((most - plain.len()) as u64);
            let read = limited.read_to_end(&mut plain).map_err(|error| {
                problem(
                    path,
                    format!("it cannot be unpacked ({error}); get it again"),
                )
            })?;
            if read == 0 {
                break;
            }
        }
        rest = part.into_inner();
    }
    if rest.iter().any(|&byte| byte != 0) {
        let reason = "other bytes follow its compressed content; get it again";
        return Err(problem(path, reason.to_owned()));
    }
    Ok(plain)
}

/// How many bytes of a file with `D` dimensions are unpacked, by its beginning: the dimensions where these are not there yet,
/// else one more than they announce.
fn announced<const D: usize>(plain: &[u8]) -> usize {
    let start = 4 * (D + 1);
    let Some(dimensions) = plain.get(4..start) else {
        return start;
    };
    let (words, _) = dimensions.as_chunks::<4>();
    let product = words.iter().try_fold(1_usize, |product, word| {
        product.checked_mul(u32::from_be_bytes(*word) as usize)
    });
    let values = product.map_or(MOST_BYTES, |values| values.min(MOST_BYTES));
    start + values + 1
}
