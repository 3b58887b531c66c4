//! The way back to what an exported image shows.

use crate::figure::export::Restored;

/// An exported image whose view is shown as soon as its runs are open.
pub(super) struct Restoring {
    pub(super) restored: Restored,
    pub(super) stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// It was dropped.
    Dropped,
    /// Folders are being looked through; with the number of times that they had been before.
    Looking(u64),
    /// The runs that were found are being opened.
    Opening,
}
