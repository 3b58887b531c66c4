//! Everything that threads read from the disk for the pages and the figures.
//!
//! May import `state` and the library.

mod findings;
mod found;
mod images;
mod located;
mod probes;
mod samples;

pub(crate) use findings::Source;
pub(crate) use findings::find;
pub(crate) use found::look_through;
pub(crate) use images::read_images;
pub(crate) use located::locate;
pub(crate) use probes::read_probe;
pub(crate) use samples::read_samples;
