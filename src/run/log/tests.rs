use super::*;

/// A process that waits for the lock of an empty log, which the process before it then removes, writes to the log that is
/// at the path afterwards.
#[cfg(unix)]
#[test]
fn a_log_that_was_removed_before_it_was_locked_is_opened_anew() -> anyhow::Result<()> {
    let parent = tempfile::tempdir()?;
    let dir = parent.path().join("run");
    fs::create_dir(&dir)?;
    let late = Writer::lock_once(&dir)?;
    remove_empty(&dir);
    assert!(!dir.exists());
    let mut writer = late.at_its_path()?;
    writer.write(&Event::Resumed { step: 7 })?;
    let text = fs::read_to_string(events_path(&dir))?;
    assert!(text.contains("resumed"), "{text}");
    // A log that stays where it is stays the same.
    writer.at_its_path()?.write(&Event::Resumed { step: 8 })?;
    assert_eq!(fs::read_to_string(events_path(&dir))?.lines().count(), 2);
    Ok(())
}

#[test]
fn a_line_that_cannot_be_written_whole_is_taken_back() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let mut writer = Writer::create(dir.path())?;
    writer.write(&Event::Resumed { step: 7 })?;
    let failed = append_by(&mut writer.file, |file| {
        file.write_all(b"{\"event\":\"resu")?;
        Err(io::Error::other("the disk is full"))
    });
    assert!(failed.is_err());
    writer.write(&Event::Resumed { step: 8 })?;
    let text = fs::read_to_string(events_path(dir.path()))?;
    let lines = text.lines().map(|line| parse(line.as_bytes()));
    let wanted = [7, 8].map(|step| Ok(Some(Event::Resumed { step })));
    assert_eq!(lines.collect::<Vec<_>>(), wanted);
    Ok(())
}
