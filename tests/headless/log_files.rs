//! Logs as editors, programs and disks leave them: what is whole is read, what is not is named, and nothing is emptied
//! that holds something.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use crosscurrent::run::event::Event;
use crosscurrent::run::glance::Glance;
use crosscurrent::run::log::{self, Followed, Writer};
use crosscurrent::run::{Ending, Run};

use crate::common::{config, images, resume, tensors, train, train_until};

/// A directory with a copy of a recorded run's log, changed.
fn changed(change: impl FnOnce(&str) -> Vec<u8>) -> Result<tempfile::TempDir> {
    let dir = tempfile::tempdir()?;
    fs::write(log::events_path(dir.path()), change(&recorded_text()?))?;
    Ok(dir)
}

fn recorded() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded/solar-branch")
}

fn recorded_text() -> Result<String> {
    Ok(fs::read_to_string(log::events_path(&recorded()))?)
}

/// Asserts that an error is one sentence with all of `words`, and without advice to train again.
fn sentence(dir: &Path, words: &[&str]) {
    let error = log::load(dir)
        .map(|_| ())
        .expect_err("an error was expected");
    let said = error.to_string();
    for word in words {
        assert!(said.contains(word), "`{word}` is missing in: {said}");
    }
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(!said.contains("train again"), "{said}");
}

#[test]
fn marks_blanks_and_line_ends_of_editors_are_accepted() -> Result<()> {
    let whole = log::load(&recorded())?.run;
    let glance = Glance::read(&recorded())?;
    let with = |from: &str, to: &str, text: &str| text.replace(from, to).into_bytes();
    type Change<'a> = (&'a str, Box<dyn Fn(&str) -> Vec<u8> + 'a>);
    let changes: [Change<'_>; 8] = [
        (
            "mark",
            Box::new(|text| format!("\u{feff}{text}").into_bytes()),
        ),
        ("blank lines", Box::new(|text| with("\n", "\n\n", text))),
        ("blanks", Box::new(|text| with("\n", "  \n \t \n", text))),
        ("CRLF", Box::new(|text| with("\n", "\r\n", text))),
        (
            "blank first",
            Box::new(|text| format!("\n  \n{text}").into_bytes()),
        ),
        (
            "blank last",
            Box::new(|text| format!("{text}\n\n   ").into_bytes()),
        ),
        (
            "no last end",
            Box::new(|text| text.trim_end().as_bytes().to_vec()),
        ),
        (
            "all",
            Box::new(|text| {
                let text = text.replace('\n', "\r\n\r\n");
                format!("\u{feff}\r\n{}", text.trim_end()).into_bytes()
            }),
        ),
    ];
    for (name, change) in changes {
        let dir = changed(change)?;
        let loaded = log::load(dir.path()).with_context(|| name.to_owned())?;
        assert!(loaded.run == whole, "{name}");
        assert!(loaded.notes.is_empty(), "{name}: {:?}", loaded.notes);
        assert!(
            matches!(loaded.run.ending, Some(Ending::Finished(_))),
            "{name}"
        );
        assert_eq!(Glance::read(dir.path())?, glance, "{name}");
    }
    Ok(())
}

/// A log that is read at every length it can have while it is written, in each of the forms above, is never read wrong.
#[test]
fn following_never_takes_half_a_line_for_a_whole_one() -> Result<()> {
    let text = recorded_text()?;
    let lines: Vec<&str> = text.lines().collect();
    let few: Vec<&str> = [&lines[..1], &lines[lines.len() - 2..]].concat();
    for form in [
        few.join("\n") + "\n",
        few.join("\r\n\r\n") + "\r\n",
        few.join("\n"),
    ] {
        let dir = tempfile::tempdir()?;
        let path = log::events_path(dir.path());
        fs::write(&path, &form)?;
        let whole = log::load(dir.path())?.run;
        let header = few[0].len();
        fs::write(&path, &form.as_bytes()[..header])?;
        let loaded = log::load(dir.path())?;
        let (mut run, mut position) = (loaded.run, loaded.position);
        for length in header..=form.len() {
            fs::write(&path, &form.as_bytes()[..length])?;
            let Followed::News(news) = log::follow(dir.path(), &position)? else {
                anyhow::bail!("the log was not replaced, at {length}");
            };
            assert!(news.notes.is_empty(), "{:?}", news.notes);
            news.events.iter().for_each(|event| run.apply(event));
            position = news.position;
            let again = log::load(dir.path())?.run;
            assert!(again == run, "at {length}");
        }
        assert!(run == whole);
    }
    Ok(())
}

