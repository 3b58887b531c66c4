//! The runs on the list: live ones, those read from disk, and which of their probe tensors are in memory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::background::{ProbeReply, ProbeRequest};
use crate::config::Attention;
use crate::figure::Subject;
use crate::run::event::Event;
use crate::run::log::{Loaded, News, Position};
use crate::run::probe_file::ProbeTensors;
use crate::run::{Ending, Run};

/// Names a run for as long as it is on the list.
pub(crate) type RunId = usize;

/// Probe tensors are kept up to this many bytes, those nearest to the cursor first.
const PROBE_MEMORY_BYTES: usize = 512 << 20;

/// Probe files read in one go: few, so that moving the cursor is answered at once.
const PROBES_AT_ONCE: usize = 8;

/// A run that was interrupted as it seems is watched for this long, lest it is being trained on another machine.
const WATCHED_FOR_SECS: f64 = 120.0;

/// A log that grew this recently is still being written, lock or no lock: evaluations take their time.
const GROWS_FOR_SECS: f64 = 600.0;

/// What a run is doing, as shown on the list.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum State {
    /// Its log is being read.
    Opening,
    /// This window trains it, but the first step is not done.
    Loading,
    /// This window trains it.
    Running,
    /// This window trains it, and it waits.
    Paused,
    /// Another process trains it.
    Elsewhere,
    /// All epochs were trained.
    Finished,
    /// Stopped by the user.
    Stopped(String),
    /// Could not go on.
    Failed(String),
    /// Its process ended without a word.
    Interrupted,
    /// It was followed, and its log can no longer be read.
    Unreachable(String),
    /// It was found, and cannot be read.
    Damaged(String),
}

impl State {
    /// One word for the list.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Loading => "loading",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Elsewhere => "running elsewhere",
            Self::Finished => "finished",
            Self::Stopped(_) => "stopped",
            Self::Failed(_) => "failed",
            Self::Interrupted => "interrupted",
            Self::Unreachable(_) => "out of reach",
            Self::Damaged(_) => "damaged",
        }
    }

    /// A sentence for the tooltip.
    pub(crate) fn sentence(&self) -> String {
        match self {
            Self::Opening => "The run is being read.".to_owned(),
            Self::Loading => "Images are being read; the first step follows.".to_owned(),
            Self::Running => "This window is training the run.".to_owned(),
            Self::Paused => "Training waits. Press Resume to go on.".to_owned(),
            Self::Elsewhere => "Another process is training the run; what it writes is read every two seconds.".to_owned(),
            Self::Finished => "All epochs were trained.".to_owned(),
            Self::Stopped(reason) if reason.is_empty() => {
                "Stopped before its last epoch. It can be continued.".to_owned()
            }
            Self::Stopped(reason) | Self::Failed(reason) | Self::Damaged(reason) => reason.clone(),
            Self::Interrupted => "Its program ended before the run did. It can be continued from its last checkpoint.".to_owned(),
            Self::Unreachable(reason) => format!("Shown as it was last read; it is tried again every two seconds. {reason}"),
        }
    }

    /// Whether nobody is thought to train the run.
    pub(crate) fn is_at_rest(&self) -> bool {
        matches!(
            self,
            Self::Finished | Self::Stopped(_) | Self::Failed(_) | Self::Interrupted
        )
    }

    /// Whether something went wrong.
    pub(crate) fn is_bad(&self) -> bool {
        matches!(
            self,
            Self::Failed(_) | Self::Damaged(_) | Self::Unreachable(_)
        )
    }

    /// Whether this window trains the run.
    pub(crate) fn is_ours(&self) -> bool {
        matches!(self, Self::Loading | Self::Running | Self::Paused)
    }

    /// Whether training can go on from a checkpoint.
    pub(crate) fn can_continue(&self) -> bool {
        matches!(self, Self::Stopped(_) | Self::Interrupted)
    }
}

/// One run on the list.
pub(crate) struct RunEntry {
    pub(crate) id: RunId,
    /// The name of its directory.
    pub(crate) name: String,
    pub(crate) dir: PathBuf,
    pub(crate) run: Run,
    pub(crate) probes: BTreeMap<u64, Arc<ProbeTensors>>,
    /// Why a probe file could not be read, by step.
    pub(crate) probe_errors: BTreeMap<u64, String>,
    /// Sentences about what was skipped while reading.
    pub(crate) notes: Vec<String>,
    pub(crate) state: State,
    /// How far its log was read; none where this window writes it, or has written it.
    pub(crate) position: Option<Position>,
    /// Whether a thread reads its log now.
    pub(crate) is_being_read: bool,
    /// When it was opened, in window seconds.
    opened_at: f64,
    /// When its log was last seen to grow, in window seconds.
    grew_at: Option<f64>,
}

