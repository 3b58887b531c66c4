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

/// The page shows as many images as the cell counts, with the network's predictions, and hides them again.
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

/// A recorded run says how many images a cell has, and why none is shown. Its time is in steps where it knows no epochs, and
/// nothing can be set that it does not know.
#[test]
fn a_recorded_run_says_that_it_has_no_images() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded/solar-none");
    let log = std::fs::read_to_string(root.join("events.jsonl"))?;
    let (header, rest) = log.split_once('\n').context("a header")?;
    let mut header: serde_json::Value = serde_json::from_str(header)?;
    let fields = header.as_object_mut().context("an object")?;
    fields.remove("config");
    fields.insert("format".to_owned(), 3.into());
    fields.insert("steps_per_epoch".to_owned(), 0.into());
    let recorder = serde_json::json!({"name": "PyTorch 9.9", "network": "TinyNet"});
    fields.insert("recorder".to_owned(), recorder);
    std::fs::write(
        folder.path().join("events.jsonl"),
        format!("{header}\n{rest}"),
    )?;
    let mut window = open(folder.path());
    click(&mut window, "Bird-drop taken for Clean");
    assert!(has(
        &window,
        "PyTorch 9.9 recorded this run, and its log holds the numbers without the images."
    ));
    assert!(window.query_by_label_contains("Locate…").is_none());
    let axis = window.get_by_label("Time axis");
    assert_eq!(axis.value().as_deref(), Some("in steps"));
    Ok(())
}

/// If the run's predictions are missing, a sentence names the file.
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

/// Writes a run whose image folder has three images of Bird-drop, all taken for Clean. One of them cannot be read.
fn three_images(parent: &Path) -> Result<std::path::PathBuf> {
    use crosscurrent::run::event::Split;
    use crosscurrent::run::log;
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded/solar-none");
    let (run, images) = (parent.join("run"), parent.join("images"));
    std::fs::create_dir_all(&run)?;
    std::fs::create_dir_all(&images)?;
    let text = std::fs::read_to_string(sample.join("events.jsonl"))?;
    let source = serde_json::to_string(&format!("folder:{}", images.display()))?;
    let text = text.replacen("\"data\":\"solar\"", &format!("\"data\":{source}"), 1);
    std::fs::write(run.join("events.jsonl"), text)?;
    for name in ["a.png", "b.png"] {
        image::RgbImage::new(32, 32).save(images.join(name))?;
    }
    std::fs::write(images.join("c.png"), "no image")?;
    let names = serde_json::to_string(&["a.png", "b.png", "c.png"])?;
    let files = [("files".to_owned(), names)].into();
    log::write_data(
        &log::data_path(&run),
        &[2; 3],
        &[("val", &vec![0, 1, 2])],
        files,
    )?;
    let step = log::load(&run)?
        .run
        .evals_of(Split::Val)
        .next_back()
        .context("an evaluation")?
        .step;
    let mut logits = [0.0; 18];
    (0..3).for_each(|image| logits[6 * image] = 2.0);
    let path = run.join(log::predictions_file(step, Split::Val));
    log::write_predictions(&path, &[0; 3], &[0.9, 0.8, 0.7], Some(&logits))?;
    Ok(run)
}

/// An image that cannot be read hides none of the others, whose likeliest classes are listed.
#[test]
fn an_unreadable_image_is_named_among_the_others() -> Result<()> {
    let parent = tempfile::tempdir()?;
    let run = three_images(parent.path())?;
    let mut window = open(&run);
    click(&mut window, "Bird-drop taken for Clean");
    assert!(has(&window, "a.png: Clean with 90.0 %") && has(&window, "b.png: Clean with"));
    assert!(has(&window, "c.png cannot be read"));
    // The softmax of one logit of 2 among five of 0 is e² / (e² + 5).
    assert!(has(&window, "Clean 59.6 %, Dusty 8.1 %"));
    Ok(())
}

#[test]
fn a_missing_image_folder_is_named() -> Result<()> {
    let parent = tempfile::tempdir()?;
    let run = three_images(parent.path())?;
    let images = parent.path().join("images");
    std::fs::remove_dir_all(&images)?;
    let mut window = open(&run);
    click(&mut window, "Bird-drop taken for Clean");
    let text = format!("they were expected in {}", images.display());
    assert!(has(&window, &text));
    Ok(())
}
