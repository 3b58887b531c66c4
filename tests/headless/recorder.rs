//! Runs that another program recorded: a PyTorch script with the recorder of assets/python.

use std::path::Path;
use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};
use crosscurrent::config::{Attention, RunConfig};
use crosscurrent::run::event::Probe;
use crosscurrent::run::log::{self, Followed, Position};
use crosscurrent::run::{BatchNorm, Run};
use serde_json::{Value, json};

use crate::common::{config, images, train};
use crate::python::python_with;

fn crosscurrent(arguments: &[&str], run: &Path) -> Result<Output> {
    Ok(Command::new(env!("CARGO_BIN_EXE_crosscurrent"))
        .args(arguments)
        .arg(run)
        .output()?)
}

fn said(output: &Output) -> String {
    let text = [&*output.stdout, &*output.stderr].map(String::from_utf8_lossy);
    text.concat()
}

/// A copy of a run's log as a recorder would write it: its settings in words of their own, and no summaries.
pub(crate) fn as_recorded(run: &Path) -> Result<()> {
    let path = log::events_path(run);
    let mut lines = Vec::new();
    for line in std::fs::read_to_string(&path)?.lines() {
        let mut event: Value = serde_json::from_str(line)?;
        let fields = event.as_object_mut().context("an event is an object")?;
        match fields["event"].as_str() {
            Some("started") => {
                fields.remove("config");
                fields.insert("format".to_owned(), json!(3));
                fields.insert("val_counts".to_owned(), json!([0, 0, 0]));
                let settings = json!({"lr": 0.1, "seed": 4, "augment": {"crop": [4, null]}});
                let recorder = json!({"name": "PyTorch 9.9", "network": "TinyNet", "config": settings, "new": 1});
                fields.insert("recorder".to_owned(), recorder);
            }
            Some("probe") => {
                for name in ["layers", "backbone", "classifier", "training"] {
                    fields.remove(name);
                }
            }
            Some("step") => {
                fields.insert("loss".to_owned(), Value::Null);
                fields.remove("logit_gradients");
            }
            _ => {}
        }
        lines.push(event.to_string());
    }
    Ok(std::fs::write(path, lines.join("\n") + "\n")?)
}

fn trained(root: &Path, attention: Attention) -> Result<std::path::PathBuf> {
    let (data, run) = (root.join("data"), root.join("run"));
    images(&data)?;
    let config = RunConfig {
        attention,
        ..config(&data)
    };
    train(&run, &config)?;
    Ok(run)
}

/// What is computed on reading is, number by number, what the program's own trainer wrote into its log.
#[test]
fn summaries_that_a_recorder_leaves_out_are_computed_when_the_log_is_read() -> Result<()> {
    let root = tempfile::tempdir()?;
    let run = trained(root.path(), Attention::None)?;
    let wanted: Vec<Probe> = log::load(&run)?.run.recorded().to_vec();
    as_recorded(&run)?;
    let loaded = log::load(&run)?;
    ensure!(loaded.notes.is_empty(), "{:?}", loaded.notes);
    assert!(wanted.len() > 3 && wanted.iter().all(|probe| probe.training.is_some()));
    assert_eq!(loaded.run.recorded(), wanted);
    assert_eq!(loaded.run.batch_norm(), BatchNorm::AsInTraining);

    // The same where the log is followed while another process writes it.
    let text = std::fs::read_to_string(log::events_path(&run))?;
    let (header, rest) = text.split_once('\n').context("a header")?;
    std::fs::write(log::events_path(&run), format!("{header}\n"))?;
    let begun = log::load(&run)?;
    assert!(begun.position != Position::default() && begun.run.recorded().is_empty());
    std::fs::write(log::events_path(&run), format!("{header}\n{rest}"))?;
    let Followed::News(news) = log::follow(&run, &begun.position)? else {
        anyhow::bail!("the log is the one that was read before");
    };
    let mut followed: Run = begun.run;
    news.events.iter().for_each(|event| followed.apply(event));
    assert_eq!(followed.recorded(), wanted);
    Ok(())
}

