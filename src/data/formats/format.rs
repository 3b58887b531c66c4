//! What a format is: a name, how a folder of it is recognised, and how its images are read.

use std::path::Path;

use super::super::error::DataError;
use super::item::Items;

/// A format that a folder of images may have.
pub(super) struct Format {
    /// Name, as users know it.
    pub(super) name: &'static str,
    /// Whether a folder is of this format, judged by the names in it.
    pub(super) recognises: fn(&Path) -> bool,
    /// How its images lie in files.
    pub(super) content: Content,
}

/// How the images of a format lie in files.
pub(super) enum Content {
    /// Every image is a file of its own, in a folder named after its class.
    Files,
    /// A file holds many images. The function reads class names and images of a folder.
    Packed(ReadPacked),
}

/// Reads class names and images of a folder. The images come with their pixels only where the second argument is true.
pub(super) type ReadPacked = fn(&Path, bool) -> Result<(Vec<String>, Items), DataError>;
