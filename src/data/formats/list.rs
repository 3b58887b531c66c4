//! All formats, and which of them a folder has.

use std::path::Path;

use super::format::Format;
use super::{cifar, idx, image_folder, parquet};

/// The formats in the order in which a folder is tried. The last recognises every folder.
pub(super) const FORMATS: [&Format; 5] = [
    &cifar::TEN,
    &cifar::HUNDRED,
    &idx::FORMAT,
    &parquet::FORMAT,
    &image_folder::FORMAT,
];

/// The first format that recognises a folder.
pub(super) fn recognise(root: &Path) -> &'static Format {
    let found = FORMATS.into_iter().find(|format| (format.recognises)(root));
    found.unwrap_or(&image_folder::FORMAT)
}

/// Name of the format that a folder is read as.
pub fn format_of(folder: &Path) -> &'static str {
    recognise(folder).name
}
