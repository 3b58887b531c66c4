//! The notice that the window shows: there is at most one.

use super::runs::RunId;

/// A sentence that is shown over the page.
pub(crate) struct Notice {
    /// What the notice is about.
    pub(crate) about: About,
    pub(crate) text: String,
    pub(crate) is_error: bool,
    /// When the notice appeared, or when the pointer was last on it, in window seconds.
    pub(crate) since: f64,
}

/// What a notice is about. An error goes once what it complains of is well again.
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
    /// The job of the queue that had this id, of which the notice is no error.
    Job(u64),
}
