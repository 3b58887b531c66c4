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

#[test]
fn the_window_opens_and_nothing_panics() -> Result<()> {
    for program in ["Xvfb", "xdotool", "timeout"] {
        if !is_installed(program) {
            println!(
                "skipped: {program}, which gives the window a display or looks for it, is not on this machine"
            );
            return Ok(());
        }
    }
    // Xvfb chooses a free display and prints its number.
    let mut server = Command::new("Xvfb")
        .args([
            "-displayfd",
            "1",
            "-screen",
            "0",
            "1400x900x24",
            "-nolisten",
            "tcp",
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let stdout = server.stdout.take().context("stdout of Xvfb")?;
    let _server = Guard(server);
    let mut number = String::new();
    BufReader::new(stdout).read_line(&mut number)?;
    let display = format!(":{}", number.trim());

    let window = Command::new(env!("CARGO_BIN_EXE_crosscurrent"))
        .env("DISPLAY", &display)
        .env_remove("WAYLAND_DISPLAY")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stderr(Stdio::piped())
        .spawn()?;
    let mut window = Guard(window);
    // `--sync` waits for the window; `timeout` ends the wait if none comes.
    let found = Command::new("timeout")
        .args([
            "60",
            "xdotool",
            "search",
            "--sync",
            "--onlyvisible",
            "--name",
            "^Crosscurrent$",
        ])
        .env("DISPLAY", &display)
        .output()?;
    let ended = window.0.try_wait()?;
    drop(window.0.kill());
    let mut report = String::new();
    if let Some(stderr) = window.0.stderr.take() {
        report = std::io::read_to_string(stderr)?;
    }
    assert!(
        found.status.success() && ended.is_none(),
        "no window came: {ended:?} {report}"
    );
    assert!(!report.contains("panicked"), "{report}");
    Ok(())
}
