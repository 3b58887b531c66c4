//! Sweeps that are killed or split among processes end with the same runs as undisturbed ones.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use crosscurrent::run::log;

use crate::common::{images, tensors};

/// A sweep of two variants with three seeds each, of 64 steps.
const SWEEP: &str = r#"
name = "stripes"
seeds = 3
[run]
data = "folder:data"
epochs = 16
batch = 12
eval_every = 4
probe_every = 16
probe_images = 6
threads = 1
[grid]
attention = ["none", "branch"]
"#;

fn sweep(root: &Path, out: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_crosscurrent"));
    command
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .current_dir(root)
        .args(["sweep", "stripes.toml", "--out", out])
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn root() -> Result<tempfile::TempDir> {
    let root = tempfile::tempdir()?;
    images(&root.path().join("data"))?;
    std::fs::write(root.path().join("stripes.toml"), SWEEP)?;
    Ok(root)
}

fn said(output: &Output) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

/// Kills a process as soon as a run has a checkpoint.
fn kill_during(mut child: Child, run: &Path) -> Result<()> {
    let checkpoint = log::checkpoint_path(run, "last");
    let begun = Instant::now();
    while !checkpoint.exists() {
        ensure!(child.try_wait()?.is_none(), "the sweep ended too early");
        ensure!(begun.elapsed() < Duration::from_secs(120), "no checkpoint");
        std::thread::sleep(Duration::from_millis(2));
    }
    // On Unix this is SIGKILL.
    child.kill()?;
    child.wait()?;
    Ok(())
}

/// A run's name and its last weights by name.
type Weights = (String, Vec<(String, Vec<u8>)>);

/// The comparison as JSON, and the last weights of every run.
fn results(root: &Path, out: &str) -> Result<(String, Vec<Weights>)> {
    let table = Command::new(env!("CARGO_BIN_EXE_crosscurrent"))
        .current_dir(root)
        .args(["compare", out, "--json"])
        .output()?;
    ensure!(table.status.success(), "{}", said(&table));
    let mut runs = Vec::new();
    for dir in log::runs_in(&root.join(out)) {
        let name = dir.file_name().context("a name")?;
        runs.push((name.to_string_lossy().into_owned(), tensors(&dir, "last")?));
    }
    runs.sort();
    Ok((String::from_utf8(table.stdout)?, runs))
}

#[test]
fn a_killed_or_split_sweep_ends_with_the_same_runs() -> Result<()> {
    let root = root()?;
    let root = root.path();
    let whole = sweep(root, "whole", &[]).output()?;
    ensure!(whole.status.success(), "{}", said(&whole));
    // The command ends with the comparison.
    let text = said(&whole);
    assert!(text.contains("[6 of 6] attention-branch_seed-2"), "{text}");
    assert!(
        text.contains("about") && text.contains("seeds 0, 1, 2"),
        "{text}"
    );
    let wanted = results(root, "whole")?;
    assert_eq!(wanted.1.len(), 6);

    let cut = root.join("cut");
    kill_during(
        sweep(root, "cut", &[]).spawn()?,
        &cut.join("attention-none_seed-0"),
    )?;
    kill_during(
        sweep(root, "cut", &[]).spawn()?,
        &cut.join("attention-branch_seed-1"),
    )?;
    let list = said(&sweep(root, "cut", &["--list"]).output()?);
    assert!(list.contains("finished  attention-none_seed-0"), "{list}");
    assert!(list.contains("to do     attention-branch_seed-2"), "{list}");
    let rest = sweep(root, "cut", &[]).output()?;
    ensure!(rest.status.success(), "{}", said(&rest));
    assert!(
        !said(&rest).contains("attention-none_seed-0\n"),
        "a finished run is not repeated"
    );
    assert_eq!(results(root, "cut")?, wanted);

    // Both parts run at once, beside a third process for the whole sweep.
    let processes = [&["--shard", "1/2"][..], &["--shard", "2/2"], &[]];
    let processes = processes.map(|arguments| sweep(root, "split", arguments).spawn());
    for process in processes {
        let output = process?.wait_with_output()?;
        ensure!(output.status.success(), "{}", said(&output));
    }
    assert_eq!(results(root, "split")?, wanted);
    Ok(())
}

#[test]
fn an_obstacle_is_named_and_the_other_runs_are_trained() -> Result<()> {
    let root = root()?;
    let root = root.path();
    let short = SWEEP
        .replace("epochs = 16", "epochs = 1")
        .replace("seeds = 3", "seeds = [4]");
    std::fs::write(root.join("stripes.toml"), &short)?;
    let first = sweep(root, "runs", &[]).output()?;
    ensure!(first.status.success(), "{}", said(&first));
    // A log without a complete line, as in a run that was killed at its first write.
    let other = root.join("runs/attention-branch_seed-5");
    std::fs::create_dir_all(&other)?;
    std::fs::write(log::events_path(&other), b"{\"half")?;
    let changed = short
        .replace("[4]", "[4, 5]")
        .replace("batch = 12", "batch = 10");
    std::fs::write(root.join("stripes.toml"), changed)?;
    let second = sweep(root, "runs", &[]).output()?;
    let text = said(&second);
    assert_eq!(second.status.code(), Some(1), "{text}");
    assert!(text.contains("`batch` is not that of the sweep"), "{text}");
    assert!(text.contains("2 of 4 runs failed"), "{text}");
    let list = said(
        &Command::new(env!("CARGO_BIN_EXE_crosscurrent"))
            .current_dir(root)
            .args([
                "summary",
                "runs/attention-branch_seed-5",
                "runs/attention-none_seed-5",
            ])
            .output()?,
    );
    assert_eq!(list.matches("finished").count(), 2, "{list}");

    std::fs::write(root.join("stripes.toml"), short.replace("batch", "bach"))?;
    let wrong = sweep(root, "runs", &[]).output()?;
    assert!(
        said(&wrong).contains("unknown field `bach`"),
        "{}",
        said(&wrong)
    );
    assert!(said(&wrong).contains("stripes.toml"), "{}", said(&wrong));
    Ok(())
}

/// A run that was trained for long and whose checkpoint is gone is refused in the words of `resume`, and what it
/// recorded stays; the other runs are trained. A run that was cut early begins anew.
#[test]
fn a_sweep_never_empties_the_log_of_a_long_run() -> Result<()> {
    let root = root()?;
    let root = root.path();
    let short = SWEEP
        .replace("epochs = 16", "epochs = 3")
        .replace("seeds = 3", "seeds = 1");
    std::fs::write(root.join("stripes.toml"), short)?;
    let whole = sweep(root, "whole", &[]).output()?;
    ensure!(whole.status.success(), "{}", said(&whole));
    let wanted = results(root, "whole")?.1;

    // One run has lost its end and its checkpoints, and another is cut before its first step.
    let lines_of = |name: &str| std::fs::read_to_string(log::events_path(&root.join(name)));
    let long = "whole/attention-none_seed-0";
    let text = lines_of(long)?;
    let cut: String = text
        .lines()
        .filter(|line| !line.contains("finished"))
        .map(|line| format!("{line}\n"))
        .collect();
    let (early, other) = (
        "whole/attention-branch_seed-0",
        lines_of("whole/attention-branch_seed-0")?,
    );
    let first: String = other
        .lines()
        .take(1)
        .map(|line| format!("{line}\n"))
        .collect();
    for (name, text) in [(long, &cut), (early, &first)] {
        std::fs::write(log::events_path(&root.join(name)), text)?;
        std::fs::remove_dir_all(root.join(name).join("checkpoints"))?;
    }
    let again = sweep(root, "whole", &[]).output()?;
    let text = said(&again);
    assert_eq!(again.status.code(), Some(1), "{text}");
    assert_eq!(lines_of(long)?, cut, "nothing is lost");
    assert!(text.contains("1 of 2 runs failed"), "{text}");
    assert_eq!(
        tensors(&root.join(early), "last")?,
        wanted[0].1,
        "{}",
        wanted[0].0
    );

    let resumed = Command::new(env!("CARGO_BIN_EXE_crosscurrent"))
        .current_dir(root)
        .args(["resume", long])
        .output()?;
    let sentence = said(&resumed);
    let sentence = sentence.trim().trim_start_matches("crosscurrent: ");
    assert!(
        sentence.contains("the checkpoint of this run is gone"),
        "{sentence}"
    );
    assert!(text.contains(sentence), "{sentence} in: {text}");

    // A log that is damaged is kept, too, and so is one of a newer version.
    for damage in [
        "{nonsense}\n",
        &first.replacen("\"format\":2", "\"format\":99", 1),
    ] {
        let damaged = match damage.starts_with("{n") {
            true => first.clone() + damage,
            false => damage.to_owned(),
        };
        std::fs::write(log::events_path(&root.join(early)), &damaged)?;
        let _ = std::fs::remove_dir_all(root.join(early).join("checkpoints"));
        let refused = sweep(root, "whole", &[]).output()?;
        assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
        assert_eq!(lines_of(early)?, damaged, "{}", said(&refused));
    }
    Ok(())
}
