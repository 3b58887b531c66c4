//! The one notice.

/// A sentence that is told over the page.
pub(crate) struct Notice {
    pub(crate) text: String,
    pub(crate) is_error: bool,
    /// When it was told, or the pointer was last on it, in window seconds.
    pub(crate) since: f64,
}
