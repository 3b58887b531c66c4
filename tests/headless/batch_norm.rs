//! The option `--batch-norm`: every command shows one measure of the class gradients, names it, and mixes none.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};
use crosscurrent::figure::export::read_view;
use crosscurrent::run::BatchNorm;
use serde_json::Value;

use crate::common::{config, images, train};

/// A recorded run of format 1, which has the frozen measure alone.
fn old() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded/solar-none")
}

fn crosscurrent(arguments: &[&str]) -> Result<Output> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_crosscurrent"));
    Ok(command.args(arguments).output()?)
}

fn said(arguments: &[&str]) -> Result<String> {
    let output = crosscurrent(arguments)?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{arguments:?}: {error}");
    Ok(String::from_utf8(output.stdout)?)
}

/// A run with both measures, in a folder of its own.
fn new(root: &Path) -> Result<PathBuf> {
    images(&root.join("data"))?;
    let dir = root.join("new");
    train(&dir, &config(&root.join("data")))?;
    Ok(dir)
}

const LACKS: &str =
    "`solar-none` recorded only the frozen measure, so all runs are shown with batch norm frozen.";

#[test]
fn summary_and_findings_name_the_measure() -> Result<()> {
    let root = tempfile::tempdir()?;
    let (new, old) = (new(root.path())?, old());
    let (new, old) = (new.to_str().context("path")?, old.to_str().context("path")?);
    let of = |more: &[&str]| -> Result<Vec<Value>> {
        let text = said(&[&["summary", "--json"], more].concat())?;
        Ok(serde_json::from_str(&text)?)
    };
    let (training, frozen) = (of(&[new])?, of(&[new, "--batch-norm", "frozen"])?);
    assert_eq!(training[0]["batch_norm"], "as-in-training");
    assert_eq!(frozen[0]["batch_norm"], "frozen");
    assert_ne!(
        training[0]["backbone_interference"],
        frozen[0]["backbone_interference"]
    );
    let both = of(&[new, old])?;
    assert!(both.iter().all(|row| row["batch_norm"] == "frozen"));
    assert_eq!(both[0], frozen[0]);
    let text = said(&["summary", new])?;
    assert!(
        text.contains("class gradients with batch norm as in training."),
        "{text}"
    );
    let text = said(&["summary", new, old])?;
    assert!(text.contains("class gradients with batch norm frozen.") && text.contains(LACKS));
    // Alone and not asked, the old run has nothing to say; asked, it says what it lacks.
    assert!(!said(&["summary", old])?.contains("recorded only"));
    let asked = said(&["summary", old, "--batch-norm", "as-in-training"])?;
    assert!(asked.contains("`solar-none` recorded only the frozen measure, so it is shown"));
    let text = said(&["findings", old, "--json"])?;
    let found: Vec<Value> = serde_json::from_str(&text)?;
    for finding in &found {
        let is_of_gradients = ![
            "loss",
            "adjustment",
            "overfitting",
            "score",
            "gates",
            "no_adjustment",
        ]
        .contains(&finding["kind"].as_str().context("kind")?);
        assert_eq!(
            finding["batch_norm"] == "frozen",
            is_of_gradients,
            "{finding}"
        );
        let detail = finding["detail"].as_str().context("detail")?;
        assert_eq!(
            detail.contains("batch norm frozen"),
            is_of_gradients,
            "{detail}"
        );
    }
    let unknown = crosscurrent(&["summary", new, "--batch-norm", "thawed"])?;
    assert_eq!(unknown.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("as-in-training, frozen"));
    Ok(())
}

