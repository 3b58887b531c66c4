//! What threads read from the disk for the pages and the figures.
//!
//! May import `state` and the library.

mod findings;
mod found;
mod images;
mod probes;
mod samples;

pub(crate) use findings::Source;
pub(super) use findings::find;
pub(crate) use found::look_through;
pub(super) use images::read_images;
pub(super) use probes::read_probe;
pub(super) use samples::read_samples;
