//! The runs on the list: live ones, those read from disk, and which of their probe tensors are in memory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::Attention;
use crate::figure::{Subject, View, followed};
use crate::run::event::{Event, Probe};
use crate::run::log::{Loaded, News, Position};
use crate::run::notes::{Notes, distinct};
use crate::run::probes::Probes;
use crate::run::{Ending, Run};
use crate::ui::work::background::{ProbeRead, ProbeReply, ProbeRequest};

/// Names a run for as long as it is on the list.
pub(crate) type RunId = usize;

/// Probe tensors are kept up to this many bytes, those nearest to the cursor first. The rows of the classes that are
/// followed over time are always kept.
pub(crate) const PROBE_MEMORY_BYTES: usize = 512 << 20;

/// Probe files read in one go: few, so that moving the cursor is answered at once;
const PROBES_AT_ONCE: usize = 8;
/// of each only the rows of some classes, more.
const ROWS_AT_ONCE: usize = 64;

/// How often a run that another process trains is read on.
const FOLLOW_EVERY_SECS: f64 = 2.0;

/// A run that was interrupted as it seems is watched as closely for this long since it was opened or last grew, lest it
/// is being trained on another machine,
const WATCHED_FOR_SECS: f64 = 120.0;

/// and from then on every so many seconds.
const WATCHED_EVERY_SECS: f64 = 30.0;

/// A log that grew this recently is still being written, lock or no lock: evaluations take their time.
pub(crate) const GROWS_FOR_SECS: f64 = 600.0;

/// What a run is doing, as shown on the list.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum RunState {
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

impl RunState {
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
    /// Its name on screen, which no other run on the list has.
    pub(crate) name: String,
    /// What it is called, also where another run is called so too.
    own_name: String,
    pub(crate) dir: PathBuf,
    /// Shared with what reads it in the background: see [`Self::apply`].
    pub(crate) run: Arc<Run>,
    pub(crate) probes: Probes,
    /// Why a probe file could not be read, by step.
    pub(crate) probe_errors: BTreeMap<u64, String>,
    /// Sentences about what was skipped while reading.
    pub(crate) notes: Vec<String>,
    pub(crate) state: RunState,
    /// How far its log was read; none where this window writes it, or has written it.
    pub(crate) position: Option<Position>,
    /// Whether a thread reads its log now.
    pub(crate) is_being_read: bool,
    /// When it was opened, in window seconds.
    opened_at: f64,
    /// When its log was last seen to grow, in window seconds.
    grew_at: Option<f64>,
    /// When its log was last read on, in window seconds.
    pub(crate) followed_at: f64,
}

impl RunEntry {
    /// Takes in one event.
    pub(crate) fn apply(&mut self, event: &Event) {
        Arc::make_mut(&mut self.run).apply(event);
        if let Event::Resumed { step } = event {
            // What was probed after the checkpoint is void and will be written anew.
            self.probes.retain_until(*step);
            self.probe_errors.retain(|at, _| at <= step);
        }
    }

