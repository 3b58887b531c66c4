//! What the command exports, read back by other programs.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/recorded")
        .join(name)
}

/// Runs the command; its standard output, or its failure.
fn export(arguments: &[&str], out: &Path) -> Result<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_crosscurrent"))
        .arg("export")
        .args(arguments)
        .arg("--out")
        .arg(out)
        .output()?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{arguments:?}: {error}");
    Ok(String::from_utf8(output.stdout)?)
}

fn names(dir: &Path) -> Result<Vec<String>> {
    let entries = std::fs::read_dir(dir)?;
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// Reads a table with Python's own `csv`, and with pandas where it is there, and compares every number with the log,
/// read with `json`: equal to the last bit.
const COMPARE: &str = r#"
import csv, json, math, sys
run, scores, losses, norms, pair = sys.argv[1:]
events = [json.loads(line) for line in open(f"{run}/events.jsonl")]
classes = events[0]["classes"]
splits = {"val": "validation", "test": "test"}

def same(cell, number):
    assert (cell == "") == (number is None), (cell, number)
    assert cell == "" or float(cell) == number, (cell, number)

rows = list(csv.DictReader(open(scores)))
wanted = {(e["step"], splits[e["split"]]): e for e in events if e["event"] == "eval" and e["split"] in splits}
assert len(rows) == len(wanted) > 10
for row in rows:
    event = wanted[int(row["step"]), row["split"]]
    for name in "macro_f1", "accuracy", "balanced_accuracy", "epoch":
        same(row[name], event[name])

rows = list(csv.DictReader(open(losses)))
steps = [e for e in events if e["event"] == "step"]
assert len(rows) == len(steps) + len(wanted)
for row, event in zip(rows, steps):
    assert int(row["step"]) == event["step"] and row["of"] == "training batch"
    same(row["loss_nats"], event["loss"])

layer = next(x for x in events[0]["layers"] if x["name"] == "branch2.conv2")["gram"]
probes = {e["step"]: e for e in events if e["event"] == "probe"}
rows = list(csv.DictReader(open(norms)))
assert len(rows) == len(probes) * len(classes)
for row in rows:
    norm = probes[int(row["step"])]["layers"][layer]["norm"][classes.index(row["class"])]
    # A square root of a square: the last bit may differ.
    assert math.isclose(float(row["grad_norm"]), norm, rel_tol=1e-15), (row, norm)

rows = list(csv.DictReader(open(pair)))
assert len(rows) == len(probes) and all(-1 <= float(row["cosine"]) <= 1 for row in rows)
print("csv agrees")

try:
    import pandas
except ImportError:
    print("no pandas")
else:
    frame = pandas.read_csv(scores, float_precision="round_trip")
    for row in frame.itertuples():
        assert row.macro_f1 == wanted[row.step, row.split]["macro_f1"]
    assert pandas.read_csv(norms).grad_norm.dtype == float
    print("pandas agrees")
"#;

#[test]
fn tables_read_back_in_python_equal_the_log() -> Result<()> {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    if Command::new(&python).arg("--version").output().is_err() {
        println!("skipped: {python} is not on this machine (PYTHON names another)");
        return Ok(());
    }
    let root = tempfile::tempdir()?;
    let run = sample("solar-branch");
    let path = run.to_str().context("path")?;
    let mut files = Vec::new();
    for figure in ["scores", "loss", "grad-norms", "pair-cosine"] {
        let file = root.path().join(format!("{figure}.csv"));
        let view = ["--layer", "branch2.conv2", "--pair", "0", "4"];
        let figure = [path, "--figure", figure];
        export(&[&figure[..], &view].concat(), &file)?;
        files.push(file);
    }
    let output = Command::new(&python)
        .args(["-c", COMPARE, path])
        .args(&files)
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{text}{error}");
    assert!(text.contains("csv agrees"));
    if !text.contains("pandas agrees") {
        println!("skipped: reading with pandas, which {python} does not have");
    }
    Ok(())
}

#[test]
fn all_figures_go_to_a_folder_in_every_format() -> Result<()> {
    let root = tempfile::tempdir()?;
    let (none, branch) = (sample("solar-none"), sample("solar-branch"));
    let (none, branch) = (
        none.to_str().context("path")?,
        branch.to_str().context("path")?,
    );
    let small = [
        "--size",
        "60mmx45mm",
        "--dpi",
        "96",
        "--format",
        "png,svg,csv",
    ];
    let alone = root.path().join("alone");
    let said = export(&[&[branch, "--figure", "all"][..], &small].concat(), &alone)?;
    let names_alone = names(&alone)?;
    assert_eq!(said.lines().count(), names_alone.len());
    for name in [
        "class-f1.png",
        "conflict-matrix.svg",
        "loss.csv",
        "architecture.png",
    ] {
        assert!(
            names_alone.contains(&format!("solar-branch-{name}")),
            "{names_alone:?}"
        );
    }
    let without = ["conflict-difference", "pair-cosine"];
    assert!(
        !names_alone
            .iter()
            .any(|name| without.iter().any(|kind| name.contains(kind)))
    );

    let against = root.path().join("against");
    let options = [
        branch,
        "--figure",
        "all",
        "--pair",
        "0",
        "4",
        "--against",
        none,
    ];
    export(&[&options[..], &small].concat(), &against)?;
    let names_against = names(&against)?;
    // A pair of classes, the difference of the matrices, and four figures of groups of runs.
    assert_eq!(names_against.len(), names_alone.len() + 6 * 3);
    assert!(
        names_against
            .iter()
            .all(|name| name.starts_with("solar-branch-"))
    );

    // Two runs share their scales, so their loss is not drawn as it is alone.
    let both = root.path().join("both");
    export(
        &[none, branch, "--figure", "loss", "--format", "svg"],
        &both,
    )?;
    assert_eq!(
        names(&both)?,
        ["solar-branch-loss.svg", "solar-none-loss.svg"]
    );
    let one = root.path().join("loss.svg");
    export(&[branch, "--figure", "loss", "--against", none], &one)?;
    let shared = std::fs::read(both.join("solar-branch-loss.svg"))?;
    assert!(
        std::fs::read(&one)? == shared,
        "beside another run or against it"
    );
    Ok(())
}

#[test]
fn what_cannot_be_exported_is_refused_in_a_sentence() -> Result<()> {
    let root = tempfile::tempdir()?;
    let run = sample("solar-branch");
    let run = run.to_str().context("path")?;
    let scores = [run, "--figure", "scores"];
    let cases: [(&[&str], &str, &str); 8] = [
        (&["--size", "85cmx60cm"], "x.png", "85mmx60mm"),
        (
            &["--size", "85mmx60mm", "--dpi", "3000"],
            "x.png",
            "from 48 to 768 dpi",
        ),
        (&["--size", "9000x9000"], "x.png", "the width must be"),
        (&["--class", "Nobody"], "x.png", "Physical-damage"),
        (&["--order", "luck"], "x.png", "listed, frequency, name"),
        (&["--quantity", "x"], "x.png", "conflict-rate"),
        (&[], "x.jpg", "--format"),
        (&["--format", "png,svg"], "x.png", "must be a folder"),
    ];
    for (arguments, out, word) in cases {
        let all = [&scores[..], arguments].concat();
        let output = Command::new(env!("CARGO_BIN_EXE_crosscurrent"))
            .arg("export")
            .args(&all)
            .arg("--out")
            .arg(root.path().join(out))
            .output()?;
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
        assert!(text.contains(word), "{arguments:?}: {text}");
    }
    assert_eq!(
        names(root.path())?,
        Vec::<String>::new(),
        "nothing was written"
    );
    Ok(())
}

/// Classes in the rows stand in the order that clustering their gradients gives, found anew through the library.
#[test]
fn classes_are_ordered_by_similarity_on_request() -> Result<()> {
    use crosscurrent::gradient::order::by_similarity;
    use crosscurrent::run::probe_file::ProbeTensors;
    use crosscurrent::run::{Scope, log};
    let folder = tempfile::tempdir()?;
    let out = folder.path().join("matrix.csv");
    let run = sample("solar-branch");
    let path = run.to_string_lossy();
    let layer = ["--figure", "conflict-matrix", "--layer", "branch2.conv1"];
    let order = ["--order", "similarity", "--step", "300"];
    export(&[&[&*path][..], &layer, &order].concat(), &out)?;
    let text = std::fs::read_to_string(&out)?;
    let column = |line: &str| line.split(',').nth(2).map(str::to_owned);
    let mut found: Vec<String> = text.lines().skip(1).filter_map(column).collect();
    found.dedup();

    let read = log::load(&run)?.run;
    let started = read.started.as_ref().context("header")?;
    let rows = read.gram_rows(&Scope::Layer("branch2.conv1".to_owned()));
    let index = read.probe_at(300).context("a probe")?;
    let file = run.join(&read.probes[index].file);
    let tensors = ProbeTensors::load(&file, started.classes.len())?;
    let order = by_similarity(&tensors.gram_of(&rows).context("a layer")?);
    let names: Vec<&String> = order.iter().map(|&k| &started.classes[k]).collect();
    // The last class has no pair of its own.
    assert_eq!(found.iter().collect::<Vec<_>>(), names[..5]);
    Ok(())
}
