//! The findings in the runs shown, and the time at which they are looked for again.

use super::action::Action;
use super::place::Page;
use super::runs::{RunEntry, RunId, RunState};
use crate::findings::{Finding, Kind};

/// While a run is being trained, its findings are looked for again at most this often.
const AGAIN_AFTER_SECS: f64 = 1.0;

/// The state of the runs that findings are about: for each run its id, the revisions of its probes and of its
/// evaluations, and whether it has ended.
pub(crate) type Key = Vec<(RunId, u64, u64, bool)>;

/// The findings in the runs shown.
#[derive(Default)]
pub(crate) struct Findings {
    pub(crate) found: Option<(Key, Vec<Finding>)>,
    pub(crate) under_way: bool,
    pub(crate) asked_at: f64,
    pub(crate) is_list_open: bool,
}

impl Findings {
    /// Says when to look through the runs: `Ok` for now, `Err(Some(seconds))` for later, `Err(None)` if the findings
    /// are up to date or a thread is looking for them.
    pub(crate) fn ask(&mut self, key: &Key, now: f64) -> Result<(), Option<f64>> {
        let same_runs = |old: &Key| old.iter().map(|x| x.0).eq(key.iter().map(|x| x.0));
        let mut wait = 0.0;
        match &self.found {
            Some((old, _)) if old == key => return Err(None),
            // Old findings of the same runs stay on screen until there are new ones; findings of other runs do not.
            Some((old, _)) if same_runs(old) => wait = self.asked_at + AGAIN_AFTER_SECS - now,
            _ => self.found = None,
        }
        if self.under_way {
            return Err(None);
        }
        if wait > 0.0 {
            return Err(Some(wait));
        }
        self.under_way = true;
        self.asked_at = now;
        Ok(())
    }

    /// The findings in the runs shown, each with the action that shows its evidence.
    pub(crate) fn ways(&self, shown: &[RunId]) -> impl Iterator<Item = (&str, Action)> {
        let of_these = |key: &Key| key.iter().map(|x| x.0).eq(shown.iter().copied());
        let found = self.found.as_ref().filter(|(key, _)| of_these(key));
        let found = found
            .into_iter()
            .flat_map(|(key, found)| found.iter().map(move |x| (key, x)));
        found.filter_map(|(key, finding)| {
            let run = key.get(finding.evidence.run)?.0;
            let way = Action::ShowEvidence(run, page(finding.kind), finding.evidence.clone());
            Some((finding.sentence.as_str(), way))
        })
    }

    /// Takes in the findings that a thread has found.
    pub(crate) fn take(&mut self, key: Key, found: Vec<Finding>) {
        self.under_way = false;
        self.found = Some((key, found));
    }
}

/// The key of these runs; `None` while the log of one of them is being read for the first time.
pub(crate) fn key<'a>(entries: impl Iterator<Item = &'a RunEntry>) -> Option<Key> {
    let of = |entry: &RunEntry| {
        let run = &entry.run;
        let is_read = entry.state != RunState::Opening && run.started.is_some();
        let (probes, evals) = (run.revisions.probes, run.revisions.evals);
        is_read.then(|| (entry.id, probes, evals, run.ending.is_some()))
    };
    entries.map(of).collect()
}

/// The page that shows the evidence for a kind of finding.
pub(crate) fn page(kind: Kind) -> Page {
    match kind {
        Kind::Loss | Kind::Overfitting => Page::Overview,
        Kind::Unlearned | Kind::Noise => Page::Class,
        Kind::Score => Page::Mistakes,
        Kind::Comparison | Kind::Conflict | Kind::Thirds | Kind::Depth => Page::Conflicts,
        Kind::Gates => Page::Gates,
    }
}
