//! Training the runs of a sweep.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::cli::output::say;
use crate::cli::report::Report;
use crate::run::log::{self, RunError};
use crate::sweep::{Planned, State};
use crate::train::{self, Control, TrainError};

/// What became of a run of a sweep.
pub(super) enum Outcome {
    Finished,
    /// Another process is writing it.
    Busy,
    /// It was stopped before its end.
    Stopped,
}

/// The progress of a sweep that is being trained.
pub(super) struct Work {
    pub(super) folder: PathBuf,
    control: Control,
    begun: Instant,
    pub(super) finished: usize,
    /// Number of runs that this process trained.
    trained: u32,
    pub(super) failed: usize,
    pub(super) total: usize,
}

impl Work {
    /// Nothing of a number of runs in a folder is done.
    pub(super) fn new(folder: PathBuf, control: Control, total: usize) -> Self {
        Self {
            folder,
            control,
            begun: Instant::now(),
            finished: 0,
            trained: 0,
            failed: 0,
            total,
        }
    }

    /// Trains the runs that are not finished. Returns those that other processes are writing.
    pub(super) fn all<'a>(&mut self, runs: &[&'a Planned]) -> Vec<&'a Planned> {
        let mut busy = Vec::new();
        for &run in runs {
            if self.control.is_stopped() {
                break;
            }
            match self.one(run) {
                Ok(Outcome::Finished) => self.finished += 1,
                Ok(Outcome::Busy) => busy.push(run),
                Ok(Outcome::Stopped) => break,
                Err(_) if self.control.is_stopped() => break,
                Err(error) => {
                    self.failed += 1;
                    say(format!("{} failed: {error:#}", run.name));
                }
            }
        }
        busy
    }

    /// Trains a run from its beginning or from its last checkpoint.
    pub(super) fn one(&mut self, run: &Planned) -> anyhow::Result<Outcome> {
        let dir = self.folder.join(&run.name);
        let state = run.state(&self.folder)?;
        match state {
            State::Finished => return Ok(Outcome::Finished),
            State::Busy => return Ok(Outcome::Busy),
            State::New | State::Anew | State::Cut => {}
        }
        say(format!(
            "[{} of {}] {}{}",
            self.finished + self.failed + 1,
            self.total,
            run.name,
            self.left()
        ));
        for warning in run.config.warnings() {
            say(format!("note: {warning}"));
        }
        let mut report = Report::brief(run.config.epochs, &dir);
        let mut emit = |message| report.take(&message);
        let mut anew = || train::run(&dir, &run.config, &self.control, &mut emit);
        let result = match state {
            State::Cut => train::resume(&dir, &self.control, &mut emit),
            State::Anew => log::clear(&dir)
                .map_err(TrainError::from)
                .and_then(|_| anew()),
            State::New | State::Busy | State::Finished => anew(),
        };
        match result {
            Ok(()) if report.has_finished() => {
                self.trained += 1;
                Ok(Outcome::Finished)
            }
            Ok(()) => Ok(Outcome::Stopped),
            // Another process began the run after its state was read.
            Err(TrainError::Run(RunError::Busy { .. } | RunError::Exists { .. })) => {
                Ok(Outcome::Busy)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// How long the remaining runs will take, in words, from the mean time of the runs that this process trained. Empty
    /// before the first.
    fn left(&self) -> String {
        if self.trained == 0 {
            return String::new();
        }
        let each = self.begun.elapsed() / self.trained;
        let left = self.total - self.finished - self.failed;
        let left = each * u32::try_from(left).unwrap_or(u32::MAX);
        format!(", about {} left", indicatif::HumanDuration(rounded(left)))
    }
}

/// The time in whole seconds.
fn rounded(time: Duration) -> Duration {
    Duration::from_secs(time.as_secs())
}
