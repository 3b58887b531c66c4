//! Names from strangers: class names and run names that programs may take for something else come out of every file and
//! every command as they are, and no terminal, spreadsheet or reader of XML is made to obey them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::python::python_with;

/// A formula, marks of CSV and of XML, control characters that XML 1.0 cannot hold, letters of other scripts, and a change of
/// the direction of writing.
const CLASSES: [&str; 6] = [
    "=cmd|' /C calc'!A0",
    "a,\"b\"\nc",
    "<&>\"'\u{1}\u{b}\u{1b}[31m\u{7}\u{9b}",
    "\u{732b} \u{642}\u{637} \u{1f408} e\u{301}",
    "+1+1 @SUM(1)",
    "-2\t\u{202e}gnp.exe\u{fffe}",
];
const RUN: &str = "=run,<x>&\"'\u{1b}[31m\u{7}\u{732b}";

/// Cells of a CSV text, by RFC 4180.
pub(crate) fn csv_cells(text: &str) -> Vec<String> {
    let (mut cells, mut cell, mut is_quoted) = (Vec::new(), String::new(), false);
    let mut letters = text.chars().peekable();
    while let Some(c) = letters.next() {
        match c {
            '"' if is_quoted && letters.peek() == Some(&'"') => {
                letters.next();
                cell.push('"');
            }
            '"' => is_quoted = !is_quoted,
            ',' | '\n' if !is_quoted => cells.push(std::mem::take(&mut cell)),
            c => cell.push(c),
        }
    }
    cells
}

