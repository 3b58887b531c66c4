//! Output that commands share: lines and tables on stdout, and errors.

use std::fmt::Display;
use std::process::ExitCode;

/// Prints on stderr, in one sentence, what went wrong.
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
pub(super) struct Usage(pub(super) String);

/// Prints a line to stdout. Where the reader has gone, as in `crosscurrent … | head`, the error is ignored so that the
/// command's work continues.
pub(super) fn say(line: impl Display) {
    use std::io::Write as _;
    match writeln!(std::io::stdout(), "{line}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            fail(&format!("the output cannot be written: {error}"));
        }
        _ => {}
    }
}

/// A number with three decimals; a dash where it is undefined.
pub(super) fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"))
}

/// Prints rows in aligned columns.
pub(super) fn print_table<const N: usize>(rows: &[[String; N]]) {
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
