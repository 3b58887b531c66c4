//! How far the window has come in showing the view of an exported image again.

use crate::figure::export::Restored;

/// An exported image whose view is shown as soon as its runs are open.
pub(super) struct Restoring {
    pub(super) restored: Restored,
    pub(super) stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The image was dropped on the window.
    Dropped,
    /// Folders are being looked through. The number is the count of earlier searches, which tells when this one is
    /// done.
    Looking(u64),
    /// The runs that were found are being opened.
    Opening,
}
