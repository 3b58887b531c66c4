//! Reading a run's log: the whole log, or the part that another process has appended since the last reading.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{BufRead, BufReader, Read as _, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::line::{content, format_of, is_whole, parse};
use crate::run::error::RunError;
use crate::run::event::{Event, NEWEST_FORMAT, Started};
use crate::run::paths::events_path;
use crate::run::reducer::Run;
use crate::run::summaries;
use crate::run::tensors::verification::{self, Verification};

/// Length in bytes of the longest line that is read, so that a file without lines cannot take all memory. The evaluation of
/// 1,000 classes has two million.
const LONGEST_LINE: u64 = 256 << 20;

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

impl Loaded {
    /// Refuses a run that another program trained, with which `action` cannot be done.
    ///
    /// # Errors
    /// Where another program trained it.
    pub fn refuse_recorded(&self, dir: &Path, action: &'static str) -> Result<(), RunError> {
        let started = self.run.started.as_ref();
        started.map_or(Ok(()), |started| {
            RunError::refuse_recorded(started, dir, action)
        })
    }
}

/// How far a log was read: the end of the last whole line that was read. [`follow`] continues there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Position {
    bytes: u64,
    /// Number of line ends before that place.
    lines: usize,
    /// Fingerprint of the header, which distinguishes a log that was replaced from one that grew.
    header: Option<u64>,
    /// The step of the last training step.
    step: u64,
    /// Whether a step was found that goes back behind an earlier one.
    goes_back: bool,
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
        return Err(RunError::no_header(&log.path));
    };
    let (verified, errors) = verification::all_in(run, started.classes.len());
    loaded.verified = verified;
    let left_out = |error: &RunError| format!("what was verified is left out: {error}");
    loaded.notes.extend(errors.iter().map(left_out));
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

/// The header of a log, before it is parsed.
pub(in crate::run) struct HeaderLine {
    pub(in crate::run) text: Vec<u8>,
    /// Number of the line, from 1.
    pub(in crate::run) number: usize,
    /// Where the line ends, in bytes from the beginning.
    pub(in crate::run) end: u64,
}

/// The header of a run.
///
/// # Errors
/// Where there is no run, its header is damaged, or it is of a newer format.
pub(in crate::run) fn header(run: &Path) -> Result<Started, RunError> {
    let mut log = Log::open(run)?;
    match log
        .header_line()?
        .map(|line| log.header_of(&line.text, line.number))
        .transpose()?
    {
        Some(Event::Started(started)) => Ok(*started),
        _ => Err(RunError::no_header(&log.path)),
    }
}

/// A log that is open for reading.
pub(in crate::run) struct Log {
    run: PathBuf,
    pub(in crate::run) path: PathBuf,
    pub(in crate::run) reader: BufReader<File>,
    /// Whether a writer held the lock before the first byte was read. If none did, the log holds all events of the run.
    pub(in crate::run) running: bool,
}

