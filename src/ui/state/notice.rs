//! The notice that the window shows: there is at most one.

use super::runs::RunId;

/// A sentence that is shown over the page.
pub(crate) struct Notice {
    /// What the notice complains of.
    pub(crate) about: About,
    pub(crate) text: String,
    pub(crate) is_error: bool,
    /// When the notice appeared, or when the pointer was last on it, in window seconds.
    pub(crate) since: f64,
}

/// What an error complains of: it goes once that is well again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum About {
    /// Something that stays true until the user has read it.
    Past,
    /// A path at which there is nothing to open.
    Opening,
    /// A run whose log can no longer be read.
    Reaching(RunId),
    /// A server that cannot be reached.
    Connection,
    /// Notes that were not written.
    Notes,
}
