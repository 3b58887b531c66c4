//! The real window of the program on a virtual display of its own.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

/// A process that is killed when the test ends.
struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whether a program lies in a folder of PATH.
fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
}

/// The virtual display, the window on it, and the folder of its settings, all of which end with their guards.
type Shown = (Guard, Guard, tempfile::TempDir);

/// The window on a virtual display, the window being the second; `None` where a program for that is not installed.
fn open() -> Result<Option<Shown>> {
    for program in ["Xvfb", "xdotool", "timeout"] {
        if !is_installed(program) {
            println!(
                "skipped: {program}, which gives the window a display or looks for it, is not on this machine"
            );
            return Ok(None);
        }
    }
    // Xvfb chooses a free display and prints its number.
    let mut server = Command::new("Xvfb")
        .args(["-displayfd", "1", "-screen", "0", "1400x900x24"])
        .args(["-nolisten", "tcp"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let stdout = server.stdout.take().context("stdout of Xvfb")?;
    let server = Guard(server);
    let mut number = String::new();
    BufReader::new(stdout).read_line(&mut number)?;
    let display = format!(":{}", number.trim());

    let settings = tempfile::tempdir()?;
    let window = Command::new(env!("CARGO_BIN_EXE_crosscurrent"))
        .env("DISPLAY", &display)
        .env("XDG_CONFIG_HOME", settings.path())
        .env_remove("WAYLAND_DISPLAY")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stderr(Stdio::piped())
        .spawn()?;
    let mut window = Guard(window);
    // `--sync` waits for the window; `timeout` ends the wait if none comes.
    let found = Command::new("timeout")
        .args(["60", "xdotool", "search", "--sync", "--onlyvisible"])
        .args(["--name", "^Crosscurrent$"])
        .env("DISPLAY", &display)
        .output()?;
    let ended = window.0.try_wait()?;
    if !found.status.success() || ended.is_some() {
        drop(window.0.kill());
        anyhow::bail!("no window came: {ended:?} {}", report(&mut window)?);
    }
    Ok(Some((server, window, settings)))
}

/// What a window that has ended said on stderr.
fn report(window: &mut Guard) -> Result<String> {
    match window.0.stderr.take() {
        Some(stderr) => Ok(std::io::read_to_string(stderr)?),
        None => Ok(String::new()),
    }
}

#[test]
fn the_window_opens_and_nothing_panics() -> Result<()> {
    let Some((_server, mut window, _settings)) = open()? else {
        return Ok(());
    };
    drop(window.0.kill());
    let report = report(&mut window)?;
    assert!(!report.contains("panicked"), "{report}");
    Ok(())
}

/// The exit code says which signal closed the window.
#[cfg(unix)]
#[test]
fn a_signal_closes_the_window() -> Result<()> {
    let Some((_server, mut window, _settings)) = open()? else {
        return Ok(());
    };
    let id = window.0.id().to_string();
    let sent = Command::new("kill").args(["-s", "TERM", &id]).status()?;
    assert!(sent.success());
    let status = window.0.wait()?;
    assert_eq!(status.code(), Some(128 + 15), "{}", report(&mut window)?);
    Ok(())
}
