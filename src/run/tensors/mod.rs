//! The tensors of a run: those of its probes, on disk and in memory, its data and its predictions.
//!
//! Uses the run's paths, errors and events, and of `gradient` the numbers that are made from a probe.

pub mod class_rows;
pub mod predictions;
pub mod probe_file;
pub mod probes;
pub mod recorded_data;
