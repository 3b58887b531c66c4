//! Faults that happen in practice: each is reported in one sentence that names the place, and no recorded data are
//! lost.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Result;
use crosscurrent::config::RunConfig;
use crosscurrent::run::event::{Event, FORMAT};
use crosscurrent::run::log::{self, Writer};
use crosscurrent::run::probe_file::ProbeTensors;
use crosscurrent::run::{BatchNorm, Ending, Run};
use crosscurrent::train::{self, Control, Message};

use crate::common::{config, images, resume, tensors, train, train_until};

/// A folder with a data set and a run on it that was stopped after five steps. The first value keeps the folder in
/// existence, the second is the directory of the run.
fn stopped_run() -> Result<(tempfile::TempDir, PathBuf)> {
    let root = tempfile::tempdir()?;
    images(&root.path().join("data"))?;
    let dir = root.path().join("run");
    train_until(&dir, &config(&root.path().join("data")), 5)?;
    Ok((root, dir))
}

/// Asserts that an error is one sentence in which all of `words` occur.
fn sentence(result: Result<impl Sized>, words: &[&str]) {
    let message = result
        .err()
        .map(|error| format!("{error:#}"))
        .expect("an error was expected");
    for word in words {
        assert!(message.contains(word), "`{word}` is missing in: {message}");
    }
    assert_eq!(message.lines().count(), 1, "one sentence: {message}");
}

/// Appends text to a file, as another process would.
fn append(path: &Path, text: &str) -> Result<()> {
    Ok(OpenOptions::new()
        .append(true)
        .open(path)?
        .write_all(text.as_bytes())?)
}

