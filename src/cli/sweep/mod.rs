//! `sweep`: trains every run of a sweep that is not finished yet, here or in jobs of Slurm; and `sweep-job`, which such a
//! job calls.

mod job;
mod list;
mod submit;
mod work;

use std::path::PathBuf;

use clap::Args;

use super::compare;
use super::output::{Signalled, say};
use super::train::stop_on_signals;
use crate::sweep::{Planned, Shard, Sweep};
pub use job::JobArguments;
pub(super) use job::job;
use submit::SubmitArguments;
use work::Work;

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
    /// Only list the runs and what is left to do, with the jobs of Slurm that will do it.
    #[arg(long)]
    list: bool,
    #[command(flatten)]
    submission: SubmitArguments,
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
        return list::list(&folder, &runs);
    }
    if arguments.submission.slurm {
        return submit::submit(&arguments.submission, &sweep, &folder, &runs);
    }
    let (control, received) = stop_on_signals();
    let mut work = Work::new(folder, control, runs.len());
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
