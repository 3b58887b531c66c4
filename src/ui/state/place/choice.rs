//! The groups of runs that are compared.

use crate::config::Attention;
use crate::run::Ending;
use crate::ui::state::runs::{RunEntry, RunId, RunState, Runs};

/// The two groups of runs that are compared, each named by one of its runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Choice {
    /// A run of the baseline. `None` means the first finished run without attention, or else the first finished run; of
    /// the runs on the data of the run looked at, where there is one.
    pub(crate) baseline: Option<RunId>,
    /// A run of the group that is compared to the baseline. `None` means the first other group.
    pub(crate) other: Option<RunId>,
}

impl Choice {
    /// All runs whose logs were read, a run of the baseline first. `left` is the run looked at.
    pub(crate) fn order(&self, runs: &Runs, left: Option<RunId>) -> Vec<RunId> {
        let read = || runs.iter().filter(|entry| entry.state != RunState::Opening);
        let is_finished = |entry: &&RunEntry| matches!(entry.run.ending, Some(Ending::Finished(_)));
        let finished = || read().filter(is_finished);
        let chosen = finished().find(|entry| Some(entry.id) == self.baseline);
        let is_plain = |entry: &&RunEntry| entry.attention() == Some(Attention::None);
        let data = |entry: &RunEntry| Some(entry.run.started.as_ref()?.data_fingerprint.clone());
        let looked_at = left.and_then(|id| runs.get(id)).and_then(data);
        let on_it = || finished().filter(|entry| looked_at.is_some() && data(entry) == looked_at);
        let first = chosen
            .or_else(|| on_it().find(is_plain))
            .or_else(|| on_it().next())
            .or_else(|| finished().find(is_plain))
            .or_else(|| finished().next());
        let mut ids: Vec<RunId> = first.iter().map(|entry| entry.id).collect();
        let others = read().map(|entry| entry.id).filter(|id| !ids.contains(id));
        let others: Vec<_> = others.collect();
        ids.extend(others);
        ids
    }

    /// The runs that are compared at their last step: the finished ones, a run of the baseline first.
    pub(crate) fn finished(&self, runs: &Runs, left: Option<RunId>) -> Vec<RunId> {
        let is_finished = |id: &RunId| {
            let entry = runs.get(*id);
            entry.is_some_and(|entry| matches!(entry.run.ending, Some(Ending::Finished(_))))
        };
        let all = self.order(runs, left).into_iter();
        all.filter(is_finished).collect()
    }
}