#[test]
fn a_probe_whose_file_is_lost_is_left_out_with_a_note() -> Result<()> {
    let root = tempfile::tempdir()?;
    let run = trained(root.path(), Attention::None)?;
    as_recorded(&run)?;
    std::fs::remove_file(run.join(log::probe_file(3)))?;
    let loaded = log::load(&run)?;
    let [note] = &loaded.notes[..] else {
        anyhow::bail!("{:?}", loaded.notes);
    };
    assert!(
        note.starts_with("the probe of step 3 is left out: cannot read"),
        "{note}"
    );
    let empty = loaded
        .run
        .recorded()
        .iter()
        .filter(|probe| probe.layers.is_empty());
    assert_eq!(empty.map(|probe| probe.step).collect::<Vec<_>>(), [3]);
    let summary = said(&crosscurrent(&["summary"], &run)?);
    assert!(summary.contains(note.as_str()), "{summary}");
    Ok(())
}

/// Nothing is said of attention, width or data that the run does not have, and nothing is done that needs its network.
#[test]
fn commands_work_on_a_recorded_run_and_claim_nothing_of_the_program_s_own_network() -> Result<()> {
    let root = tempfile::tempdir()?;
    let run = trained(root.path(), Attention::None)?;
    as_recorded(&run)?;
    let summary = said(&crosscurrent(&["summary"], &run)?);
    assert!(
        summary.contains("network") && summary.contains("TinyNet"),
        "{summary}"
    );
    for word in ["attention", "width", "solar", "branch"] {
        assert!(!summary.contains(word), "{word}: {summary}");
    }
    let json: Value = serde_json::from_slice(&crosscurrent(&["summary", "--json"], &run)?.stdout)?;
    assert_eq!(json[0]["network"], "TinyNet");
    assert_eq!(
        (&json[0]["seed"], &json[0]["data"]),
        (&json!(4), &json!("PyTorch 9.9"))
    );
    assert!(json[0].get("attention").is_none());
    for figure in [
        "architecture",
        "conflict-matrix",
        "depth-time",
        "loss",
        "ledger",
    ] {
        let out = root.path().join(format!("{figure}.png"));
        let output = Command::new(env!("CARGO_BIN_EXE_crosscurrent"))
            .arg("export")
            .arg(&run)
            .args(["--figure", figure, "--out"])
            .arg(&out)
            .output()?;
        assert!(output.status.success(), "{figure}: {}", said(&output));
    }
    for (command, sentence) in [
        (
            "resume",
            "PyTorch 9.9 trained this run, and only its own training script can go on with it",
        ),
        (
            "verify",
            "PyTorch 9.9 trained this run, and only its own training script can verify it",
        ),
    ] {
        let output = crosscurrent(&[command], &run)?;
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        assert!(said(&output).contains(sentence), "{}", said(&output));
    }
    Ok(())
}

/// For both networks: the recorder, which finds the layers by itself, measures on the weights and the probe images of a
/// run the Gram matrices that the run holds, in both ways; and the program opens what the recorder wrote.
#[test]
fn the_recorder_finds_the_class_gradients_of_the_program_s_own_network() -> Result<()> {
    let Some(python) = python_with("torch, numpy, safetensors.numpy, PIL") else {
        return Ok(());
    };
    for attention in [Attention::None, Attention::Branch] {
        let root = tempfile::tempdir()?;
        let run = trained(root.path(), attention)?;
        let out = root.path().join("recorded");
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/torch_recorder.py");
        let output = Command::new(&python)
            .arg(script)
            .arg(&run)
            .arg(&out)
            .output()?;
        assert!(output.status.success(), "{attention}: {}", said(&output));
        println!("{attention}: {}", said(&output));
        for command in ["summary", "findings"] {
            let output = crosscurrent(&[command], &out)?;
            assert!(output.status.success(), "{}", said(&output));
        }
    }
    Ok(())
}

#[test]
fn the_tests_of_the_python_package_pass() -> Result<()> {
    let Some(python) = python_with("torch, numpy") else {
        return Ok(());
    };
    let tests = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/python/tests");
    let output = Command::new(python)
        .args([
            "-W", "ignore", "-m", "unittest", "discover", "-v", "-s", tests,
        ])
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()?;
    let text = said(&output);
    assert!(output.status.success(), "{text}");
    for line in text.lines().filter(|line| line.contains("skipped")) {
        println!("{line}");
    }
    Ok(())
}
