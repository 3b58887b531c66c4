//! The commands of the program, run as a user would run them.

use std::path::Path;
use std::process::{Command, Output};

use anyhow::{Context, Result};

use crate::common::images;

fn crosscurrent(directory: &Path, arguments: &[&str]) -> Result<Output> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_crosscurrent"));
    // There is no display: no command may look for one, and opening the window must fail with a sentence.
    command
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .current_dir(directory)
        .args(arguments);
    Ok(command.output()?)
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn the_commands_data_train_summary_and_export_succeed() -> Result<()> {
    let root = tempfile::tempdir()?;
    let at = root.path();
    images(&at.join("data"))?;
    let data = crosscurrent(
        at,
        &[
            "data",
            "--data",
            "folder:data",
            "--imbalance",
            "3",
            "--sheet",
            "sheet.png",
        ],
    )?;
    assert_eq!(data.status.code(), Some(0), "{}", stderr(&data));
    assert!(
        stdout(&data).contains("16 wide × 16 high, RGB") && stdout(&data).contains("spots"),
        "{}",
        stdout(&data)
    );
    assert!(image::open(at.join("sheet.png"))?.width() > 100);

    for attention in ["none", "branch"] {
        let arguments = [
            "train",
            "--data",
            "folder:data",
            "--attention",
            attention,
            "--epochs",
            "2",
            "--batch",
            "16",
            "--lr",
            "0.05",
        ];
        let train = crosscurrent(at, &arguments)?;
        assert_eq!(train.status.code(), Some(0), "{}", stderr(&train));
        let text = stdout(&train);
        assert!(
            text.contains("macro-F1") && text.contains("finished after step"),
            "{text}"
        );
        assert!(
            !text.contains('\r') && stderr(&train).is_empty(),
            "plain lines in a log"
        );
    }
    let summary = crosscurrent(at, &["summary", "runs/data-none", "runs/data-branch"])?;
    let text = stdout(&summary);
    assert!(
        text.contains("data-none") && text.contains("data-branch") && text.contains("finished"),
        "{text}"
    );
    let json = crosscurrent(at, &["summary", "--json", "runs/data-none"])?;
    let json: serde_json::Value = serde_json::from_slice(&json.stdout)?;
    assert!(
        json[0]["test_macro_f1"].is_number() && json[0]["rarest_class"] == "spots",
        "{json}"
    );

    for figure in [
        "class-f1",
        "gradient-ratio",
        "scores",
        "loss",
        "grad-norms",
        "depth-profile",
        "conflict-matrix",
        "pair-cosine",
        "architecture",
    ] {
        let file = format!("{figure}.png");
        let arguments = [
            "export",
            "runs/data-branch",
            "--figure",
            figure,
            "--layer",
            "branch1.gate",
            "--pair",
            "down",
            "2",
            "--size",
            "400x300",
            "--scale",
            "1.5",
            "--out",
            &file,
        ];
        let export = crosscurrent(at, &arguments)?;
        assert_eq!(
            export.status.code(),
            Some(0),
            "{figure}: {}",
            stderr(&export)
        );
        let image = image::open(at.join(&file))?.to_rgb8();
        assert_eq!(image.dimensions(), (600, 450));
        let first = *image.get_pixel(0, 0);
        let drawn = image.pixels().filter(|pixel| **pixel != first).count();
        assert!(drawn > 5000, "{figure}: only {drawn} pixels are drawn");
        let bytes = std::fs::read(at.join(&file))?;
        crosscurrent(at, &arguments)?;
        assert!(
            bytes == std::fs::read(at.join(&file))?,
            "{figure}: the same figure twice, the same bytes"
        );
    }
    Ok(())
}

#[test]
fn failures_are_one_sentence_with_the_right_exit_code() -> Result<()> {
    let root = tempfile::tempdir()?;
    let at = root.path();
    images(&at.join("data"))?;
    std::fs::write(at.join("bad.toml"), "epochs = 2\nwidht = \"1\"\n")?;
    let cases: [(&[&str], i32, &str); 14] = [
        (&["train", "--data", "folder:nowhere"], 1, "nowhere"),
        (&["train", "--data", "nonsense"], 2, "nonsense"),
        (
            &["train", "--data", "folder:data", "--batch", "0"],
            2,
            "batch",
        ),
        (
            &["train", "--data", "folder:data", "--attention", "some"],
            2,
            "none, branch, shared",
        ),
        (&["train", "--config", "bad.toml"], 2, "widht"),
        (
            &["train", "--data", "folder:data", "--device", "metal"],
            1,
            "Metal",
        ),
        (
            &["train", "--data", "folder:data", "--lr", "-1"],
            2,
            "lr: must be a positive number",
        ),
        (
            &["train", "--data", "folder:data", "--epochs", "-3"],
            2,
            "write a whole number",
        ),
        (&["export", "data", "--step", "-1"], 2, "'--step <STEP>'"),
        (
            &["train", "--data", "folder:data", "--val", "1000"],
            1,
            "leave one training image of each class",
        ),
        (&["resume", "data"], 1, "not a run"),
        (&["summary", "data"], 1, "not a run"),
        (
            &["export", "data", "--figure", "nothing", "--out", "x.png"],
            2,
            "class-f1",
        ),
        (&["dance"], 1, "crosscurrent train --help"),
    ];
    for (arguments, code, word) in cases {
        let output = crosscurrent(at, arguments)?;
        let text = stderr(&output);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
        assert!(text.contains(word), "{arguments:?}: {text}");
        assert!(!text.contains("panicked"), "{arguments:?}: {text}");
        if code == 1 {
            assert_eq!(text.trim_end().lines().count(), 1, "{arguments:?}: {text}");
        }
    }
    Ok(())
}