fn copied(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copied(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// The recorded run, with these names.
fn strange_run(root: &Path) -> Result<PathBuf> {
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded/solar-branch");
    let dir = root.join(RUN);
    copied(&recorded, &dir)?;
    let path = dir.join("events.jsonl");
    let log = std::fs::read_to_string(&path)?;
    let (first, rest) = log.split_once('\n').context("a header")?;
    let mut header: Value = serde_json::from_str(first)?;
    header["classes"] = CLASSES.as_slice().into();
    std::fs::write(&path, format!("{header}\n{rest}"))?;
    Ok(dir)
}

fn crosscurrent(root: &Path, arguments: &[&str]) -> Result<Output> {
    let output = Command::new(env!("CARGO_BIN_EXE_crosscurrent"))
        .args(arguments)
        .current_dir(root)
        .output()?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{arguments:?}: {error}");
    Ok(output)
}

/// Whether a terminal would obey anything in a text.
fn obeyed(text: &str) -> Option<char> {
    text.chars()
        .find(|c| crosscurrent::text::is_hidden(*c) && *c != '\n')
}

#[test]
fn terminals_obey_no_names() -> Result<()> {
    let root = tempfile::tempdir()?;
    strange_run(root.path())?;
    let sweep = "name = \"s\"\nseeds = 1\n[run]\ndata = \"folder:\\u001b[31mx\"\n";
    std::fs::write(root.path().join("sweep.toml"), sweep)?;
    let sheet = image::RgbImage::from_fn(16, 16, |x, y| image::Rgb([x as u8 * 9, y as u8, 3]));
    for class in ["\u{1b}[31mcat", "\u{9b}dog\u{7}"] {
        let folder = root.path().join("images").join(class);
        std::fs::create_dir_all(&folder)?;
        for i in 0..10 {
            sheet.save(folder.join(format!("\u{1b}]0;{i}.png")))?;
        }
    }
    let commands: [&[&str]; 9] = [
        &["summary", RUN],
        &["summary", RUN, "--json"],
        &["compare", RUN, RUN],
        &["compare", RUN, RUN, "--json"],
        &["findings", RUN],
        &["findings", RUN, "--json"],
        &["data", "--data", "folder:images"],
        &["sweep", "sweep.toml", "--list"],
        &[
            "export", RUN, "--figure", "all", "--format", "csv", "--out", "tables",
        ],
    ];
    for arguments in commands {
        let output = Command::new(env!("CARGO_BIN_EXE_crosscurrent"))
            .args(arguments)
            .current_dir(root.path())
            .output()?;
        for text in [output.stdout, output.stderr] {
            let text = String::from_utf8(text)?;
            ensure!(
                obeyed(&text).is_none(),
                "{arguments:?}: {:?} in {text:?}",
                obeyed(&text)
            );
        }
    }
    for arguments in [["summary", RUN, "--json"], ["findings", RUN, "--json"]] {
        let text = crosscurrent(root.path(), &arguments)?.stdout;
        let value: Value = serde_json::from_slice(&text)?;
        let text = value.to_string();
        if arguments[0] == "summary" {
            let rarest = value[0]["rarest_class"].as_str().context("a class")?;
            ensure!(
                CLASSES.contains(&rarest) && value[0]["run"] == RUN,
                "{text}"
            );
        }
    }
    Ok(())
}

/// What other programs read of the exported files.
const READ: &str = r#"
import csv, glob, json, os, sys
import xml.etree.ElementTree as ElementTree
from PIL import Image
folder, run, *classes = json.load(sys.stdin)
tables, named = sorted(glob.glob(glob.escape(folder) + "/*.csv")), set()
for path in tables:
    rows = list(csv.reader(open(path, newline="")))
    assert len({len(row) for row in rows}) == 1, path
    named |= {cell for row in rows for cell in row}
assert len(tables) > 10 and set(classes) <= named, set(classes) - named
drawings = glob.glob(glob.escape(folder) + "/*.svg")
assert len(drawings) > 10
for path in drawings:
    ElementTree.parse(path)
images = glob.glob(glob.escape(folder) + "/*.png")
assert len(images) > 10
for path in images:
    with Image.open(path) as image:
        image.load()
        assert json.loads(image.text["crosscurrent"])["run"]["name"] == run
print(len(tables), "tables,", len(drawings), "drawings and", len(images), "images are read")
"#;

#[test]
fn names_come_out_of_exported_files_as_they_are() -> Result<()> {
    let root = tempfile::tempdir()?;
    strange_run(root.path())?;
    let out = root.path().join("out");
    for format in ["csv", "svg", "png"] {
        crosscurrent(
            root.path(),
            &[
                "export", RUN, "--figure", "all", "--format", format, "--out", "out", "--size",
                "480x360",
            ],
        )?;
    }
    // One of them as PDF, whose writer reads the SVG.
    crosscurrent(
        root.path(),
        &["export", RUN, "--figure", "class-f1", "--out", "one.pdf"],
    )?;
    let mut files = 0;
    for entry in std::fs::read_dir(root.path())? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        ensure!(
            [RUN, "out", "one.pdf"].contains(&name.as_str()),
            "{name} was written"
        );
    }
    for entry in std::fs::read_dir(&out)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        ensure!(!name.contains(char::is_control), "{name:?}");
        files += 1;
        if name.ends_with(".svg") {
            let text = std::fs::read_to_string(entry.path())?;
            let read = usvg::roxmltree::Document::parse(&text).context(name)?;
            let title = read
                .descendants()
                .find(|node| node.has_tag_name("metadata"));
            let record = title.and_then(|node| node.text()).context("a record")?;
            let record: Value = serde_json::from_str(record)?;
            ensure!(record["run"]["name"] == RUN, "{record}");
        }
    }
    ensure!(files > 30, "{files} files");
    let Some(python) = python_with("PIL") else {
        return Ok(());
    };
    let mut input = vec![out.to_string_lossy().into_owned(), RUN.to_owned()];
    input.extend(CLASSES.map(str::to_owned));
    let mut child = Command::new(python)
        .args(["-c", READ])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()?;
    let mut stdin = child.stdin.take().context("stdin")?;
    serde_json::to_writer(&mut stdin, &input)?;
    drop(stdin);
    let output = child.wait_with_output()?;
    let failed = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{failed}");
    println!("{}", String::from_utf8_lossy(&output.stdout));
    Ok(())
}
