//! The formats that a folder of images may have.
//!
//! A format is one file with one [`format::Format`], and one line in [`list::FORMATS`].
//!
//! ```text
//! list           all formats, and which of them a folder has
//! listing, tree  list a folder, and all folders below it
//! names          what the names of folders and classes say; left_out: what of a folder is not read
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
mod left_out;
mod list;
mod listing;
mod names;
mod pack;
mod parquet;
mod tree;

pub(super) use folder::{Folder, Images};
pub use list::format_of;

#[cfg(test)]
mod tests;
