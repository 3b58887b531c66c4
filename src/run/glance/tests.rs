use super::*;
use crate::run::event::End;
use crate::run::log::{Followed, Position, Writer, events_path, follow, load};
use std::io::Write as _;

/// The events of a log written by the trainer.
fn recorded() -> anyhow::Result<(Vec<u8>, Run)> {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded/solar-branch");
    let bytes = std::fs::read(events_path(&sample))?;
    Ok((bytes, load(&sample)?.run))
}

#[test]
fn a_glance_of_the_end_equals_that_of_the_whole_log() -> anyhow::Result<()> {
    let (bytes, run) = recorded()?;
    let dir = tempfile::tempdir()?;
    std::fs::write(events_path(dir.path()), &bytes)?;
    let whole = Glance::of(&run, false);
    assert_eq!(Some(Glance::read(dir.path())?), whole);
    assert!(whole.is_some_and(|glance| glance.test.is_some() && glance.val.is_some()));

    // Ten thousand steps lie between the header and the end.
    let header = bytes
        .iter()
        .position(|&b| b == b'\n')
        .map_or(0, |at| at + 1);
    let step = &bytes[header..];
    let step = &step[..step.iter().position(|&b| b == b'\n').map_or(0, |at| at + 1)];
    let mut long = bytes[..header].to_vec();
    (0..10_000).for_each(|_| long.extend_from_slice(step));
    long.extend_from_slice(&bytes[header..]);
    std::fs::write(events_path(dir.path()), &long)?;
    assert_eq!(
        Glance::read(dir.path())?.test,
        Glance::of(&run, false).and_then(|x| x.test)
    );
    Ok(())
}

/// Another program may test after every epoch: its best validation can then lie anywhere in the log.
#[test]
fn the_glance_of_a_recorded_run_has_the_test_of_its_best_validation() -> anyhow::Result<()> {
    let (_, run) = recorded()?;
    let lacking = || anyhow::anyhow!("the recorded run lacks an event");
    let mut started = run.started.clone().ok_or_else(lacking)?;
    started.recorder = Some(Box::default());
    let step = run.steps.first().ok_or_else(lacking)?;
    let eval = run.evals.first().ok_or_else(lacking)?;
    let mut events = vec![Event::Started(Box::new(started))];
    for (at, macro_f1) in [(1000, 0.9), (2000, 0.5), (3000, 0.4)] {
        events.extend((0..2000).map(|_| Event::Step(step.clone())));
        for split in [Split::Val, Split::Test] {
            events.push(Event::Eval(Eval {
                step: at,
                split,
                macro_f1: Some(macro_f1),
                ..eval.clone()
            }));
        }
    }
    events.push(Event::Finished(End {
        step: 3000,
        message: String::new(),
    }));
    let mut log = Vec::new();
    for event in &events {
        serde_json::to_writer(&mut log, event)?;
        log.push(b'\n');
    }
    let dir = tempfile::tempdir()?;
    std::fs::write(events_path(dir.path()), &log)?;
    let glance = Glance::read(dir.path())?;
    assert_eq!(glance.test.map(|scores| scores.step), Some(1000));
    assert_eq!(Some(glance), Glance::of(&load(dir.path())?.run, false));
    Ok(())
}

#[test]
fn a_log_that_cannot_be_read_gives_a_sentence() -> anyhow::Result<()> {
    let (bytes, _) = recorded()?;
    let dir = tempfile::tempdir()?;
    let path = events_path(dir.path());
    for text in ["", "{\"event\":", "{\"event\":\"step\"}\n", "torn"] {
        std::fs::write(&path, text)?;
        assert!(Glance::read(dir.path()).is_err(), "{text}");
    }
    let mut damaged = bytes.clone();
    damaged.extend_from_slice(b"{\"event\": 3\n");
    std::fs::write(&path, &damaged)?;
    let error = Glance::read(dir.path())
        .map(|_| ())
        .unwrap_err()
        .to_string();
    assert!(error.contains("damaged file"), "{error}");
    // An incomplete last line is no damage, since a writer may still be writing it.
    damaged.truncate(bytes.len() + 8);
    std::fs::write(&path, &damaged)?;
    Glance::read(dir.path())?;
    Ok(())
}

