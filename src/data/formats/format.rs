//! What a format is: a name, how a folder of it is recognised, and how its images are read.

use std::path::Path;

use crate::config::RunConfig;

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

/// A folder to read.
pub(super) struct Source<'a> {
    /// The folder that the user named.
    pub(super) root: &'a Path,
    /// The folder in which the files lie.
    pub(super) at: &'a Path,
    /// What the user says about them.
    pub(super) config: &'a RunConfig,
    /// Whether the images are wanted, and not only their labels.
    pub(super) with_images: bool,
}

/// What a folder holds whose files hold many images each.
#[derive(Default)]
pub(super) struct Found {
    /// Names of the classes.
    pub(super) classes: Vec<String>,
    /// Whether the source names its classes apart from its images, so that one without an image is missed.
    pub(super) is_named: bool,
    /// The images of each split.
    pub(super) items: Items,
    /// Sentences for the user.
    pub(super) notes: Vec<String>,
    /// Images that are left out because they cannot be read, a sentence each.
    pub(super) unreadable: Vec<String>,
}

/// Reads class names and images of a folder.
pub(super) type ReadPacked = fn(&Source<'_>) -> Result<Found, DataError>;
