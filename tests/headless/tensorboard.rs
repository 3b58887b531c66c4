//! What `export --format tensorboard` writes, read back by TensorBoard's own reader.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};
use crosscurrent::run::log;
use serde_json::{Value, json};

use crate::python::python_with;

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/recorded")
        .join(name)
}

fn export(runs: &[&Path], options: &[&str], out: &Path) -> Result<Output> {
    Ok(Command::new(env!("CARGO_BIN_EXE_crosscurrent"))
        .arg("export")
        .args(runs)
        .args([
            "--format",
            "tensorboard",
            "--size",
            "300x240",
            "--dpi",
            "96",
        ])
        .args(options)
        .arg("--out")
        .arg(out)
        .output()?)
}

fn said(output: &Output) -> String {
    let text = [&*output.stdout, &*output.stderr].map(String::from_utf8_lossy);
    text.concat()
}

/// A copy of a recorded run with other names, as a stranger might give them.
fn renamed(root: &Path, classes: &[&str]) -> Result<PathBuf> {
    let (from, run) = (sample("solar-branch"), root.join("odd / name"));
    std::fs::create_dir_all(run.join("probes"))?;
    for file in std::fs::read_dir(from.join("probes"))? {
        let file = file?;
        std::fs::copy(file.path(), run.join("probes").join(file.file_name()))?;
    }
    let log = std::fs::read_to_string(log::events_path(&from))?;
    let (header, rest) = log.split_once('\n').context("a header")?;
    let mut header: Value = serde_json::from_str(header)?;
    let names = header["classes"].as_array_mut().context("classes")?;
    ensure!(names.len() == classes.len(), "{} classes", names.len());
    *names = classes.iter().map(|name| json!(name)).collect();
    let layers = header["layers"].as_array_mut().context("layers")?;
    let first = layers.iter_mut().find(|layer| !layer["gram"].is_null());
    first.context("a layer")?["name"] = json!("backbone");
    std::fs::write(log::events_path(&run), format!("{header}\n{rest}"))?;
    Ok(run)
}

/// Compares all that TensorBoard finds with the log: nothing is missing, nothing is more.
const COMPARE: &str = r#"
import json, struct, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

def f32(x):
    return struct.unpack("f", struct.pack("f", x))[0]

def compare(run, folder, classes, layers, part):
    events = [json.loads(line) for line in open(f"{run}/events.jsonl")]
    header = events[0]
    found = EventAccumulator(folder, size_guidance={"scalars": 0, "images": 0})
    found.Reload()
    rows = {x["gram"]: name for x, name in zip(header["layers"], layers) if x["gram"] is not None}
    wanted = {}

    def want(tag, step, value):
        if value is not None:
            wanted.setdefault(tag, []).append((step, f32(value)))

    ends = [e["step"] for e in events if e["event"] == "finished"]
    steps = {e["step"]: e for e in events if e["event"] == "step"}
    evals = {(e["step"], e["split"]): e for e in events if e["event"] == "eval"}
    probes = {e["step"]: e for e in events if e["event"] == "probe"}
    assert ends and len(steps) > 10 and len(evals) > 10 and len(probes) > 3
    for step, e in sorted(steps.items()):
        want("epoch", step, e["epoch"]), want("learning_rate", step, e["lr"])
        want("loss/training_batch", step, e["loss"])
        for row, norm in enumerate(e["grad_norms"]):
            want(f"grad_norm/{rows[row]}", step, norm)
    for (step, split), e in sorted(evals.items()):
        name = {"val": "validation"}.get(split, split)
        for score in "loss", "macro_f1", "accuracy", "balanced_accuracy":
            want(f"{score}/{name}", step, e[score])
        for k, f1 in enumerate(e["f1"]):
            want(f"f1_{name}/{classes[k]}", step, f1)
    for step, e in sorted(probes.items()):
        # Runs of format 1 have the frozen measure alone.
        measure = "" if "training" in e else "_frozen_batch_norm"
        e = e.get("training", e)
        for place in "backbone", "classifier":
            want(f"interference{measure}/{place}", step, e[place]["interference"])
            want(f"interference{measure}/{place}_noise_floor", step, e[place]["floor"])
        for place, summary in [("backbone", e["backbone"])] + [(rows[row], x) for row, x in enumerate(e["layers"])]:
            for k, norm in enumerate(summary["norm"]):
                want(f"class_grad_norm{measure}.{place}/{classes[k]}", step, norm)
    tags = found.Tags()
    assert sorted(tags["scalars"]) == sorted(wanted), set(tags["scalars"]) ^ set(wanted)
    for tag, values in wanted.items():
        read = found.Scalars(tag)
        assert [(x.step, f32(x.value)) for x in read] == values, tag
        times = [x.wall_time for x in read]
        assert times == sorted(times) and times[0] >= header["created_unix_secs"], tag
    for x in found.Scalars("loss/training_batch"):
        assert abs(x.wall_time - header["created_unix_secs"] - steps[x.step]["wall_secs"]) < 1e-3
    (tag,) = tags["images"]
    assert tag == f"conflict_matrix/{part}", tag
    images = found.Images(tag)
    assert 2 <= len(images) <= 10
    moments = sorted(probes)
    assert (images[0].step, images[-1].step) == (moments[0], moments[-1])
    assert len({x.encoded_image_string for x in images}) == len(images), "moments look alike"
    for x in images:
        width, height = struct.unpack(">II", x.encoded_image_string[16:24])
        assert (width, height) == (x.width, x.height) == (300, 240)

