//! Dependencies point one way, as the crate's documentation says.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

fn sources(directory: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            sources(&path, found)?;
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    Ok(())
}

/// Files in which `word` occurs outside comments, relative to src, that start with none of `allowed`.
fn users(word: &str, allowed: &[&str]) -> Result<Vec<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files)?;
    let mut users = Vec::new();
    for file in files {
        let name = file
            .strip_prefix(&root)?
            .to_string_lossy()
            .replace('\\', "/");
        let text = fs::read_to_string(&file)?;
        let used = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .any(|line| line.contains(word));
        if used && !allowed.iter().any(|start| name.starts_with(start)) {
            users.push(name);
        }
    }
    Ok(users)
}

#[test]
fn tensors_stay_where_numbers_are_computed() -> Result<()> {
    let allowed = [
        "data/",
        "model/",
        "ops/",
        "gradient/probe",
        "train/",
        "vectors.rs",
    ];
    assert_eq!(users("candle_", &allowed)?, [""; 0]);
    Ok(())
}

#[test]
fn drawing_stays_in_figures_and_the_window() -> Result<()> {
    assert_eq!(users("egui", &["figure/", "ui/", "main.rs"])?, [""; 0]);
    assert_eq!(users("eframe", &["ui/", "main.rs"])?, [""; 0]);
    Ok(())
}

#[test]
fn nothing_imports_the_window_or_the_command_line() -> Result<()> {
    assert_eq!(users("crate::ui", &["ui/"])?, [""; 0]);
    assert_eq!(users("crate::cli", &["cli.rs", "cli/"])?, [""; 0]);
    assert_eq!(
        users("crate::figure", &["figure/", "ui/", "cli.rs", "cli/"])?,
        [""; 0]
    );
    assert_eq!(
        users("crate::findings", &["findings/", "ui/", "cli/"])?,
        [""; 0]
    );
    assert_eq!(
        users("crate::train", &["train/", "ui/", "cli.rs", "cli/"])?,
        [""; 0]
    );
    Ok(())
}
