//! All formats, and which of them a folder has.

use std::path::{Path, PathBuf};

use super::format::{Content, Format};
use super::listing::directories;
use super::{cifar, idx, image_folder, parquet};

/// The formats in the order in which a folder is tried. The last recognises every folder.
pub(super) const FORMATS: [&Format; 5] = [
    &cifar::TEN,
    &cifar::HUNDRED,
    &idx::FORMAT,
    &parquet::FORMAT,
    &image_folder::FORMAT,
];

/// Folders that are entered one after the other where each is the only one in the last.
const DEEPEST: usize = 8;

/// The format of a folder, and where its files lie: in the folder itself, or in the only folder in it, and so on.
pub(super) fn recognise(root: &Path) -> (&'static Format, PathBuf) {
    let mut at = root.to_owned();
    for _ in 0..DEEPEST {
        if let Some(format) = format_at(&at) {
            return (format, at);
        }
        match directories(&at).unwrap_or_default().as_slice() {
            [(_, only)] => at.clone_from(only),
            _ => break,
        }
    }
    (&image_folder::FORMAT, root.to_owned())
}

/// The format of files in a folder that hold many images each.
fn format_at(folder: &Path) -> Option<&'static Format> {
    let mut packed = FORMATS
        .into_iter()
        .filter(|format| matches!(format.content, Content::Packed(_)));
    packed.find(|format| (format.recognises)(folder))
}

/// Name of the format of files in a folder that hold many images each.
pub(super) fn packed(folder: &Path) -> Option<&'static str> {
    format_at(folder).map(|format| format.name)
}

/// Name of the format that a folder is read as.
pub fn format_of(folder: &Path) -> &'static str {
    recognise(folder).0.name
}
