//! Reading a run's log: the whole log, or the part that another process has appended since the last reading.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;

use super::error::RunError;
use super::event::{Event, NEWEST_FORMAT};
use super::paths::events_path;
use super::reducer::Run;
use super::summaries;
use super::tensors::verification::{self, Verification};

/// A run as read from its directory.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The run, reduced from its events.
    pub run: Run,
    /// Whether a process holds the run's lock: the run is being trained.
    pub running: bool,
    /// Sentences about lines that were skipped: a torn last line, unknown events.
    pub notes: Vec<String>,
    /// How far the log was read.
    pub position: Position,
    /// What was measured at checkpoints ([`verification`]), by step.
    pub verified: BTreeMap<u64, Arc<Verification>>,
}

/// How far a log was read: the end of the last whole line that was read. [`follow`] continues there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Position {
    bytes: u64,
    lines: usize,
    /// Fingerprint of the first line, which distinguishes a log that was replaced from one that grew.
    header: u64,
}

/// The outcome of [`follow`].
#[derive(Clone, Debug)]
pub enum Followed {
    /// The log is the one that was read before; these events are new.
    News(News),
    /// Another log has replaced the one that was read before; this is the whole new log.
    Anew(Box<Loaded>),
}

/// The part of a log that was appended since it was last read.
#[derive(Clone, Debug)]
pub struct News {
    /// The new events, in order.
    pub events: Vec<Event>,
    /// Whether a process holds the run's lock: the run is being trained.
    pub running: bool,
    /// Sentences about lines that were skipped.
    pub notes: Vec<String>,
    /// How far the log has been read now.
    pub position: Position,
}

/// Reads and replays a run. Never writes.
///
/// # Errors
/// Where there is no run, its header is damaged, or it is of a newer format.
pub fn load(run: &Path) -> Result<Loaded, RunError> {
    let mut log = Log::open(run)?;
    let mut loaded = Loaded {
        run: Run::default(),
        running: log.running,
        notes: Vec::new(),
        position: Position::default(),
        verified: BTreeMap::new(),
    };
    let mut lacking = Vec::new();
    let mut take = |mut event| {
        lacking.extend(summaries::complete(&mut event, &loaded.run, run));
        loaded.run.apply(&event);
    };
    let is_torn = log.read(&mut loaded.position, &mut loaded.notes, &mut take)?;
    loaded.notes.extend(lacking);
    if is_torn && !log.running {
        loaded.notes.push(format!(
            "line {} of the log was cut short when its writer was killed; it is ignored",
            loaded.position.lines + 1
        ));
    }
    let Some(started) = &loaded.run.started else {
        return Err(RunError::damaged(
            &log.path,
            "it has no header; the run ended before its first step",
        ));
    };
    loaded.verified = verification::all_in(run, started.classes.len());
    Ok(loaded)
}

/// Reads the events that were appended to a log since it was read up to `from`. An incomplete last line is left for the
/// next call. Where another log has replaced the one that was read before, the whole new log is read. Never writes.
///
/// # Errors
/// As [`load`].
pub fn follow(run: &Path, from: &Position) -> Result<Followed, RunError> {
    let mut log = Log::open(run)?;
    let mut position = from.clone();
    if log.length()? < from.bytes || log.header()? != from.header {
        return Ok(Followed::Anew(Box::new(load(run)?)));
    }
    let (mut notes, mut events) = (Vec::new(), Vec::new());
    log.read(&mut position, &mut notes, &mut |event| events.push(event))?;
    if events.iter().any(summaries::are_missing) {
        let line = log.first_line()?;
        let mut header = Run::default();
        log.event(&line, 1)?
            .iter()
            .for_each(|event| header.apply(event));
        for event in &mut events {
            notes.extend(summaries::complete(event, &header, run));
        }
    }
    Ok(Followed::News(News {
        events,
        running: log.running,
        notes,
        position,
    }))
}

/// A log that is open for reading.
pub(super) struct Log {
    run: PathBuf,
    pub(super) path: PathBuf,
    pub(super) reader: BufReader<File>,
    /// Whether a writer held the lock before the first byte was read. If none did, the log holds all events of the run.
    pub(super) running: bool,
}

impl Log {
    pub(super) fn open(run: &Path) -> Result<Self, RunError> {
        let path = events_path(run);
        if !path.is_file() {
            return Err(RunError::not_a_run(run));
        }
        let file = File::open(&path).map_err(|e| RunError::io("open the log", &path, e))?;
        let running = is_locked(&file);
        Ok(Self {
            run: run.to_owned(),
            path,
            reader: BufReader::new(file),
            running,
        })
    }

    pub(super) fn length(&self) -> Result<u64, RunError> {
        let metadata = self.reader.get_ref().metadata();
        let length = metadata.map(|metadata| metadata.len());
        length.map_err(|e| self.unreadable(e))
    }

    /// Fingerprint of the first line, as in [`Position`].
    fn header(&mut self) -> Result<u64, RunError> {
        Ok(fingerprint(&self.first_line()?))
    }

    pub(super) fn first_line(&mut self) -> Result<Vec<u8>, RunError> {
        let mut line = Vec::new();
        let seek = self.reader.seek(SeekFrom::Start(0));
        let read = seek.and_then(|_| self.reader.read_until(b'\n', &mut line));
        read.map_err(|e| self.unreadable(e))?;
        Ok(line)
    }