#[test]
fn numbers_that_are_not_finite_are_undefined_or_named() -> Result<()> {
    let number_of = |text: &str, event: &str| {
        let line = format!("\"event\":\"{event}\"");
        text.lines()
            .position(|row| row.contains(&line))
            .map_or(0, |at| at + 1)
    };
    let text = recorded_text()?;
    let replaced = |event: &str, field: &str, value: &str| -> Result<tempfile::TempDir> {
        let at = number_of(&text, event) - 1;
        changed(|text| {
            let rows = text.lines().enumerate().map(|(i, row)| {
                let from = format!("\"{field}\":");
                match (i == at, row.split_once(&from)) {
                    (true, Some((before, after))) => {
                        let end = after.find([',', '}']).unwrap_or(after.len());
                        format!("{before}{from}{value}{}", &after[end..])
                    }
                    _ => row.to_owned(),
                }
            });
            (rows.collect::<Vec<_>>().join("\n") + "\n").into_bytes()
        })
    };
    for value in ["NaN", "Infinity", "-Infinity"] {
        let dir = replaced("step", "loss", value)?;
        assert_eq!(log::load(dir.path())?.run.steps[0].loss, None);
        let line = format!(
            "line {} `lr` must be a finite number",
            number_of(&text, "step")
        );
        sentence(
            replaced("step", "lr", value)?.path(),
            &[&line, "events.jsonl", "delete"],
        );
    }
    let line = format!("line {} `step`", number_of(&text, "eval"));
    sentence(
        replaced("eval", "step", "\"x\"")?.path(),
        &[&line, "invalid type"],
    );
    Ok(())
}

#[test]
fn damage_by_disks_is_named_or_cut_off() -> Result<()> {
    let whole = log::load(&recorded())?.run;
    // Zeros at the end are what a crash leaves behind the last write.
    let dir = changed(|text| [text.as_bytes(), &[0; 4096]].concat())?;
    let loaded = log::load(dir.path())?;
    assert!(loaded.run == whole);
    assert!(loaded.notes[0].contains("cut short"), "{:?}", loaded.notes);
    Glance::read(dir.path())?;
    drop(Writer::append(dir.path())?);
    assert_eq!(
        fs::read_to_string(log::events_path(dir.path()))?,
        recorded_text()?
    );

    let third = |bytes: &'static [u8]| {
        changed(move |text| {
            let mut rows: Vec<&[u8]> = text.lines().map(str::as_bytes).collect();
            rows[2] = bytes;
            rows.join(&b'\n')
        })
    };
    for (bytes, said) in [
        (&b"\0\0\0\0"[..], "line 3 holds zero bytes from byte 1 on"),
        (b"{\"event\":\"step\xff\"", "line 3 is not UTF-8 at byte 15"),
        (b"{\"event\":\"step\",\"step\":1,", "line 3 is not JSON"),
        (b"{\"event\":\"step\"}", "line 3 missing field `step`"),
    ] {
        sentence(third(bytes)?.path(), &[said, "delete it", "events.jsonl"]);
    }
    let utf_16 = changed(|text| {
        format!("\u{feff}{text}")
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect()
    })?;
    sentence(utf_16.path(), &["UTF-16", "save the file as UTF-8"]);
    Ok(())
}

#[test]
fn a_second_header_is_skipped_or_refused() -> Result<()> {
    let whole = log::load(&recorded())?.run;
    let header = recorded_text()?
        .lines()
        .next()
        .context("header")?
        .to_owned();
    let dir = changed(|text| format!("{text}{header}\n").into_bytes())?;
    let loaded = log::load(dir.path())?;
    assert!(loaded.run == whole, "nothing is lost by a repeated header");
    assert!(
        loaded.notes[0].contains("the header once more"),
        "{:?}",
        loaded.notes
    );
    assert!(Glance::read(dir.path())? == Glance::read(&recorded())?);

    let other = header.replacen("\"id\":\"", "\"id\":\"other-", 1);
    assert_ne!(other, header);
    let dir = changed(|text| format!("{text}{other}\n").into_bytes())?;
    let number = recorded_text()?.lines().count() + 1;
    sentence(
        dir.path(),
        &[&format!("line {number} is the header of another run")],
    );
    Ok(())
}