impl Log {
    pub(in crate::run) fn open(run: &Path) -> Result<Self, RunError> {
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

    pub(in crate::run) fn length(&self) -> Result<u64, RunError> {
        let metadata = self.reader.get_ref().metadata();
        let length = metadata.map(|metadata| metadata.len());
        length.map_err(|e| self.unreadable(e))
    }

    /// Fingerprint of the header, as in [`Position`]; `None` where the log has none yet.
    fn header(&mut self) -> Result<Option<u64>, RunError> {
        let header = self.header_line()?;
        Ok(header.map(|header| fingerprint(&header.text)))
    }

    /// The first line that is not blank; `None` where it is not whole, or there is none.
    pub(in crate::run) fn header_line(&mut self) -> Result<Option<HeaderLine>, RunError> {
        let mut line = Vec::new();
        let seek = self.reader.seek(SeekFrom::Start(0));
        seek.map_err(|e| self.unreadable(e))?;
        let (mut end, mut number) = (0, 1);
        loop {
            line.clear();
            let read = self.line(&mut line, number)?;
            let text = content(&line, end == 0);
            end += read as u64;
            let is_ended = line.last() == Some(&b'\n');
            if !text.is_empty() {
                return Ok((is_ended || is_whole(text)).then(|| HeaderLine {
                    text: text.to_vec(),
                    number,
                    end,
                }));
            }
            if !is_ended {
                return Ok(None);
            }
            number += 1;
        }
    }

    /// The bytes up to the first line's end.
    pub(in crate::run) fn first_line(&mut self) -> Result<Vec<u8>, RunError> {
        let mut line = Vec::new();
        let seek = self.reader.seek(SeekFrom::Start(0));
        seek.map_err(|e| self.unreadable(e))?;
        self.line(&mut line, 1)?;
        Ok(line)
    }

    /// Appends the next line to `line`, and returns its length in bytes.
    fn line(&mut self, line: &mut Vec<u8>, number: usize) -> Result<usize, RunError> {
        let mut limited = (&mut self.reader).take(LONGEST_LINE);
        let read = limited.read_until(b'\n', line);
        let read = read.map_err(|e| self.unreadable(e))?;
        if read as u64 == LONGEST_LINE {
            return Err(RunError::damaged_line(&self.path, number, "is too long"));
        }
        Ok(read)
    }

    /// Reads whole lines from `position`, which moves along; returns whether a torn line follows. A last line without a
    /// line's end is whole if its JSON is.
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
            let read = self.line(&mut line, position.lines + 1)?;
            let text = content(&line, position.bytes == 0);
            let is_ended = line.last() == Some(&b'\n');
            if !is_ended && (text.is_empty() || !is_whole(text)) {
                return Ok(!text.is_empty());
            }
            if !text.is_empty() {
                self.take(text, position, notes, take)?;
            }
            // The end of a line that was read before it was there is blank, and ends the same line.
            position.lines += usize::from(is_ended);
            position.bytes += read as u64;
        }
    }

    /// Takes in one whole line.
    fn take(
        &self,
        text: &[u8],
        position: &mut Position,
        notes: &mut Vec<String>,
        take: &mut dyn FnMut(Event),
    ) -> Result<(), RunError> {
        let number = position.lines + 1;
        let Some(header) = position.header else {
            position.header = Some(fingerprint(text));
            return self.header_of(text, number).map(take);
        };
        match self.event(text, number)? {
            Some(Event::Started(_)) if fingerprint(text) == header => notes.push(format!(
                "line {number} of the log is the header once more; it is skipped"
            )),
            Some(Event::Started(_)) => return Err(self.second_header(number)),
            Some(event) => {
                let is_step = matches!(event, Event::Step(_));
                let goes_back = is_step && event.step() <= position.step;
                if goes_back && !position.goes_back {
                    position.goes_back = true;
                    notes.push(format!(
                        "line {number} of the log is step {}, but follows step {}: lines were moved, repeated or lost; every \
                         step is shown once, in its order",
                        event.step(),
                        position.step
                    ));
                }
                if is_step || matches!(event, Event::Resumed { .. }) {
                    position.step = event.step();
                }
                take(event);
            }
            None => notes.push(format!(
                "line {number} of the log is an event this version does not know; it is skipped"
            )),
        }
        Ok(())
    }

    /// The header on the first line that is not blank.
    pub(in crate::run) fn header_of(&self, text: &[u8], number: usize) -> Result<Event, RunError> {
        let parsed = parse(text);
        match (format_of(text), parsed) {
            (_, Ok(Some(event @ Event::Started(_)))) => Ok(event),
            (Some(found), _) if found > NEWEST_FORMAT => Err(RunError::Newer {
                found,
                path: self.run.clone(),
            }),
            (_, Err(reason)) => Err(RunError::damaged_header(
                &self.path,
                format!("line {number}, the header: {reason}"),
            )),
            (_, Ok(_)) => Err(RunError::damaged_header(
                &self.path,
                "its first line is not a header",
            )),
        }
    }

    /// The event on a line after the header; `None` where this version does not know the event.
    pub(in crate::run) fn event(
        &self,
        text: &[u8],
        number: usize,
    ) -> Result<Option<Event>, RunError> {
        parse(text).map_err(|reason| RunError::damaged_line(&self.path, number, &reason))
    }

    fn second_header(&self, number: usize) -> RunError {
        RunError::damaged_header(
            &self.path,
            format!(
                "line {number} is the header of another run, so that it holds more than one log"
            ),
        )
    }

    pub(in crate::run) fn unreadable(&self, error: std::io::Error) -> RunError {
        RunError::io("read the log", &self.path, error)
    }
}

fn fingerprint(line: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    line.hash(&mut hasher);
    hasher.finish()
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