#[test]
fn a_torn_last_line_is_ignored_and_then_cut() -> Result<()> {
    let (_root, dir) = stopped_run()?;
    let before = log::load(&dir)?.run;
    append(&log::events_path(&dir), r#"{"event":"step","step":6,"epo"#)?;
    let torn = log::load(&dir)?;
    assert!(torn.run == before);
    assert!(torn.notes[0].contains("cut short"), "{:?}", torn.notes);
    resume(&dir)?;
    let after = log::load(&dir)?;
    assert!(
        after.notes.is_empty() && matches!(after.run.ending, Some(Ending::Finished(_))),
        "{:?}",
        after.notes
    );
    Ok(())
}

#[test]
fn unknown_events_are_skipped_and_newer_formats_refused() -> Result<()> {
    let (_root, dir) = stopped_run()?;
    append(
        &log::events_path(&dir),
        "{\"event\":\"thought\",\"step\":5}\n",
    )?;
    assert!(log::load(&dir)?.notes[0].contains("does not know"));
    let text = fs::read_to_string(log::events_path(&dir))?;
    fs::write(
        log::events_path(&dir),
        text.replacen(&format!("\"format\":{FORMAT}"), "\"format\":99", 1),
    )?;
    sentence(
        log::load(&dir).map_err(Into::into),
        &["format 99", "update Crosscurrent"],
    );
    sentence(resume(&dir), &["format 99"]);
    assert!(
        fs::read_to_string(log::events_path(&dir))?.contains("thought"),
        "nothing was overwritten"
    );
    Ok(())
}

#[test]
fn a_damaged_line_names_its_number() -> Result<()> {
    let (_root, dir) = stopped_run()?;
    let text = fs::read_to_string(log::events_path(&dir))?;
    let broken: Vec<_> = text
        .lines()
        .enumerate()
        .map(|(i, line)| if i == 2 { "{nonsense}" } else { line })
        .collect();
    fs::write(log::events_path(&dir), broken.join("\n") + "\n")?;
    sentence(
        log::load(&dir).map_err(Into::into),
        &["line 3", "events.jsonl"],
    );
    Ok(())
}

#[test]
fn a_missing_or_damaged_probe_file_is_named_and_the_run_goes_on() -> Result<()> {
    let (_root, dir) = stopped_run()?;
    let path = dir.join(log::probe_file(3));
    let bytes = fs::read(&path)?;
    for len in [0, 4, bytes.len() / 2, bytes.len() - 1] {
        fs::write(&path, &bytes[..len])?;
        sentence(
            ProbeTensors::load(&path, 3, BatchNorm::Frozen).map_err(Into::into),
            &["damaged", "00000003.safetensors"],
        );
    }
    fs::remove_file(&path)?;
    sentence(
        ProbeTensors::load(&path, 3, BatchNorm::Frozen).map_err(Into::into),
        &["00000003.safetensors"],
    );
    assert!(
        log::load(&dir)?.run.probes.len() >= 2,
        "the log alone is enough for overviews"
    );
    resume(&dir)?;
    Ok(())
}

#[test]
fn a_damaged_checkpoint_is_named() -> Result<()> {
    let (_root, dir) = stopped_run()?;
    let path = log::checkpoint_path(&dir, "last");
    let bytes = fs::read(&path)?;
    fs::write(&path, &bytes[..bytes.len() - 100])?;
    let events = fs::read(log::events_path(&dir))?;
    sentence(resume(&dir), &["damaged", "last.safetensors"]);
    assert!(
        fs::read(log::events_path(&dir))?.starts_with(&events),
        "what was recorded is kept"
    );
    fs::write(&path, &bytes)?;
    resume(&dir)?;
    Ok(())
}

#[test]
fn a_run_has_one_writer() -> Result<()> {
    let (root, dir) = stopped_run()?;
    let writer = Writer::append(&dir)?;
    assert!(
        log::load(&dir)?.running,
        "a reader sees that the run is being written"
    );
    sentence(resume(&dir), &["another process"]);
    drop(writer);
    assert!(!log::load(&dir)?.running);
    sentence(
        train(&dir, &config(&root.path().join("data"))),
        &["already", "resume"],
    );
    resume(&dir)?;
    sentence(resume(&dir), &["finished"]);
    Ok(())
}

#[test]
fn a_directory_that_cannot_be_written_is_named() -> Result<()> {
    let root = tempfile::tempdir()?;
    images(&root.path().join("data"))?;
    let config = config(&root.path().join("data"));
    fs::write(root.path().join("file"), "in the way")?;
    sentence(
        train(&root.path().join("file"), &config),
        &["cannot make the run directory", "file"],
    );
    sentence(
        train(&root.path().join("file/below"), &config),
        &["cannot make the run directory"],
    );
    // With a file where the checkpoints should go, the run fails, and the events before that are there.
    let dir = root.path().join("run");
    fs::create_dir_all(&dir)?;
    fs::write(dir.join("checkpoints"), "in the way")?;
    sentence(train(&dir, &config), &["cannot write", "checkpoints"]);
    let run = log::load(&dir)?.run;
    assert!(matches!(run.ending, Some(Ending::Failed(_))) && !run.evals.is_empty());
    Ok(())
}

#[test]
fn a_run_that_fails_before_its_header_leaves_no_log() -> Result<()> {
    let root = tempfile::tempdir()?;
    images(&root.path().join("data"))?;
    let config = RunConfig {
        epochs: 1,
        ..config(&root.path().join("data"))
    };
    let dir = root.path().join("run");
    let in_the_way = log::data_path(&dir);
    fs::create_dir_all(&in_the_way)?;
    sentence(
        train(&dir, &config),
        &["cannot write the file", "data.safetensors"],
    );
    assert!(!log::events_path(&dir).exists());
    fs::remove_dir(&in_the_way)?;
    train(&dir, &config)?;
    Ok(())
}

#[test]
fn bad_images_leave_no_empty_run_behind() -> Result<()> {
    let root = tempfile::tempdir()?;
    images(&root.path().join("data"))?;
    fs::write(root.path().join("data/down/broken.png"), "no image")?;
    let dir = root.path().join("run");
    sentence(
        train(&dir, &config(&root.path().join("data"))),
        &["cannot decode", "broken.png", "Skip unreadable images"],
    );
    assert!(!dir.exists());
    let skipping = RunConfig {
        skip_unreadable: true,
        epochs: 1,
        ..config(&root.path().join("data"))
    };
    train(&dir, &skipping)?;
    fs::create_dir(root.path().join("data/zebra"))?;
    sentence(
        train(&root.path().join("other"), &skipping),
        &["class `zebra` has no training image", "delete"],
    );
    Ok(())
}

#[test]
fn a_class_with_one_image_is_trained_on_and_has_no_recall() -> Result<()> {
    let root = tempfile::tempdir()?;
    let data = root.path().join("data");
    images(&data)?;
    for i in 1..7 {
        fs::remove_file(data.join(format!("spots/{i:02}.png")))?;
    }
    train(
        &root.path().join("run"),
        &RunConfig {
            epochs: 1,
            ..config(&data)
        },
    )?;
    let run = log::load(&root.path().join("run"))?.run;
    let last = run.evals.last().expect("an evaluation");
    assert_eq!(
        (last.support[2], last.recall[2]),
        (0, None),
        "no image to test it on, so no recall"
    );
    assert!(
        run.probes[0].layers[0].norm[2].is_some(),
        "its gradient is measured all the same"
    );
    Ok(())
}

#[test]
fn changed_data_cannot_be_resumed() -> Result<()> {
    let (root, dir) = stopped_run()?;
    fs::remove_file(root.path().join("data/across/03.png"))?;
    sentence(resume(&dir), &["have changed"]);
    Ok(())
}

/// Where both folders hold the same images, the pixels and labels in their order are those of before.
#[test]
fn renamed_split_folders_are_changed_data() -> Result<()> {
    let root = tempfile::tempdir()?;
    let data = root.path().join("data");
    for split in ["train", "val"] {
        images(&data.join(split))?;
    }
    let dir = root.path().join("run");
    train_until(&dir, &config(&data), 2)?;
    fs::rename(data.join("val"), data.join("test"))?;
    sentence(resume(&dir), &["have changed"]);
    fs::rename(data.join("test"), data.join("val"))?;
    resume(&dir)?;
    Ok(())
}

#[test]
fn a_loss_that_is_not_finite_stops_the_run() -> Result<()> {
    let root = tempfile::tempdir()?;
    images(&root.path().join("data"))?;
    let dir = root.path().join("run");
    let wild = RunConfig {
        lr: Some(1e6),
        epochs: 60,
        ..config(&root.path().join("data"))
    };
    sentence(
        train(&dir, &wild),
        &[
            "not a finite number at step",
            "learning rate",
            "try a smaller `lr`",
        ],
    );
    let run = log::load(&dir)?.run;
    let Some(Ending::Failed(end)) = &run.ending else {
        panic!("{:?}", run.ending)
    };
    assert!(end.message.contains("not a finite number"));
    assert!(!run.evals.is_empty() && log::checkpoint_path(&dir, "last").is_file());
    Ok(())
}

/// The log of a killed run can be opened, and after resuming, the run ends with the parameters of an undisturbed run.
#[cfg(unix)]
#[test]
fn a_killed_run_resumes_to_the_parameters_of_an_undisturbed_one() -> Result<()> {
    use std::process::{Command, Stdio};

    let root = tempfile::tempdir()?;
    images(&root.path().join("data"))?;
    let config = RunConfig {
        epochs: 10,
        ..config(&root.path().join("data"))
    };
    let whole = root.path().join("whole");
    train(&whole, &config)?;
    fs::write(root.path().join("run.toml"), toml::to_string(&config)?)?;
    let dir = root.path().join("killed");
    let mut child = Command::new(env!("CARGO_BIN_EXE_crosscurrent"))
        .args(["train", "--config"])
        .arg(root.path().join("run.toml"))
        .arg("--out")
        .arg(&dir)
        .stdout(Stdio::null())
        .spawn()?;
    let logged = || {
        let loaded = log::load(&dir);
        loaded.map_or(0, |loaded| loaded.run.last_step())
    };
    while logged() < 7 {
        assert!(
            child.try_wait()?.is_none(),
            "the run ended before it could be killed"
        );
        std::thread::yield_now();
    }
    child.kill()?;
    child.wait()?;
    let killed = log::load(&dir)?;
    assert!(!killed.running && killed.run.ending.is_none() && killed.run.last_step() >= 7);
    let events = resume(&dir)?;
    let Event::Resumed { step } = events[0] else {
        panic!("{:?}", events[0])
    };
    assert!(
        step >= 6,
        "resumed from the last evaluation, not from {step}"
    );
    assert_eq!(tensors(&whole, "last")?, tensors(&dir, "last")?);
    let counts = |run: &Run| (run.steps.len(), run.evals.len(), run.probes.len());
    assert_eq!(
        counts(&log::load(&dir)?.run),
        counts(&log::load(&whole)?.run)
    );
    Ok(())
}

/// A copy of a part of the folder can hold the best checkpoint without the last one.
#[test]
fn a_run_without_its_last_checkpoint_goes_on_from_the_best() -> Result<()> {
    let root = tempfile::tempdir()?;
    images(&root.path().join("data"))?;
    let config = config(&root.path().join("data"));
    let (whole, dir) = (root.path().join("whole"), root.path().join("cut"));
    train(&whole, &config)?;
    train_until(&dir, &config, 13)?;
    fs::remove_file(log::checkpoint_path(&dir, "last"))?;
    let mut notices = Vec::new();
    let mut resumed = None;
    train::resume(&dir, &Control::default(), &mut |message| match message {
        Message::Notice(text) => notices.push(text),
        Message::Event(Event::Resumed { step }) => resumed = Some(step),
        Message::Loading { .. } | Message::Event(_) => {}
    })?;
    assert!(
        notices.iter().any(|text| text.contains("best macro-F1")),
        "{notices:?}"
    );
    assert!(resumed.is_some_and(|step| step < 13), "{resumed:?}");
    for which in ["last", "best"] {
        assert_eq!(tensors(&whole, which)?, tensors(&dir, which)?);
    }
    let (whole, run) = (log::load(&whole)?.run, log::load(&dir)?.run);
    assert!(run.evals == whole.evals && run.probes == whole.probes);
    Ok(())
}

/// A run that was interrupted before its first checkpoint begins anew. A run that had checkpoints which are gone is
/// refused, and its log stays as it is.
#[test]
fn a_run_without_a_checkpoint_begins_anew_only_if_none_was_ever_written() -> Result<()> {
    let root = tempfile::tempdir()?;
    images(&root.path().join("data"))?;
    let config = config(&root.path().join("data"));
    let whole = root.path().join("whole");
    train(&whole, &config)?;
    let text = fs::read_to_string(log::events_path(&whole))?;
    let lines: Vec<&str> = text.lines().collect();
    let cut = |name: &str, count: usize| -> Result<PathBuf> {
        let dir = root.path().join(name);
        fs::create_dir(&dir)?;
        fs::write(log::events_path(&dir), lines[..count].join("\n") + "\n")?;
        Ok(dir)
    };
    let early = cut("early", 2)?;
    // Where the images cannot be read for now, as from a disk that is not mounted, the run is still there.
    let (data, away) = (root.path().join("data"), root.path().join("away"));
    fs::rename(&data, &away)?;
    let before = fs::read(log::events_path(&early))?;
    sentence(resume(&early), &["data"]);
    assert_eq!(fs::read(log::events_path(&early))?, before);
    fs::rename(&away, &data)?;
    let events = resume(&early)?;
    assert!(matches!(events[0], Event::Started(_)), "{:?}", events[0]);
    assert_eq!(tensors(&whole, "last")?, tensors(&early, "last")?);

    let late = cut("late", lines.len() - 1)?;
    let before = fs::read(log::events_path(&late))?;
    sentence(resume(&late), &["checkpoint", "last.safetensors"]);
    assert_eq!(
        fs::read(log::events_path(&late))?,
        before,
        "nothing is lost"
    );
    Ok(())
}
