//! Tests of everything that needs no window: training, runs on disk, faults, the command line, the imports within the
//! crate, and whether the documentation is up to date.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::float_cmp,
    reason = "a test fails by panicking, compares numbers that must be the same bits, and is its own documentation"
)]

mod batch_norm;
mod cli;
mod common;
mod compare;
#[path = "../constructed/mod.rs"]
mod constructed;
mod display;
mod docs;
mod export;
mod faults;
mod findings;
mod forks;
mod log_files;
mod logits;
mod pillow;
mod python;
mod reads;
mod recipe;
mod recorder;
mod remote;
mod signals;
mod slurm;
mod strangers;
mod strangers_names;
#[cfg(unix)]
mod strangers_paths;
mod structure;
mod sweep;
mod tensorboard;
mod training;

/// Counts what is allocated, for the tests of files from strangers.
#[global_allocator]
static ALLOCATOR: strangers::memory::Counting = strangers::memory::Counting;