for case in json.loads(sys.argv[1]):
    compare(*case)
print("tensorboard agrees")
"#;

#[test]
fn tensorboard_reads_the_numbers_of_the_log() -> Result<()> {
    let Some(python) = python_with("tensorboard") else {
        return Ok(());
    };
    let root = tempfile::tempdir()?;
    let (none, branch) = (sample("solar-none"), sample("solar-branch"));
    let out = root.path().join("board");
    let output = export(&[&none, &branch], &["--layer", "branch2"], &out)?;
    ensure!(output.status.success(), "{}", said(&output));
    let header = |run: &Path| -> Result<(Vec<String>, Vec<String>)> {
        let started = log::load(run)?.run.started.context("a header")?;
        let layers = started.layers.into_iter().map(|layer| layer.name);
        Ok((started.classes, layers.collect()))
    };
    let mut cases = Vec::new();
    for (run, name) in [(&none, "solar-none"), (&branch, "solar-branch")] {
        let (classes, layers) = header(run)?;
        cases.push(json!([run, out.join(name), classes, layers, "branch2"]));
    }
    let count = header(&branch)?.0.len();
    let mut classes = [
        "a/b",
        "a_b",
        "x\u{1b}[1m",
        " white  space ",
        "\u{202e}ltr",
        "猫",
    ];
    let odd = renamed(root.path(), &classes[..count])?;
    let out = root.path().join("odd");
    let output = export(&[&odd], &["--batch-norm", "as-in-training"], &out)?;
    ensure!(output.status.success(), "{}", said(&output));
    classes = ["a_b", "a_b (2)", "x_[1m", "white space", "_ltr", "猫"];
    let mut layers = header(&odd)?.1;
    let renamed = layers.iter_mut().find(|name| *name == "backbone");
    // The backbone's own name is taken.
    *renamed.context("the layer")? = "backbone (2)".to_owned();
    cases.push(json!([
        odd,
        out.join("name"),
        &classes[..count],
        layers,
        "backbone"
    ]));
    let output = Command::new(python)
        .args(["-c", COMPARE, &json!(cases).to_string()])
        .output()?;
    ensure!(output.status.success(), "{}", said(&output));
    assert!(said(&output).contains("tensorboard agrees"));
    Ok(())
}

#[test]
fn a_run_is_written_again_into_its_file_and_never_beside_another_s() -> Result<()> {
    let root = tempfile::tempdir()?;
    let run = sample("solar-none");
    let files = || -> Result<Vec<(PathBuf, Vec<u8>)>> {
        let entries = std::fs::read_dir(root.path().join("solar-none"))?;
        let paths = entries.map(|entry| Ok(entry?.path()));
        paths
            .map(|path: Result<PathBuf>| {
                path.and_then(|path| Ok((path.clone(), std::fs::read(path)?)))
            })
            .collect()
    };
    assert!(export(&[&run], &[], root.path())?.status.success());
    let first = files()?;
    assert!(first.len() == 1 && first[0].1.len() > 10_000);
    assert!(export(&[&run], &[], root.path())?.status.success());
    assert_eq!(files()?, first);

    let other = root.path().join("solar-none/events.out.tfevents.1.other");
    std::fs::write(&other, "")?;
    let output = export(&[&run], &[], root.path())?;
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let sentence =
        "TensorBoard would read two runs in one folder as one; name another --out, or remove";
    assert!(said(&output).contains(sentence), "{}", said(&output));
    Ok(())
}

#[test]
fn a_matrix_that_cannot_be_drawn_is_said_and_the_rest_is_written() -> Result<()> {
    let root = tempfile::tempdir()?;
    let classes = ["a", "b", "c", "d", "e", "f"];
    let count = log::load(&sample("solar-branch"))?.run.started;
    let count = count.context("a header")?.classes.len();
    let run = renamed(root.path(), &classes[..count])?;
    std::fs::write(run.join(log::probe_file(0)), "damaged")?;
    let output = export(&[&run], &[], root.path())?;
    assert!(output.status.success(), "{}", said(&output));
    let said = said(&output);
    assert!(
        said.contains("no conflict matrix at step 0: damaged file"),
        "{said}"
    );
    assert!(said.contains("wrote "), "{said}");
    Ok(())
}

#[test]
fn options_that_choose_figures_are_refused() -> Result<()> {
    let root = tempfile::tempdir()?;
    let run = sample("solar-none");
    for (options, sentence) in [
        (&["--figure", "loss"][..], "--figure chooses figures"),
        (&["--step", "3"], "--step chooses figures"),
        (&["--format", "png"], "tensorboard is written alone"),
        (&["--dpi", "1"], "the resolution must be from"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_crosscurrent"))
            .arg("export")
            .arg(&run)
            .args(["--format", "tensorboard"])
            .args(options)
            .arg("--out")
            .arg(root.path())
            .output()?;
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains(sentence), "{}", said(&output));
    }
    assert_eq!(std::fs::read_dir(root.path())?.count(), 0);
    Ok(())
}
