//! Groups of runs that differ in nothing but the seed, and what a change of configuration changes between them.

pub mod groups;
pub mod statistics;
