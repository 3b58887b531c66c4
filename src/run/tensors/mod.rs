//! The tensors of a run: its probes, on disk and in memory, its data and its predictions.
//!
//! Imports the run's paths, errors and events, and from `gradient` the Gram matrix and the ledger.

mod checks;
pub mod class_rows;
mod measure;
pub mod predictions;
pub mod probe_file;
pub mod probes;
pub mod recorded_data;
pub mod verification;