/// A log that is read while it is appended to in pieces, regardless of line breaks, gives the same run as the whole
/// log.
#[test]
fn a_log_that_grows_in_pieces_is_followed() -> anyhow::Result<()> {
    let (bytes, whole) = recorded()?;
    let dir = tempfile::tempdir()?;
    let path = events_path(dir.path());
    let header = bytes
        .iter()
        .position(|&b| b == b'\n')
        .map_or(0, |at| at + 1);
    std::fs::write(&path, &bytes[..header + 10])?;
    let loaded = load(dir.path())?;
    let (mut run, mut position) = (loaded.run, loaded.position);

    let rest = bytes[header + 10..].to_vec();
    let to = path;
    let writer = std::thread::spawn(move || -> std::io::Result<()> {
        let mut file = std::fs::OpenOptions::new().append(true).open(to)?;
        rest.chunks(997).try_for_each(|piece| file.write_all(piece))
    });
    let mut rounds = 0;
    loop {
        let is_done = writer.is_finished();
        read_on(dir.path(), &mut run, &mut position)?;
        rounds += 1;
        if is_done {
            break;
        }
    }
    writer
        .join()
        .map_err(|_| anyhow::anyhow!("the writer panicked"))??;
    assert_eq!(run, whole, "after {rounds} rounds");
    let before = position.clone();
    read_on(dir.path(), &mut run, &mut position)?;
    assert_eq!(position, before, "nothing is read twice");
    Ok(())
}

fn read_on(dir: &Path, run: &mut Run, position: &mut Position) -> anyhow::Result<()> {
    match follow(dir, position)? {
        Followed::News(news) => {
            news.events.iter().for_each(|event| run.apply(event));
            *position = news.position;
            Ok(())
        }
        Followed::Anew(_) => anyhow::bail!("the log was not replaced"),
    }
}

#[test]
fn a_log_that_was_replaced_is_read_anew() -> anyhow::Result<()> {
    let (bytes, _) = recorded()?;
    let dir = tempfile::tempdir()?;
    let path = events_path(dir.path());
    std::fs::write(&path, &bytes)?;
    let position = load(dir.path())?.position;

    // After a restart the log has another header: first it is shorter than the log read before, then longer.
    let text = String::from_utf8(bytes)?;
    let other = text.replacen("\"id\":\"", "\"id\":\"again-", 1);
    let header = other.find('\n').map_or(0, |at| at + 1);
    for length in [header, other.len()] {
        std::fs::write(&path, &other[..length])?;
        let Followed::Anew(loaded) = follow(dir.path(), &position)? else {
            anyhow::bail!("the log was replaced");
        };
        let started = loaded.run.started.as_ref();
        assert!(started.is_some_and(|started| started.id.starts_with("again-")));
    }

    std::fs::remove_file(&path)?;
    let error = follow(dir.path(), &position).map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("this is not a run"), "{error}");
    Ok(())
}

#[test]
fn a_glance_shows_whether_a_writer_holds_the_lock() -> anyhow::Result<()> {
    let (bytes, _) = recorded()?;
    let dir = tempfile::tempdir()?;
    std::fs::write(events_path(dir.path()), &bytes)?;
    let mut writer = Writer::append(dir.path())?;
    assert!(Glance::read(dir.path())?.running);
    let message = "no more".to_owned();
    writer.write(&Event::Stopped(End { step: 7, message }))?;
    drop(writer);
    let glance = Glance::read(dir.path())?;
    assert!(!glance.running && matches!(glance.ending, Some(Ending::Stopped(_))));
    Ok(())
}

#[test]
fn the_rarest_class_is_one_that_has_training_images() -> anyhow::Result<()> {
    let (_, mut run) = recorded()?;
    let rarest = |run: &Run| Glance::of(run, false).map(|glance| glance.rarest_class);
    assert_eq!(rarest(&run).as_deref(), Some("Physical-damage"));
    let name = run.started.as_ref().map(|x| x.classes[3].clone());
    if let Some(started) = &mut run.started {
        started.train_counts[4] = 0;
    }
    assert_eq!(rarest(&run), name);
    let glance = Glance::of(&run, false);
    let shown = glance.and_then(|x| x.val).and_then(|x| x.rarest_f1);
    let newest = run.evals_of(Split::Val).next_back();
    assert_eq!(shown, newest.and_then(|eval| eval.f1[3]));
    assert!(shown.is_some());
    run.evals.iter_mut().for_each(|eval| eval.support[3] = 0);
    let shown = Glance::of(&run, false).and_then(|glance| glance.val);
    assert_eq!(shown.and_then(|scores| scores.rarest_f1), None);
    if let Some(started) = &mut run.started {
        started.train_counts.fill(0);
    }
    assert_eq!(rarest(&run).as_deref(), Some(""));
    Ok(())
}
