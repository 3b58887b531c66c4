//! The files that the command `export` writes, read back by other programs.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::python::python_with;

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/recorded")
        .join(name)
}

/// Runs the command `export`. Returns its standard output, or its failure.
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

/// Reads a table with Python's own `csv` and the log with `json`, and compares every number: they must be equal to the
/// last bit.
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
means = [row for row in rows if not row["class"]]
rows = [row for row in rows if row["class"]]
assert len(rows) == len(probes) * len(classes) and len(means) == len(probes) * 2
for mean in means:
    same_third = lambda row: (row["step"], row["third"]) == (mean["step"], mean["third"])
    logs = [math.log(float(row["grad_norm"])) for row in rows if same_third(row)]
    assert len(logs) == 2 and math.isclose(float(mean["grad_norm"]), math.exp(sum(logs) / 2), rel_tol=1e-9)
for row in rows:
    norm = probes[int(row["step"])]["layers"][layer]["norm"][classes.index(row["class"])]
    # A square root of a square: the last bit may differ.
    assert math.isclose(float(row["grad_norm"]), norm, rel_tol=1e-15), (row, norm)

rows = list(csv.DictReader(open(pair)))
assert len(rows) == len(probes) and all(-1 <= float(row["cosine"]) <= 1 for row in rows)
print("csv agrees")
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
    Ok(())
}

/// In the table of every figure, columns are compared with the log and with the probe tensors, from which NumPy
/// computes norms, cosines and losses again.
#[test]
fn every_table_read_with_pandas_holds_the_numbers_of_the_run() -> Result<()> {
    let Some(python) = python_with("numpy, pandas, safetensors.numpy") else {
        return Ok(());
    };
    let root = tempfile::tempdir()?;
    let (none, branch) = (sample("solar-none"), sample("solar-branch"));
    let (none, branch) = (
        none.to_str().context("path")?,
        branch.to_str().context("path")?,
    );
    let view = [
        "--layer",
        "branch2.conv2",
        "--step",
        "300",
        "--pair",
        "0",
        "4",
        "--class",
        "4",
    ];
    let all = [
        branch,
        "--against",
        none,
        "--figure",
        "all",
        "--format",
        "csv",
    ];
    export(&[&all[..], &view].concat(), root.path())?;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/pandas_tables.py");
    let output = Command::new(&python)
        .args([script, none, branch])
        .arg(root.path())
        .args(["300", "branch2.conv2", "0", "4"])
        .output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    let failed = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{said}{failed}");
    assert_eq!(said.trim(), "37 tables agree");
    Ok(())
}

/// Copies a recorded run to another directory and gives it a name, where one is given.
fn copy(run: &str, to: &Path, name: Option<&str>) -> Result<()> {
    std::fs::create_dir_all(to.join("probes"))?;
    for file in ["run.toml", "events.jsonl", "data.safetensors"] {
        std::fs::copy(sample(run).join(file), to.join(file))?;
    }
    for probe in names(&sample(run).join("probes"))? {
        let file = Path::new("probes").join(probe);
        std::fs::copy(sample(run).join(&file), to.join(&file))?;
    }
    if let Some(name) = name {
        let notes = format!("{{\"name\": {name:?}}}");
        std::fs::write(to.join("notes.json"), notes)?;
    }
    Ok(())
}

