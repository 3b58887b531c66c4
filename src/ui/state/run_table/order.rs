//! The order, the filter and the grouping of the table of runs.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::column::Column;
use crate::run::event::Split;

/// The order, the filter and the grouping of the table, as chosen on the page of runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Order {
    /// The filter as typed. It is not kept for the next start, when the user would miss the runs that it hides.
    #[serde(skip)]
    pub(crate) filter: String,
    pub(crate) sort: Column,
    pub(crate) descending: bool,
    pub(crate) by_seed: bool,
    pub(crate) split: Split,
    /// The keys of groups whose runs are listed under them.
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
