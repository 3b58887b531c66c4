//! A folder of images in whichever format it has.

use std::path::{Path, PathBuf};

use crate::config::{RunConfig, Size};

use super::super::dataset::{Dataset, Unsplit};
use super::super::decode::Small;
use super::super::error::DataError;
use super::super::splits::Summary;
use super::format::{Content, Format};
use super::list::recognise;
use super::pack::Pack;
use super::{image_folder, item};

/// A folder and its format.
pub(in crate::data) struct Folder<'a> {
    root: &'a Path,
    format: &'static Format,
}

impl<'a> Folder<'a> {
    /// Recognises the format of a folder by the names in it.
    pub(in crate::data) fn at(root: &'a Path) -> Self {
        Self {
            root,
            format: recognise(root),
        }
    }

    /// Class names and counts, without decoding any image.
    pub(in crate::data) fn scan(&self) -> Result<Summary, DataError> {
        match self.format.content {
            Content::Files => image_folder::scan(self.root),
            Content::Packed(read) => Ok(Pack::read(read, self.root, false)?.summary()),
        }
    }

    /// The folder without its pixels. Images that cannot be decoded are in it, too.
    pub(in crate::data) fn index(&self) -> Result<Dataset, DataError> {
        match self.format.content {
            Content::Files => image_folder::index(self.root),
            Content::Packed(read) => Ok(Pack::read(read, self.root, false)?.index),
        }
    }

    /// Decodes every image, on all threads.
    pub(in crate::data) fn load(
        &self,
        config: &RunConfig,
        progress: &(dyn Fn(usize, usize) -> bool + Sync),
    ) -> Result<Unsplit, DataError> {
        match self.format.content {
            Content::Files => image_folder::load(self.root, config, progress),
            Content::Packed(read) => {
                Pack::read(read, self.root, true)?.load(self.root, config, progress)
            }
        }
    }

    /// The images of the folder, to be read one by one.
    pub(in crate::data) fn images(&self) -> Result<Images, DataError> {
        let pack = match self.format.content {
            Content::Files => None,
            Content::Packed(read) => Some(Pack::read(read, self.root, true)?),
        };
        Ok(Images {
            root: self.root.to_owned(),
            pack,
        })
    }

    /// The error of a class that is left without a training image.
    pub(in crate::data) fn empty_class(&self, class: &str) -> DataError {
        match self.format.content {
            Content::Files => DataError::EmptyClass {
                class: class.to_owned(),
                path: self.root.join(class),
            },
            Content::Packed(_) => item::problem(
                self.root,
                format!("class `{class}` has no training image; leave the class out"),
            ),
        }
    }
}

/// Single images of a folder.
#[derive(Debug)]
pub(in crate::data) struct Images {
    root: PathBuf,
    /// All images in memory where many of them share a file; none where each image is a file.
    pack: Option<Pack>,
}

impl Images {
    /// The folder.
    pub(in crate::data) fn root(&self) -> &Path {
        &self.root
    }

    /// The image with the name `file`, which the data set of the folder gives to it.
    pub(in crate::data) fn image(
        &self,
        file: &str,
        size: Option<Size>,
    ) -> Result<Small, DataError> {
        match &self.pack {
            Some(pack) => pack.image(&self.root, file, size),
            None => image_folder::image(&self.root.join(file), size),
        }
    }
}
