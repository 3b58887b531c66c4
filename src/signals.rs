//! Signals of the system that ask the program to end: by Ctrl+C (INT), by `kill` and schedulers (TERM), by a terminal or
//! a connection that is closed (HUP), and by schedulers before a job's time is over (USR1). Where there are no such
//! signals, Ctrl+C and the closing of the console stand for them. Imports nothing of the crate.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

/// Exit code of a program that a signal ended, less the number of the signal: the convention of shells.
const EXIT_CODE_BASE: u8 = 128;
/// The number of the signal INT, which stands for Ctrl+C wherever there are no signals.
const INT: i32 = 2;

/// A signal that asks the program to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signal(i32);

impl Signal {
    /// The exit code of a program that ended because of the signal: 128 + its number.
    pub fn exit_code(self) -> u8 {
        u8::try_from(self.0).map_or(EXIT_CODE_BASE, |number| {
            EXIT_CODE_BASE.saturating_add(number)
        })
    }

    /// Whether schedulers send the signal before the time of a job is over.
    pub fn is_before_end_of_time(self) -> bool {
        self.name() == Some("USR1")
    }

    /// Why a run was stopped, for the run's log.
    pub fn reason(self) -> String {
        match (self.0, self.name()) {
            (INT, _) => "stopped by the user".to_owned(),
            (_, Some(name)) => format!("stopped by the signal {name}"),
            (number, None) => format!("stopped by the signal {number}"),
        }
    }

    #[cfg(unix)]
    fn name(self) -> Option<&'static str> {
        let name = signal_hook::low_level::signal_name(self.0)?;
        Some(name.strip_prefix("SIG").unwrap_or(name))
    }

    #[cfg(not(unix))]
    fn name(self) -> Option<&'static str> {
        None
    }
}

/// The signal that the program has received, if any. Clones tell of the same.
#[derive(Clone, Debug, Default)]
pub struct Received(Arc<AtomicI32>);

impl Received {
    /// The first signal that asked the program to end; `None` where none has.
    pub fn first(&self) -> Option<Signal> {
        let number = self.0.load(Ordering::Acquire);
        (number != 0).then_some(Signal(number))
    }

    /// Keeps the first signal; gives whether this was it.
    fn take(&self, number: i32) -> bool {
        let kept = self
            .0
            .compare_exchange(0, number, Ordering::AcqRel, Ordering::Acquire);
        kept.is_ok()
    }
}

/// From now on, signals that ask the program to end no longer end it at once: the first calls `end`, on a thread of its
/// own, and further ones change nothing, since schedulers and closing terminals send several. Where the system refuses,
/// such signals go on ending the program at once.
///
/// A program that was started to ignore HUP, as `nohup` does, goes on ignoring it (known on Linux alone).
pub fn watch(end: impl FnOnce(Signal) + Send + 'static) -> Received {
    let received = Received::default();
    listen(received.clone(), end);
    received
}

#[cfg(unix)]
fn listen(received: Received, end: impl FnOnce(Signal) + Send + 'static) {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};

    let wanted = [SIGINT, SIGTERM, SIGHUP, SIGUSR1];
    let wanted = wanted
        .into_iter()
        .filter(|&number| number != SIGHUP || !is_ignored(number));
    let Ok(mut signals) = signal_hook::iterator::Signals::new(wanted) else {
        return;
    };
    let thread = std::thread::Builder::new().name("signals".to_owned());
    // Without a thread, the signals are received and nobody acts on them; the system is then out of threads, and
    // training cannot begin either.
    let _ = thread.spawn(move || {
        let mut end = Some(end);
        for number in signals.forever() {
            if received.take(number)
                && let Some(end) = end.take()
            {
                end(Signal(number));
            }
        }
    });
}

#[cfg(not(unix))]
fn listen(received: Received, end: impl FnOnce(Signal) + Send + 'static) {
    let mut end = Some(end);
    let _ = ctrlc::set_handler(move || {
        if received.take(INT)
            && let Some(end) = end.take()
        {
            end(Signal(INT));
        }
    });
}

/// Whether the program was started to ignore a signal.
#[cfg(target_os = "linux")]
fn is_ignored(number: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    is_in_mask(&status, number)
}

#[cfg(all(unix, not(target_os = "linux")))]
fn is_ignored(_: i32) -> bool {
    false
}

/// Whether the signal stands in the line `SigIgn` of a status file, a hexadecimal mask whose lowest bit is signal 1
/// (proc_pid_status(5)).
#[cfg(target_os = "linux")]
fn is_in_mask(status: &str, number: i32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (number - 1) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_signal_counts() {
        let received = Received::default();
        assert_eq!(received.first(), None);
        assert!(received.take(15) && !received.take(1));
        let first = received.first().unwrap();
        assert_eq!((first, first.exit_code()), (Signal(15), 143));
    }

    /// Numbers by signal(7); they are the same on all systems of today.
    #[cfg(unix)]
    #[test]
    fn exit_codes_and_reasons_name_the_signal() {
        let said = [2, 1, 15].map(|number| (Signal(number).exit_code(), Signal(number).reason()));
        let wanted = [
            (130, "stopped by the user"),
            (129, "stopped by the signal HUP"),
            (143, "stopped by the signal TERM"),
        ];
        assert_eq!(said, wanted.map(|(code, text)| (code, text.to_owned())));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_mask_names_the_ignored_signals() {
        // As of a program under nohup: HUP, and PIPE, which Rust ignores.
        let status = "Name:\tx\nSigBlk:\tffffffffffffffff\nSigIgn:\t0000000000001001\nSigCgt:\t0\n";
        assert!(is_in_mask(status, 1) && is_in_mask(status, 13));
        assert!(!is_in_mask(status, 2) && !is_in_mask(status, 15));
        assert!(!is_in_mask("", 1));
    }
}