#[test]
fn exports_carry_the_measure_they_show() -> Result<()> {
    let root = tempfile::tempdir()?;
    let (new, old) = (new(root.path())?, old());
    let (new, old) = (new.to_str().context("path")?, old.to_str().context("path")?);
    let file = |name: &str| root.path().join(name);
    let export = |more: &[&str], out: &Path| -> Result<String> {
        let out = ["--out", out.to_str().context("path")?];
        said(&[&["export"], more, &out[..]].concat())
    };
    let matrix = ["--figure", "conflict-matrix"];
    let frozen = ["--batch-norm", "frozen"];
    let measure = |bytes: Vec<u8>| read_view(&bytes).map(|found| found.view.batch_norm);
    let measure = |path: &Path| measure(std::fs::read(path)?).map_err(anyhow::Error::msg);

    export(&[&[new], &matrix[..]].concat(), &file("training.png"))?;
    export(
        &[&[new], &matrix[..], &frozen].concat(),
        &file("frozen.png"),
    )?;
    assert_eq!(measure(&file("training.png"))?, BatchNorm::AsInTraining);
    assert_eq!(measure(&file("frozen.png"))?, BatchNorm::Frozen);
    // An image leads back to the measure that it shows.
    let again = ["--view", file("frozen.png").to_str().context("path")?].map(str::to_owned);
    let again = again.each_ref().map(String::as_str);
    export(&[&[new], &again[..]].concat(), &file("again.png"))?;
    assert!(std::fs::read(file("again.png"))? == std::fs::read(file("frozen.png"))?);

    let text = export(&[&[new, old], &matrix[..]].concat(), &file("both"))?;
    assert!(text.contains(LACKS), "{text}");
    assert_eq!(
        measure(&file("both/new-conflict-matrix.png"))?,
        BatchNorm::Frozen
    );

    let caption = |figure: &str, more: &[&str]| -> Result<String> {
        export(&[&[new, "--figure", figure], more].concat(), &file("x.svg"))?;
        Ok(std::fs::read_to_string(file("x.svg"))?)
    };
    let desc = |svg: &str| {
        let after = svg.split_once("<desc>").map_or("", |(_, after)| after);
        after.split('<').next().unwrap_or_default().to_owned()
    };
    assert!(desc(&caption("grad-norms", &[])?).ends_with("batch norm as in training"));
    assert!(desc(&caption("grad-norms", &frozen)?).ends_with("batch norm frozen"));
    assert!(!desc(&caption("scores", &[])?).contains("batch norm"));
    Ok(())
}

/// The columns of a table.
fn columns(path: &Path, names: &[&str]) -> Result<Vec<Vec<String>>> {
    let text = std::fs::read_to_string(path)?;
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = lines.next().context("a header")?;
    let at = names
        .iter()
        .map(|name| header.iter().position(|x| x == name));
    let at: Option<Vec<usize>> = at.collect();
    let at = at.with_context(|| format!("{names:?} in {header:?}"))?;
    Ok(lines
        .map(|row| at.iter().map(|&at| row[at].to_owned()).collect())
        .collect())
}

/// The difference has the cosines of both measures, as the matrix has them in either.
#[test]
fn the_difference_is_between_the_matrices_of_both_measures() -> Result<()> {
    let root = tempfile::tempdir()?;
    let new = new(root.path())?;
    let new = new.to_str().context("path")?;
    let file = |name: &str| root.path().join(name);
    let export = |figure: &str, more: &[&str], out: &Path| {
        let out = out.to_str().unwrap();
        said(&[&["export", new, "--figure", figure, "--out", out], more].concat())
    };
    export("conflict-matrix", &[], &file("training.csv"))?;
    export(
        "conflict-matrix",
        &["--batch-norm", "frozen"],
        &file("frozen.csv"),
    )?;
    export("batch-norm-difference", &[], &file("difference.csv"))?;
    let cosines = |name: &str, measure: &str| -> Result<Vec<String>> {
        let rows = columns(&file(name), &["cosine", "batch_norm"])?;
        assert!(rows.iter().all(|row| row[1] == measure), "{rows:?}");
        Ok(rows.into_iter().map(|row| row[0].clone()).collect())
    };
    let (training, frozen) = (
        cosines("training.csv", "as-in-training")?,
        cosines("frozen.csv", "frozen")?,
    );
    assert!(training != frozen && training.len() == 3);
    let both = columns(
        &file("difference.csv"),
        &["cosine_frozen", "cosine_as_in_training"],
    )?;
    let both: Vec<(String, String)> = both
        .into_iter()
        .map(|row| (row[0].clone(), row[1].clone()))
        .collect();
    assert_eq!(both, frozen.into_iter().zip(training).collect::<Vec<_>>());
    // Shown frozen, the figure says why it has no numbers.
    export(
        "batch-norm-difference",
        &["--batch-norm", "frozen"],
        &file("none.csv"),
    )?;
    assert_eq!(
        std::fs::read_to_string(file("none.csv"))?.lines().count(),
        1
    );
    Ok(())
}
