//! The facts about a run that a list of runs shows. They come from the header and the last lines of the log, so that a
//! list of hundreds of runs reads no whole log, but for those that other programs recorded.

use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use super::error::RunError;
use super::event::{Eval, Event, Split, Started};
use super::log::line::{content, is_whole, parse};
use super::log::reader::Log;
use super::reducer::{Ending, Run};

/// Bytes of a log's end that are read first.
const TAIL_BYTES: u64 = 64 << 10;
/// Most bytes of a log's end that are read where the last lines hold no evaluation to show.
const LONGEST_TAIL_BYTES: u64 = 4 << 20;

/// The facts about a run that a list of runs shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Glance {
    /// The header.
    pub started: Arc<Started>,
    /// The largest step of any event.
    pub step: u64,
    /// Whether a process holds the run's lock: the run is being trained.
    pub running: bool,
    /// How the run ended; `None` while it runs, or where its process was killed.
    pub ending: Option<Ending>,
    /// Scores of the newest evaluation on the validation images.
    pub val: Option<Scores>,
    /// Scores on the test images at the step with the best validation macro-F1; at the last tested step where that step
    /// was not tested, or there is no validation.
    pub test: Option<Scores>,
    /// The class with the fewest training images among those that have any; empty where none has.
    pub rarest_class: String,
}

/// Scores of one evaluation, in [0, 1]; `None` where undefined.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scores {
    /// Optimiser steps taken before the evaluation.
    pub step: u64,
    /// Mean F1 over the classes whose F1 is defined.
    pub macro_f1: Option<f64>,
    /// Share of images that are classified correctly.
    pub accuracy: Option<f64>,
    /// F1 of the class with the fewest training images among those that have any; `None` also where the evaluation has no
    /// image of it.
    pub rarest_f1: Option<f64>,
}

impl Glance {
    /// The glance of a run that is in memory; `None` before its header.
    pub fn of(run: &Run, running: bool) -> Option<Self> {
        let started = run.started.as_ref()?;
        let rarest = started.rarest();
        let scores = |eval: &Eval| Scores {
            step: eval.step,
            macro_f1: eval.macro_f1,
            accuracy: eval.accuracy,
            // Without an image of the class its F1 says only whether one was predicted as it.
            rarest_f1: rarest
                .filter(|&k| eval.support.get(k) != Some(&0))
                .and_then(|k| *eval.f1.get(k)?),
        };
        let chosen = run.best().map(|best| best.step);
        let test = run
            .evals_of(Split::Test)
            .find(|eval| Some(eval.step) == chosen);
        let test = test.or_else(|| run.evals_of(Split::Test).next_back());
        Some(Self {
            started: Arc::new(started.clone()),
            step: run.last_step(),
            running,
            ending: run.ending.clone(),
            val: run.evals_of(Split::Val).next_back().map(scores),
            test: test.map(scores),
            rarest_class: rarest
                .and_then(|k| started.classes.get(k).cloned())
                .unwrap_or_default(),
        })
    }

    /// Reads the header and the last lines of a run's log; the whole log where another program recorded the run. Never
    /// writes.
    ///
    /// # Errors
    /// Where there is no run, its header is damaged or of a newer format, or one of the lines read is damaged. Damage
    /// further up in the log is not noticed.
    pub fn read(dir: &Path) -> Result<Self, RunError> {
        let mut log = Log::open(dir)?;
        let Some(line) = log.header_line()? else {
            return Err(RunError::no_header(&log.path));
        };
        let mut run = Run::default();
        run.apply(&log.header_of(&line.text, line.number)?);
        let (start, end) = (line.end, log.length()?);
        // The best and the last step of a run of this program are evaluated once more at its end. Other programs test
        // whenever they like: which of their validations is the best is known from all of them alone.
        let is_recorded = run.is_recorded();
        let mut length = if is_recorded { end } else { TAIL_BYTES };
        loop {
            let from = end.saturating_sub(length).max(start);
            let events = tail(&mut log, from, from > start)?;
            let is_whole = from == start || length >= LONGEST_TAIL_BYTES;
            if is_whole || is_enough(&events) {
                events.iter().for_each(|event| run.apply(event));
                break;
            }
            length *= 4;
        }
        Self::of(&run, log.running).ok_or_else(|| RunError::no_header(&log.path))
    }
}

/// The events in the log from the byte `from` on; where that byte lies `within` a line, from the next line on.
fn tail(log: &mut Log, from: u64, within: bool) -> Result<Vec<Event>, RunError> {
    let mut bytes = Vec::new();
    let seek = log.reader.seek(SeekFrom::Start(from));
    let read = seek.and_then(|_| log.reader.read_to_end(&mut bytes));
    read.map_err(|e| log.unreadable(e))?;
    let mut lines: Vec<&[u8]> = bytes.split(|&b| b == b'\n').collect();
    // The last line may be torn or half written.
    let last = lines.pop().map(|line| content(line, false));
    lines.extend(last.filter(|last| is_whole(last)));
    let mut events = Vec::new();
    for line in lines.into_iter().skip(usize::from(within)) {
        let text = content(line, false);
        if text.is_empty() {
            continue;
        }
        match parse(text) {
            // A header that was repeated, or that of another run: reading the whole log says which.
            Ok(Some(Event::Started(_)) | None) => {}
            Ok(Some(event)) => events.push(event),
            Err(reason) => {
                let reason = format!("one of its lines {reason}");
                return Err(RunError::damaged_header(&log.path, reason));
            }
        }
    }
    Ok(events)
}

/// Whether the last events hold the scores that a list shows: of a finished run the test at its last step, of any other
/// run an evaluation.
fn is_enough(events: &[Event]) -> bool {
    let finished = events.iter().rev().find_map(|event| match event {
        Event::Finished(end) => Some(end.step),
        Event::Started(_)
        | Event::Step(_)
        | Event::Eval(_)
        | Event::Probe(_)
        | Event::Resumed { .. }
        | Event::Stopped(_)
        | Event::Failed(_) => None,
    });
    events.iter().any(|event| match (event, finished) {
        (Event::Eval(eval), Some(step)) => eval.split == Split::Test && eval.step == step,
        (Event::Eval(_), None) => true,
        _ => false,
    })
}

#[cfg(test)]
mod tests;
