//! Images: one in-memory [`Dataset`] from every source, its splits, and the batches made from it.
//!
//! ```text
//! solar     the built-in generator                  formats    the formats that a folder of images may have
//! source    load, scan or look into any source      decode     from images as they come to pixels of one size
//! dataset   images with labels and splits           splits     which images train, validate and test; long_tail
//! sampler   the order of an epoch                   batches    training batches made ahead; augment
//! samples   some images of each class, to look at   sheet      the same as one image
//! checks    files cut short, images there twice, and settings that leave too few
//! ```
//! May import config, random, threads, class_balance, network, and the hash constants of text.

mod augment;
pub mod batches;
mod checks;
mod dataset;
mod decode;
mod error;
mod fingerprint;
mod formats;
pub mod long_tail;
mod mixing;
mod sampler;
pub mod samples;
mod sheet;
mod solar;
mod source;
mod splits;

pub use checks::duplicates::{Duplicates, Pair, Place};
pub use dataset::Dataset;
pub use error::DataError;
pub use formats::format_of;
pub use mixing::Mixed;
pub use sheet::sheet;
pub use source::{Loaded, Reader, load, scan};
pub use splits::{Plan, Summary};

#[cfg(test)]
mod tests;
