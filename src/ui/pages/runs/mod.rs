//! The page of runs: all that are open or were found in folders, in a table, and the details of one.

pub(crate) mod details;
pub(crate) mod page;
pub(crate) mod table;
