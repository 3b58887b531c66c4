//! Sweeps as jobs of Slurm: a Slurm of one machine, started for the test, in which tasks are queued again, cancelled and
//! compared; and what is said where there is no Slurm.
#![cfg(target_os = "linux")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use crosscurrent::run::log;

use crate::common::{images, tensors};

#[path = "slurm/cluster.rs"]
mod cluster;
use cluster::Cluster;

/// A sweep of two variants with two seeds each, of 240 steps.
const SWEEP: &str = r#"
name = "stripes"
seeds = 2
[run]
data = "folder:data"
epochs = 60
batch = 12
eval_every = 20
probe_every = 240
probe_images = 6
[grid]
attention = ["none", "branch"]
[slurm]
partition = "debug"
cpus-per-task = 1
"#;

/// The longest that anything may take before the test fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// A folder with a sweep and its data, and the program; all names are such as shells and Slurm could misread.
fn root(parent: &Path) -> Result<(PathBuf, PathBuf)> {
    let root = parent.join("it's \"my\" 100%d #1");
    images(&root.join("data"))?;
    std::fs::write(root.join("stripes.toml"), SWEEP)?;
    // The name of the file itself is plain: proctrack/linuxproc loses a process whose name has a blank.
    let program = root.join("$HOME bin/crosscurrent");
    std::fs::create_dir(root.join("$HOME bin"))?;
    std::fs::copy(env!("CARGO_BIN_EXE_crosscurrent"), &program)?;
    Ok((root, program))
}

