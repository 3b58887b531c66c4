//! Output that commands share: lines and tables on stdout, and errors.

use std::fmt::Display;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use unicode_width::UnicodeWidthStr as _;

use crate::signals::Signal;
use crate::text::{is_hidden, visible};

/// Prints on stderr, in one sentence, what went wrong. Where stderr is gone, as after its terminal was closed, nobody is
/// there to read it, and the command's work, such as a checkpoint, goes on.
pub fn fail(error: &dyn Display) -> ExitCode {
    use std::io::Write as _;
    let error = error.to_string();
    let _ = writeln!(std::io::stderr(), "crosscurrent: {}", visible(&error));
    ExitCode::FAILURE
}

/// Text for a terminal, line by line: names come from files and folders of strangers, and control characters in them are
/// written out instead of obeyed.
fn on_terminal(text: &str) -> String {
    let lines = text.split('\n').map(visible);
    lines.collect::<Vec<_>>().join("\n")
}

/// A mistake in the arguments or in a file that they name: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Usage(pub(super) String);

/// A signal ended the work; what it left has been said. The exit code is that of the signal.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.reason())]
pub(super) struct Signalled(pub(super) Signal);

/// Whether a line could not be written to stdout.
static IS_CUT: AtomicBool = AtomicBool::new(false);

/// Whether stdout lacks a line because the line could not be written, as on a full disk.
pub(super) fn is_cut() -> bool {
    IS_CUT.load(Ordering::Relaxed)
}

/// Prints a line to stdout. Where the reader has gone, as in `crosscurrent … | head`, the error is ignored so that the
/// command's work continues; another error is said once.
pub(super) fn say(line: impl Display) {
    use std::io::Write as _;
    if let Err(error) = writeln!(std::io::stdout(), "{}", on_terminal(&line.to_string()))
        && error.kind() != std::io::ErrorKind::BrokenPipe
        && !IS_CUT.swap(true, Ordering::Relaxed)
    {
        fail(&format!("the output cannot be written: {error}"));
    }
}

/// Prints a line on stderr: what is no part of the result on stdout, which another program may read.
pub(super) fn say_aside(line: impl Display) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "{}", on_terminal(&line.to_string()));
}

/// Prints a value as JSON, with characters that a terminal would obey escaped as JSON escapes them.
pub(super) fn say_json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    let mut text = String::new();
    for c in serde_json::to_string_pretty(value)?.chars() {
        match is_hidden(c) && c != '\n' {
            true => text.push_str(&format!("\\u{:04x}", u32::from(c))),
            false => text.push(c),
        }
    }
    say(text);
    Ok(())
}

/// What stands for a value that is undefined or does not apply.
pub(super) const UNDEFINED: &str = "–";

/// A number with three decimals; a dash where it is undefined.
pub(super) fn number(value: Option<f64>) -> String {
    value.map_or_else(|| UNDEFINED.to_owned(), |value| format!("{value:.3}"))
}

/// Prints rows in aligned columns, the first row being the names of the columns. A column in which no row has a value is
/// left out.
pub(super) fn print_table<const N: usize>(rows: &[[String; N]]) {
    let visible = |row: &[String; N]| row.each_ref().map(|cell| visible(cell).into_owned());
    let rows: Vec<_> = rows.iter().map(visible).collect();
    let widths: [usize; N] = std::array::from_fn(|column| {
        rows.iter()
            .map(|row| row[column].width())
            .max()
            .unwrap_or(0)
    });
    let has_value = |column: &usize| {
        let mut cells = rows.iter().skip(1).map(|row| &row[*column]);
        rows.len() < 2 || cells.any(|cell| cell != UNDEFINED)
    };
    let shown: Vec<usize> = (0..N).filter(has_value).collect();
    for row in &rows {
        let cells: Vec<_> = shown
            .iter()
            .map(|&column| (&row[column], widths[column]))
            .map(|(cell, width)| cell.to_owned() + &" ".repeat(width - cell.width()))
            .collect();
        say(cells.join("  ").trim_end());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminals_get_no_control_characters() {
        let said = on_terminal("cat\u{1b}]0;title\u{7}\nsecond line");
        assert_eq!(said, "cat\\u{1b}]0;title\\u{7}\nsecond line");
    }
}