impl RunEntry {
    /// Takes in one event.
    pub(crate) fn apply(&mut self, event: &Event) {
        self.run.apply(event);
        if let Event::Resumed { step } = event {
            // What was probed after the checkpoint is void and will be written anew.
            self.probes.retain(|at, _| at <= step);
            self.probe_errors.retain(|at, _| at <= step);
        }
    }

    /// Takes in a run that was read from its beginning, in place of what was known of it.
    pub(crate) fn read(&mut self, loaded: Loaded, now: f64) {
        let before = std::mem::replace(&mut self.run, loaded.run);
        // What was made from the run before is not up to date, however many events this one has.
        self.run.revisions.steps += before.revisions.steps;
        self.run.revisions.evals += before.revisions.evals;
        self.run.revisions.probes += before.revisions.probes;
        if before.started != self.run.started {
            self.probes.clear();
        }
        self.probe_errors.clear();
        self.notes = loaded.notes;
        self.position = Some(loaded.position);
        self.opened_at = now;
        self.grew_at = None;
        self.state = state_at_rest(&self.run, loaded.running);
    }

    /// Takes in what was appended since it was last read.
    pub(crate) fn read_on(&mut self, news: News, now: f64) {
        if self.position.is_none() {
            // Trained here since that was asked for, and known.
            return;
        }
        if !news.events.is_empty() {
            self.grew_at = Some(now);
            // A file that was not whole yet may be now.
            self.probe_errors.clear();
        }
        news.events.iter().for_each(|event| self.apply(event));
        self.notes.extend(news.notes);
        self.position = Some(news.position);
        let is_ended = self.run.ending.is_some();
        let grows = !is_ended && self.grew_at.is_some_and(|at| now - at < GROWS_FOR_SECS);
        self.state = state_at_rest(&self.run, news.running || grows);
    }

    /// Whether its log is read on every now and then. One that no process seems to write is so for a while, too: on a
    /// network's file system a writer is not seen but by what it writes.
    pub(crate) fn is_followed(&self, now: f64) -> bool {
        match self.state {
            State::Elsewhere | State::Unreachable(_) => true,
            State::Interrupted => now - self.opened_at < WATCHED_FOR_SECS,
            _ => false,
        }
    }

    /// What the figures draw from.
    pub(crate) fn subject(&self) -> Subject<'_> {
        Subject {
            name: &self.name,
            run: &self.run,
            probes: &self.probes,
        }
    }

    /// Which attention it has; none before the header is read.
    pub(crate) fn attention(&self) -> Option<Attention> {
        Some(self.run.started.as_ref()?.config.attention)
    }

    /// The newest validation macro-F1, or the test one where there is no validation.
    pub(crate) fn last_macro_f1(&self) -> Option<f64> {
        use crate::run::event::Split;
        let last = |split| self.run.evals_of(split).next_back();
        last(Split::Val).or_else(|| last(Split::Test))?.macro_f1
    }

    fn probe_bytes(&self) -> usize {
        self.probes.values().map(|probe| bytes(probe)).sum()
    }
}

/// What a log says of a run that this window is not training.
pub(crate) fn state_at_rest(run: &Run, running: bool) -> State {
    state_of(&run.ending, running)
}

/// The state of a run that ended so, or has not.
pub(crate) fn state_of(ending: &Option<Ending>, running: bool) -> State {
    match ending {
        _ if running => State::Elsewhere,
        Some(Ending::Finished(_)) => State::Finished,
        Some(Ending::Stopped(end)) => State::Stopped(end.message.clone()),
        Some(Ending::Failed(end)) => State::Failed(end.message.clone()),
        None => State::Interrupted,
    }
}

/// What a variant is called on screen.
pub(crate) fn variant_name(attention: Attention) -> &'static str {
    match attention {
        Attention::None => "Baseline",
        Attention::Branch => "Branch attention",
        Attention::Shared => "Shared attention",
        Attention::Constant => "Constant gates",
        Attention::Wide => "Wide baseline",
    }
}

/// All runs on the list, in the order they were added.
#[derive(Default)]
pub(crate) struct Runs {
    entries: Vec<RunEntry>,
    next_id: RunId,
    probes_under_way: bool,
}

