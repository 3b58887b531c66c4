//! A run is readable from Python with `json` and `safetensors.numpy` alone: the snippet of README.md, run on a run.

use std::process::Command;

use anyhow::{Context, Result};

use crate::common::{config, images, train};

#[test]
fn the_snippet_of_the_readme_reads_a_run() -> Result<()> {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let there = Command::new(&python)
        .args(["-c", "import numpy, safetensors.numpy"])
        .output();
    if !there.is_ok_and(|output| output.status.success()) {
        println!(
            "skipped: {python} with numpy and safetensors is not on this machine (PYTHON names another)"
        );
        return Ok(());
    }
    let readme = include_str!("../../README.md");
    let start = readme
        .find("```python\n")
        .context("README.md has no Python snippet")?
        + "```python\n".len();
    let end = readme[start..]
        .find("```")
        .context("the snippet does not end")?;
    let snippet = &readme[start..start + end];
    let root = tempfile::tempdir()?;
    images(&root.path().join("data"))?;
    train(&root.path().join("run"), &config(&root.path().join("data")))?;
    let output = Command::new(&python)
        .args(["-c", snippet])
        .env("RUN", root.path().join("run"))
        .current_dir(root.path())
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        text.contains("cos(across, down)") && text.contains("macro-F1"),
        "{text}"
    );
    Ok(())
}
