//! Signals that ask the program to end: the run stops with a checkpoint, and the exit code says which signal it was.
#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use crosscurrent::config::RunConfig;
use crosscurrent::run::{Ending, log};

use crate::common::{config, images, resume, tensors, train};

/// Signals by name, with their numbers (signal(7)).
const SIGNALS: [(&str, i32); 4] = [
    ("INT", 2),
    ("TERM", 15),
    ("HUP", 1),
    ("USR1", number_of_usr1()),
];

const fn number_of_usr1() -> i32 {
    if cfg!(target_os = "linux") { 10 } else { 30 }
}

/// A folder with a data set, the configuration `run.toml` of a run of 64 steps on it that is evaluated rarely, and that
/// configuration.
fn root() -> Result<(tempfile::TempDir, RunConfig)> {
    let root = tempfile::tempdir()?;
    images(&root.path().join("data"))?;
    let config = RunConfig {
        epochs: 16,
        eval_every: Some(64),
        probe_every: Some(64),
        threads: Some(1),
        ..config(&root.path().join("data"))
    };
    std::fs::write(root.path().join("run.toml"), toml::to_string(&config)?)?;
    Ok((root, config))
}

/// Starts the program with all signals as a terminal would leave them, whatever the tests were started with.
fn start(root: &Path, arguments: &[&str]) -> Result<Child> {
    let mut command = match cfg!(target_os = "linux") {
        true => {
            let mut command = Command::new("env");
            command.args(["--default-signal", env!("CARGO_BIN_EXE_crosscurrent")]);
            command
        }
        false => Command::new(env!("CARGO_BIN_EXE_crosscurrent")),
    };
    let command = command
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .current_dir(root)
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    Ok(command.spawn()?)
}

fn send(child: &Child, signal: &str) -> Result<()> {
    let id = child.id().to_string();
    let sent = Command::new("kill").args(["-s", signal, &id]).status()?;
    ensure!(sent.success(), "the signal {signal} was not sent");
    Ok(())
}

