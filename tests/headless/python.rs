//! A run is readable from Python with `json` and `safetensors.numpy` alone: the snippet of assets/docs/run-format.md is
//! run on a run. PyTorch computes the stored class gradients again from the network in a checkpoint.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use crosscurrent::config::{Field, RunConfig};

use crate::common::{config, images, train};

/// The Python named by the environment variable PYTHON, or else `python3`, where it has these modules. Otherwise prints
/// that the test is skipped.
pub(crate) fn python_with(modules: &str) -> Option<String> {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let there = Command::new(&python)
        .args(["-c", &format!("import {modules}")])
        .output();
    if there.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    println!("skipped: {python} with {modules} is not on this machine (PYTHON names another)");
    None
}

/// Networks with and without attention, and with every other option of the network somewhere.
fn networks(data: &Path) -> Result<Vec<(&'static str, RunConfig)>> {
    let of = |fields: &'static str| {
        let mut config = config(data);
        for field in fields.split_whitespace() {
            let (name, text) = field.split_once('=').context("a field")?;
            let field = Field::named(name).context("a field")?;
            field.set(&mut config, text).map_err(anyhow::Error::msg)?;
        }
        Ok((fields, config))
    };
    let networks = [
        "attention=none",
        "attention=branch",
        "attention=branch gate_place=middle gate_reduction=4 dilations=1,2,3,4 kernels=3,5,1,7",
        "attention=branch gate_place=stem norm=group dilations=2",
        "attention=shared norm=none lr=0.01 dilations=1,1",
        "attention=constant gate_place=stem",
        "attention=wide gate_place=middle norm=group",
        "attention=class norm=group dilations=1,2",
        "attention=class",
    ];
    networks.into_iter().map(of).collect()
}

/// Seeds that are tried at most; the last must not be needed.
const SEEDS: u64 = 4;

/// For networks of all options: PyTorch loads the `best` checkpoint and computes the gradient of every piece of the probe on
/// the same images. In every layer, their inner products are the Gram matrix that the run holds. Where two values of a pool
/// are equal but for rounding, each program may send the gradient to another pixel; another seed then has no such pair.
#[test]
fn pytorch_finds_the_stored_class_gradients() -> Result<()> {
    let Some(python) = python_with("torch, numpy, safetensors.numpy, PIL") else {
        return Ok(());
    };
    let root = tempfile::tempdir()?;
    let data = root.path().join("data");
    images(&data)?;
    for (number, (what, config)) in networks(&data)?.into_iter().enumerate() {
        let mut found = Vec::new();
        for seed in 0..SEEDS {
            let dir = root.path().join(format!("{number}-{seed}"));
            let config = RunConfig {
                seed,
                ..config.clone()
            };
            train(&dir, &config)?;
            let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/torch_probe.py");
            let output = Command::new(&python).arg(script).arg(&dir).output()?;
            let said = String::from_utf8_lossy(&output.stdout);
            let failed = String::from_utf8_lossy(&output.stderr);
            found.push(format!("{what}, seed {seed}: {said}{failed}"));
            if output.status.success() {
                break;
            }
        }
        assert!(found.len() < SEEDS as usize, "{}", found.join("\n"));
        println!("{}", found.join("\n"));
    }
    Ok(())
}

#[test]
fn the_snippet_of_the_run_format_reads_a_run() -> Result<()> {
    let Some(python) = python_with("numpy, safetensors.numpy") else {
        return Ok(());
    };
    let page = include_str!("../../assets/docs/run-format.md");
    let start = page
        .find("```python\n")
        .context("run-format.md has no Python snippet")?
        + "```python\n".len();
    let end = page[start..]
        .find("```")
        .context("the snippet does not end")?;
    let snippet = &page[start..start + end];
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
