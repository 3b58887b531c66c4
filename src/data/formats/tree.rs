//! All folders below a folder, each read once however many links lead to it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ffi::OsString;
use std::fs::{self, DirEntry, FileType};
use std::io;
use std::path::{Path, PathBuf};

use super::super::error::DataError;
use super::left_out::Why;
use super::names::is_of_system;

/// Endings of images that are read.
pub(super) const READ: [&str; 20] = [
    "png", "apng", "jpg", "jpeg", "jpe", "jfif", "jif", "jfi", "pjpeg", "pjp", "bmp", "dib",
    "webp", "tif", "tiff", "gif", "ppm", "pgm", "pnm", "pbm",
];
/// Endings of images that are not read.
pub(super) const UNREAD: [&str; 31] = [
    "heic", "heif", "hif", "avif", "jp2", "j2k", "jpx", "jpf", "jpc", "jxl", "jxr", "svg", "psd",
    "eps", "tga", "ico", "dds", "exr", "hdr", "dcm", "dng", "cr2", "cr3", "nef", "arw", "raf",
    "rw2", "orf", "raw", "xcf", "pcx",
];
/// Endings of files that hold files.
const ARCHIVES: [&str; 11] = [
    "zip", "tar", "gz", "tgz", "bz2", "xz", "zst", "7z", "rar", "tbz2", "txz",
];

/// All folders below a folder.
#[derive(Debug)]
pub(super) struct Tree {
    /// The folders; the first is the one that was read.
    pub(super) folders: Vec<Folder>,
}

/// What is in a folder, sorted by name.
#[derive(Debug, Default)]
pub(super) struct Folder {
    /// Images that can be read.
    pub(super) images: Vec<File>,
    /// Folders, hidden ones and those of the system left out.
    pub(super) folders: Vec<Sub>,
    /// Everything else, and why it is not read.
    pub(super) others: Vec<(OsString, Why)>,
}

/// An image in a folder.
#[derive(Debug)]
pub(super) struct File {
    pub(super) name: OsString,
    pub(super) is_link: bool,
}

/// A folder in a folder.
#[derive(Debug)]
pub(super) struct Sub {
    pub(super) name: OsString,
    /// Its number in the tree.
    pub(super) to: usize,
    pub(super) is_link: bool,
}

/// Identifies a file or folder, whatever path leads to it.
#[cfg(unix)]
pub(super) type Identity = (u64, u64);
#[cfg(not(unix))]
pub(super) type Identity = PathBuf;

/// The identity of what a path leads to.
pub(super) fn identity(path: &Path) -> io::Result<Identity> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let found = fs::metadata(path)?;
        Ok((found.dev(), found.ino()))
    }
    #[cfg(not(unix))]
    fs::canonicalize(path)
}

impl Tree {
    /// Reads a folder and everything below it. Folders come before links to folders, so that a link to a folder of the
    /// tree finds it read.
    pub(super) fn read(root: &Path) -> Result<Self, DataError> {
        let mut reading = Reading::default();
        reading.number(root).map_err(|error| failed(root, error))?;
        loop {
            while let Some((number, path)) = reading.folders.pop_front() {
                reading.read(number, &path)?;
            }
            let Some((within, path)) = reading.links.pop_front() else {
                break;
            };
            let to = reading
                .number(&path)
                .map_err(|error| failed(&path, error))?;
            let name = path.file_name().unwrap_or_default().to_owned();
            let is_link = true;
            reading.done[within].folders.push(Sub { name, to, is_link });
        }
        for folder in &mut reading.done {
            folder.folders.sort_by(|a, b| a.name.cmp(&b.name));
            folder.images.sort_by(|a, b| a.name.cmp(&b.name));
            folder.others.sort();
        }
        Ok(Self {
            folders: reading.done,
        })
    }

    /// The folder with this number.
    pub(super) fn folder(&self, number: usize) -> &Folder {
        &self.folders[number]
    }

    /// Numbers of a folder and all folders below it, each once.
    fn below(&self, number: usize) -> BTreeSet<usize> {
        let (mut seen, mut open) = (BTreeSet::from([number]), vec![number]);
        while let Some(number) = open.pop() {
            let subs = self.folders[number].folders.iter().map(|sub| sub.to);
            open.extend(subs.filter(|&to| seen.insert(to)));
        }
        seen
    }