/// Two runs with the same name are exported to different files, and no name leads out of the folder on any system.
#[test]
fn runs_are_called_as_in_the_window_and_stay_in_their_folder() -> Result<()> {
    let root = tempfile::tempdir()?;
    let runs = ["a/x", "b/x", "c/x"].map(|name| root.path().join(name));
    copy("solar-none", &runs[0], None)?;
    copy("solar-branch", &runs[1], None)?;
    copy("solar-branch", &runs[2], Some("../CSBA: 1/2"))?;
    let paths = runs.each_ref().map(|run| run.to_str().unwrap_or_default());
    let out = root.path().join("out");
    let figures = ["--figure", "conflict-difference", "--format", "svg"];
    export(&[&paths[..], &figures].concat(), &out)?;
    let files = ["_._CSBA_ 1_2", "x (2)", "x"].map(|x| format!("{x}-conflict-difference.svg"));
    assert_eq!(names(&out)?, files);
    let text = std::fs::read_to_string(out.join(&files[1]))?;
    assert!(text.contains("x (2) (step 600) minus x (step 600)"));
    let text = std::fs::read_to_string(out.join(&files[0]))?;
    assert!(text.contains("../CSBA: 1/2 (step 600) minus x (step 600)"));
    assert_eq!(names(root.path())?, ["a", "b", "c", "out"]);
    Ok(())
}

/// An exported PNG records its figure, step and selection; single options can change these.
#[test]
fn a_view_is_taken_from_an_exported_image() -> Result<()> {
    use crosscurrent::figure::export::read_view;
    let root = tempfile::tempdir()?;
    let runs = ["solar-none", "solar-branch"].map(sample);
    let runs = runs.each_ref().map(|run| run.to_str().unwrap_or_default());
    let small = ["--size", "320x240", "--scale", "1"];
    let (folder, again) = (root.path().join("first"), root.path().join("again.png"));
    let view = [
        "--figure",
        "conflict-difference",
        "--layer",
        "branch2",
        "--pair",
        "0",
        "4",
        "--order",
        "similarity",
        "--format",
        "png",
    ];
    export(&[&runs[..], &view, &small].concat(), &folder)?;
    let image = folder.join("solar-branch-conflict-difference.png");
    let path = image.to_str().context("path")?;
    // The image records the newest step as a number, since the newest step may be another one later.
    let bytes = std::fs::read(&image)?;
    let restored = read_view(&bytes).map_err(anyhow::Error::msg)?;
    assert_eq!((restored.step, restored.view.step), (Some(600), Some(600)));
    assert_eq!(restored.layer, "branch2");
    let range = restored.colour_range.context("a range")?;
    assert!(range[1] > 0.0 && range[0] == -range[1], "{range:?}");

    export(&[&runs[..], &["--view", path], &small].concat(), &again)?;
    assert!(std::fs::read(&again)? == bytes, "the same figure again");
    let other = ["--view", path, "--step", "300", "--figure", "pair-cosine"];
    let pair = root.path().join("pair.svg");
    export(&[&runs[1..], &other, &small].concat(), &pair)?;
    let text = std::fs::read_to_string(&pair)?;
    assert!(text.contains("solar-branch · branch2") && text.contains("\"step\":288"));

    let page = root.path().join("page");
    let conflicts = ["--page", "conflicts", "--view", path, "--format", "csv"];
    export(&[&runs[1..], &conflicts].concat(), &page)?;
    let figures = [
        "architecture",
        "conflict-matrix",
        "conflict-time",
        "depth-profile",
        "depth-time",
        "head-tail-time",
        "layer",
        "pair-cosine",
        "peaks",
        "rare-conflicts",
    ];
    let files = figures.map(|figure| format!("solar-branch-{figure}.csv"));
    assert_eq!(names(&page)?, files);
    Ok(())
}

