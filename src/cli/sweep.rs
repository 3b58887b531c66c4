//! `sweep`: trains every run of a sweep that is not finished yet.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;

use super::compare;
use super::output::{Signalled, say};
use super::report::Report;
use super::train::stop_on_signals;
use crate::run::log::{self, RunError};
use crate::sweep::{Planned, Shard, State, Sweep};
use crate::train::{self, Control, TrainError};

/// Arguments of `sweep`.
#[derive(Debug, Args)]
pub struct SweepArguments {
    /// The sweep, a TOML file: `name`, `seeds`, and the tables [run] and [grid] of configuration fields.
    file: PathBuf,
    /// Which part of how many, such as 1/2: several machines share a folder, each with its seeds.
    #[arg(long, value_name = "I/N", default_value = "1/1")]
    shard: Shard,
    /// Folder of the runs; by default one under `runs` with the name of the sweep.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Only list the runs and what is left to do.
    #[arg(long)]
    list: bool,
}

/// The error of a sweep in which some runs failed. Each of these runs has already been named in a line of its own.
#[derive(Debug, thiserror::Error)]
#[error(
    "{failed} of {total} runs failed; what was said of them stands above, and the same command tries them again"
)]
struct Failed {
    failed: usize,
    total: usize,
}

pub(super) fn sweep(arguments: &SweepArguments) -> anyhow::Result<()> {
    let sweep = Sweep::read(&arguments.file)?;
    let folder = arguments.out.clone();
    let folder = folder.unwrap_or_else(|| PathBuf::from("runs").join(&sweep.name));
    let runs: Vec<&Planned> = sweep.part(arguments.shard).collect();
    if arguments.list {
        for run in runs {
            say(format!("{}  {}", in_words(run.state(&folder)?), run.name));
        }
        return Ok(());
    }
    let (control, received) = stop_on_signals();
    let mut work = Work {
        folder,
        control,
        begun: Instant::now(),
        finished: 0,
        trained: 0,
        failed: 0,
        total: runs.len(),
    };
    let busy = work.all(&runs);
    // Another process may have stopped meanwhile and left unfinished the runs that it was writing.
    let busy = work.all(&busy);
    if let Some(signal) = received.first()
        && work.finished + work.failed + busy.len() < work.total
    {
        say("stopped; the same command goes on");
        return Err(Signalled(signal).into());
    }
    if !busy.is_empty() {
        say(format!(
            "{} of {} runs are being written by another process; when it is done, the same command shows the comparison",
            busy.len(),
            work.total
        ));
    } else if work.finished > 0 {
        compare::show(&work.folder)?;
    }
    match work.failed {
        0 => Ok(()),
        failed => Err(Failed {
            failed,
            total: work.total,
        }
        .into()),
    }
}

fn in_words(state: State) -> &'static str {
    match state {
        State::New | State::Anew => "to do   ",
        State::Cut => "cut     ",
        State::Busy => "running ",
        State::Finished => "finished",
    }
}

/// What became of a run of a sweep.
enum Outcome {
    Finished,
    /// Another process is writing it.
    Busy,
    /// It was stopped before its end.
    Stopped,
}

/// The state of a sweep that is being trained.
struct Work {
    folder: PathBuf,
    control: Control,
    begun: Instant,
    finished: usize,
    /// Number of runs that this process trained.
    trained: u32,
    failed: usize,
    total: usize,
}

impl Work {
    /// Trains the runs that are not finished. Returns those that other processes are writing.
    fn all<'a>(&mut self, runs: &[&'a Planned]) -> Vec<&'a Planned> {
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
    fn one(&mut self, run: &Planned) -> anyhow::Result<Outcome> {
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
                .and_then(|()| anew()),
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
