//! What of a folder is left out, by kind, and the one sentence about it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::text::one_or_more;

/// Why something is left out. The order is that of the sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Why {
    /// An image of a kind that is not read, such as HEIC.
    Unreadable,
    /// A file without an ending.
    NoEnding,
    /// A file that holds files.
    Archive,
    /// An image beside the folders of the classes.
    BesideClasses,
    /// A folder with images beside those of the splits.
    BesideSplits,
    /// A folder of a split whose images have no class.
    WithoutClasses,
    /// A shard of a split that is neither training, validation nor test.
    OtherSplit,
    /// A folder without an image.
    WithoutImages,
    /// A link to a folder that is read in another place.
    FolderAgain,
    /// A link to an image that is read in another place.
    ImageAgain,
    /// A link that leads nowhere.
    Dangling,
    /// A pipe, a socket or a device.
    Special,
    /// A hidden file or folder.
    Hidden,
    /// A file or folder that a system made.
    System,
    /// Any other file.
    Other,
}

impl Why {
    /// Whether it is something that the owner of a folder put there.
    pub(super) fn is_content(self) -> bool {
        !matches!(self, Self::Hidden | Self::System)
    }

    /// One of them, several of them, and what can be done.
    const fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Unreadable => (
                "image of a kind that is not read",
                "images of kinds that are not read",
                "convert them to PNG or JPEG",
            ),
            Self::NoEnding => (
                "file without an ending",
                "files without an ending",
                "images need theirs, such as .png",
            ),
            Self::Archive => ("archive", "archives", "unpack them if they hold images"),
            Self::BesideClasses => (
                "image beside the class folders",
                "images beside the class folders",
                "",
            ),
            Self::BesideSplits => ("folder beside the splits", "folders beside the splits", ""),
            Self::WithoutClasses => (
                "split without class folders",
                "splits without class folders",
                "its images have no class",
            ),
            Self::OtherSplit => (
                "shard of another split",
                "shards of other splits",
                "`--splits` can name them",
            ),
            Self::WithoutImages => ("folder without images", "folders without images", ""),
            Self::FolderAgain => (
                "link to a folder that is read already",
                "links to folders that are read already",
                "",
            ),
            Self::ImageAgain => (
                "link to an image that is read already",
                "links to images that are read already",
                "",
            ),
            Self::Dangling => ("link that leads nowhere", "links that lead nowhere", ""),
            Self::Special => ("pipe, socket or device", "pipes, sockets or devices", ""),
            Self::Hidden => ("hidden file or folder", "hidden files and folders", ""),
            Self::System => (
                "file or folder of the system",
                "files and folders of the system",
                "",
            ),
            Self::Other => ("other file", "other files", ""),
        }
    }
}

/// What is left out, by kind: how many, and the first of them by path.
#[derive(Clone, Debug, Default)]
pub(super) struct LeftOut(BTreeMap<Why, (usize, PathBuf)>);

impl LeftOut {
    /// Takes in a file or folder.
    pub(super) fn add(&mut self, why: Why, path: &Path) {
        let (count, example) = self.0.entry(why).or_insert_with(|| (0, path.to_owned()));
        *count += 1;
        if path < example.as_path() {
            path.clone_into(example);
        }
    }

    /// One sentence about everything, with paths relative to `root`; none where nothing is left out.
    pub(super) fn sentence(&self, root: &Path) -> Option<String> {
        let part = |(why, (count, path)): (&Why, &(usize, PathBuf))| {
            let (one, more, advice) = why.words();
            let path = path.strip_prefix(root).unwrap_or(path).display();
            let mut part = format!("{}, such as `{path}`", one_or_more(*count, one, more));
            if !advice.is_empty() {
                part.push_str(&format!(" ({advice})"));
            }
            part
        };
        let parts: Vec<_> = self.0.iter().map(part).collect();
        (!parts.is_empty()).then(|| format!("left out: {}", parts.join("; ")))
    }
}