/// `data` says what was recognised and left out, and lists images that are there twice; control characters in names are
/// written out, in a terminal as well as in tables.
#[test]
fn data_says_what_it_found() -> Result<()> {
    let root = tempfile::tempdir()?;
    let at = root.path();
    images(&at.join("data/Training"))?;
    for class in ["across", "down", "spots"] {
        let test = at.join("data/Testing").join(class);
        std::fs::create_dir_all(&test)?;
        std::fs::copy(
            at.join("data/Training").join(class).join("01.png"),
            test.join("same.png"),
        )?;
    }
    let data = crosscurrent(
        at,
        &[
            "data",
            "--data",
            "folder:data",
            "--val",
            "0",
            "--pairs",
            "pairs.csv",
        ],
    )?;
    let text = stdout(&data);
    for words in [
        "note: splits: training images from `Training`, test images from `Testing`",
        "note: 3 of 3 test images are also among the training images",
        "Testing/across/same.png (across, test)",
        "Training/across/01.png (across, training)",
    ] {
        assert!(text.contains(words), "`{words}` is not in: {text}");
    }
    let pairs = std::fs::read_to_string(at.join("pairs.csv"))?;
    assert_eq!(pairs.lines().count(), 4, "{pairs}");
    assert!(pairs.contains("Testing/down/same.png,down,test,Training/down/01.png,down,training\n"));

    images(&at.join("hostile"))?;
    std::fs::rename(at.join("hostile/spots"), at.join("hostile/sp\u{1b}[31mots"))?;
    let data = crosscurrent(at, &["data", "--data", "folder:hostile"])?;
    let text = stdout(&data);
    assert!(
        text.contains("sp\\u{1b}[31mots") && !text.contains('\u{1b}'),
        "{text}"
    );
    std::fs::write(at.join("hostile/down/\u{1b}[2J.png"), "no image")?;
    let data = crosscurrent(at, &["data", "--data", "folder:hostile"])?;
    let text = stderr(&data);
    assert!(
        text.contains("\\u{1b}[2J.png") && !text.contains('\u{1b}'),
        "{text}"
    );
    Ok(())
}

/// The header of a run names no directory but the data source, no user and no host.
#[test]
fn a_run_tells_nothing_of_the_machine() -> Result<()> {
    let root = tempfile::tempdir()?;
    let at = root.path();
    images(&at.join("data"))?;
    crosscurrent(
        at,
        &[
            "train",
            "--data",
            "folder:data",
            "--epochs",
            "1",
            "--out",
            "here",
        ],
    )?;
    let parent = at.to_str().context("path")?;
    for file in ["run.toml", "events.jsonl"] {
        let text = std::fs::read_to_string(at.join("here").join(file))?;
        assert!(!text.contains(parent), "{file} names {parent}");
    }
    Ok(())
}

/// Training from the configuration that a run recorded gives the same run again.
#[test]
fn a_run_repeats_from_what_it_recorded() -> Result<()> {
    let root = tempfile::tempdir()?;
    let at = root.path();
    images(&at.join("data"))?;
    let arguments = "train --data folder:data --epochs 1 --batch 16 --out first";
    let first = crosscurrent(at, &arguments.split(' ').collect::<Vec<_>>())?;
    assert_eq!(first.status.code(), Some(0), "{}", stderr(&first));
    let arguments = "train --config first/run.toml --out second";
    let second = crosscurrent(at, &arguments.split(' ').collect::<Vec<_>>())?;
    assert_eq!(second.status.code(), Some(0), "{}", stderr(&second));
    let logits =
        |run: &str| std::fs::read(at.join(run).join("predictions/00000003-test.safetensors"));
    assert!(logits("first")? == logits("second")?, "the logits differ");
    let config = |run: &str| std::fs::read_to_string(at.join(run).join("run.toml"));
    assert_eq!(config("first")?, config("second")?);
    Ok(())
}

/// The JSON of `verify` stands alone on stdout: notes about the images go to stderr.
#[test]
fn json_is_all_that_stdout_has() -> Result<()> {
    let root = tempfile::tempdir()?;
    let at = root.path();
    images(&at.join("data/Training"))?;
    images(&at.join("data/Testing"))?;
    let arguments = "train --data folder:data --epochs 1 --batch 16 --out run";
    let train = crosscurrent(at, &arguments.split(' ').collect::<Vec<_>>())?;
    assert_eq!(train.status.code(), Some(0), "{}", stderr(&train));
    let arguments = "verify run --batches 1 --probe-images 4 --images 4 --json";
    let verify = crosscurrent(at, &arguments.split(' ').collect::<Vec<_>>())?;
    assert_eq!(verify.status.code(), Some(0), "{}", stderr(&verify));
    let json: serde_json::Value = serde_json::from_slice(&verify.stdout)?;
    assert!(json["measured"].is_object(), "{json}");
    let said = stderr(&verify);
    assert!(
        said.contains("note: splits: training images from"),
        "{said}"
    );
    Ok(())
}

/// A command whose result is what it prints has failed where that cannot be written, and says so once.
#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_is_a_failure() -> Result<()> {
    let run = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded/solar-none");
    let cases: [&[&str]; 2] = [&[], &["--json"]];
    for options in cases {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full")?;
        let output = Command::new(env!("CARGO_BIN_EXE_crosscurrent"))
            .arg("summary")
            .arg(&run)
            .args(options)
            .stdout(full)
            .output()?;
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("the output cannot be written"), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    Ok(())
}