    /// Takes in a run that was read from its beginning, in place of what was known of it.
    pub(crate) fn read(&mut self, loaded: Loaded, now: f64) {
        let mut run = loaded.run;
        // What was made from the run before is not up to date, however many events this one has.
        run.revisions.steps += self.run.revisions.steps;
        run.revisions.evals += self.run.revisions.evals;
        run.revisions.probes += self.run.revisions.probes;
        run.revisions.known_probes += self.run.revisions.known_probes + 1;
        let before = std::mem::replace(&mut self.run, Arc::new(run));
        if before.started != self.run.started {
            self.probes = Probes::new();
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

    /// After how many seconds its log is read on; none where it is not. One that no process seems to write is read on,
    /// too, ever more rarely: on a network's file system a writer is not seen but by what it writes.
    pub(crate) fn follow_every(&self, now: f64) -> Option<f64> {
        match self.state {
            RunState::Elsewhere | RunState::Unreachable(_) => Some(FOLLOW_EVERY_SECS),
            RunState::Interrupted => {
                // It was taken for running until it had not grown for long.
                let last = self.grew_at.map(|at| at + GROWS_FOR_SECS);
                let since = last.unwrap_or(self.opened_at);
                let is_close = now - since < WATCHED_FOR_SECS;
                Some(if is_close {
                    FOLLOW_EVERY_SECS
                } else {
                    WATCHED_EVERY_SECS
                })
            }
            _ => None,
        }
    }

    /// After how many seconds from now its log is to be read on, if ever.
    pub(crate) fn follow_in(&self, now: f64) -> Option<f64> {
        Some(self.followed_at + self.follow_every(now)? - now)
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

    /// The probe at the cursor, by index.
    fn cursor(&self, view: &View) -> Option<usize> {
        self.run.probe_at(view.step.unwrap_or(u64::MAX))
    }

    /// A request for a probe's file, or of that the rows of some classes.
    fn request(&self, probe: &Probe, rows: Vec<usize>) -> ProbeRequest {
        ProbeRequest {
            run: self.id,
            step: probe.step,
            path: self.dir.join(&probe.file),
            classes: self.run.started.as_ref().map_or(0, |x| x.classes.len()),
            rows,
        }
    }

    /// The probes whose file is not known to be damaged, each with its distance from the cursor.
    fn readable(&self, view: &View) -> impl Iterator<Item = (usize, &Probe)> {
        let cursor = self.cursor(view).unwrap_or(0);
        let probes = self.run.probes.iter().enumerate();
        probes
            .filter(|(_, probe)| !self.probe_errors.contains_key(&probe.step))
            .map(move |(index, probe)| (index.abs_diff(cursor), probe))
    }
}

/// What a log says of a run that this window is not training.
pub(crate) fn state_at_rest(run: &Run, running: bool) -> RunState {
    state_of(&run.ending, running)
}

/// The state of a run that ended so, or has not.
pub(crate) fn state_of(ending: &Option<Ending>, running: bool) -> RunState {
    match ending {
        _ if running => RunState::Elsewhere,
        Some(Ending::Finished(_)) => RunState::Finished,
        Some(Ending::Stopped(end)) => RunState::Stopped(end.message.clone()),
        Some(Ending::Failed(end)) => RunState::Failed(end.message.clone()),
        None => RunState::Interrupted,
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
pub(crate) struct Runs {
    entries: Vec<RunEntry>,
    next_id: RunId,
    probes_under_way: bool,
    /// How many bytes of probe tensors are kept.
    probe_memory: usize,
}

impl Default for Runs {
    fn default() -> Self {
        Self::new(PROBE_MEMORY_BYTES)
    }
}

impl Runs {
    /// None yet, of whose probe tensors this many bytes are kept.
    pub(crate) fn new(probe_memory: usize) -> Self {
        Self {
            entries: Vec::new(),
            next_id: 0,
            probes_under_way: false,
            probe_memory,
        }
    }

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

    /// Whether any run is still being read; its probes may take longer.
    pub(crate) fn are_opening(&self) -> bool {
        self.entries
            .iter()
            .any(|entry| entry.state == RunState::Opening)
    }

    pub(crate) fn at_dir(&self, dir: &Path) -> Option<RunId> {
        let entry = self.entries.iter().find(|entry| entry.dir == dir)?;
        Some(entry.id)
    }

    /// Adds an empty entry.
    pub(crate) fn add(&mut self, dir: PathBuf, state: RunState) -> RunId {
        let id = self.next_id;
        self.next_id += 1;
        let own_name = Notes::default().name_of(&dir);
        self.entries.push(RunEntry {
            id,
            name: String::new(),
            own_name,
            dir,
            run: Arc::default(),
            probes: Probes::new(),
            probe_errors: BTreeMap::new(),
            notes: Vec::new(),
            state,
            position: None,
            is_being_read: false,
            opened_at: 0.0,
            grew_at: None,
            followed_at: 0.0,
        });
        self.tell_apart();
        id
    }

    /// Gives a run the name that its notes say.
    pub(crate) fn rename(&mut self, id: RunId, notes: &Notes) {
        if let Some(entry) = self.get_mut(id) {
            entry.own_name = notes.name_of(&entry.dir);
        }
        self.tell_apart();
    }

    pub(crate) fn remove(&mut self, id: RunId) {
        let removed = self.entries.extract_if(.., |entry| entry.id == id);
        drop_elsewhere(removed.collect::<Vec<_>>());
        self.tell_apart();
    }

    /// Gives every run a name of its own: what the command line calls the same runs in the same order.
    fn tell_apart(&mut self) {
        let names = distinct(self.entries.iter().map(|entry| entry.own_name.clone()));
        for (entry, name) in self.entries.iter_mut().zip(names) {
            entry.name = name;
        }
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

    /// The probe files to read next: the ones at the cursor, then of all others the rows of the classes that are followed
    /// over time, then those nearest to the cursor while memory allows. Empty while an earlier request is under way.
    pub(crate) fn wanted_probes(&mut self, shown: &[RunId], view: &View) -> Vec<ProbeRequest> {
        if self.probes_under_way {
            return Vec::new();
        }
        let has_room = self.has_room();
        let (mut whole, mut rows) = (Vec::new(), Vec::new());
        for entry in shown.iter().filter_map(|&id| self.get(id)) {
            let followed = followed(&entry.run, view);
            for (distance, probe) in entry.readable(view) {
                if entry.probes.get(&probe.step).is_some() {
                    continue;
                }
                if has_room || distance == 0 {
                    whole.push((distance, entry.request(probe, Vec::new())));
                }
                let missing = followed.iter().copied();
                let missing = missing.filter(|&k| !entry.probes.has_rows_of(probe.step, k));
                let missing: Vec<_> = missing.collect();
                if !missing.is_empty() && distance > 0 {
                    rows.push((distance, entry.request(probe, missing)));
                }
            }
        }
        let is_at_cursor = whole.iter().any(|(distance, _)| *distance == 0);
        let (mut wanted, most) = if is_at_cursor || rows.is_empty() {
            (whole, PROBES_AT_ONCE)
        } else {
            (rows, ROWS_AT_ONCE)
        };
        wanted.sort_by_key(|(distance, _)| *distance);
        wanted.truncate(most);
        self.ask(wanted.into_iter().map(|(_, request)| request).collect())
    }

    /// As [`Self::wanted_probes`], of the last probe of each of these runs.
    pub(crate) fn wanted_last_probes(&mut self, ids: &[RunId]) -> Vec<ProbeRequest> {
        if self.probes_under_way {
            return Vec::new();
        }
        let entries = ids.iter().filter_map(|&id| self.get(id));
        let missing = |entry: &RunEntry| {
            let probe = entry.run.probes.last()?;
            let is_known = entry.probes.get(&probe.step).is_some()
                || entry.probe_errors.contains_key(&probe.step);
            (!is_known).then(|| entry.request(probe, Vec::new()))
        };
        let wanted = entries.filter_map(missing).take(PROBES_AT_ONCE).collect();
        self.ask(wanted)
    }

    /// What is wanted, which is then under way.
    fn ask(&mut self, wanted: Vec<ProbeRequest>) -> Vec<ProbeRequest> {
        self.probes_under_way = !wanted.is_empty();
        wanted
    }

    fn probe_bytes(&self) -> usize {
        self.entries.iter().map(|entry| entry.probes.bytes()).sum()
    }

    /// Whether one more batch of probe files fits, so that nothing that was read has to be dropped for it.
    fn has_room(&self) -> bool {
        let probes = self
            .entries
            .iter()
            .flat_map(|entry| entry.probes.whole.values());
        let largest = probes.map(|probe| probe.bytes()).max().unwrap_or(0);
        self.probe_bytes() + PROBES_AT_ONCE * largest <= self.probe_memory
    }

    /// Takes in what was read of probe files, and forgets the least useful where it exceeds the memory.
    pub(crate) fn take_probes(&mut self, replies: Vec<ProbeReply>, shown: &[RunId], view: &View) {
        self.probes_under_way = false;
        for reply in replies {
            let Some(entry) = self.get_mut(reply.run) else {
                continue;
            };
            match reply.read {
                Ok(ProbeRead::Whole(tensors)) => entry.probes.insert(reply.step, tensors),
                Ok(ProbeRead::Rows(rows)) => {
                    let rows = rows.into_iter();
                    rows.for_each(|rows| entry.probes.insert_rows(reply.step, rows));
                }
                Err(sentence) => {
                    entry.probe_errors.insert(reply.step, sentence);
                }
            }
        }
        self.forget_probes(shown, view, self.probe_memory);
    }

    /// Until `limit` bytes are left, drops rows of classes that are not followed, then whole probes: of runs not shown
    /// first, then those farthest from the cursor. The rows that are followed of what is dropped stay.
    fn forget_probes(&mut self, shown: &[RunId], view: &View, limit: usize) {
        if self.probe_bytes() <= limit {
            return;
        }
        let mut order: Vec<(bool, u64, RunId, u64)> = Vec::new();
        let (mut dropped_rows, mut dropped) = (Vec::new(), Vec::new());
        for entry in &mut self.entries {
            let is_shown = shown.contains(&entry.id);
            let followed = followed(&entry.run, view);
            let rows = &mut entry.probes.rows;
            let is_dropped = |class: &usize| !is_shown || !followed.contains(class);
            dropped_rows.extend(rows.extract_if(.., |class, _| is_dropped(class)));
            let cursor = entry.cursor(view);
            let at = cursor.map_or(u64::MAX, |index| entry.run.probes[index].step);
            let steps = entry.probes.whole.keys();
            for &step in steps.filter(|&&step| !is_shown || step != at) {
                order.push((!is_shown, step.abs_diff(at), entry.id, step));
            }
        }
        order.sort_unstable();
        let mut total = self.probe_bytes();
        while total > limit
            && let Some((is_hidden, _, id, step)) = order.pop()
        {
            let Some(entry) = self.get_mut(id) else {
                continue;
            };
            let Some(probe) = entry.probes.whole.remove(&step) else {
                continue;
            };
            total -= probe.bytes();
            let kept = followed(&entry.run, view).into_iter();
            for rows in kept.filter(|_| !is_hidden).filter_map(|k| probe.rows_of(k)) {
                total += rows.bytes();
                entry.probes.insert_rows(step, rows);
            }
            dropped.push(probe);
        }
        drop_elsewhere((dropped_rows, dropped));
    }
}

/// Gives memory back on a thread of its own: for hundreds of megabytes that takes longer than a frame may.
fn drop_elsewhere<T: Send + 'static>(of: T) {
    let thread = std::thread::Builder::new().name("memory".to_owned());
    // Where there is no thread to be had, it is dropped here.
    let _ = thread.spawn(move || drop(of));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::probe_file::ProbeTensors;

    /// Two runs with probes at 0, 10, … 40 of 40 bytes each, all in memory.
    fn two_runs() -> Runs {
        let mut runs = Runs::default();
        for name in ["a", "b"] {
            let id = runs.add(PathBuf::from(name), RunState::Finished);
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
                    entry.apply(&Event::Probe(probe));
                }
                let gram = vec![0.0; 10];
                let tensors = ProbeTensors {
                    gram,
                    ..ProbeTensors::default()
                };
                ProbeReply {
                    run: id,
                    step,
                    read: Ok(ProbeRead::Whole(Arc::new(tensors))),
                }
            });
            let replies = replies.collect();
            runs.take_probes(replies, &[0, 1], &View::default());
        }
        runs
    }

    fn at(step: u64) -> View {
        View {
            step: Some(step),
            ..View::default()
        }
    }

    fn kept(runs: &Runs, id: RunId) -> Vec<u64> {
        runs.get(id)
            .into_iter()
            .flat_map(|entry| entry.probes.whole.keys().copied())
            .collect()
    }

    #[test]
    fn probes_near_the_cursor_stay_in_memory() {
        let mut runs = two_runs();
        runs.forget_probes(&[0], &at(20), 3 * 40);
        assert_eq!((kept(&runs, 0), kept(&runs, 1)), (vec![10, 20, 30], vec![]));
        runs.forget_probes(&[0], &at(20), 0);
        assert_eq!(kept(&runs, 0), [20], "the one looked at is never dropped");
    }

    /// Of what is dropped the rows that are followed stay, and no others.
    #[test]
    fn the_rows_that_are_followed_stay_in_memory() -> anyhow::Result<()> {
        let mut runs = two_runs();
        let view = View {
            pair: Some((0, 1)),
            class: Some(1),
            ..at(20)
        };
        let recorded = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recorded/solar-none");
        let recorded = crate::run::log::load(Path::new(recorded))?.run;
        Arc::make_mut(&mut runs.entries[0].run).started = recorded.started;
        runs.entries[0].probes = Probes::new();
        for step in [0, 10, 20] {
            let tensors = ProbeTensors {
                classes: 6,
                gram: vec![0.0; 36],
                update: vec![0.0; 6],
                loss: vec![0.0; 6],
                n: vec![1.0; 6],
                ..ProbeTensors::default()
            };
            runs.entries[0].probes.insert(step, Arc::new(tensors));
        }
        runs.forget_probes(&[0], &view, 0);
        let probes = |runs: &Runs| runs.entries[0].probes.clone();
        assert_eq!(kept(&runs, 0), [20]);
        let rows = probes(&runs).rows.into_iter();
        let rows: Vec<_> = rows
            .map(|(class, at)| (class, at.into_keys().collect::<Vec<_>>()))
            .collect();
        assert_eq!(rows, [(0, vec![0, 10]), (1, vec![0, 10])]);
        // Two more probes are known of; the third class is followed as well.
        let view = View {
            class: Some(2),
            ..view
        };
        runs.entries[0].probes.whole.clear();
        runs.probe_memory = 0;
        let wanted = runs.wanted_probes(&[0], &view);
        let wanted: Vec<_> = wanted.iter().map(|x| (x.step, x.rows.clone())).collect();
        assert_eq!(wanted, [(20, vec![])], "first what is looked at");
        runs.probes_under_way = false;
        runs.entries[0]
            .probes
            .insert(20, Arc::new(ProbeTensors::default()));
        let wanted = runs.wanted_probes(&[0], &view);
        let mut wanted: Vec<_> = wanted.iter().map(|x| (x.step, x.rows.clone())).collect();
        wanted.sort();
        let all = vec![0, 1, 2];
        assert_eq!(
            wanted,
            [(0, vec![2]), (10, vec![2]), (30, all.clone()), (40, all)]
        );
        Ok(())
    }

    #[test]
    fn the_probe_at_the_cursor_is_read_first() {
        let mut runs = two_runs();
        runs.entries
            .iter_mut()
            .for_each(|entry| entry.probes = Probes::new());
        let wanted = runs.wanted_probes(&[0, 1], &at(30));
        let steps: Vec<_> = wanted.iter().map(|request| request.step).collect();
        assert_eq!(steps[..2], [30, 30]);
        assert_eq!(steps.len(), PROBES_AT_ONCE);
        assert!(
            runs.wanted_probes(&[0, 1], &at(30)).is_empty(),
            "one request at a time"
        );
    }
}
