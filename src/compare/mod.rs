//! Groups of runs that differ in nothing but the seed, and comparisons of measures between such groups.
//!
//! [`groups`] forms the groups, [`contrast`] compares them with a baseline, [`pairs`] compares the cosines of class
//! pairs, and [`statistics`] holds the tests. Imports `run`, `gradient`, `network`, `config` and `text`.

pub mod contrast;
pub mod groups;
pub mod pairs;
pub mod statistics;

pub use contrast::{Comparison, Grouped, Member};
