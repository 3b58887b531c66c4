//! Crosscurrent shows, while an image classifier trains, how its classes pull the weights against each other, and
//! whether giving each branch its own channel attention (Class-Specific Branch Attention, CSBA) relieves that pull.
//!
//! ```text
//! config ──► data ──► model ──► train ──► Event ──► run (reduce, log, replay) ──► figure ──► ui / cli / png
//!                                │
//!                             gradient (probe: class gradients ──► Gram matrices)
//! ```
//!
//! Everything the trainer has to say is a [`run::event::Event`] of plain numbers, and [`run::Run::apply`] is the only
//! reducer. [`compare`] sets groups of runs against each other, and [`findings`] says in sentences what stands out.
//! Nothing imports `ui` or `cli`; tensors appear only under `data`, `model`, `ops`, `gradient` and `train`, egui only
//! under `figure`, `ui` and `main`.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::float_cmp,
        reason = "a test fails by panicking, and compares numbers that must be the same bits"
    )
)]

pub mod balance;
pub mod cli;
pub mod compare;
pub mod config;
pub mod data;
pub mod figure;
pub mod findings;
pub mod gradient;
pub mod model;
pub mod ops;
pub mod random;
pub mod run;
pub mod sweep;
pub mod threads;
pub mod train;
pub mod ui;

#[cfg(test)]
mod vectors;
