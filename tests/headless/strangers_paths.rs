//! Runs from strangers: paths in them never lead out of the run, nothing is written outside, and nothing that is no file is
//! read.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use crosscurrent::run::BatchNorm;
use crosscurrent::run::event::Split;
use crosscurrent::run::glance::Glance;
use crosscurrent::run::log::{self, Writer};
use crosscurrent::run::notes::Notes;
use crosscurrent::run::predictions::predicted;
use crosscurrent::run::probe_file::ProbeTensors;
use crosscurrent::run::recorded_data::RecordedData;

use crate::common::{config, images, resume, train_until};
use crate::constructed::Constructed;
use crosscurrent::config::Attention;

const RUN: Constructed = Constructed {
    attention: Attention::Branch,
    classes: 3,
    steps: 8,
    step_every: 4,
    eval_every: 4,
    probe_every: 4,
    has_training: true,
};

/// Paths that lead out of the folder that they are relative to.
const OUTSIDE: [&str; 6] = [
    "/etc/passwd",
    "../other/probes/00000004.safetensors",
    "probes/../../x",
    "..",
    "./../x",
    "",
];

fn refused<T>(result: Result<T, impl ToString>, words: &str) -> Result<()> {
    let error = result
        .err()
        .context(format!("“{words}” was expected"))?
        .to_string();
    ensure!(
        error.contains(words) && error.lines().count() == 1,
        "{error}"
    );
    Ok(())
}

#[test]
fn a_probe_file_lies_in_its_run() -> Result<()> {
    let root = tempfile::tempdir()?;
    let dir = root.path().join("run");
    RUN.write(&dir, |_| false)?;
    let path = log::events_path(&dir);
    let text = std::fs::read_to_string(&path)?;
    for outside in OUTSIDE {
        std::fs::write(&path, text.replace("probes/00000004.safetensors", outside))?;
        refused(log::load(&dir), "must lie in the run directory")?;
        refused(Glance::read(&dir), "must lie in the run directory")?;
    }
    Ok(())
}

/// Room is taken for all rows and classes that a header announces, so that it has to fit itself. (A header that gave a layer
/// the row 1,000,000,000,000 made the program abort.)
#[test]
fn a_header_fits_itself() -> Result<()> {
    let root = tempfile::tempdir()?;
    let dir = root.path().join("run");
    RUN.write(&dir, |_| false)?;
    let path = log::events_path(&dir);
    let text = std::fs::read_to_string(&path)?;
    let (first, rest) = text.split_once('\n').context("a header")?;
    let changes: [(&str, serde_json::Value, &str); 6] = [
        (
            "/layers/0/gram",
            1_000_000_000_000_u64.into(),
            "numbered from 0",
        ),
        ("/layers/0/gram", 1.into(), "numbered from 0"),
        (
            "/train_counts",
            serde_json::json!([1, 2]),
            "numbers of images",
        ),
        (
            "/classes",
            serde_json::json!(["a", "b", "c", "d"]),
            "numbers of images",
        ),
        (
            "/probe/pieces",
            1_000_000_000_000_u64.into(),
            "pieces of the probe",
        ),
        (
            "/probe/training",
            serde_json::json!([0, 7]),
            "measured as in training",
        ),
    ];
    for (place, value, words) in changes {
        let mut header: serde_json::Value = serde_json::from_str(first)?;
        *header.pointer_mut(place).context("a place")? = value;
        std::fs::write(&path, format!("{header}\n{rest}"))?;
        refused(log::load(&dir), words)?;
        refused(Glance::read(&dir), words)?;
    }
    Ok(())
}

#[test]
fn images_lie_in_their_source() -> Result<()> {
    let root = tempfile::tempdir()?;
    for outside in OUTSIDE {
        let files = serde_json::to_string(&[outside])?;
        let metadata = [("files".to_owned(), files)].into();
        log::write_data(&log::data_path(root.path()), &[0], &[], metadata)?;
        refused(
            RecordedData::read(root.path()),
            "lies outside of the source",
        )?;
    }
    Ok(())
}

