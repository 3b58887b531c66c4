//! Moments of runs: which recorded one lies nearest to a step, and whether those of two runs may be compared.

use crate::run::Run;
use crate::run::event::{Eval, Split};
use crate::text::grouped;

/// Moments of two runs that lie further apart than this, in epochs, are not compared.
pub const COMPARABLE_EPOCHS: f64 = 0.5;
/// Moments of two runs that do not know their epochs are not compared where they lie further apart than this share of all
/// steps of the longer run.
const COMPARABLE_SHARE: f64 = 0.01;

impl Run {
    /// Optimiser steps of an epoch; 1 before the header.
    pub fn steps_per_epoch(&self) -> f64 {
        let started = self.started.as_ref();
        started.map_or(1.0, |started| started.steps_per_epoch.max(1) as f64)
    }

    /// Epochs done after `step` optimiser steps.
    pub fn epoch_of(&self, step: u64) -> f64 {
        step as f64 / self.steps_per_epoch()
    }

    /// Whether it is known how many steps an epoch has; where it is not, the epochs of events are their steps.
    pub fn has_epochs(&self) -> bool {
        let started = self.started.as_ref();
        started.is_none_or(|started| started.steps_per_epoch > 0)
    }

    /// A moment in words: `epoch 4.82` with so many decimals; `step 964` where the run does not know its epochs.
    pub fn moment(&self, epoch: f64, decimals: usize) -> String {
        if self.has_epochs() {
            format!("epoch {epoch:.decimals$}")
        } else {
            format!("step {epoch:.0}")
        }
    }

    /// A step and its epoch in words: `step 964 · epoch 4.8`; the step alone where the run does not know its epochs.
    pub fn moment_of(&self, step: u64) -> String {
        let words = format!("step {}", grouped(step));
        if !self.has_epochs() {
            return words;
        }
        format!("{words} · epoch {:.1}", self.epoch_of(step))
    }

    /// Index of the probe nearest to `step`, the earlier one of two that are equally near; `None` without probes.
    pub fn probe_at(&self, step: u64) -> Option<usize> {
        // Probes are in order, so that only those on either side of the step can be nearest.
        let after = self.probes.partition_point(|probe| probe.step <= step);
        let sides = after.saturating_sub(1)..self.probes.len().min(after + 1);
        sides.min_by_key(|&at| self.probes[at].step.abs_diff(step))
    }

    /// The evaluation of a split at `step`: the nearest one within [`COMPARABLE_EPOCHS`], or else the newest before.
    pub fn evaluation_at(&self, split: Split, step: u64) -> Option<&Eval> {
        let nearest = self
            .evals_of(split)
            .min_by_key(|eval| eval.step.abs_diff(step));
        let is_near = |eval: &&Eval| {
            self.epoch_of(eval.step.abs_diff(step)) <= COMPARABLE_EPOCHS || eval.step <= step
        };
        let before = || self.evals_of(split).rev().find(|eval| eval.step <= step);
        nearest.filter(is_near).or_else(before)
    }

    /// The newest step at which there is a probe or an evaluation.
    fn newest_moment(&self) -> Option<u64> {
        let probe = self.probes.last().map(|probe| probe.step);
        let eval = self.evals.last().map(|eval| eval.step);
        probe.max(eval)
    }
}

/// The last moment that all of these runs have reached, where they have not all reached the same one; `None` where they
/// have, also where it is the same epoch in runs whose epochs have other numbers of steps. A run in which nothing has been
/// measured has no say.
pub fn last_common_step<'a>(runs: impl IntoIterator<Item = &'a Run>) -> Option<u64> {
    let runs = runs.into_iter();
    let newest = runs.filter_map(|run| Some((run, run.newest_moment()?)));
    let newest: Vec<(&Run, u64)> = newest.collect();
    let steps = newest.iter().map(|(_, step)| *step);
    let (first, last) = (steps.clone().min()?, steps.max()?);
    let (one, step) = newest.first()?;
    let is_same_epoch = |(run, other): &(&Run, u64)| {
        let epochs = [one.epoch_of(*step), run.epoch_of(*other)];
        let knows = one.has_epochs() && run.has_epochs();
        let per_epoch = |run: &Run| run.started.as_ref().map(|x| x.steps_per_epoch);
        if per_epoch(run) == per_epoch(one) {
            other == step
        } else {
            knows && (epochs[0] - epochs[1]).abs() <= COMPARABLE_EPOCHS
        }
    };
    (first < last && !newest.iter().all(is_same_epoch)).then_some(first)
}

/// A moment of a run: the name of the run, the run, and the step.
pub type Moment<'a> = (&'a str, &'a Run, u64);

