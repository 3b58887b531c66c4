//! A run on the list, and how it takes in its log.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::probes::ProbeRequest;
use super::run_state::{RunId, RunState, state_at_rest};
use crate::config::Attention;
use crate::figure::{Subject, View};
use crate::run::event::{Event, Probe, Split, Started};
use crate::run::log::{Loaded, News, Position};
use crate::run::notes::Notes;
use crate::run::probes::Probes;
use crate::run::{BatchNorm, Run};

/// Seconds between two readings of the log of a run that another process trains.
const FOLLOW_EVERY_SECS: f64 = 2.0;

/// A run that seems to be interrupted may be in training on another machine. For this many seconds after it was opened
/// or was last taken for running, its log is read every [`FOLLOW_EVERY_SECS`].
const WATCHED_FOR_SECS: f64 = 120.0;

/// Seconds between two readings of the log of a run that is over, and of one that seems to be interrupted after
/// [`WATCHED_FOR_SECS`].
const WATCHED_EVERY_SECS: f64 = 30.0;

/// A log that grew within this many seconds is taken to be in writing even if no lock is seen: an evaluation can take
/// minutes.
pub(crate) const GROWS_FOR_SECS: f64 = 600.0;

/// One run on the list.
pub(crate) struct RunEntry {
    pub(crate) id: RunId,
    /// Its name on screen, which differs from those of all other runs on the list.
    pub(crate) name: String,
    /// The name from its notes or its directory, which other runs may have, too.
    pub(super) own_name: String,
    pub(crate) dir: PathBuf,
    /// The address of the run on another machine that it is a copy of.
    pub(crate) original: Option<String>,
    /// The run as its log tells it. Threads share it, so that [`Self::apply`] changes a copy while a thread still holds
    /// it.
    pub(crate) run: Arc<Run>,
    pub(crate) probes: Probes,
    /// By step, why a probe file could not be read.
    pub(crate) probe_errors: BTreeMap<u64, String>,
    /// Sentences about lines of its log that were skipped.
    pub(crate) notes: Vec<String>,
    /// The name and the notes that the user gave it.
    pub(crate) user_notes: Notes,
    /// Why they could not be read, if they could not.
    pub(crate) notes_error: Option<String>,
    pub(crate) state: RunState,
    /// The position up to which its log was read; `None` if this window writes the log, or has written it.
    pub(crate) position: Option<Position>,
    /// Whether a thread is reading on in its log.
    pub(crate) is_being_read: bool,
    /// When it was opened, in window seconds.
    opened_at: f64,
    /// When its log was last seen to grow, in window seconds.
    grew_at: Option<f64>,
    /// When its log was last read on, in window seconds.
    pub(crate) followed_at: f64,
}

impl RunEntry {
    /// A run whose log was not read yet.
    pub(super) fn new(id: RunId, dir: PathBuf, state: RunState) -> Self {
        Self {
            id,
            name: String::new(),
            own_name: Notes::default().name_of(&dir),
            dir,
            original: None,
            run: Arc::default(),
            probes: Probes::new(),
            probe_errors: BTreeMap::new(),
            notes: Vec::new(),
            user_notes: Notes::default(),
            notes_error: None,
            state,
            position: None,
            is_being_read: false,
            opened_at: 0.0,
            grew_at: None,
            followed_at: 0.0,
        }
    }

    /// Where the run is: its directory, or its address on another machine.
    pub(crate) fn place(&self) -> String {
        let dir = || self.dir.display().to_string();
        self.original.clone().unwrap_or_else(dir)
    }

    /// Takes in one event.
    pub(crate) fn apply(&mut self, event: &Event) {
        Arc::make_mut(&mut self.run).apply(event);
        if let Event::Resumed { step } = event {
            // The run goes on from the checkpoint of `step`: later probes are void and will be written again.
            self.probes.retain_until(*step);
            self.probe_errors.retain(|at, _| at <= step);
        }
    }

    /// Shows the class gradients measured with this way of treating batch norm, where the run has them. Tensors of the
    /// other way are forgotten, and given back, since freeing them may take longer than a frame.
    pub(crate) fn show(&mut self, batch_norm: BatchNorm) -> Option<Probes> {
        if self.run.asked() == batch_norm || !Arc::make_mut(&mut self.run).show(batch_norm) {
            return None;
        }
        self.probe_errors.clear();
        let kept = self.probes.without_tensors();
        Some(std::mem::replace(&mut self.probes, kept))
    }

    /// Takes in a run that was read from its beginning, in place of the run as it was known before.
    pub(crate) fn read(&mut self, loaded: Loaded, now: f64) {
        let mut run = loaded.run;
        run.show(self.run.asked());
        // Higher revisions than before make figures draw the run anew, however many events the new log has.
        run.revisions.steps += self.run.revisions.steps;
        run.revisions.evals += self.run.revisions.evals;
        run.revisions.probes += self.run.revisions.probes;
        run.revisions.known_probes += self.run.revisions.known_probes + 1;
        let before = std::mem::replace(&mut self.run, Arc::new(run));
        if before.started != self.run.started {
            self.probes = Probes::new();
        }
        self.probes.verified = loaded.verified;
        self.probe_errors.clear();
        self.notes = loaded.notes;
        self.position = Some(loaded.position);
        self.opened_at = now;
        self.grew_at = None;
        self.state = state_at_rest(&self.run, loaded.running);
    }