#[test]
fn steps_that_go_back_are_kept_in_their_order_and_said() -> Result<()> {
    let whole = log::load(&recorded())?.run;
    let is_step = |row: &&str| row.contains("\"event\":\"step\"");
    // Two steps change places; the first step is repeated at the end, after `finished`.
    let dir = changed(|text| {
        let mut rows: Vec<&str> = text.lines().collect();
        let steps: Vec<usize> = (0..rows.len()).filter(|&i| is_step(&rows[i])).collect();
        rows.swap(steps[1], steps[3]);
        (rows.join("\n") + "\n").into_bytes()
    })?;
    let loaded = log::load(dir.path())?;
    assert!(loaded.run == whole);
    assert_eq!(loaded.notes.len(), 1, "said once: {:?}", loaded.notes);
    assert!(
        loaded.notes[0].contains("lines were moved, repeated or lost"),
        "{:?}",
        loaded.notes
    );
    Ok(())
}

/// A run that was stopped and resumed, and whose line `resumed` is lost, is neither stopped nor counted twice.
#[test]
fn a_lost_resumption_is_seen_through() -> Result<()> {
    let root = tempfile::tempdir()?;
    images(&root.path().join("data"))?;
    let dir = root.path().join("run");
    let config = config(&root.path().join("data"));
    train_until(&dir, &config, 5)?;
    let events = resume(&dir)?;
    let whole = log::load(&dir)?.run;
    let text = fs::read_to_string(log::events_path(&dir))?;
    let kept = text
        .lines()
        .filter(|row| !row.contains("\"resumed\"") && !row.contains("\"finished\""));
    fs::write(log::events_path(&dir), kept.collect::<Vec<_>>().join("\n"))?;
    let loaded = log::load(&dir)?;
    assert!(loaded.run.steps == whole.steps && loaded.run.evals == whole.evals);
    assert_eq!(loaded.run.ending, None, "{:?}", loaded.notes);
    assert!(matches!(events.last(), Some(Event::Finished(_))));
    Ok(())
}

/// A log whose last line lacks its end alone goes on after it.
#[test]
fn a_last_line_without_its_end_is_kept_when_a_run_goes_on() -> Result<()> {
    let root = tempfile::tempdir()?;
    images(&root.path().join("data"))?;
    let config = config(&root.path().join("data"));
    let (whole, dir) = (root.path().join("whole"), root.path().join("run"));
    train(&whole, &config)?;
    train_until(&dir, &config, 5)?;
    let text = fs::read_to_string(log::events_path(&dir))?;
    fs::write(
        log::events_path(&dir),
        text.trim_end().replace('\n', "\r\n"),
    )?;
    resume(&dir)?;
    let after = fs::read_to_string(log::events_path(&dir))?;
    assert!(
        after.contains("\"stopped by the user\"}\n{\"event\":\"resumed\""),
        "kept"
    );
    let loaded = log::load(&dir)?;
    assert!(loaded.notes.is_empty(), "{:?}", loaded.notes);
    assert_eq!(loaded.run.steps.len(), log::load(&whole)?.run.steps.len());
    assert_eq!(tensors(&whole, "last")?, tensors(&dir, "last")?);
    Ok(())
}

/// Every reader of a finished run whose log lost its last line end says that it is finished.
#[test]
fn a_finished_run_stays_finished() -> Result<()> {
    let dir = changed(|text| text.trim_end().as_bytes().to_vec())?;
    assert!(matches!(
        log::load(dir.path())?.run.ending,
        Some(Ending::Finished(_))
    ));
    let glance = Glance::read(dir.path())?;
    assert!(matches!(glance.ending, Some(Ending::Finished(_))));
    assert_eq!(
        Some(glance),
        Glance::of(&log::load(&recorded())?.run, false)
    );
    assert!(Run::default().ending.is_none());
    Ok(())
}
