//! Images that are named like masks of other images. They are read as images, as torchvision reads them, and that is said.

use std::collections::BTreeSet;
use std::path::Path;

use super::super::names::words;
use super::collect::{Entry, relative};
use super::layout::Place;
use crate::text::one_or_more;

/// Words at the end of the names of masks.
const ENDS: [&str; 6] = ["mask", "masks", "seg", "segmentation", "gt", "label"];
/// Words in the names of folders of masks.
const FOLDERS: [&str; 5] = ["mask", "masks", "gt", "trimaps", "annotations"];

/// A sentence about images that are named after others of their folder, as masks are, or that lie in a folder of masks below
/// the folder of their class; none where there are none.
pub(super) fn note(root: &Path, entries: &[Entry], places: &[Place]) -> Option<String> {
    let has_ends = entries.iter().any(|entry| original(entry).is_some());
    let stems: BTreeSet<_> = entries
        .iter()
        .filter(|_| has_ends)
        .filter_map(stem)
        .collect();
    let is_mask = |entry: &&Entry| {
        original(entry).is_some_and(|original| stems.contains(&original))
            || is_in_folder(&entry.path, &places[entry.place].path)
    };
    let masks: Vec<&Entry> = entries.iter().filter(is_mask).collect();
    let example = relative(&masks.first()?.path, root);
    let counted = one_or_more(
        masks.len(),
        "image is named like a mask of another image",
        "images are named like masks of other images",
    );
    let verb = if masks.len() == 1 { "is" } else { "are" };
    Some(format!(
        "{counted}, such as `{example}`, and {verb} read like all others; move masks out of the folder"
    ))
}

/// The folder of an image, and its name without the ending.
fn stem(entry: &Entry) -> Option<(&Path, &str)> {
    Some((entry.path.parent()?, entry.path.file_stem()?.to_str()?))
}

/// The image that an image is the mask of, as its name has it: its folder, and its name without the ending.
fn original(entry: &Entry) -> Option<(&Path, &str)> {
    let (folder, stem) = stem(entry)?;
    Some((folder, masked(stem)?))
}

/// The name that the name of a mask begins with: `a` of `a_mask`, `a-seg` and `a_mask_1`.
fn masked(stem: &str) -> Option<&str> {
    let plain = stem.trim_end_matches(|c: char| c.is_ascii_digit());
    let stem = match plain.strip_suffix('_') {
        Some(before) if plain.len() < stem.len() => before,
        _ => stem,
    };
    let (before, last) = stem.rsplit_once(['_', '-', ' '])?;
    let is_end = ENDS.iter().any(|end| last.eq_ignore_ascii_case(end));
    (is_end && !before.is_empty()).then_some(before)
}

/// Whether an image lies in a folder of masks below the folder of its class.
fn is_in_folder(image: &Path, class: &Path) -> bool {
    let folder = image.parent().unwrap_or(image);
    let below = folder.strip_prefix(class).unwrap_or(Path::new(""));
    below.iter().any(|part| {
        let words = words(&part.to_string_lossy());
        words.iter().any(|word| FOLDERS.contains(&word.as_str()))
            || words.concat().contains("groundtruth")
    })
}
