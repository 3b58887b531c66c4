//! Training: the loop, and the messages through which it is watched and steered.

pub mod checkpoint;
pub mod criterion;
pub mod device;
pub mod memory;
pub mod metrics;
pub mod schedule;
pub mod sgd;
mod trainer;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use crate::config::{FieldError, RunConfig};
use crate::data::DataError;
use crate::run::event::Event;
use crate::run::log::{self, RunError};

/// Trains a new run in directory `dir`, made if need be. Returns when the run has finished or was stopped; every
/// event is on disk before `emit` hears of it.
///
/// # Errors
/// Where the configuration, the data, the device or the directory cannot be used, or the loss diverges. What was
/// recorded until then is kept.
pub fn run(
    dir: &Path,
    config: &RunConfig,
    control: &Control,
    emit: &mut (dyn FnMut(Message) + Send),
) -> Result<(), TrainError> {
    on_threads(config.threads, || {
        trainer::start(dir, config, control, emit)
    })
}

/// Goes on with a run that was stopped or killed, from its last checkpoint: bit-exactly what would have come without
/// the interruption. One that was cut before its first checkpoint begins anew.
///
/// # Errors
/// As [`run`]; also where the run has finished, is being written, or its data have changed.
pub fn resume(
    dir: &Path,
    control: &Control,
    emit: &mut (dyn FnMut(Message) + Send),
) -> Result<(), TrainError> {
    let (started, is_early) = trainer::read_header(dir)?;
    let config = started.config;
    if is_early {
        log::clear(dir)?;
        let text = "The run was cut before its first checkpoint and begins anew.";
        emit(Message::Notice(text.to_owned()));
        return run(dir, &config, control, emit);
    }
    on_threads(config.threads, || {
        trainer::resume(dir, &config, control, emit)
    })
}

/// Does the work of a run on a pool of its own, all of it: a thread outside would go to sleep and be woken at every
/// parallel loop, of which a step has a hundred.
fn on_threads<T: Send>(
    threads: Option<usize>,
    work: impl FnOnce() -> Result<T, TrainError> + Send,
) -> Result<T, TrainError> {
    let threads = threads.unwrap_or_else(rayon::current_num_threads);
    let pool = crate::threads::pool().num_threads(threads).build();
    pool.map_err(|error| TrainError::Device(format!("cannot start {threads} threads: {error}")))?
        .install(work)
}

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
    /// The device is not there.
    #[error("{0}")]
    Device(String),
    /// A tensor operation failed.
    #[error("a tensor operation failed: {0}")]
    Tensor(#[from] candle_core::Error),
    /// The device ran out of memory.
    #[error(transparent)]
    OutOfMemory(#[from] memory::Shortage),
    /// The loss is NaN or infinite.
    #[error(
        "the loss is not a finite number at step {step} with learning rate {lr}; try a smaller `lr` (such as {}) or a \
         longer `warmup`; everything up to this step is kept", smaller(*.lr)
    )]
    Diverged {
        /// The step.
        step: u64,
        /// Its learning rate.
        lr: f64,
    },
    /// The run has nothing left to do.
    #[error("this run has finished; start a new one with `crosscurrent train`: {}", .0.display())]
    Finished(std::path::PathBuf),
    /// The data are not those the run was trained on.
    #[error(
        "the images at `{0}` have changed since this run started, so it cannot be resumed; restore them or start a new run"
    )]
    DataChanged(String),
}

/// A tenth of a learning rate that was too large, and never more than 0.1.
fn smaller(lr: f64) -> f64 {
    (lr / 10.0).min(0.1)
}

/// What a training run tells whoever watches it.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "a few are sent a second, and nearly all are events"
)]
pub enum Message {
    /// Before the first step: images being read, of how many.
    Loading {
        /// Images read.
        done: usize,
        /// Images in all.
        total: usize,
    },
    /// An event, already written to the run's log.
    Event(Event),
    /// Something the user should know: a file skipped, a device that is not there.
    Notice(String),
}

/// Steers a training run from another thread. Clones steer the same run.
#[derive(Clone, Debug, Default)]
pub struct Control {
    shared: Arc<(Mutex<Wanted>, Condvar)>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Wanted {
    #[default]
    Running,
    Paused,
    Stopped,
}

impl Control {
    /// Waits at the next step until resumed or stopped.
    pub fn pause(&self) {
        self.set(Wanted::Paused);
    }

    /// Goes on after a pause.
    pub fn resume(&self) {
        self.set(Wanted::Running);
    }

    /// Ends the run at the next step, with a checkpoint. Cannot be taken back.
    pub fn stop(&self) {
        self.set(Wanted::Stopped);
    }

    /// Whether the run is asked to pause.
    pub fn is_paused(&self) -> bool {
        *self.shared.0.lock().unwrap_or_else(PoisonError::into_inner) == Wanted::Paused
    }

    /// Whether the run is asked to stop.
    pub fn is_stopped(&self) -> bool {
        *self.shared.0.lock().unwrap_or_else(PoisonError::into_inner) == Wanted::Stopped
    }

    /// Blocks while paused; returns whether to go on.
    pub fn wait(&self) -> bool {
        let (wanted, changed) = &*self.shared;
        let guard = wanted.lock().unwrap_or_else(PoisonError::into_inner);
        let guard = changed
            .wait_while(guard, |wanted| *wanted == Wanted::Paused)
            .unwrap_or_else(PoisonError::into_inner);
        *guard != Wanted::Stopped
    }

    fn set(&self, new: Wanted) {
        let (wanted, changed) = &*self.shared;
        let mut guard = wanted.lock().unwrap_or_else(PoisonError::into_inner);
        if *guard != Wanted::Stopped {
            *guard = new;
        }
        drop(guard);
        changed.notify_all();
    }
}
