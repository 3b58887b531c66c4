//! Image folders in torchvision's ImageFolder layout: `root/class/…` or `root/{train,val,test}/class/…`.
//!
//! ```text
//! layout    which folders are classes; splits: which hold those of a split
//! collect   the images of all classes; masks: which of them are named like masks of others
//! seen      what a folder holds that has no classes
//! ```

mod collect;
mod layout;
mod masks;
mod seen;
mod splits;

use std::collections::BTreeSet;
use std::path::Path;

use crate::config::{RunConfig, Size};

use super::super::dataset::{Dataset, Unsplit};
use super::super::decode::{self, Small};
use super::super::error::DataError;
use super::super::splits::{SPLIT_NAMES, Summary};
use super::format::{Content, Format};
use super::item::read_file;
use super::left_out::Why;
use super::names::{self, class_name};
use super::tree::Tree;
use collect::{Entry, collect, relative};
use layout::{Layout, Place, layout};

/// Image folders, with one file for each image. Every folder that no other format recognises is read as one.
pub(super) const FORMAT: Format = Format {
    name: "image folder",
    recognises: |_| true,
    content: Content::Files,
};

/// Classes and image files of a folder.
struct Listing {
    classes: Vec<String>,
    entries: Vec<Entry>,
    /// Class and split of every place that images are in.
    places: Vec<(usize, usize)>,
    /// Whether there are training, validation and test images.
    has: [bool; 3],
    notes: Vec<String>,
}

impl Listing {
    /// Class and split of an image.
    fn of(&self, entry: &Entry) -> (usize, usize) {
        self.places[entry.place]
    }
}

/// Class names and counts, without opening a file.
pub(super) fn scan(root: &Path, config: &RunConfig) -> Result<Summary, DataError> {
    let listing = list(root, config)?;
    let mut counts = [0; 3].map(|_: usize| vec![0; listing.classes.len()]);
    for entry in &listing.entries {
        let (class, split) = listing.of(entry);
        counts[split][class] += 1;
    }
    let [train, val, test] = counts;
    Ok(Summary {
        train,
        val: listing.has[1].then_some(val),
        test: listing.has[2].then_some(test),
        classes: listing.classes,
    })
}

/// Decodes every image, on all threads.
pub(super) fn load(
    root: &Path,
    config: &RunConfig,
    progress: &(dyn Fn(usize, usize) -> bool + Sync),
) -> Result<Unsplit, DataError> {
    let mut listing = list(root, config)?;
    let mut unsplit = decode::load(root, labelled(root, &listing), config, progress, |i| {
        image(&listing.entries[i].path, config.size)
    })?;
    unsplit.notes.append(&mut listing.notes);
    Ok(unsplit)
}

/// Bytes of the longest image file that is read: twice those of the pixels that are decoded at most.
const MOST_FILE_BYTES: u64 = 2 << 30;

/// Decodes one file.
pub(super) fn image(path: &Path, size: Option<Size>) -> Result<Small, DataError> {
    let bytes = read_file(path, MOST_FILE_BYTES)?;
    Small::decode(&bytes, path, size)
}

/// The folder without its pixels, and sentences about it. Files that cannot be decoded are in it, too.
pub(super) fn index(root: &Path, config: &RunConfig) -> Result<Unsplit, DataError> {
    let listing = list(root, config)?;
    Ok(Unsplit {
        dataset: labelled(root, &listing),
        notes: listing.notes,
        unreadable: Vec::new(),
    })
}

/// The data set of these files without pixels: labels, file names and splits.
fn labelled(root: &Path, listing: &Listing) -> Dataset {
    let mut dataset = Dataset {
        classes: listing.classes.clone(),
        ..Dataset::default()
    };
    let mut files = Vec::new();
    for (index, entry) in listing.entries.iter().enumerate() {
        let (class, split) = listing.of(entry);
        dataset.labels.push(class as u16);
        files.push(relative(&entry.path, root));
        [&mut dataset.train, &mut dataset.val, &mut dataset.test][split].push(index as u32);
    }
    dataset.files = Some(files);
    dataset
}