impl Runs {
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &RunEntry> {
        self.entries.iter()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut RunEntry> {
        self.entries.iter_mut()
    }

    pub(crate) fn get(&self, id: RunId) -> Option<&RunEntry> {
        self.entries.iter().find(|entry| entry.id == id)
    }

    pub(crate) fn get_mut(&mut self, id: RunId) -> Option<&mut RunEntry> {
        self.entries.iter_mut().find(|entry| entry.id == id)
    }

    pub(crate) fn at_dir(&self, dir: &Path) -> Option<RunId> {
        let entry = self.entries.iter().find(|entry| entry.dir == dir)?;
        Some(entry.id)
    }

    /// Adds an empty entry.
    pub(crate) fn add(&mut self, dir: PathBuf, state: State) -> RunId {
        let id = self.next_id;
        self.next_id += 1;
        let name = self.free_name(&super::queue::name_of(&dir));
        self.entries.push(RunEntry {
            id,
            name,
            dir,
            run: Run::default(),
            probes: BTreeMap::new(),
            probe_errors: BTreeMap::new(),
            notes: Vec::new(),
            state,
            position: None,
            is_being_read: false,
            opened_at: 0.0,
            grew_at: None,
        });
        id
    }

    /// A name, with a number where another run on the list has it.
    fn free_name(&self, name: &str) -> String {
        let others = (2..).map(|number| format!("{name} ({number})"));
        let mut names = std::iter::once(name.to_owned()).chain(others);
        let is_free = |name: &String| self.entries.iter().all(|entry| entry.name != *name);
        names.find(is_free).unwrap_or_default()
    }

    /// Gives a run another name.
    pub(crate) fn rename(&mut self, id: RunId, name: &str) {
        if let Some(entry) = self.get_mut(id) {
            entry.name.clear();
        }
        let name = self.free_name(name);
        if let Some(entry) = self.get_mut(id) {
            entry.name = name;
        }
    }

    pub(crate) fn remove(&mut self, id: RunId) {
        self.entries.retain(|entry| entry.id != id);
    }

    /// Steps at which any of `shown` has a probe, in order.
    pub(crate) fn probe_steps(&self, shown: &[RunId]) -> Vec<u64> {
        let entries = shown.iter().filter_map(|&id| self.get(id));
        let mut steps: Vec<u64> = entries
            .flat_map(|entry| entry.run.probes.iter().map(|probe| probe.step))
            .collect();
        steps.sort_unstable();
        steps.dedup();
        steps
    }

    /// The probe files to read next: those of the shown runs nearest to the cursor, while memory allows. Empty while
    /// an earlier request is under way.
    pub(crate) fn wanted_probes(
        &mut self,
        shown: &[RunId],
        cursor: Option<u64>,
    ) -> Vec<ProbeRequest> {
        if self.probes_under_way {
            return Vec::new();
        }
        let has_room = self.has_room();
        let mut wanted: Vec<(usize, ProbeRequest)> = Vec::new();
        for entry in shown.iter().filter_map(|&id| self.get(id)) {
            let Some(at) = entry.run.probe_at(cursor.unwrap_or(u64::MAX)) else {
                continue;
            };
            let classes = entry.run.started.as_ref().map_or(0, |x| x.classes.len());
            for (index, probe) in entry.run.probes.iter().enumerate() {
                let known = entry.probes.contains_key(&probe.step)
                    || entry.probe_errors.contains_key(&probe.step);
                if !known && (has_room || index == at) {
                    let request = ProbeRequest {
                        run: entry.id,
                        step: probe.step,
                        path: entry.dir.join(&probe.file),
                        classes,
                    };
                    wanted.push((index.abs_diff(at), request));
                }
            }
        }
        wanted.sort_by_key(|(distance, _)| *distance);
        wanted.truncate(PROBES_AT_ONCE);
        self.probes_under_way = !wanted.is_empty();
        wanted.into_iter().map(|(_, request)| request).collect()
    }

    /// Whether one more batch of probe files fits, so that nothing that was read has to be dropped for it.
    fn has_room(&self) -> bool {
        let sizes = || {
            self.entries
                .iter()
                .flat_map(|entry| entry.probes.values().map(|x| bytes(x)))
        };
        let largest = sizes().max().unwrap_or(0);
        sizes().sum::<usize>() + PROBES_AT_ONCE * largest <= PROBE_MEMORY_BYTES
    }

    /// Takes in probe files that were read, and forgets the least useful ones where they exceed the memory.
    pub(crate) fn take_probes(
        &mut self,
        replies: Vec<ProbeReply>,
        shown: &[RunId],
        cursor: Option<u64>,
    ) {
        self.probes_under_way = false;
        for reply in replies {
            if let Some(entry) = self.get_mut(reply.run) {
                match reply.tensors {
                    Ok(tensors) => {
                        entry.probes.insert(reply.step, tensors);
                    }
                    Err(sentence) => {
                        entry.probe_errors.insert(reply.step, sentence);
                    }
                }
            }
        }
        self.forget_probes(shown, cursor, PROBE_MEMORY_BYTES);
    }

    /// Drops probe tensors, of runs not shown first, then those farthest from the cursor, until `limit` bytes are left.
    fn forget_probes(&mut self, shown: &[RunId], cursor: Option<u64>, limit: usize) {
        let mut total: usize = self.entries.iter().map(RunEntry::probe_bytes).sum();
        if total <= limit {
            return;
        }
        let cursor = cursor.unwrap_or(u64::MAX);
        let mut order: Vec<(bool, u64, RunId, u64)> = Vec::new();
        for entry in &self.entries {
            let is_shown = shown.contains(&entry.id);
            let at = entry
                .run
                .probe_at(cursor)
                .map_or(cursor, |index| entry.run.probes[index].step);
            for &step in entry.probes.keys().filter(|&&step| !is_shown || step != at) {
                order.push((!is_shown, step.abs_diff(at), entry.id, step));
            }
        }
        order.sort_unstable();
        while total > limit
            && let Some((_, _, id, step)) = order.pop()
        {
            let dropped = self
                .get_mut(id)
                .and_then(|entry| entry.probes.remove(&step));
            total -= dropped.map_or(0, |probe| bytes(&probe));
        }
    }
}

fn bytes(probe: &ProbeTensors) -> usize {
    let gates: usize = probe.gates.values().map(Vec::len).sum();
    size_of::<f32>()
        * (probe.gram.len() + probe.update.len() + probe.loss.len() + probe.n.len() + gates)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::event::Probe;

    /// Two runs with probes at 0, 10, … 40 of 40 bytes each, all in memory.
    fn two_runs() -> Runs {
        let mut runs = Runs::default();
        for name in ["a", "b"] {
            let id = runs.add(PathBuf::from(name), State::Finished);
            let replies = (0..5).map(|index| {
                let step = index * 10;
                let probe = Probe {
                    step,
                    epoch: 0.0,
                    file: String::new(),
                    layers: Vec::new(),
                    backbone: Default::default(),
                    classifier: Default::default(),
                };
                if let Some(entry) = runs.get_mut(id) {
                    entry.run.apply(&Event::Probe(probe));
                }
                let gram = vec![0.0; 10];
                let tensors = ProbeTensors {
                    gram,
                    ..ProbeTensors::default()
                };
                ProbeReply {
                    run: id,
                    step,
                    tensors: Ok(Arc::new(tensors)),
                }
            });
            let replies = replies.collect();
            runs.take_probes(replies, &[0, 1], None);
        }
        runs
    }

    fn kept(runs: &Runs, id: RunId) -> Vec<u64> {
        runs.get(id)
            .into_iter()
            .flat_map(|entry| entry.probes.keys().copied())
            .collect()
    }

    #[test]
    fn probes_near_the_cursor_stay_in_memory() {
        let mut runs = two_runs();
        runs.forget_probes(&[0], Some(20), 3 * 40);
        assert_eq!((kept(&runs, 0), kept(&runs, 1)), (vec![10, 20, 30], vec![]));
        runs.forget_probes(&[0], Some(20), 0);
        assert_eq!(kept(&runs, 0), [20], "the one looked at is never dropped");
    }

    #[test]
    fn the_probe_at_the_cursor_is_read_first() {
        let mut runs = two_runs();
        runs.entries
            .iter_mut()
            .for_each(|entry| entry.probes.clear());
        let wanted = runs.wanted_probes(&[0, 1], Some(30));
        let steps: Vec<_> = wanted.iter().map(|request| request.step).collect();
        assert_eq!(steps[..2], [30, 30]);
        assert_eq!(steps.len(), PROBES_AT_ONCE);
        assert!(
            runs.wanted_probes(&[0, 1], None).is_empty(),
            "one request at a time"
        );
    }
}
