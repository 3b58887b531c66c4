//! IDX files, of which the MNIST family is made (LeCun et al. 1998): `…images-idx3-ubyte` and `…labels-idx1-ubyte`,
//! plain or gzip.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use image::{DynamicImage, GrayImage};

use super::super::decode::MOST_BYTES;
use super::super::error::DataError;
use super::format::{Content, Format};
use super::item::{Image, Item, Items, name, problem, read_file, records};
use super::listing::children;

/// IDX files.
pub(super) const FORMAT: Format = Format {
    name: "IDX",
    recognises: is_there,
    content: Content::Packed(read),
};

/// First word of a file of bytes with three dimensions, which holds images.
const IMAGES: u32 = 0x0803;
/// First word of a file of bytes with one dimension, which holds labels.
const LABELS: u32 = 0x0801;

/// Whether a folder holds training images.
fn is_there(root: &Path) -> bool {
    find(root, "images", true).is_ok_and(|found| found.is_some())
}

fn read(root: &Path, with_images: bool) -> Result<(Vec<String>, Items), DataError> {
    let mut items: Items = Default::default();
    for (split, is_train) in [(0, true), (2, false)] {
        let Some(images) = find(root, "images", is_train)? else {
            continue;
        };
        let labels = find(root, "labels", is_train)?.ok_or_else(|| {
            problem(
                &images,
                "the labels of these images are not beside them; add the file".to_owned(),
            )
        })?;
        items[split] = split_of(root, &images, &labels, with_images)?;
    }
    let most = items.iter().flatten().map(|item| item.label).max();
    let classes = (0..=most.unwrap_or(0)).map(|label| label.to_string());
    Ok((classes.collect(), items))
}

/// The file of a split, such as `train-images-idx3-ubyte.gz`; a plain file is preferred to a compressed one.
fn find(root: &Path, kind: &str, is_train: bool) -> Result<Option<PathBuf>, DataError> {
    let mut found: Vec<PathBuf> = Vec::new();
    for path in children(root)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let of_split = name.contains("train") == is_train;
        if name.contains("idx") && name.contains("ubyte") && name.contains(kind) && of_split {
            found.push(path);
        }
    }
    let is_plain = |path: &PathBuf| path.extension().is_none_or(|end| end != "gz");
    if found.iter().any(is_plain) {
        found.retain(is_plain);
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

fn split_of(
    root: &Path,
    images: &Path,
    labels: &Path,
    with_images: bool,
) -> Result<Vec<Item>, DataError> {
    let ([count], label_bytes) = open::<1>(labels, LABELS)?;
    let ([n, height, width], bytes) = open::<3>(images, IMAGES)?;
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
            name: name(root, images, number),
            image: image
                .filter(|_| with_images)
                .map(|image| Image::Pixels(DynamicImage::ImageLuma8(image))),
        })
    })
}

/// Dimensions and values of a file.
fn open<const D: usize>(path: &Path, magic: u32) -> Result<([usize; D], Vec<u8>), DataError> {
    let mut bytes = read_file(path)?;
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut plain = Vec::new();
        // Unpacking stops at the largest data set that is accepted, since a small compressed file can hold a huge one.
        let decoder = MultiGzDecoder::new(bytes.as_slice());
        decoder
            .take(MOST_BYTES as u64)
            .read_to_end(&mut plain)
            .map_err(|error| {
                problem(
                    path,
                    format!("it cannot be unpacked ({error}); get it again"),
                )
            })?;
        bytes = plain;
    }
    let word = |at: usize| {
        let bytes = bytes.get(4 * at..4 * at + 4)?;
        Some(u32::from_be_bytes(bytes.try_into().ok()?))
    };
    if word(0) != Some(magic) {
        let reason =
            format!("it does not begin with {magic:#06x}, so it is no such IDX file; get it again");
        return Err(problem(path, reason));
    }
    let mut dimensions = [0; D];
    for (at, dimension) in dimensions.iter_mut().enumerate() {
        let value = word(at + 1)
            .ok_or_else(|| problem(path, "it is cut short; get it again".to_owned()))?;
        *dimension = value as usize;
    }
    let wanted = dimensions
        .iter()
        .try_fold(1_usize, |product, &d| product.checked_mul(d));
    let start = 4 * (D + 1);
    if wanted != Some(bytes.len() - start) {
        let reason = format!(
            "it has {} values and announces {dimensions:?}; it is cut short, get it again",
            bytes.len() - start
        );
        return Err(problem(path, reason));
    }
    bytes.drain(..start);
    Ok((dimensions, bytes))
}