fn said(output: &Output) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> Result<bool>) -> Result<()> {
    let begun = Instant::now();
    while !is_so()? {
        ensure!(
            begun.elapsed() < PATIENCE,
            "{what}: not within {PATIENCE:?}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// The last step in the log of a run.
fn last_step(run: &Path) -> u64 {
    log::load(run).map_or(0, |loaded| loaded.run.last_step())
}

/// The number behind `submitted job`, of every line that has one.
fn jobs(text: &str) -> Vec<u64> {
    let numbers = text
        .lines()
        .filter_map(|line| line.strip_prefix("submitted job "));
    numbers
        .filter_map(|rest| rest.split(':').next()?.parse().ok())
        .collect()
}

/// A sweep on a Slurm.
struct Bench {
    cluster: Cluster,
    root: PathBuf,
    program: PathBuf,
}

impl Bench {
    fn sweep(&self, arguments: &[&str]) -> Result<(bool, String)> {
        let mut command = self.cluster.command(&self.program);
        let output = command
            .current_dir(&self.root)
            .env("RAYON_NUM_THREADS", "1")
            .args(["sweep", "stripes.toml"])
            .args(arguments)
            .output()?;
        Ok((output.status.success(), said(&output)))
    }

    /// What a program of Slurm prints.
    fn slurm(&self, program: &str, arguments: &[&str]) -> Result<String> {
        let output = self.cluster.command(program).args(arguments).output()?;
        ensure!(output.status.success(), "{program}: {}", said(&output));
        Ok(said(&output))
    }

    /// The state and the reason of a job or task; empty where it has left the queue.
    fn state(&self, job: &str) -> Result<String> {
        let all = self.slurm("squeue", &["-h", "-r", "-o", "%i %T %r"])?;
        let line = all
            .lines()
            .find_map(|line| line.strip_prefix(&format!("{job} ")));
        Ok(line.unwrap_or_default().to_owned())
    }

    /// Waits until a run has come to a step.
    fn wait_for_step(&self, run: &Path, step: u64) -> Result<()> {
        wait_until(&format!("step {step} of {}", run.display()), || {
            Ok(last_step(run) >= step)
        })
    }

    /// Halts a task once its run has come to a step, so that it is still running when Slurm acts on it. A signal that ends
    /// the task reaches it after [`Self::go_on`], or after the SIGCONT that Slurm sends before it.
    fn halt_at(&self, (job, index): (u64, usize), run: &Path, step: u64) -> Result<()> {
        self.wait_for_step(run, step)?;
        self.kill("-STOP", (job, index))
    }

    fn go_on(&self, task: (u64, usize)) -> Result<()> {
        self.kill("-CONT", task)
    }

    fn kill(&self, signal: &str, (job, index): (u64, usize)) -> Result<()> {
        let id = self.cluster.task(job, index).context("no such task")?;
        let status = Command::new("kill").args([signal, &id]).status()?;
        ensure!(status.success(), "kill {signal} {id}");
        Ok(())
    }

    /// Waits until a task is queued again, and lets it start soon: Slurm would wait for two minutes. Within the same second
    /// the node would take it for the one that was just ended.
    fn start_again(&self, task: &str) -> Result<()> {
        wait_until(&format!("task {task} is queued again"), || {
            Ok(self.state(task)?.starts_with("PENDING"))
        })?;
        self.slurm(
            "scontrol",
            &["update", &format!("JobId={task}"), "StartTime=now+3"],
        )?;
        Ok(())
    }

    /// A log of a submission.
    fn log(&self, name: &str) -> Result<String> {
        let path = self.root.join("far runs/slurm").join(name);
        std::fs::read_to_string(&path).with_context(|| path.display().to_string())
    }
}

#[test]
fn a_sweep_in_slurm_ends_with_the_bits_of_an_undisturbed_one() -> Result<()> {
    let parent = tempfile::tempdir()?;
    let cluster = match Cluster::start(&parent.path().join("slurm"), 3)? {
        Ok(cluster) => cluster,
        Err(reason) => {
            println!("skipped: {reason}");
            return Ok(());
        }
    };
    let (root, program) = root(parent.path())?;
    let bench = Bench {
        cluster,
        root,
        program,
    };
    let runs = bench.root.join("far runs");
    let run = |name: &str| runs.join(name);
    let names = [
        "attention-none_seed-0",
        "attention-branch_seed-0",
        "attention-none_seed-1",
        "attention-branch_seed-1",
    ];
    let submit = ["--out", "far runs", "--slurm", "--parallel", "2"];

    // MaxArraySize is 3: the fourth run is in a second array, which waits, and the comparison waits for both.
    let (is_done, text) = bench.sweep(&submit)?;
    ensure!(is_done, "{text}");
    let [first, second, compare] = jobs(&text)[..] else {
        anyhow::bail!("{text}");
    };
    let (is_done, again) = bench.sweep(&submit)?;
    ensure!(is_done && jobs(&again).is_empty(), "{again}");
    assert!(again.contains("4 runs in the queue already"), "{again}");
    // Somebody queues the second run again; its signal is TERM.
    bench.halt_at((first, 1), &run(names[1]), 7)?;
    bench.slurm("scontrol", &["requeue", &format!("{first}_1")])?;
    bench.start_again(&format!("{first}_1"))?;
    // The time of the third is nearly over. It is the last of its array, whose number it bears.
    bench.halt_at((first, 2), &run(names[2]), 7)?;
    bench.slurm(
        "scancel",
        &["--signal=USR1", "--batch", &format!("{first}_2")],
    )?;
    bench.go_on((first, 2))?;
    bench.start_again(&format!("{first}_2"))?;
    // The reason is known once Slurm has looked at the job.
    wait_until("the second array waits for the first", || {
        let (_, list) = bench.sweep(&["--out", "far runs", "--list"])?;
        Ok(list.contains(&format!("job {second}_0 PENDING (Dependency)")))
    })?;
    let dependent = bench.state(&compare.to_string())?;
    assert!(dependent.contains("Dependency"), "{dependent}");
    // The fourth is cancelled, and stays so.
    bench.halt_at((second, 0), &run(names[3]), 7)?;
    bench.slurm("scancel", &[&format!("{second}_0")])?;
    wait_until("the queue is empty", || {
        Ok(bench.slurm("squeue", &["-h"])?.is_empty())
    })?;

    let logs = |task: &str| bench.log(&format!("1/{task}.log"));
    let starts = |text: &str| text.matches("[1 of 1]").count();
    assert_eq!(
        starts(&logs(&format!("{first}_0"))?),
        1,
        "it was not disturbed"
    );
    for (task, signal) in [("1", "TERM"), ("2", "USR1")] {
        let log = logs(&format!("{first}_{task}"))?;
        assert_eq!(starts(&log), 2, "{log}");
        assert!(log.contains("is finished"), "{log}");
        assert!(log.contains("queued again"), "{signal}: {log}");
    }
    let log = logs(&format!("{second}_0"))?;
    assert!(
        starts(&log) == 1 && log.contains("is not queued again here"),
        "{log}"
    );
    let text = bench.log(&format!("1/compare-{compare}.log"))?;
    assert!(text.contains("attention"), "{text}");

    // What is left is the run that was cancelled, which goes on from its checkpoint.
    let (_, list) = bench.sweep(&["--out", "far runs", "--list"])?;
    assert!(
        list.contains(&format!("cut       {}\n", names[3])),
        "{list}"
    );
    assert_eq!(list.matches("finished").count(), 3, "{list}");
    let (is_done, text) = bench.sweep(&submit)?;
    ensure!(
        is_done && text.contains("3 runs finished already"),
        "{text}"
    );
    let [job, compare] = jobs(&text)[..] else {
        anyhow::bail!("{text}");
    };
    wait_until("the queue is empty", || {
        Ok(bench.slurm("squeue", &["-h"])?.is_empty())
    })?;
    let log = bench.log(&format!("2/{job}_0.log"))?;
    assert!(log.contains("is finished"), "{log}");
    let text = bench.log(&format!("2/compare-{compare}.log"))?;
    assert!(text.contains("seeds 0, 1"), "{text}");

    let (is_done, text) = bench.sweep(&["--out", "whole"])?;
    ensure!(is_done, "{text}");
    for name in names {
        let whole = tensors(&bench.root.join("whole").join(name), "last")?;
        assert_eq!(whole, tensors(&run(name), "last")?, "{name}");
    }
    let (is_done, text) = bench.sweep(&submit)?;
    assert!(
        is_done && text.contains("nothing is left to submit"),
        "{text}"
    );
    Ok(())
}

/// The program where no program of Slurm is installed.
fn without_slurm(root: &Path, program: &Path, arguments: &[&str]) -> Result<(Option<i32>, String)> {
    let output = Command::new(program)
        .current_dir(root)
        .env("PATH", root)
        .args(["sweep", "stripes.toml", "--slurm"])
        .args(arguments)
        .output()?;
    Ok((output.status.code(), said(&output)))
}

#[test]
fn without_slurm_the_jobs_can_be_looked_at() -> Result<()> {
    let parent = tempfile::tempdir()?;
    let (root, program) = root(parent.path())?;
    let (code, text) = without_slurm(&root, &program, &["--dry-run", "--parallel", "3"])?;
    assert_eq!(code, Some(0), "{text}");
    for line in [
        "0  attention-none_seed-0",
        "#SBATCH --array=0-3%3",
        "#SBATCH --requeue",
        "#SBATCH --open-mode=append",
        "#SBATCH --signal=B:USR1@120",
        "#SBATCH --partition=debug",
        "after all others have ended",
    ] {
        assert!(
            text.lines().any(|said| said.contains(line)),
            "{line}: {text}"
        );
    }
    let (code, text) = without_slurm(&root, &program, &[])?;
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("is not installed here"), "{text}");
    assert!(!root.join("runs").exists(), "nothing was written");
    let (code, text) = without_slurm(
        &root,
        &program,
        &["--dry-run", "--set", "comment=x\n#SBATCH --uid=1000"],
    )?;
    assert_eq!(code, Some(2), "{text}");
    assert!(
        text.contains("`comment`") && text.contains("on one line"),
        "{text}"
    );
    let output = Command::new(&program)
        .args(["sweep-job", "none.jsonl"])
        .output()?;
    assert!(
        said(&output).contains("crosscurrent sweep --slurm"),
        "{}",
        said(&output)
    );
    Ok(())
}

/// A folder can be written in several ways. Programs in place of those of Slurm say that the first task waits.
#[test]
fn a_run_waits_however_its_folder_is_written() -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let parent = tempfile::tempdir()?;
    let (root, program) = root(parent.path())?;
    let programs = root.join("slurm");
    std::fs::create_dir(&programs)?;
    for (name, says) in [
        ("sbatch", "7"),
        ("scontrol", "MaxArraySize = 1001"),
        ("squeue", "7|0|PENDING|Resources"),
    ] {
        let path = programs.join(name);
        std::fs::write(&path, format!("#!/bin/sh\necho '{says}'\n"))?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
    }
    let sweep = |arguments: &[&str]| -> Result<String> {
        let output = Command::new(&program)
            .current_dir(&root)
            .env("PATH", &programs)
            .args(["sweep", "stripes.toml", "--out"])
            .args(arguments)
            .output()?;
        ensure!(output.status.success(), "{}", said(&output));
        Ok(said(&output))
    };
    let text = sweep(&["runs", "--slurm"])?;
    assert!(text.contains("4 runs to train"), "{text}");
    std::os::unix::fs::symlink(root.join("runs"), root.join("link"))?;
    for folder in ["runs", "link"] {
        let text = sweep(&[folder, "--list"])?;
        assert_eq!(
            text.matches("job 7_0 PENDING (Resources)").count(),
            1,
            "{text}"
        );
        let text = sweep(&[folder, "--slurm", "--dry-run"])?;
        assert!(text.contains("1 run in the queue already"), "{text}");
    }
    // The tasks of a folder that is copied train in the other one.
    std::fs::create_dir_all(root.join("copy/slurm/1"))?;
    for name in ["jobs.json", "runs.jsonl"] {
        let file = Path::new("slurm/1").join(name);
        std::fs::copy(root.join("runs").join(&file), root.join("copy").join(&file))?;
    }
    let text = sweep(&["copy", "--list"])?;
    assert!(!text.contains("PENDING"), "{text}");
    Ok(())
}
