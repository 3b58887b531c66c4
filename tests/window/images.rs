//! The images behind a cell of the confusion matrix.

use std::path::Path;

use anyhow::{Context as _, Result};
use crosscurrent::ui::{Options, Page};
use egui_kittest::kittest::Queryable as _;

use super::{click, has, settle, window};

fn open(run: &Path) -> super::Window {
    let mut window = window(Options {
        runs: vec![run.to_owned()],
        ..Options::default()
    });
    window.state_mut().show(Page::Mistakes);
    settle(&mut window);
    window
}

/// As many as the cell counts, with what the network made of them; and they go away again.
#[test]
fn a_cell_shows_its_images() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut window = open(&root.join("tests/recorded/solar-none"));
    assert!(!has(&window, "Hide the images"));
    let run = crosscurrent::run::log::load(&root.join("tests/recorded/solar-none"))?.run;
    let eval = run
        .evals_of(crosscurrent::run::event::Split::Val)
        .next_back()
        .context("an evaluation")?;
    let count = eval.confusion[2][0];
    assert!(count > 1);
    click(&mut window, "Bird-drop taken for Clean");
    let text = format!("{count} validation images at step {}", eval.step);
    assert!(has(&window, &text), "{text}");
    let images = window.query_all_by_label_contains(": Clean with ");
    assert_eq!(images.count() as u64, count);
    click(&mut window, "Hide the images");
    assert!(!has(&window, &text));
    // A cell without images says so.
    click(&mut window, "Snow-covered taken for Physical-damage");
    assert!(has(&window, "makes no such mistake"));
    Ok(())
}

/// Where the run's predictions are gone, a sentence names the file.
#[test]
fn missing_predictions_are_named() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded/solar-none");
    std::fs::copy(
        root.join("events.jsonl"),
        folder.path().join("events.jsonl"),
    )?;
    std::fs::copy(
        root.join("data.safetensors"),
        folder.path().join("data.safetensors"),
    )?;
    let mut window = open(folder.path());
    click(&mut window, "Bird-drop taken for Clean");
    assert!(has(&window, "Which images these are is not known"));
    assert!(has(&window, "predictions"));
    Ok(())
}
