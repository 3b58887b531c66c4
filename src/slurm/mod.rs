//! Sweeps as jobs of Slurm: the options of sbatch, the scripts of a job array, the fixed list that gives every task of the
//! array its run, and the commands that submit jobs and look at the queue.
//!
//! A submission is a folder `slurm/<number>` in the folder of a sweep:
//!
//! ```text
//! runs.jsonl          the run of every task, one a line: directory and configuration
//! array-<part>.sh     the script of an array; several where the list is longer than Slurm's MaxArraySize
//! compare.sh          the script of the job that compares the runs when all tasks have ended
//! jobs.json           the jobs that Slurm made of them
//! <job>_<task>.log    what a task printed; further starts of the task append to it
//! compare-<job>.log   the comparison
//! ```
//!
//! Since the list is fixed, a run belongs to one task, and no lock need keep others from it: on NFS and Lustre, locks may
//! exclude nobody. Imports `config`, `run`, `sweep` and `text`.

mod commands;
mod script;
mod settings;
mod submission;

pub use commands::{Queued, largest_array, queue, requeue, state_of, submit};
pub use script::{Script, scripts};
pub use settings::Settings;
pub use submission::{Array, Entry, Jobs, Submission, entry, find, folder_of};

use crate::text::{one_line, shown, visible};
use std::path::PathBuf;

/// What can go wrong with jobs of Slurm. Each message is one sentence with the remedy.
#[derive(Debug, thiserror::Error)]
pub enum SlurmError {
    /// An option cannot be used.
    #[error("{}", visible(.0))]
    Option(String),
    /// A path cannot stand in a script.
    #[error("a path with a line break or characters that are no text cannot stand in a job's script: {}", shown(.0))]
    Path(PathBuf),
    /// A program of Slurm is not installed.
    #[error(
        "{0} is not installed here: submit from a machine of the cluster where Slurm is, or look at the jobs with --dry-run"
    )]
    NotInstalled(&'static str),
    /// A program of Slurm refused.
    #[error("{program} failed: {}", visible(&one_line(said)))]
    Failed {
        /// The program.
        program: &'static str,
        /// What it said.
        said: String,
    },
    /// A program of Slurm printed something else than expected.
    #[error("{program} printed something that is not understood: {}", visible(&one_line(said)))]
    Unclear {
        /// The program.
        program: &'static str,
        /// What it printed.
        said: String,
    },
    /// A file of a submission cannot be read.
    #[error(
        "cannot read this file of the submission ({reason}); submit the sweep again: {}",
        shown(path)
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A file of a submission cannot be written.
    #[error(transparent)]
    Write(#[from] crate::run::log::RunError),
}
