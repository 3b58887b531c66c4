//! The command line: one file for each command that needs no window (`train` and `resume`, `fork`, `sweep`, `summary`,
//! `compare`, `findings`, `verify`, `export`, `data`), runs of other machines in place of those here, the flags of a
//! configuration, the progress of a run on the terminal, and the lines, tables and errors that all commands print. May import
//! everything but `ui`.

mod batch_norm;
mod compare;
mod config_arguments;
mod data;
mod export;
mod findings;
mod fork;
mod output;
mod remote;
mod report;
mod summary;
mod sweep;
mod train;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use output::{Signalled, Usage, is_cut};
use remote::Copies;

pub use batch_norm::BatchNormArguments;
pub use compare::CompareArguments;
pub use config_arguments::ConfigArguments;
pub use data::DataArguments;
pub use export::ExportArguments;
pub use findings::FindingsArguments;
pub use fork::ForkArguments;
pub use output::fail;
pub use sweep::{JobArguments, SweepArguments};
pub use train::TrainArguments;
pub use verify::VerifyArguments;

/// See how the classes of an imbalanced data set pull a network's weights against each other.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
pub struct Arguments {
    /// Run directories, or folders of them, to open in the window, also of another machine (ssh://host/folder); what was
    /// open last, or the recorded sample runs, where none is named.
    pub runs: Vec<PathBuf>,
    /// Print frame times and input latency when the window is closed.
    #[arg(long, hide = true)]
    pub frame_times: bool,
    /// What to do without a window.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// A command without a window.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train one network and record the run.
    Train(Box<TrainArguments>),
    /// Go on with a run that was stopped or killed.
    Resume {
        /// The run directory.
        run: PathBuf,
    },
    /// Go on from a checkpoint of a run with other settings, such as a smaller learning rate, in a new run.
    Fork(Box<ForkArguments>),
    /// Train every run of a grid of configurations and seeds that is not there yet, then compare all.
    Sweep(SweepArguments),
    /// Train the run of a task of Slurm; the jobs of `sweep --slurm` call it.
    #[command(hide = true)]
    SweepJob(JobArguments),
    /// Print the scores that runs reached.
    Summary {
        /// Run directories.
        #[arg(required = true)]
        runs: Vec<PathBuf>,
        /// As JSON, one object for each run.
        #[arg(long)]
        json: bool,
        /// How batch norm is treated.
        #[command(flatten)]
        batch_norm: BatchNormArguments,
    },
    /// Compare groups of runs that differ in nothing but the seed, with paired statistics.
    Compare(CompareArguments),
    /// Print what stands out in a run beyond noise, the most pressing first.
    Findings(FindingsArguments),
    /// Check at a checkpoint whether what a probe predicts is what classes' shares of training steps do.
    Verify(VerifyArguments),
    /// Write figures as PNG, SVG, PDF or CSV.
    Export(Box<ExportArguments>),
    /// Show what a data source holds.
    Data(DataArguments),
    /// Answer requests for runs on stdin and stdout; another machine's program calls it through ssh.
    #[command(hide = true)]
    Share,
}

impl Command {
    /// Whether what the command prints is its result: it has failed where that cannot be written.
    fn is_only_said(&self) -> bool {
        match self {
            Self::Summary { .. }
            | Self::Compare(_)
            | Self::Findings(_)
            | Self::Verify(_)
            | Self::Data(_) => true,
            Self::Train(_)
            | Self::Resume { .. }
            | Self::Fork(_)
            | Self::Sweep(_)
            | Self::SweepJob(_)
            | Self::Export(_)
            | Self::Share => false,
        }
    }
}

/// Runs a command; the exit code is 0, 1 for a failure, 2 for wrong usage, and 128 + n where the signal n ended it.
pub fn run(mut command: Command) -> ExitCode {
    let is_only_said = command.is_only_said();
    let result = fetch(&mut command).and_then(|copies| {
        let result = of(command);
        // Copies of runs in training count as such until the command is done.
        drop(copies);
        result
    });
    match result {
        // What was missing from the output has been said.
        Ok(()) if is_only_said && is_cut() => ExitCode::FAILURE,
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if let Some(Signalled(signal)) = error.downcast_ref() {
                return ExitCode::from(signal.exit_code());
            }
            let usage = error.downcast_ref::<Usage>().is_some();
            let code = fail(&format!("{error:#}"));
            if usage { ExitCode::from(2) } else { code }
        }
    }
}

/// Copies the runs at the addresses in a command, and puts the places of the copies there instead; of a folder, those of its
/// runs. The copies count as being trained, where the runs are, as long as the result exists.
///
/// # Errors
/// Where an address is none, its runs cannot be copied, or the command cannot be used on runs of other machines.
fn fetch(command: &mut Command) -> anyhow::Result<Copies> {
    let mut copies = Copies::default();
    match command {
        Command::Summary { runs, .. } => copies.put_all(runs)?,
        Command::Compare(arguments) => copies.put_all(arguments.runs_mut())?,
        Command::Findings(arguments) => {
            copies.are_whole = true;
            arguments.runs_mut().try_for_each(|run| copies.put(run))?;
        }
        Command::Export(arguments) => {
            copies.are_whole = true;
            copies.put_all(arguments.runs_mut())?;
            arguments
                .against_mut()
                .map_or(Ok(()), |run| copies.put(run))?;
        }
        Command::Resume { run } => remote::only_here(run)?,
        Command::Fork(arguments) => remote::only_here(arguments.run())?,
        Command::Verify(arguments) => remote::only_here(arguments.run())?,
        Command::Train(_)
        | Command::Sweep(_)
        | Command::SweepJob(_)
        | Command::Data(_)
        | Command::Share => {}
    }
    Ok(copies)
}

/// What comes of a command.
fn of(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Train(arguments) => train::train(&arguments),
        Command::Resume { run } => train::resume(&run),
        Command::Fork(arguments) => fork::fork(&arguments),
        Command::Sweep(arguments) => sweep::sweep(&arguments),
        Command::SweepJob(arguments) => sweep::job(&arguments),
        Command::Summary {
            runs,
            json,
            batch_norm,
        } => summary::summary(&runs, json, batch_norm),
        Command::Compare(arguments) => compare::compare(&arguments),
        Command::Findings(arguments) => findings::findings(&arguments),
        Command::Verify(arguments) => verify::verify(&arguments),
        Command::Export(arguments) => export::export(&arguments),
        Command::Data(arguments) => data::data(&arguments),
        Command::Share => remote::answer(),
    }
}
