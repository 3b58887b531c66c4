//! The formats that a folder of images may have.
//!
//! A format is one file with one [`format::Format`], and one line in [`list::FORMATS`].
//!
//! ```text
//! list           all formats, and which of them a folder has
//! listing        lists folders, and reads splits from their names
//! format, item   what a format is, and what it reads
//! cifar, idx, parquet   formats whose files hold many images (pack)
//! image_folder   one file for each image
//! folder         a folder in whichever of these formats
//! ```
//! May import `decode`, `dataset`, `error` and `splits` of `data`, and config.

mod cifar;
mod folder;
mod format;
mod idx;
mod image_folder;
mod item;
mod list;
mod listing;
mod pack;
mod parquet;

pub(super) use folder::{Folder, Images};
pub use list::format_of;

#[cfg(test)]
mod tests;
