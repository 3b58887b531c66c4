//! Crosscurrent shows, while an image classifier trains, how its classes pull the weights against each other, and
//! whether giving each branch its own channel attention (Class-Specific Branch Attention, CSBA) relieves that pull.
//!
//! ```text
//! config ──► data ──► model ──► train ──► Event ──► run (reduce, log, replay) ──► figure ──► ui / cli / png
//!                                 │                  ▲
//!                           probe of class ──► gradient (Gram matrices, effects)
//!                             gradients
//! ```
//!
//! Everything that the trainer reports is a [`run::event::Event`] of plain numbers, and [`run::Run::apply`] is the only
//! reducer. [`gradient`] derives conflict and influence from the inner products of class gradients, [`compare`] sets
//! groups of runs against each other, and [`findings`] derives sentences about whatever stands out in a run.
//! [`network`] holds the terms that data, model and runs have in common, [`text`] the functions on text that all parts
//! share.
//!
//! Dependencies point one way:
//!
//! - Nothing imports `ui` or `cli`.
//! - Only `data`, `model`, `ops` and `train` may name tensors; only `figure`, `ui` and `main` may name egui.
//! - `run`, `gradient`, `compare` and `findings` work on plain numbers: `run` imports `gradient`, `compare` imports
//!   both, and `findings` all three; none of them imports a part that trains or draws.
//! - `files`, `network`, `text`, `random`, `signals` and `threads` lie below everything else.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::float_cmp,
        clippy::wildcard_enum_match_arm,
        reason = "a test fails by panicking, compares numbers that must be the same bits, and looks at one case of many"
    )
)]

pub mod class_balance;
pub mod cli;
pub mod compare;
pub mod config;
pub mod data;
pub mod figure;
mod files;
pub mod findings;
pub mod gradient;
pub mod model;
pub mod network;
pub mod ops;
pub mod random;
pub mod remote;
pub mod run;
pub mod samples;
pub mod signals;
pub mod slurm;
pub mod sweep;
pub mod tensorboard;
pub mod text;
pub mod threads;
pub mod train;
pub mod ui;

#[cfg(test)]
mod vectors;