    /// Takes in the events that were appended to the log since it was last read.
    pub(crate) fn read_on(&mut self, news: News, now: f64) {
        if self.position.is_none() {
            // This window has trained the run since the reading began, and so knows its events.
            return;
        }
        if !news.events.is_empty() {
            self.grew_at = Some(now);
            // A probe file that was incomplete before may be whole now.
            self.probe_errors.clear();
        }
        news.events.iter().for_each(|event| self.apply(event));
        self.notes.extend(news.notes);
        self.position = Some(news.position);
        let is_ended = self.run.ending.is_some();
        let grows = !is_ended && self.grew_at.is_some_and(|at| now - at < GROWS_FOR_SECS);
        self.state = state_at_rest(&self.run, news.running || grows);
    }

    /// Seconds between two readings of its log; `None` if the log is not read on. A log that no process seems to write
    /// is read on, too, but less often after a while: on a network's file system a writer's lock is not seen.
    pub(crate) fn follow_every(&self, now: f64) -> Option<f64> {
        match self.state {
            RunState::Elsewhere | RunState::Unreachable(_) => Some(FOLLOW_EVERY_SECS),
            RunState::Interrupted => {
                // The run was taken for running until its log had not grown for `GROWS_FOR_SECS`.
                let last = self.grew_at.map(|at| at + GROWS_FOR_SECS);
                let since = last.unwrap_or(self.opened_at);
                let is_close = now - since < WATCHED_FOR_SECS;
                Some(if is_close {
                    FOLLOW_EVERY_SECS
                } else {
                    WATCHED_EVERY_SECS
                })
            }
            // The folder may be deleted or moved, and another process may go on with the run.
            RunState::Finished | RunState::Stopped(_) => Some(WATCHED_EVERY_SECS),
            RunState::Opening
            | RunState::Loading
            | RunState::Running
            | RunState::Paused
            | RunState::Failed(_)
            | RunState::Damaged(_) => None,
        }
    }

    /// Seconds from now until its log is to be read on; `None` if it is not.
    pub(crate) fn follow_in(&self, now: f64) -> Option<f64> {
        Some(self.followed_at + self.follow_every(now)? - now)
    }

    /// The run and its probes, for the figures.
    pub(crate) fn subject(&self) -> Subject<'_> {
        Subject {
            name: &self.name,
            run: &self.run,
            probes: &self.probes,
        }
    }

    /// Its attention variant; `None` before its header is read.
    pub(crate) fn attention(&self) -> Option<Attention> {
        Some(self.run.started.as_ref()?.attention())
    }

    /// What its network is, in a word or two: its attention variant, or the name that a recorder gives it.
    pub(crate) fn variant(&self) -> String {
        let started = self.run.started.as_ref();
        started.map_or_else(|| "Run".to_owned(), Started::variant)
    }

    /// Whether the program trained the run itself; false before its header is read.
    pub(crate) fn is_own(&self) -> bool {
        let started = self.run.started.as_ref();
        started.is_some_and(|started| started.recorder.is_none())
    }

    /// Whether the program can go on training the run: one of its own, and no copy of one on another machine.
    pub(crate) fn can_continue(&self) -> bool {
        self.state.can_continue() && self.is_own() && self.original.is_none()
    }

    /// The newest validation macro-F1, or the newest test macro-F1 if there is no validation.
    pub(crate) fn last_macro_f1(&self) -> Option<f64> {
        let last = |split| self.run.evals_of(split).next_back();
        last(Split::Val).or_else(|| last(Split::Test))?.macro_f1
    }

    /// The index of the probe at the cursor.
    pub(super) fn cursor(&self, view: &View) -> Option<usize> {
        self.run.probe_at(view.step.unwrap_or(u64::MAX))
    }

    /// A request for a probe file, or for the rows of some classes in it if `rows` is not empty.
    pub(super) fn request(&self, probe: &Probe, rows: Vec<usize>) -> ProbeRequest {
        ProbeRequest {
            run: self.id,
            step: probe.step,
            path: self.dir.join(&probe.file),
            classes: self.run.started.as_ref().map_or(0, |x| x.classes.len()),
            batch_norm: self.run.batch_norm(),
            rows,
        }
    }

    /// The probes whose files are not known to be damaged, each with its distance from the cursor in probes.
    pub(super) fn readable(&self, view: &View) -> impl Iterator<Item = (usize, &Probe)> {
        let cursor = self.cursor(view).unwrap_or(0);
        let probes = self.run.probes.iter().enumerate();
        probes
            .filter(|(_, probe)| !self.probe_errors.contains_key(&probe.step))
            .map(move |(index, probe)| (index.abs_diff(cursor), probe))
    }
}
