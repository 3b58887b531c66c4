//! The list of commands.

/// The list while it is open.
#[derive(Debug, Default)]
pub(crate) struct Palette {
    /// The words that are searched for, as typed.
    pub(crate) query: String,
    /// Position of the selected command among those that match.
    pub(crate) selected: usize,
}