/// Lists the folder: classes in byte order, files in byte order within each.
fn list(root: &Path, config: &RunConfig) -> Result<Listing, DataError> {
    let tree = Tree::read(root)?;
    let mut layout = layout(&tree, root, config.splits.as_ref())?;
    let entries = collect(&tree, &layout.places, &mut layout.left_out);
    let mut counts = vec![0_usize; layout.places.len()];
    entries.iter().for_each(|entry| counts[entry.place] += 1);
    // A class folder that is nothing but a link to another one is no class. An empty one is, and lacks its images.
    let is_there = |number: usize| {
        let place: &Place = &layout.places[number];
        counts[number] > 0 || !place.is_link || tree.images_below(place.folder) == 0
    };
    let places: Vec<usize> = (0..counts.len()).filter(|&place| is_there(place)).collect();
    let names: BTreeSet<String> = places
        .iter()
        .map(|&place| class_name(&layout.places[place].class))
        .collect();
    let classes: Vec<String> = names.into_iter().collect();
    if classes.len() < 2 || classes.len() > usize::from(u16::MAX) {
        return Err(seen::too_few_or_many(root, &tree, &classes));
    }
    let class_of = |place: &Place| {
        let name = class_name(&place.class);
        classes.binary_search(&name).unwrap_or(0)
    };
    let mut listing = Listing {
        places: layout
            .places
            .iter()
            .map(|place| (class_of(place), place.split))
            .collect(),
        entries,
        has: [false; 3],
        notes: Vec::new(),
        classes: classes.clone(),
    };
    let mut trained = vec![0; classes.len()];
    for (&(class, split), &count) in listing.places.iter().zip(&counts) {
        listing.has[split] |= count > 0;
        if split == 0 {
            trained[class] += count;
        }
    }
    for split in [1, 2] {
        if layout.has[split] && !listing.has[split] {
            let name = SPLIT_NAMES[split];
            listing.notes.push(format!(
                "the folder of {name} images holds none that can be read: they come from the training images, as without it"
            ));
        }
    }
    if let Some(class) = trained.iter().position(|&count| count == 0) {
        return Err(untrained(root, &tree, &layout, &classes, class));
    }
    let raw = places
        .iter()
        .map(|&place| layout.places[place].class.as_str());
    listing.notes.append(&mut layout.notes);
    listing.notes.extend(names::notes(&classes, raw));
    let masks = masks::note(root, &listing.entries, &layout.places);
    listing.notes.extend(masks);
    listing.notes.extend(layout.left_out.sentence(root));
    Ok(listing)
}

/// The error of a class without a training image, with the reason and the remedy.
fn untrained(
    root: &Path,
    tree: &Tree,
    layout: &Layout,
    classes: &[String],
    class: usize,
) -> DataError {
    let name = &classes[class];
    let of_class = || {
        layout
            .places
            .iter()
            .filter(|place| class_name(&place.class) == *name)
    };
    let Some(place) = of_class().find(|place| place.split == 0) else {
        let place = of_class().next();
        let alike = classes
            .iter()
            .find(|other| *other != name && other.to_lowercase() == name.to_lowercase());
        let what = match (alike, place) {
            (Some(other), _) => format!(
                "there is `{other}`, which differs only in case: give both folders one name"
            ),
            (None, Some(place)) => format!(
                "it is among the {} images only: add training images, delete its folder, or name the splits to read with \
                 `--splits`",
                SPLIT_NAMES[place.split]
            ),
            (None, None) => "add images".to_owned(),
        };
        return DataError::EmptyClass {
            class: name.clone(),
            reason: what,
            path: place.map_or(root, |place| &place.path).to_owned(),
        };
    };
    let others = tree.others_below(place.folder);
    let count = |why: Why| others.get(&why).copied().unwrap_or(0);
    let reason = if count(Why::Unreadable) > 0 {
        "its images are of a kind that is not read: convert them to PNG or JPEG".to_owned()
    } else if count(Why::Dangling) > 0 {
        "its files are links that lead nowhere: restore what they lead to, or delete its folder"
            .to_owned()
    } else if count(Why::Archive) > 0 {
        "its images are in an archive: unpack it".to_owned()
    } else if count(Why::NoEnding) > 0 {
        "its files have no ending: give each the one of its format, such as .png".to_owned()
    } else if tree.images_below(place.folder) > 0 {
        "all its images are read as those of another class, to which its links lead: delete its folder".to_owned()
    } else {
        "its folder is empty: add images or delete its folder".to_owned()
    };
    DataError::EmptyClass {
        class: name.clone(),
        reason,
        path: place.path.clone(),
    }
}

#[cfg(test)]
mod tests;