    /// Number of images in a folder and below it.
    pub(super) fn images_below(&self, number: usize) -> usize {
        let folders = self.below(number).into_iter();
        folders
            .map(|number| self.folders[number].images.len())
            .sum()
    }

    /// Numbers of things in a folder and below it that are not read, by reason.
    pub(super) fn others_below(&self, number: usize) -> BTreeMap<Why, usize> {
        let mut counts = BTreeMap::new();
        for number in self.below(number) {
            for (_, why) in &self.folders[number].others {
                *counts.entry(*why).or_default() += 1;
            }
        }
        counts
    }

    /// The folders in a folder that have images in them or below them, readable or not.
    pub(super) fn populated(&self, number: usize) -> Vec<&Sub> {
        let has_images = |sub: &&Sub| {
            self.images_below(sub.to) > 0
                || self.others_below(sub.to).contains_key(&Why::Unreadable)
        };
        self.folders[number]
            .folders
            .iter()
            .filter(has_images)
            .collect()
    }
}

/// A tree that is being read.
#[derive(Default)]
struct Reading {
    done: Vec<Folder>,
    numbers: BTreeMap<Identity, usize>,
    /// Folders that are still to be read.
    folders: VecDeque<(usize, PathBuf)>,
    /// Links to folders that are still to be followed, each with the number of the folder that it is in.
    links: VecDeque<(usize, PathBuf)>,
}

impl Reading {
    /// The number of a folder, which is read later where it has not been met before.
    fn number(&mut self, path: &Path) -> io::Result<usize> {
        let next = self.done.len();
        let number = *self.numbers.entry(identity(path)?).or_insert(next);
        if number == next {
            self.done.push(Folder::default());
            self.folders.push_back((number, path.to_owned()));
        }
        Ok(number)
    }

    fn read(&mut self, number: usize, path: &Path) -> Result<(), DataError> {
        for entry in fs::read_dir(path).map_err(|error| failed(path, error))? {
            let entry = entry.map_err(|error| failed(path, error))?;
            let kind = entry
                .file_type()
                .map_err(|error| failed(&entry.path(), error))?;
            self.take(number, &entry, kind)?;
        }
        Ok(())
    }

    fn take(&mut self, number: usize, entry: &DirEntry, kind: FileType) -> Result<(), DataError> {
        let (name, path) = (entry.file_name(), entry.path());
        let text = name.to_string_lossy().into_owned();
        let is_link = kind.is_symlink();
        let target = if is_link {
            fs::metadata(&path).map(|found| found.file_type()).ok()
        } else {
            Some(kind)
        };
        let why = match target {
            _ if is_of_system(&text) => Why::System,
            _ if text.starts_with('.') => Why::Hidden,
            None => Why::Dangling,
            Some(kind) if kind.is_dir() && is_link => {
                self.links.push_back((number, path));
                return Ok(());
            }
            Some(kind) if kind.is_dir() => {
                let to = self.number(&path).map_err(|error| failed(&path, error))?;
                self.done[number].folders.push(Sub { name, to, is_link });
                return Ok(());
            }
            Some(kind) if kind.is_file() => match kind_of(&name) {
                None => {
                    self.done[number].images.push(File { name, is_link });
                    return Ok(());
                }
                Some(why) => why,
            },
            Some(_) => Why::Special,
        };
        self.done[number].others.push((name, why));
        Ok(())
    }
}

/// Why a file is not read, as its ending says; none for an image.
fn kind_of(name: &OsString) -> Option<Why> {
    let ending = Path::new(name)
        .extension()
        .map(|ending| ending.to_string_lossy().to_lowercase());
    let Some(ending) = ending else {
        return Some(Why::NoEnding);
    };
    match ending.as_str() {
        ending if READ.contains(&ending) => None,
        ending if UNREAD.contains(&ending) => Some(Why::Unreadable),
        ending if ARCHIVES.contains(&ending) => Some(Why::Archive),
        _ => Some(Why::Other),
    }
}

fn failed(path: &Path, error: io::Error) -> DataError {
    DataError::Io {
        path: path.to_owned(),
        error,
    }
}
