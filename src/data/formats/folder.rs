//! A folder of images in whichever format it has.

use std::path::{Path, PathBuf};

use crate::config::{RunConfig, Size};

use super::super::dataset::Unsplit;
use super::super::decode::Small;
use super::super::error::DataError;
use super::super::splits::Summary;
use super::format::{Content, Format, ReadPacked, Source};
use super::list::{packed, recognise};
use super::listing::directories;
use super::pack::Pack;
use super::{image_folder, item, parquet};

/// A folder and its format.
pub(in crate::data) struct Folder<'a> {
    root: &'a Path,
    config: &'a RunConfig,
    format: &'static Format,
    /// Where its files lie: the folder, or one that was entered on the way to them.
    at: PathBuf,
}

impl<'a> Folder<'a> {
    /// Recognises the format of a folder by the names in it.
    pub(in crate::data) fn at(root: &'a Path, config: &'a RunConfig) -> Self {
        let (format, at) = recognise(root);
        Self {
            root,
            config,
            format,
            at,
        }
    }

    /// Class names and counts, without decoding any image.
    pub(in crate::data) fn scan(&self) -> Result<Summary, DataError> {
        match self.format.content {
            Content::Files => self.explained(image_folder::scan(self.root, self.config)),
            Content::Packed(read) => Ok(self.pack(read, false)?.summary()),
        }
    }

    /// The folder without its pixels, and sentences about it. Images that cannot be decoded are in it, too.
    pub(in crate::data) fn index(&self) -> Result<Unsplit, DataError> {
        match self.format.content {
            Content::Files => self.with_idle(image_folder::index(self.root, self.config)),
            Content::Packed(read) => Ok(self.pack(read, false)?.into_index()),
        }
    }

    fn with_idle(&self, read: Result<Unsplit, DataError>) -> Result<Unsplit, DataError> {
        let mut unsplit = self.explained(read)?;
        unsplit.notes.extend(self.idle());
        Ok(unsplit)
    }

    /// Sentences about fields of the configuration that have no effect on folders of this format.
    fn idle(&self) -> Vec<String> {
        let is_parquet = self.format.name == parquet::FORMAT.name;
        let has_splits = is_parquet || matches!(self.format.content, Content::Files);
        let fields = [
            ("splits", self.config.splits.is_some() && !has_splits),
            (
                "image_column",
                self.config.image_column.is_some() && !is_parquet,
            ),
            (
                "label_column",
                self.config.label_column.is_some() && !is_parquet,
            ),
        ];
        let idle = fields.into_iter().filter(|(_, is_idle)| *is_idle);
        idle.map(|(field, _)| format!("`{field}` has no effect on the format {}", self.format.name))
            .collect()
    }

    /// Decodes every image, on all threads.
    pub(in crate::data) fn load(
        &self,
        progress: &(dyn Fn(usize, usize) -> bool + Sync),
    ) -> Result<Unsplit, DataError> {
        match self.format.content {
            Content::Files => self.with_idle(image_folder::load(self.root, self.config, progress)),
            Content::Packed(read) => self
                .pack(read, true)?
                .load(self.root, self.config, progress),
        }
    }

    /// The images of the folder, to be read one by one.
    pub(in crate::data) fn images(&self) -> Result<Images, DataError> {
        let pack = match self.format.content {
            Content::Files => None,
            Content::Packed(read) => Some(self.pack(read, true)?),
        };
        Ok(Images {
            root: self.root.to_owned(),
            pack,
        })
    }

    fn pack(&self, read: ReadPacked, with_images: bool) -> Result<Pack, DataError> {
        let source = Source {
            root: self.root,
            at: &self.at,
            config: self.config,
            with_images,
        };
        let mut pack = Pack::read(read, &source)?;
        pack.notes.extend(self.idle());
        if self.at != self.root {
            let at = self.at.strip_prefix(self.root).unwrap_or(&self.at);
            let note = format!("the folder `{}` is entered, the only one", at.display());
            pack.notes.insert(0, note);
        }
        Ok(pack)
    }

    /// An error about class folders, or the reason for it: a data set of another format in a folder below.
    fn explained<T>(&self, read: Result<T, DataError>) -> Result<T, DataError> {
        let Err(DataError::Layout { .. } | DataError::EmptyClass { .. }) = &read else {
            return read;
        };
        let first = directories(self.root).unwrap_or_default();
        let second = first
            .iter()
            .flat_map(|(_, path)| directories(path).unwrap_or_default());
        let below: Vec<_> = first
            .iter()
            .cloned()
            .chain(second)
            .take(MOST_LOOKED_AT)
            .collect();
        let found = below
            .iter()
            .find_map(|(_, path)| Some((packed(path)?, path)));
        let Some((format, path)) = found else {
            return read;
        };
        let reason = format!(
            "a data set of the format {format} lies in one of its folders; write `--data folder:{}`",
            path.display()
        );
        Err(item::problem(self.root, reason))
    }

    /// The error of a class that is left without a training image.
    pub(in crate::data) fn empty_class(&self, class: &str) -> DataError {
        let reason = match self.format.content {
            Content::Files => "none of its images can be decoded: add images or delete its folder",
            Content::Packed(_) => "leave the class out",
        };
        DataError::EmptyClass {
            class: class.to_owned(),
            reason: reason.to_owned(),
            path: self.root.to_owned(),
        }
    }
}

/// Folders that are looked at for a data set of another format, at most.
const MOST_LOOKED_AT: usize = 200;

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