/// The classes of a run that is compared with may be others.
#[test]
fn a_class_is_looked_up_in_the_run_that_is_drawn() -> Result<()> {
    let root = tempfile::tempdir()?;
    let other = root.path().join("other");
    std::fs::create_dir(&other)?;
    let log = std::fs::read_to_string(sample("solar-none").join("events.jsonl"))?;
    let renamed = log.replacen("Physical-damage", "Broken", 1);
    ensure!(renamed != log, "the header names the class");
    std::fs::write(other.join("events.jsonl"), renamed)?;
    let branch = sample("solar-branch");
    let runs = [branch.to_str(), Some("--against"), other.to_str()];
    let runs: Option<Vec<&str>> = runs.into_iter().collect();
    let runs = runs.context("paths")?;
    let drawn = |name: &str| {
        let options = ["--figure", "ledger-time", "--class", name];
        let out = root.path().join("table.csv");
        export(&[&runs[..1], &options].concat(), &out)?;
        let alone = std::fs::read_to_string(&out)?;
        let class = ["--figure", "class-f1", "--class", name];
        export(&[&runs[..], &class].concat(), &root.path().join("f1.csv"))?;
        Ok::<_, anyhow::Error>(alone)
    };
    assert_eq!(drawn("Physical-damage")?, drawn("4")?);
    // A class that only the run compared with has is not refused either; no class of any run is.
    let of_other = ["--figure", "class-f1", "--class", "Broken"];
    export(
        &[&runs[..], &of_other].concat(),
        &root.path().join("f1.csv"),
    )?;
    let unknown = ["--figure", "class-f1", "--class", "Unheard-of"];
    let refused = export(&[&runs[..], &unknown].concat(), &root.path().join("f1.csv"));
    let text = refused.err().context("refused")?.to_string();
    assert!(text.contains("no class of this run"), "{text}");
    assert!(
        text.contains("Physical-damage") && text.contains("Broken"),
        "{text}"
    );
    Ok(())
}

