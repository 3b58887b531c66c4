//! The findings in the runs shown, and the time at which they are looked for again.

use super::action::Action;
use super::place::Page;
use super::runs::{RunEntry, RunId, RunState};
use crate::findings::{Finding, Kind};
use crate::run::BatchNorm;

/// While a run is being trained, its findings are looked for again at most this often.
const AGAIN_AFTER_SECS: f64 = 1.0;

/// The state of the runs that findings are about: for each run the run as it is shown, the revisions of its probes and
/// of its evaluations, and whether it has ended.
pub(crate) type Key = Vec<(Shown, u64, u64, bool)>;

/// A run as it is shown: its id, and the way of treating batch norm that its class gradients were measured in.
pub(crate) type Shown = (RunId, BatchNorm);

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
            // Old findings of the same runs stay on screen until there are new ones; those of other runs, or of class
            // gradients measured in another way, do not.
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

    /// The findings in the runs as they are shown; `None` where those found are of other runs, or none are found yet.
    pub(crate) fn of(&self, shown: &[Shown]) -> Option<&[Finding]> {
        let of_these = |key: &Key| key.iter().map(|x| x.0).eq(shown.iter().copied());
        let found = self.found.as_ref().filter(|(key, _)| of_these(key));
        found.map(|(_, found)| found.as_slice())
    }

    /// The findings in the runs as they are shown, each with the action that shows its evidence.
    pub(crate) fn ways(&self, shown: &[Shown]) -> impl Iterator<Item = (&str, Action)> {
        let found = self.of(shown).unwrap_or_default().iter();
        found.filter_map(|finding| {
            let (run, _) = *shown.get(finding.evidence.run)?;
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
        let shown = (entry.id, run.batch_norm());
        is_read.then(|| (shown, probes, evals, run.ending.is_some()))
    };
    entries.map(of).collect()
}

/// The page that shows the evidence for a kind of finding.
pub(crate) fn page(kind: Kind) -> Page {
    match kind {
        Kind::Loss | Kind::Overfitting | Kind::Adjustment | Kind::NoAdjustment => Page::Overview,
        Kind::Unlearned | Kind::Setback | Kind::Noise => Page::Class,
        Kind::Score => Page::Mistakes,
        Kind::Comparison | Kind::Conflict | Kind::Thirds | Kind::Depth => Page::Conflicts,
        Kind::Gates => Page::Gates,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::Evidence;

    fn finding() -> Finding {
        Finding {
            sentence: "Something stands out".to_owned(),
            detail: String::new(),
            kind: Kind::Conflict,
            score: 1.0,
            batch_norm: None,
            next: Vec::new(),
            evidence: Evidence::default(),
        }
    }

    /// Findings of class gradients that were measured in one way are not shown for the other, even where they arrive
    /// after the switch.
    #[test]
    fn findings_of_the_other_measure_are_not_shown() {
        let key = |batch_norm| vec![((3, batch_norm), 1, 1, true)];
        let shown = |batch_norm| [(3, batch_norm)];
        let (training, frozen) = (BatchNorm::AsInTraining, BatchNorm::Frozen);
        let mut findings = Findings::default();
        assert_eq!(findings.ask(&key(training), 0.0), Ok(()));
        // The user switches while the thread is looking.
        assert_eq!(findings.ask(&key(frozen), 0.1), Err(None));
        findings.take(key(training), vec![finding()]);
        assert_eq!(findings.ways(&shown(frozen)).count(), 0);
        assert_eq!(findings.ways(&shown(training)).count(), 1);
        // The next frame drops them, and asks at once for those of the measure shown.
        assert_eq!(findings.ask(&key(frozen), 0.2), Ok(()));
        assert!(findings.found.is_none());
    }
}
