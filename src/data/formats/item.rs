//! Single images of files that hold many, and helpers of the formats that read them.

use std::path::{Path, PathBuf};

use image::DynamicImage;
use rayon::prelude::*;

use super::super::error::DataError;
use crate::files;

/// The content of one image in a file that holds many.
#[derive(Debug)]
pub(super) enum Image {
    /// Pixels.
    Pixels(DynamicImage),
    /// The bytes of an image file within the file.
    Encoded(Vec<u8>),
    /// No image, and why.
    Missing(&'static str),
}

/// One image of a file that holds many.
pub(super) struct Item {
    /// Number of its class among the class names of the format.
    pub(super) label: usize,
    /// Path of the file relative to the folder, and the number of the image in it.
    pub(super) name: String,
    /// The image; none where only labels were asked for.
    pub(super) image: Option<Image>,
}

/// Training, validation and test images.
pub(super) type Items = [Vec<Item>; 3];

/// Reads the items of equally long records, in parallel: `item` is given a record's number and bytes.
pub(super) fn records(
    bytes: &[u8],
    length: usize,
    item: impl Fn(usize, &[u8]) -> Result<Item, DataError> + Sync,
) -> Result<Vec<Item>, DataError> {
    bytes
        .par_chunks_exact(length)
        .enumerate()
        .map(|(number, record)| item(number, record))
        .collect()
}

/// A file's path relative to the folder, with the number of an image in it.
pub(super) fn name(root: &Path, file: &Path, number: usize) -> String {
    let file = file.strip_prefix(root).unwrap_or(file);
    format!("{}#{number}", file.display())
}

/// All bytes of a file, which are `most` or fewer. A path that leads to anything but a file, such as a pipe, is refused.
pub(super) fn read_file(path: &Path, most: u64) -> Result<Vec<u8>, DataError> {
    files::read(path, most).map_err(|error| DataError::Io {
        path: path.to_owned(),
        error,
    })
}

/// The error of a file that is damaged or does not fit the others: `problem` says what is wrong, and what to do.
pub(super) fn problem(path: &Path, problem: String) -> DataError {
    DataError::Packed {
        problem,
        path: PathBuf::from(path),
    }
}