/// Links in a run are followed for reading, if they lead to files; a pipe or a device would be read for ever.
#[test]
fn only_files_are_read() -> Result<()> {
    let root = tempfile::tempdir()?;
    let dir = root.path().join("run");
    RUN.write(&dir, |_| false)?;
    let probe = dir.join("probes/00000004.safetensors");
    let elsewhere = root.path().join("elsewhere");
    std::fs::rename(&probe, &elsewhere)?;
    symlink(&elsewhere, &probe)?;
    ProbeTensors::load(&probe, 3, BatchNorm::Frozen)?;
    let pipe = root.path().join("pipe");
    ensure!(Command::new("mkfifo").arg(&pipe).status()?.success());
    for endless in [Path::new("/dev/zero"), &pipe] {
        let put = |path: &Path| -> Result<()> {
            let _ = std::fs::remove_file(path);
            Ok(symlink(endless, path)?)
        };
        put(&probe)?;
        put(&dir.join("notes.json"))?;
        put(&log::data_path(&dir))?;
        put(&dir.join("verify/00000008.safetensors")).or_else(|_| {
            std::fs::create_dir(dir.join("verify"))?;
            put(&dir.join("verify/00000008.safetensors"))
        })?;
        refused(
            ProbeTensors::load(&probe, 3, BatchNorm::Frozen),
            "no regular file",
        )?;
        let rows =
            crosscurrent::run::class_rows::ClassRows::load(&probe, 3, &[0], BatchNorm::Frozen);
        refused(rows, "no regular file")?;
        refused(Notes::load(&dir), "no regular file")?;
        refused(RecordedData::read(&dir), "no regular file")?;
        refused(predicted(&dir, (8, Split::Test), 0, 0), "no regular file")?;
        log::load(&dir)?;
        put(&log::events_path(&dir))?;
        refused(log::load(&dir), "not a run")?;
        std::fs::remove_dir_all(&dir)?;
        RUN.write(&dir, |_| false)?;
    }
    Ok(())
}

#[test]
fn nothing_is_written_outside_of_a_run() -> Result<()> {
    let root = tempfile::tempdir()?;
    images(&root.path().join("data"))?;
    let dir = root.path().join("run");
    train_until(&dir, &config(&root.path().join("data")), 5)?;
    let outside = root.path().join("outside");
    std::fs::create_dir(&outside)?;
    // Notes, and the file that becomes them.
    let precious = outside.join("precious");
    std::fs::write(&precious, "precious")?;
    for link in ["notes.json", "notes.json.tmp"] {
        symlink(&precious, dir.join(link))?;
        Notes::default().save(&dir)?;
        ensure!(
            std::fs::read_to_string(&precious)? == "precious",
            "{link} is followed"
        );
        let kept = std::fs::symlink_metadata(dir.join("notes.json"))?;
        ensure!(kept.is_file(), "the notes are a link");
        std::fs::remove_file(dir.join("notes.json"))?;
    }
    // Folders of the run, and its log.
    for part in ["probes", "predictions", "checkpoints", "events.jsonl"] {
        let (there, moved) = (dir.join(part), outside.join(part));
        std::fs::rename(&there, &moved)?;
        symlink(&moved, &there)?;
        let before = std::fs::symlink_metadata(&moved)?.modified()?;
        refused(Writer::append(&dir), "leads out")?;
        refused(resume(&dir), "leads out")?;
        ensure!(
            std::fs::symlink_metadata(&moved)?.modified()? == before,
            "{part} was written"
        );
        std::fs::remove_file(&there)?;
        std::fs::rename(&moved, &there)?;
    }
    symlink(outside.join("absent"), dir.join("verify"))?;
    refused(Writer::append(&dir), "leads out")?;
    std::fs::remove_file(dir.join("verify"))?;
    // A link within the run is the run's own.
    std::fs::rename(dir.join("probes"), dir.join("kept"))?;
    symlink("kept", dir.join("probes"))?;
    resume(&dir)?;
    Ok(())
}
