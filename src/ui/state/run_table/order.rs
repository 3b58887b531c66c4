//! How the runs are listed.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::run::event::Split;

/// A column, by which the rows may be sorted.
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

/// How the runs are listed, as chosen on the page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Order {
    /// The filter as typed. It is not kept for the next start, where the runs that it hides would be missed.
    #[serde(skip)]
    pub(crate) filter: String,
    pub(crate) sort: Column,
    pub(crate) descending: bool,
    pub(crate) by_seed: bool,
    pub(crate) split: Split,
    /// Groups whose runs are listed under them.
    pub(crate) unfolded: BTreeSet<String>,
}

impl Default for Order {
    fn default() -> Self {
        Self {
            filter: String::new(),
            sort: Column::Started,
            descending: true,
            by_seed: false,
            split: Split::Val,
            unfolded: BTreeSet::new(),
        }
    }
}
