//! Decides which probe tensors of the runs are kept in memory, which are read next, and which are forgotten.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::entry::RunEntry;
use super::list::Runs;
use super::probes::{ProbeRead, ProbeReply, ProbeRequest};
use super::run_state::RunId;
use crate::figure::{View, followed};
use crate::run::class_rows::ClassRows;
use crate::run::probe_file::ProbeTensors;

/// The number of probe files that are read whole in one go: few, so that the window soon answers when the cursor moves.
pub(super) const PROBES_AT_ONCE: usize = 8;
/// The number of probe files in one go if only the rows of some classes are read.
const ROWS_AT_ONCE: usize = 64;

/// Probe tensors that are no longer kept: rows by class and step, and whole files. Freeing hundreds of megabytes takes
/// longer than a frame may, so that the caller should drop them on another thread.
pub(crate) type Forgotten = (Vec<(usize, RowsByStep)>, Vec<Arc<ProbeTensors>>);

type RowsByStep = BTreeMap<u64, Arc<ClassRows>>;

impl Runs {
    /// The probe files to read next: first those at the cursor; then, from all others, the rows of the classes that are
    /// followed over time; then the files nearest to the cursor, as long as memory allows. Empty while an earlier
    /// request is under way.
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

    /// Like [`Self::wanted_probes`], but for the last probe of each of these runs.
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

    /// Notes that these requests are under way, and gives them back.
    fn ask(&mut self, wanted: Vec<ProbeRequest>) -> Vec<ProbeRequest> {
        self.probes_under_way = !wanted.is_empty();
        wanted
    }

    fn probe_bytes(&self) -> usize {
        self.entries.iter().map(|entry| entry.probes.bytes()).sum()
    }

    /// Whether one more batch of probe files fits without dropping any other.
    fn has_room(&self) -> bool {
        let probes = self
            .entries
            .iter()
            .flat_map(|entry| entry.probes.whole.values());
        let largest = probes.map(|probe| probe.bytes()).max().unwrap_or(0);
        self.probe_bytes() + PROBES_AT_ONCE * largest <= self.probe_memory
    }

    /// Takes in the tensors that were read. If they exceed the memory, forgets the least useful ones and gives them
    /// back.
    pub(crate) fn take_probes(
        &mut self,
        replies: Vec<ProbeReply>,
        shown: &[RunId],
        view: &View,
    ) -> Option<Forgotten> {
        self.probes_under_way = false;
        for reply in replies {
            let Some(entry) = self.get_mut(reply.run) else {
                continue;
            };
            if reply.batch_norm != entry.run.batch_norm() {
                continue; // Read before the run was shown the other way.
            }
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
        self.forget_probes(shown, view, self.probe_memory)
    }

    /// Drops tensors until at most `limit` bytes remain: first rows of classes that are not followed, then whole
    /// probes, those of runs that are not shown first, then those farthest from the cursor. The followed rows of a
    /// dropped probe stay.
    pub(super) fn forget_probes(
        &mut self,
        shown: &[RunId],
        view: &View,
        limit: usize,
    ) -> Option<Forgotten> {
        if self.probe_bytes() <= limit {
            return None;
        }
        let (mut rows_forgotten, mut forgotten) = (Vec::new(), Vec::new());
        let mut order: Vec<(bool, u64, RunId, u64)> = Vec::new();
        for entry in &mut self.entries {
            let is_shown = shown.contains(&entry.id);
            let followed = followed(&entry.run, view);
            let rows = &mut entry.probes.rows;
            let is_dropped = |class: &usize| !is_shown || !followed.contains(class);
            rows_forgotten.extend(rows.extract_if(.., |class, _| is_dropped(class)));
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
            forgotten.push(probe);
        }
        Some((rows_forgotten, forgotten))
    }
}