    /// Reads whole lines from `position`, which moves along; returns whether a torn line follows.
    fn read(
        &mut self,
        position: &mut Position,
        notes: &mut Vec<String>,
        take: &mut dyn FnMut(Event),
    ) -> Result<bool, RunError> {
        let seek = self.reader.seek(SeekFrom::Start(position.bytes));
        seek.map_err(|e| self.unreadable(e))?;
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = self.reader.read_until(b'\n', &mut line);
            let read = read.map_err(|e| self.unreadable(e))?;
            if line.last() != Some(&b'\n') {
                return Ok(read > 0);
            }
            let number = position.lines + 1;
            match self.event(&line, number)? {
                Some(event) => take(event),
                None => notes.push(format!(
                    "line {number} of the log is an event this version does not know; it is skipped"
                )),
            }
            if number == 1 {
                position.header = fingerprint(&line);
            }
            position.lines = number;
            position.bytes += read as u64;
        }
    }

    /// The event on a line; `None` where this version does not know the event. The first line must be a header.
    pub(super) fn event(&self, line: &[u8], number: usize) -> Result<Option<Event>, RunError> {
        let parsed = parse(line);
        let is_header = matches!(parsed, Ok(Some(Event::Started(_))));
        if number == 1 && !is_header {
            return Err(match (format_of(line), parsed) {
                (Some(found), _) if found > NEWEST_FORMAT => RunError::Newer {
                    found,
                    path: self.run.clone(),
                },
                (_, Err(reason)) => RunError::damaged(&self.path, format!("line 1: {reason}")),
                _ => RunError::damaged(&self.path, "its first line is not a header"),
            });
        }
        parsed.map_err(|reason| RunError::damaged(&self.path, format!("line {number}: {reason}")))
    }

    pub(super) fn unreadable(&self, error: std::io::Error) -> RunError {
        RunError::io("read the log", &self.path, error)
    }
}

fn fingerprint(line: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    line.hash(&mut hasher);
    hasher.finish()
}

/// The name of the event on a line of the log.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow, default)]
    event: Cow<'a, str>,
}

/// The event on one line of the log; `None` for an event that this version does not know, or a header of a newer
/// format.
///
/// The name of the event is read first and then the line as that event: deserialising the tagged `Event` would buffer
/// every number of the line in between, and a long log would take seconds.
pub(super) fn parse(line: &[u8]) -> Result<Option<Event>, String> {
    let event = || -> serde_json::Result<Option<Event>> {
        let head: Head<'_> = serde_json::from_slice(line)?;
        Ok(Some(match head.event.as_ref() {
            "started" if format_of(line).is_some_and(|format| format <= NEWEST_FORMAT) => {
                Event::Started(serde_json::from_slice(line)?)
            }
            "step" => Event::Step(serde_json::from_slice(line)?),
            "eval" => Event::Eval(serde_json::from_slice(line)?),
            "probe" => Event::Probe(serde_json::from_slice(line)?),
            "resumed" | "finished" | "stopped" | "failed" => serde_json::from_slice(line)?,
            _ => return Ok(None),
        }))
    };
    event().map_err(|error| error.to_string())
}

fn format_of(line: &[u8]) -> Option<u32> {
    #[derive(Deserialize)]
    struct Format {
        format: u32,
    }
    let format: Format = serde_json::from_slice(line).ok()?;
    Some(format.format)
}

fn is_locked(file: &File) -> bool {
    // A shared lock is refused exactly while a writer holds the exclusive one; the shared lock is released at once.
    match file.try_lock_shared() {
        Ok(()) => {
            let _ = file.unlock();
            false
        }
        Err(TryLockError::WouldBlock) => true,
        Err(TryLockError::Error(_)) => false,
    }
}

/// Whether a process is writing the run now.
pub fn is_being_written(run: &Path) -> bool {
    File::open(events_path(run)).is_ok_and(|file| is_locked(&file))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::event::End;

    /// Index of an event's kind. The match has no wildcard, so that a new kind of event does not compile until it is
    /// added here.
    fn kind(event: &Event) -> usize {
        match event {
            Event::Started(_) => 0,
            Event::Step(_) => 1,
            Event::Eval(_) => 2,
            Event::Probe(_) => 3,
            Event::Resumed { .. } => 4,
            Event::Finished(_) => 5,
            Event::Stopped(_) => 6,
            Event::Failed(_) => 7,
        }
    }

    /// The recorded run holds a header, steps, evaluations, probes and its end.
    #[test]
    fn every_kind_of_event_is_read_as_it_was_written() -> anyhow::Result<()> {
        let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded/solar-branch");
        let text = std::fs::read_to_string(events_path(&recorded))?;
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let end = || End {
            step: 7,
            message: "why".to_owned(),
        };
        for event in [
            Event::Resumed { step: 3 },
            Event::Stopped(end()),
            Event::Failed(end()),
        ] {
            lines.push(serde_json::to_string(&event)?);
        }
        let mut seen = [false; 8];
        for line in &lines {
            let event = parse(line.as_bytes()).map_err(anyhow::Error::msg)?;
            let written: Event = serde_json::from_str(line)?;
            seen[kind(&written)] = true;
            assert_eq!(event, Some(written));
        }
        assert_eq!(seen, [true; 8]);
        assert_eq!(parse(br#"{"event":"of a later version"}"#), Ok(None));
        Ok(())
    }
}
