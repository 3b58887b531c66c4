//! The notice that the window shows: there is at most one.

/// A sentence that is shown over the page.
pub(crate) struct Notice {
    pub(crate) text: String,
    pub(crate) is_error: bool,
    /// When the notice appeared, or when the pointer was last on it, in window seconds.
    pub(crate) since: f64,
}
