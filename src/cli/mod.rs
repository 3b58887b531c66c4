//! The command line: one file for each command that needs no window (`train` and `resume`, `sweep`, `summary`, `compare`,
//! `findings`, `export`, `data`), the flags of a configuration, and the progress of a run on the terminal. May import
//! everything but `ui`.

mod compare;
mod config_arguments;
mod data;
mod export;
mod findings;
mod report;
mod summary;
mod sweep;
mod train;

use std::fmt::Display;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use compare::CompareArguments;
pub use config_arguments::ConfigArguments;
pub use data::DataArguments;
pub use export::ExportArguments;
pub use findings::FindingsArguments;
pub use sweep::SweepArguments;
pub use train::TrainArguments;

/// See how the classes of an imbalanced data set pull a network's weights against each other.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
pub struct Arguments {
    /// Run directories, or folders of them, to open in the window; what was open last, or the recorded sample runs, where
    /// none is named.
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
    /// Train every run of a grid of configurations and seeds that is not there yet, then compare all.
    Sweep(SweepArguments),
    /// Print the scores that runs reached.
    Summary {
        /// Run directories.
        #[arg(required = true)]
        runs: Vec<PathBuf>,
        /// As JSON, one object for each run.
        #[arg(long)]
        json: bool,
    },
    /// Compare groups of runs that differ in nothing but the seed, with paired statistics.
    Compare(CompareArguments),
    /// Print what stands out in a run beyond noise, the most pressing first.
    Findings(FindingsArguments),
    /// Write figures as PNG, SVG or CSV.
    Export(Box<ExportArguments>),
    /// Show what a data source holds.
    Data(DataArguments),
}

/// Runs a command; the exit code is 0, 1 for a failure, 2 for wrong usage.
pub fn run(command: Command) -> ExitCode {
    let result = match command {
        Command::Train(arguments) => train::train(&arguments),
        Command::Resume { run } => train::resume(&run),
        Command::Sweep(arguments) => sweep::sweep(&arguments),
        Command::Summary { runs, json } => summary::summary(&runs, json),
        Command::Compare(arguments) => compare::compare(&arguments),
        Command::Findings(arguments) => findings::findings(&arguments),
        Command::Export(arguments) => export::export(&arguments),
        Command::Data(arguments) => data::data(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let usage = error.downcast_ref::<Usage>().is_some();
            let code = fail(&format!("{error:#}"));
            if usage { ExitCode::from(2) } else { code }
        }
    }
}

/// Says on stderr, in one sentence, what went wrong.
pub fn fail(error: &dyn Display) -> ExitCode {
    #[expect(
        clippy::print_stderr,
        reason = "the one place where a command reports its failure"
    )]
    {
        eprintln!("crosscurrent: {error}");
    }
    ExitCode::FAILURE
}

/// A mistake in the arguments or in a file that they name: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Usage(String);

/// Prints a line to stdout. Where the reader is gone, as in `crosscurrent … | head`, the work itself goes on.
fn say(line: impl Display) {
    use std::io::Write as _;
    match writeln!(std::io::stdout(), "{line}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            fail(&format!("the output cannot be written: {error}"));
        }
        _ => {}
    }
}

/// A number with three decimals; a dash where it is undefined.
fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"))
}

/// Prints rows in aligned columns.
fn print_table<const N: usize>(rows: &[[String; N]]) {
    let widths: [usize; N] = std::array::from_fn(|column| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    });
    for row in rows {
        let cells: Vec<_> = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        say(cells.join("  ").trim_end());
    }
}