/// Says in one sentence why two moments are not compared, where they lie further apart than [`COMPARABLE_EPOCHS`]. Where
/// a run does not know its epochs, those of the other one say how far apart steps may lie; where neither does, a
/// hundredth of all steps of the longer run.
///
/// # Errors
/// That sentence.
pub fn comparable(moments: [Moment<'_>; 2]) -> Result<(), String> {
    let knowing = moments.iter().filter(|(_, run, _)| run.has_epochs());
    let knowing: Vec<&Run> = knowing.map(|(_, run, _)| *run).collect();
    let [first, second] = moments.map(|(_, _, step)| step);
    let (is_near, far) = match knowing[..] {
        [a, b] => {
            let apart = (a.epoch_of(first) - b.epoch_of(second)).abs();
            (apart <= COMPARABLE_EPOCHS, "half an epoch".to_owned())
        }
        [one] => {
            let apart = one.epoch_of(first.abs_diff(second));
            (apart <= COMPARABLE_EPOCHS, "half an epoch".to_owned())
        }
        _ => {
            let last = moments.iter().map(|(_, run, _)| run.last_step()).max();
            let most = (COMPARABLE_SHARE * last.unwrap_or(0) as f64) as u64;
            let words = format!("{} steps", grouped(most));
            (first.abs_diff(second) <= most, words)
        }
    };
    if is_near {
        return Ok(());
    }
    let words = |at: usize| {
        let (name, run, step) = moments[at];
        let epoch = run.epoch_of(step);
        let epoch = run.has_epochs().then(|| format!(" (epoch {epoch:.1})"));
        let step = grouped(step);
        format!("`{name}` is at step {step}{}", epoch.unwrap_or_default())
    };
    Err(format!(
        "{} and {}: moments more than {far} apart are not compared.",
        words(0),
        words(1)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::event::Event;
    use crate::run::log;

    /// A recorded run with probes and validation evaluations at these steps, 40 steps an epoch.
    fn run(probes: &[u64], evals: &[u64]) -> anyhow::Result<Run> {
        let dir =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded/solar-none");
        let mut run = log::load(&dir)?.run;
        if let Some(started) = &mut run.started {
            started.steps_per_epoch = 40;
        }
        let (probe, eval) = (run.probes[0].clone(), run.evals[0].clone());
        run.probes.clear();
        run.evals.clear();
        for &step in probes {
            run.apply(&Event::Probe(crate::run::event::Probe {
                step,
                ..probe.clone()
            }));
        }
        for &step in evals {
            run.apply(&Event::Eval(Eval {
                step,
                split: Split::Val,
                ..eval.clone()
            }));
        }
        Ok(run)
    }

    #[test]
    fn the_nearest_probe_is_shown() -> anyhow::Result<()> {
        let run = run(&[0, 10, 30], &[])?;
        for (step, expected) in [(0, 0), (5, 0), (6, 1), (20, 1), (21, 2), (900, 2)] {
            assert_eq!(run.probe_at(step), Some(expected), "{step}");
        }
        assert_eq!(Run::default().probe_at(3), None);
        Ok(())
    }

    /// An evaluation soon after the cursor is nearer to it than an old one, but one that is far ahead says nothing of
    /// the cursor.
    #[test]
    fn an_evaluation_far_ahead_is_not_shown() -> anyhow::Result<()> {
        let run = run(&[], &[50, 100, 300])?;
        let at = |step| run.evaluation_at(Split::Val, step).map(|eval| eval.step);
        assert_eq!(
            [at(0), at(29), at(30), at(80)],
            [None, None, Some(50), Some(100)]
        );
        assert_eq!(
            [at(270), at(280), at(900)],
            [Some(100), Some(300), Some(300)]
        );
        Ok(())
    }

    #[test]
    fn runs_are_shown_at_the_last_moment_that_all_have() -> anyhow::Result<()> {
        let long = run(&[0, 100, 200], &[40, 210])?;
        let short = run(&[0, 100], &[40, 120])?;
        assert_eq!(last_common_step([&long, &short]), Some(120));
        assert_eq!(last_common_step([&short, &long]), Some(120));
        assert_eq!(last_common_step([&long, &long]), None);
        // A run that has measured nothing does not hold the other one back.
        assert_eq!(last_common_step([&long, &Run::default()]), None);
        assert_eq!(last_common_step([]), None);
        // Both are at the end of epoch 5, of 40 and of 24 steps.
        let mut other = run(&[0, 60, 120], &[])?;
        if let Some(started) = &mut other.started {
            started.steps_per_epoch = 24;
        }
        let whole = run(&[0, 200], &[])?;
        assert_eq!(last_common_step([&whole, &other]), None);
        let longer = run(&[0, 300], &[])?;
        assert_eq!(last_common_step([&longer, &other]), Some(120));
        Ok(())
    }

    #[test]
    fn moments_more_than_half_an_epoch_apart_are_not_compared() -> anyhow::Result<()> {
        let run = run(&[], &[])?;
        let said = |a, b| comparable([("a", &run, a), ("b", &run, b)]);
        assert_eq!(
            [said(100, 100), said(100, 120), said(120, 100)],
            [Ok(()), Ok(()), Ok(())]
        );
        let sentence = "`a` is at step 2,585 (epoch 64.6) and `b` is at step 2,115 (epoch 52.9): moments more than \
                        half an epoch apart are not compared.";
        assert_eq!(said(2585, 2115), Err(sentence.to_owned()));
        assert!(said(100, 121).is_err());
        // Steps of runs with batches of another size are set apart by epochs.
        let mut large = run.clone();
        if let Some(started) = &mut large.started {
            started.steps_per_epoch = 20;
        }
        assert_eq!(comparable([("a", &run, 100), ("b", &large, 50)]), Ok(()));
        assert!(comparable([("a", &run, 100), ("b", &large, 100)]).is_err());
        // Steps of a recorder that does not know epochs are not taken for epochs.
        let mut unknown = run.clone();
        if let Some(started) = &mut unknown.started {
            started.steps_per_epoch = 0;
        }
        assert_eq!(comparable([("a", &run, 100), ("b", &unknown, 120)]), Ok(()));
        let said = comparable([("a", &run, 800), ("b", &unknown, 20)]);
        assert_eq!(
            said,
            Err("`a` is at step 800 (epoch 20.0) and `b` is at step 20: moments more than half an epoch apart are not \
                 compared."
                .to_owned())
        );
        let last = unknown.last_step();
        let near = last - last / 200;
        let both = |step| comparable([("a", &unknown, last), ("b", &unknown, step)]);
        assert_eq!((both(near), both(last / 2).is_err()), (Ok(()), true));
        Ok(())
    }
}
