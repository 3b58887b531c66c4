//! Why a run could not start or go on.

use candle_core::Device;

use crate::config::{FieldError, RunConfig};
use crate::data::DataError;
use crate::model::Spec;
use crate::run::event::NOT_FINITE;
use crate::run::log::RunError;
use crate::text::shown;

use super::memory::{Need, Shortage, Work, free_bytes, is_out_of_memory};

/// Why a run could not start or go on. Each message is one sentence with the remedy.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// A field of the configuration cannot work.
    #[error(transparent)]
    Config(#[from] FieldError),
    /// The images cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The run directory cannot be used.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The device cannot be used.
    #[error("{0}")]
    Device(String),
    /// A tensor operation failed.
    #[error("a tensor operation failed: {0}")]
    Tensor(#[from] candle_core::Error),
    /// The device ran out of memory.
    #[error(transparent)]
    OutOfMemory(#[from] Shortage),
    /// The loss or the weights are NaN or infinite.
    #[error(
        "{what} {} {step} with learning rate {lr}; try a smaller `lr`, from the last checkpoint with `crosscurrent \
         fork RUN --lr {}`, or a longer `warmup` from the start; everything up to this step is kept", NOT_FINITE, smaller_rate(*.lr)
    )]
    Diverged {
        /// Of what a number is not finite: "the loss" or "a weight".
        what: &'static str,
        /// Number of the step.
        step: u64,
        /// Learning rate of the step.
        lr: f64,
    },
    /// A run cannot be forked as asked.
    #[error("{0}")]
    Fork(String),
    /// The shares of classes in a run's steps cannot be told apart.
    #[error("{0}")]
    Unverifiable(&'static str),
    /// The run has nothing left to do.
    #[error("this run has finished; start a new one with `crosscurrent train`: {}", shown(.0))]
    Finished(std::path::PathBuf),
    /// The data are not those the run was trained on.
    #[error(
        "the images at `{0}` have changed since this run started; restore them or start a new run"
    )]
    DataChanged(String),
}

/// A tenth of a learning rate that was too large, with one digit, and never more than 0.1.
pub fn smaller_rate(lr: f64) -> f64 {
    let tenth = (lr / 10.0).min(0.1);
    format!("{tenth:.0e}").parse().unwrap_or(tenth)
}

impl TrainError {
    /// The same error, except where the device ran out of memory in `work` with `images` images at a time: then an
    /// error that also says how many images would fit.
    pub(super) fn explained(
        self,
        device: &Device,
        (spec, config): (&Spec, &RunConfig),
        work: Work,
        images: usize,
    ) -> Self {
        match self {
            Self::Tensor(reason) if is_out_of_memory(&reason.to_string()) => {
                Shortage::new(Need::of(spec, config), work, images, free_bytes(device)).into()
            }
            error @ Self::Config(_)
            | error @ Self::Data(_)
            | error @ Self::Run(_)
            | error @ Self::Device(_)
            | error @ Self::Tensor(_)
            | error @ Self::OutOfMemory(_)
            | error @ Self::Diverged { .. }
            | error @ Self::Fork(_)
            | error @ Self::Unverifiable(_)
            | error @ Self::Finished(_)
            | error @ Self::DataChanged(_) => error,
        }
    }
}

#[cfg(test)]
mod tests;