/// The image records a colour scale that follows the data: whole decades around the norms of the class.
#[test]
fn an_image_knows_the_range_of_its_colours() -> Result<()> {
    use crosscurrent::figure::export::read_view;
    let root = tempfile::tempdir()?;
    let run = sample("solar-branch");
    let image = root.path().join("map.png");
    let arguments = ["--figure", "architecture", "--quantity", "class-norm"];
    let class = ["--class", "4", "--scale", "1"];
    let run_path = run.to_str().context("path")?;
    export(&[&[run_path][..], &arguments, &class].concat(), &image)?;
    let restored = read_view(&std::fs::read(&image)?).map_err(anyhow::Error::msg)?;
    let [low, high] = restored.colour_range.context("a range")?;
    let probes = crosscurrent::run::log::load(&run)?.run.probes;
    let layers = probes.iter().flat_map(|probe| &probe.layers);
    let norms: Vec<f64> = layers.filter_map(|layer| layer.norm[4]).collect();
    let least = norms.iter().copied().fold(f64::INFINITY, f64::min);
    let most = norms.iter().copied().fold(0.0, f64::max);
    assert!(low <= least && least < 10.0 * low, "{low} {least}");
    assert!(high >= most && most > high / 10.0, "{high} {most}");
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
        "png,svg,pdf,csv",
    ];
    let alone = root.path().join("alone");
    let said = export(&[&[branch, "--figure", "all"][..], &small].concat(), &alone)?;
    let names_alone = names(&alone)?;
    assert_eq!(said.lines().count(), names_alone.len());
    for name in [
        "class-f1.png",
        "conflict-matrix.svg",
        "loss.csv",
        "scores.pdf",
        "architecture.png",
    ] {
        assert!(
            names_alone.contains(&format!("solar-branch-{name}")),
            "{names_alone:?}"
        );
    }
    let without = ["difference", "pair-cosine", "pair-depth"];
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
    // These figures are added: two of a pair of classes, the differences of the two matrices and of layers by moments, and
    // four of groups of runs.
    assert_eq!(names_against.len(), names_alone.len() + 9 * 4);
    assert!(
        names_against
            .iter()
            .all(|name| name.starts_with("solar-branch-"))
    );

    // Two runs share their scales, so the loss is drawn differently from that of a single run.
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
    let cases: [(&[&str], &str, &str); 9] = [
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
        (&["--format", "png"], "x.svg", "--out ends in .svg"),
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

/// A page as one figure in several formats is several files in a folder, and nothing is written where one of them cannot be.
#[test]
fn a_page_as_one_figure_is_refused_as_a_whole() -> Result<()> {
    let root = tempfile::tempdir()?;
    let run = sample("solar-branch");
    let run = run.to_str().context("path")?;
    let page = [run, "--page", "mistakes", "--as-one"];
    for (formats, out, word) in [
        ("pdf,svg", "page.pdf", "must be a folder"),
        ("svg,csv", "page", "has no table"),
        ("svg", "page.pdf", "--out ends in .pdf"),
    ] {
        let all = [&page[..], &["--format", formats]].concat();
        let refused = export(&all, &root.path().join(out));
        let text = refused.err().context("refused")?.to_string();
        assert!(text.contains(word), "{text}");
    }
    assert_eq!(names(root.path())?, Vec::<String>::new());
    Ok(())
}

/// An older file is not lost without a word, nor is a table without rows taken for numbers.
#[test]
fn what_is_replaced_or_empty_is_said() -> Result<()> {
    let root = tempfile::tempdir()?;
    let run = sample("solar-branch");
    let run = run.to_str().context("path")?;
    let file = root.path().join("loss.csv");
    for verb in ["wrote ", "replaced "] {
        let said = export(&[run, "--figure", "loss"], &file)?;
        assert!(said.starts_with(verb), "{said}");
    }
    let file = root.path().join("verified.csv");
    let output = Command::new(env!("CARGO_BIN_EXE_crosscurrent"))
        .args(["export", run, "--figure", "verified", "--out"])
        .arg(&file)
        .output()?;
    let text = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{text}");
    let note = "note: this table has no rows (Nothing is verified yet";
    assert!(
        text.contains(note) && text.contains("verified.csv"),
        "{text}"
    );
    assert_eq!(std::fs::read_to_string(&file)?.lines().count(), 1);
    Ok(())
}

/// An image tells its layer and its selection of its own run, also where a run beside it has no such layer.
#[test]
fn a_view_is_that_of_the_image_s_own_run() -> Result<()> {
    use crosscurrent::figure::export::read_view;
    let root = tempfile::tempdir()?;
    let runs = ["solar-none", "solar-branch"].map(sample);
    let runs = runs.each_ref().map(|run| run.to_str().unwrap_or_default());
    let small = ["--size", "320x240", "--scale", "1"];
    let [first, again] = ["first.png", "again.png"].map(|name| root.path().join(name));
    let gate = ["--figure", "conflict-matrix", "--layer", "branch2.gate"];
    export(&[&runs[1..], &gate, &small].concat(), &first)?;
    let image = ["--view", first.to_str().context("path")?];
    export(&[&runs[..], &image, &small].concat(), &again)?;
    let shown = read_view(&std::fs::read(&again)?).map_err(anyhow::Error::msg)?;
    assert_eq!(
        (&*shown.run.name, &*shown.layer),
        ("solar-branch", "branch2.gate")
    );
    Ok(())
}

/// The rows are in the order of classes that clustering their gradients gives, computed again through the library.
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
    let tensors = ProbeTensors::load(&file, started.classes.len(), read.batch_norm())?;
    let order = by_similarity(&tensors.gram_of(&rows).context("a layer")?);
    let names: Vec<&String> = order.iter().map(|&k| &started.classes[k]).collect();
    // The last class in the order begins no pair.
    assert_eq!(found.iter().collect::<Vec<_>>(), names[..5]);
    Ok(())
}

/// Figures of mistakes are exported for the test images on request.
#[test]
fn the_test_images_are_exported_on_request() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let out = folder.path().join("confusion.csv");
    let run = sample("solar-none");
    let path = run.to_string_lossy();
    for (split, expected) in [("validation", ",validation,"), ("test", ",test,")] {
        let arguments = [&*path, "--figure", "confusion", "--split", split];
        export(&arguments, &out)?;
        let text = std::fs::read_to_string(&out)?;
        let mut rows = text.lines().skip(1);
        ensure!(rows.all(|row| row.contains(expected)), "{split}: {text}");
    }
    Ok(())
}
