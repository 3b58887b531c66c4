//! The columns of the table of runs.

use serde::{Deserialize, Serialize};

/// A column of the table; the rows can be sorted by any of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Column {
    State,
    Name,
    /// A field of the configuration, by its name in TOML.
    Field(String),
    MacroF1,
    Accuracy,
    RarestF1,
    Steps,
    Started,
}
