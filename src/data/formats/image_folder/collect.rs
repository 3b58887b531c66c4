//! The images of all classes, each folder and each link followed once.

use std::collections::{BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

use super::super::left_out::{LeftOut, Why};
use super::super::tree::{Identity, Tree, identity};
use super::layout::Place;

/// An image file of a class.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) path: PathBuf,
    /// Number of its place.
    pub(super) place: usize,
    is_link: bool,
}

/// A folder that is still to be looked through.
struct Open {
    folder: usize,
    path: PathBuf,
    place: usize,
}

/// The images of all places, sorted by path within each. Folders are looked through before links to folders, so that a
/// link does not take the images of the folder that it leads to.
pub(super) fn collect(tree: &Tree, places: &[Place], left_out: &mut LeftOut) -> Vec<Entry> {
    let (mut open, mut links) = (Vec::new(), VecDeque::new());
    // Of links from several splits to one folder, that of the training images is followed.
    let mut numbers: Vec<usize> = (0..places.len()).collect();
    numbers.sort_by_key(|&number| places[number].split);
    for number in numbers {
        let place = &places[number];
        let at = Open {
            folder: place.folder,
            path: place.path.clone(),
            place: number,
        };
        if place.is_link {
            links.push_back(at);
        } else {
            open.push(at);
        }
    }
    let (mut seen, mut entries) = (BTreeSet::new(), Vec::new());
    loop {
        while let Some(at) = open.pop() {
            if !seen.insert(at.folder) {
                left_out.add(Why::FolderAgain, &at.path);
                continue;
            }
            let folder = tree.folder(at.folder);
            for (name, why) in &folder.others {
                left_out.add(*why, &at.path.join(name));
            }
            entries.extend(folder.images.iter().map(|image| Entry {
                path: at.path.join(&image.name),
                place: at.place,
                is_link: image.is_link,
            }));
            for sub in &folder.folders {
                let below = Open {
                    folder: sub.to,
                    path: at.path.join(&sub.name),
                    place: at.place,
                };
                if sub.is_link {
                    links.push_back(below);
                } else {
                    open.push(below);
                }
            }
        }
        match links.pop_front() {
            Some(at) => open.push(at),
            None => break,
        }
    }
    let mut entries = without_links_again(entries, left_out);
    entries.sort_by(|a, b| (a.place, &a.path).cmp(&(b.place, &b.path)));
    entries
}

/// Leaves out links to images that are in the same place already. Links to images of other places stay: that the same
/// image is in two classes or two splits is for [`crate::data`] to say.
fn without_links_again(entries: Vec<Entry>, left_out: &mut LeftOut) -> Vec<Entry> {
    if !entries.iter().any(|entry| entry.is_link) {
        return entries;
    }
    let of = |entry: &Entry| identity(&entry.path).ok();
    let mut kept: BTreeSet<(usize, Identity)> = BTreeSet::new();
    for entry in entries.iter().filter(|entry| !entry.is_link) {
        if let Some(identity) = of(entry) {
            kept.insert((entry.place, identity));
        }
    }
    let mut again = |entry: &Entry| {
        let is_again = entry.is_link
            && of(entry).is_some_and(|identity| !kept.insert((entry.place, identity)));
        if is_again {
            left_out.add(Why::ImageAgain, &entry.path);
        }
        !is_again
    };
    entries.into_iter().filter(|entry| again(entry)).collect()
}

/// A path relative to the root.
pub(super) fn relative(path: &Path, root: &Path) -> String {
    path.strip_prefix(root)
        .unwrap_or(path)
        .to_string_lossy()
        .into_owned()
}
