//! Training: the loop, and the messages through which it is watched and steered.
//!
//! ```text
//! start       run and resume: on threads of their own, from a configuration or a checkpoint
//! trainer     the loop: steps, evaluations and probes, and their records
//! optimiser   makes new parameters from gradients         schedule    its learning rate
//! criterion   the loss of a configuration                 metrics     scores of an evaluation
//! sam         the weights that SAM takes a gradient at    ema         the average of the weights
//! probe       class gradients and their products          checkpoint  everything that training needs to go on
//! device      where tensors live                          memory      what fits there
//! cadence     how often a probe is taken                  control     messages from and to a run
//! error       why a run cannot start or go on             verify      what shares of steps really do
//! fork        a new run from another one's checkpoint
//! ```
//! May import data, model, ops, gradient, run, class_balance, config, network, random, threads. Nothing but the command
//! line and the window imports it.

pub mod cadence;
pub mod checkpoint;
mod control;
pub mod criterion;
pub mod device;
pub mod ema;
mod error;
mod fork;
pub mod memory;
pub mod metrics;
pub mod optimiser;
pub mod probe;
mod sam;
pub mod schedule;
mod start;
mod trainer;
pub mod verify;

pub use control::{Control, Message};
pub use error::{TrainError, smaller_rate};
pub use fork::may_change;
pub use start::{fork, resume, run};

#[cfg(test)]
mod tests;