/// Waits until the log of a run has come to a step.
fn wait_for_step(child: &mut Child, run: &Path, step: u64) -> Result<()> {
    let begun = Instant::now();
    let logged = || log::load(run).map_or(0, |loaded| loaded.run.last_step());
    while logged() < step {
        ensure!(child.try_wait()?.is_none(), "the program ended too early");
        ensure!(begun.elapsed() < Duration::from_secs(120), "no step {step}");
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}

/// Waits for the end of a program. Gives its status, and what it said on stdout and stderr.
fn end(child: Child) -> Result<(ExitStatus, String)> {
    let output = child.wait_with_output()?;
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    Ok((output.status, text(&output.stdout) + &text(&output.stderr)))
}

/// The message with which a run was stopped, and its step.
fn stopped(run: &Path) -> Result<(String, u64)> {
    match log::load(run)?.run.ending {
        Some(Ending::Stopped(end)) => Ok((end.message, end.step)),
        other => anyhow::bail!("the run was not stopped: {other:?}"),
    }
}

#[test]
fn a_signal_stops_training_with_a_checkpoint_and_nothing_is_lost() -> Result<()> {
    let (root, config) = root()?;
    let root = root.path();
    let whole = root.join("whole");
    train(&whole, &config)?;
    for (signal, number) in SIGNALS {
        let dir = root.join(signal);
        let mut child = start(root, &["train", "--config", "run.toml", "--out", signal])?;
        wait_for_step(&mut child, &dir, 7)?;
        send(&child, signal)?;
        let (status, said) = end(child)?;
        assert_eq!(status.code(), Some(128 + number), "{signal}: {said}");
        let (message, step) = stopped(&dir)?;
        assert!(
            step >= 7,
            "{signal}: the checkpoint of step 0 is not the last one"
        );
        assert!(
            said.contains(&format!("stopped after step {step}")),
            "{said}"
        );
        match signal {
            "INT" => assert_eq!(message, "stopped by the user"),
            _ => assert_eq!(message, format!("stopped by the signal {signal}")),
        }

        // `resume` is stopped in the same way, and goes on from there.
        let mut child = start(root, &["resume", signal])?;
        wait_for_step(&mut child, &dir, step + 3)?;
        send(&child, signal)?;
        let (status, said) = end(child)?;
        assert_eq!(status.code(), Some(128 + number), "{signal}: {said}");
        assert!(stopped(&dir)?.1 >= step + 3, "{signal}");
        resume(&dir)?;
        assert_eq!(tensors(&whole, "last")?, tensors(&dir, "last")?, "{signal}");
        let steps = |dir: &PathBuf| -> Result<usize> { Ok(log::load(dir)?.run.steps.len()) };
        assert_eq!(steps(&whole)?, steps(&dir)?, "{signal}");
    }
    Ok(())
}

#[test]
fn further_signals_do_not_cut_the_checkpoint_short() -> Result<()> {
    let (root, config) = root()?;
    let root = root.path();
    let (whole, dir) = (root.join("whole"), root.join("run"));
    train(&whole, &config)?;
    let mut child = start(root, &["train", "--config", "run.toml", "--out", "run"])?;
    wait_for_step(&mut child, &dir, 3)?;
    for signal in ["TERM", "HUP", "INT", "USR1", "TERM"] {
        // The program may be gone by now.
        let _ = send(&child, signal);
    }
    let (status, said) = end(child)?;
    // Signals that come at once have no order.
    let of = SIGNALS
        .into_iter()
        .find(|(_, number)| status.code() == Some(128 + number));
    let (name, _) = of.with_context(|| format!("{status}: {said}"))?;
    let reason = stopped(&dir)?.0;
    assert!(reason.ends_with(name) || name == "INT", "{reason}");
    resume(&dir)?;
    assert_eq!(tensors(&whole, "last")?, tensors(&dir, "last")?);
    Ok(())
}

#[test]
fn a_signal_ends_a_sweep_with_a_checkpoint_and_without_a_further_run() -> Result<()> {
    let (root, config) = root()?;
    let root = root.path();
    let table = toml::to_string(&RunConfig { seed: 0, ..config })?;
    let table: String = table
        .lines()
        .filter(|line| !line.starts_with("seed") && !line.starts_with("attention"))
        .map(|line| format!("{line}\n"))
        .collect();
    let sweep = format!(
        "name = \"s\"\nseeds = 2\n[run]\n{table}[grid]\nattention = [\"none\", \"branch\"]\n"
    );
    std::fs::write(root.join("s.toml"), sweep)?;
    let undisturbed = start(root, &["sweep", "s.toml", "--out", "whole"])?;
    let (status, said) = end(undisturbed)?;
    ensure!(status.success(), "{said}");

    let first = root.join("cut/attention-none_seed-0");
    let mut child = start(root, &["sweep", "s.toml", "--out", "cut"])?;
    wait_for_step(&mut child, &first, 5)?;
    send(&child, "TERM")?;
    let (status, said) = end(child)?;
    assert_eq!(status.code(), Some(128 + 15), "{said}");
    assert!(said.contains("the same command goes on"), "{said}");
    assert_eq!(stopped(&first)?.0, "stopped by the signal TERM");
    assert_eq!(
        log::runs_in(&root.join("cut")),
        std::slice::from_ref(&first),
        "no further run"
    );

    let (status, said) = end(start(root, &["sweep", "s.toml", "--out", "cut"])?)?;
    ensure!(status.success(), "{said}");
    for run in log::runs_in(&root.join("whole")) {
        let cut = root.join("cut").join(run.file_name().unwrap());
        assert_eq!(
            tensors(&run, "last")?,
            tensors(&cut, "last")?,
            "{}",
            run.display()
        );
    }
    Ok(())
}

/// A signal that comes when the last step has been taken finds a finished run.
#[test]
fn a_run_that_ends_by_itself_has_succeeded_whatever_arrives() -> Result<()> {
    let (root, config) = root()?;
    let root = root.path();
    let short = RunConfig {
        epochs: 1,
        ..config
    };
    std::fs::write(root.join("run.toml"), toml::to_string(&short)?)?;
    let dir = root.join("run");
    let mut child = start(root, &["train", "--config", "run.toml", "--out", "run"])?;
    wait_for_step(&mut child, &dir, 4)?;
    let _ = send(&child, "TERM");
    let (status, said) = end(child)?;
    let finished = matches!(log::load(&dir)?.run.ending, Some(Ending::Finished(_)));
    assert!(finished && status.success(), "{said}");
    Ok(())
}

/// Under `nohup`, closing the terminal does not stop a run.
#[cfg(target_os = "linux")]
#[test]
fn a_signal_that_the_program_was_told_to_ignore_is_ignored() -> Result<()> {
    let (root, _) = root()?;
    let root = root.path();
    let dir = root.join("run");
    let mut child = Command::new("nohup")
        .arg(env!("CARGO_BIN_EXE_crosscurrent"))
        .args(["train", "--config", "run.toml", "--out", "run"])
        .current_dir(root)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    wait_for_step(&mut child, &dir, 3)?;
    send(&child, "HUP")?;
    let (status, said) = end(child)?;
    assert!(status.success(), "{said}");
    assert!(matches!(
        log::load(&dir)?.run.ending,
        Some(Ending::Finished(_))
    ));
    Ok(())
}

/// A closed terminal takes stdout and stderr along; here they are a full disk, on which every line fails, too.
#[cfg(target_os = "linux")]
#[test]
fn a_run_is_stopped_with_a_checkpoint_where_nothing_can_be_printed() -> Result<()> {
    let (root, config) = root()?;
    let root = root.path();
    let (whole, dir) = (root.join("whole"), root.join("run"));
    train(&whole, &config)?;
    let full = || -> Result<Stdio> {
        let file = std::fs::OpenOptions::new().write(true).open("/dev/full")?;
        Ok(file.into())
    };
    let mut child = Command::new("env")
        .args(["--default-signal", env!("CARGO_BIN_EXE_crosscurrent")])
        .args([
            "train",
            "--config",
            "run.toml",
            "--out",
            "run",
            "--eval-every",
            "2",
        ])
        .current_dir(root)
        .stdout(full()?)
        .stderr(full()?)
        .spawn()?;
    wait_for_step(&mut child, &dir, 7)?;
    send(&child, "HUP")?;
    assert_eq!(child.wait()?.code(), Some(128 + 1));
    assert_eq!(stopped(&dir)?.0, "stopped by the signal HUP");
    resume(&dir)?;
    assert_eq!(tensors(&whole, "last")?, tensors(&dir, "last")?);
    Ok(())
}
