//! Groups of runs that differ in nothing but the seed, and what a change of configuration changes between them.

pub mod contrast;
pub mod groups;
pub mod pairs;
pub mod ranks;
pub mod statistics;

pub use contrast::{Comparison, Grouped, Member};
