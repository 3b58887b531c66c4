//! The program: opens the window, or runs a command without one.

use std::process::ExitCode;

use clap::Parser;

use crosscurrent::cli::{self, Arguments};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    crosscurrent::threads::start_pool(arguments.command.is_none());
    match arguments.command {
        Some(command) => cli::run(command),
        None => match crosscurrent::ui::open(arguments.runs, arguments.frame_times) {
            Ok(None) => ExitCode::SUCCESS,
            Ok(Some(signal)) => ExitCode::from(signal.exit_code()),
            Err(error) => cli::fail(&error),
        },
    }
}
