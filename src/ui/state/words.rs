//! Words on screen that several places use.

use std::any::Any;

/// The text with a capital letter at its beginning. Errors of the library begin with a small letter, since other text
/// may precede them.
pub(crate) fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

/// A number of runs in words: "1 run", "2 runs".
pub(crate) fn count(runs: usize) -> String {
    match runs {
        1 => "1 run".to_owned(),
        runs => format!("{runs} runs"),
    }
}

/// The runs that failed in one sentence: their number, and the newest with its reason.
pub(crate) fn failures(failed: &[(String, String)]) -> String {
    match failed {
        [] => String::new(),
        [(name, why)] => format!("{name}: {why}"),
        [.., (name, why)] => format!("{} failed; the newest, {name}: {why}", count(failed.len())),
    }
}

/// The tooltip of the button that continues the training of a run; it depends on whether other training is under way.
pub(crate) fn continue_help(is_training: bool) -> &'static str {
    if is_training {
        "Go on from the last checkpoint, after what is being trained and waits"
    } else {
        "Go on from the last checkpoint"
    }
}

/// A duration in words that fit beside a progress bar.
pub(crate) fn duration(secs: f64) -> String {
    let secs = secs.max(0.0).round() as u64;
    match (secs / 3_600, secs / 60 % 60, secs % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, s) => format!("{m} min {s:02} s"),
        (h, m, _) => format!("{h} h {m:02} min"),
    }
}

/// The message of a panic.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no reason given")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        assert_eq!((count(1), count(2)), ("1 run".into(), "2 runs".into()));
        assert_eq!(duration(59.4), "59 s");
        assert_eq!(duration(61.0), "1 min 01 s");
        assert_eq!(duration(7_260.0), "2 h 01 min");
    }

    #[test]
    fn sentences_begin_with_a_capital() {
        assert_eq!(capitalised("élan: lost"), "Élan: lost");
        assert_eq!(capitalised(""), "");
    }
}
