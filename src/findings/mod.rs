//! Findings: plain sentences that the program derives from a run, or from a pair of runs, and ranks.
//!
//! Only what is told apart from noise becomes a finding. The rules, each in the file named:
//!
//! | kind | says | where |
//! |---|---|---|
//! | [`Kind::Loss`] | the training loss is no number, or leaps | `training` |
//! | [`Kind::Comparison`] | what attention changes, in a pair whose configurations differ in nothing else | `compare` |
//! | [`Kind::Unlearned`] | steps raise a class's loss, in the last probes in a row | `conflict` |
//! | [`Kind::Overfitting`] | validation macro-F1 falls while training loss falls | `training` |
//! | [`Kind::Score`] | classes with training images have an F1 of 0, or none | `training` |
//! | [`Kind::Conflict`] | the pair of classes that pulls apart most, and persistently | `conflict` |
//! | [`Kind::Gates`] | gates are saturated, alike for all classes, or alike in all branches | `gates` |
//! | [`Kind::Noise`] | a class whose gradient is noise while others' are not | `conflict` |
//! | [`Kind::Depth`] | where conflict exceeds noise most, and where nothing is resolved | `depth` |
//!
//! They are ranked in this order ([`Kind::rank`]); within a kind, the stronger comes first, and a rare class before a
//! frequent one. The images of a probe are the same throughout a run, so successive probes share their noise: that
//! something lasts is required, but never counted as independent evidence. The probe before the first step is left out,
//! since nothing is learned there yet.
//!
//! Uses `run` and `gradient::gram` alone: plain numbers.

mod compare;
mod conflict;
mod depth;
pub(crate) mod gates;
mod recent;
#[cfg(test)]
mod tests;
mod training;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use crate::compare::contrast::signed;
use crate::compare::ranks::Thirds;
use crate::run::event::{Eval, Probe, Started, Step};
use crate::run::probe_file::ProbeTensors;
use crate::run::{Run, Scope};

use recent::Recent;

/// Probes that are looked back at, at most.
pub const HISTORY: usize = 24;

/// Evaluations that are looked back at, at most.
const EVALS: usize = 32;

/// A run and those of its probe tensors that are at hand. Rules need those of the newest [`HISTORY`] probes.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The reduced run.
    pub run: &'a Run,
    /// Probe tensors by step.
    pub probes: &'a BTreeMap<u64, Arc<ProbeTensors>>,
}

/// What a finding is about; later ones rank lower.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Training itself is in trouble.
    Loss,
    /// What differs between two runs.
    Comparison,
    /// A class is being unlearned.
    Unlearned,
    /// Validation gets worse while training gets better.
    Overfitting,
    /// Classes that are never right.
    Score,
    /// A pair of classes pulls apart.
    Conflict,
    /// Gates do little.
    Gates,
    /// A gradient that says nothing.
    Noise,
    /// Where in the network conflict is, and where nothing is seen.
    Depth,
}

impl Kind {
    /// Every kind, the most pressing first.
    pub const ALL: &[Self] = &[
        Self::Loss,
        Self::Comparison,
        Self::Unlearned,
        Self::Overfitting,
        Self::Score,
        Self::Conflict,
        Self::Gates,
        Self::Noise,
        Self::Depth,
    ];

    /// Place in the ranking, from 0 for the most pressing.
    pub fn rank(self) -> usize {
        self as usize
    }

    /// One word on screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Loss => "Loss",
            Self::Comparison => "Comparison",
            Self::Unlearned => "Unlearning",
            Self::Overfitting => "Overfitting",
            Self::Score => "Score",
            Self::Conflict => "Conflict",
            Self::Gates => "Gates",
            Self::Noise => "Noise",
            Self::Depth => "Depth",
        }
    }
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// What is so, with its number and its uncertainty, without a full stop.
    pub sentence: String,
    /// What it rests on, and what it does not say: whole sentences.
    pub detail: String,
    /// What it is about.
    pub kind: Kind,
    /// How pressing: higher comes first. The whole part is the kind's place from below, the fraction its strength.
    pub score: f64,
    /// Where it is to be seen.
    pub evidence: Evidence,
}

/// Where a finding is to be seen.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Evidence {
    /// Which of the runs asked about; for a pair, the one compared.
    pub run: usize,
    /// Part of the network.
    pub scope: Option<Scope>,
    /// Moment.
    pub step: Option<u64>,
    /// Class.
    pub class: Option<usize>,
    /// Pair of classes.
    pub pair: Option<(usize, usize)>,
}

impl Finding {
    /// A finding of a strength in [0, 1].
    fn new(kind: Kind, strength: f64, sentence: String, detail: String) -> Self {
        let from_below = Kind::ALL.len() - kind.rank();
        Self {
            sentence,
            detail,
            kind,
            score: from_below as f64 + 0.999 * strength.clamp(0.0, 1.0),
            evidence: Evidence::default(),
        }
    }

    fn at(mut self, evidence: Evidence) -> Self {
        self.evidence = evidence;
        self
    }
}

/// Everything found in one run, or in several; the first two are also compared. The most pressing comes first.
pub fn find(subjects: &[Subject<'_>]) -> Vec<Finding> {
    let mut found = Vec::new();
    for (index, subject) in subjects.iter().enumerate() {
        let Some(started) = &subject.run.started else {
            continue;
        };
        let recent = Recent::new(subject, started);
        let mut of_run = training::findings(subject.run, started);
        of_run.extend(conflict::findings(&recent));
        of_run.extend(gates::findings(&recent));
        of_run.extend(depth::findings(subject.run, started));
        of_run
            .iter_mut()
            .for_each(|finding| finding.evidence.run = index);
        found.extend(of_run);
    }
    if let [a, b, ..] = subjects {
        found.extend(compare::finding(a.run, b.run));
    }
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    found
}

/// What rules read of a run, without what is large: cheap to hand to a thread.
pub fn excerpt(run: &Run) -> Run {
    let newest = |len: usize, kept: usize| len.saturating_sub(kept)..len;
    let evals = newest(run.evals.len(), EVALS);
    // One more than is looked at, by which to see that there were earlier ones.
    let probes = newest(run.probes.len(), HISTORY + 1);
    let step = |step: &Step| Step {
        grad_norms: Vec::new(),
        ..*step
    };
    let eval = |eval: &Eval| Eval {
        confusion: Vec::new(),
        precision: Vec::new(),
        recall: Vec::new(),
        f1: eval.f1.clone(),
        support: eval.support.clone(),
        ..*eval
    };
    Run {
        started: run.started.clone(),
        steps: run.steps.iter().map(step).collect(),
        evals: run.evals[evals].iter().map(eval).collect(),
        probes: run.probes[probes].to_vec(),
        ending: run.ending.clone(),
        revisions: run.revisions,
    }
}

/// Probes after the first step, in order, the newest [`HISTORY`] of them.
fn trained_probes(run: &Run) -> &[Probe] {
    let first = run.probes.partition_point(|probe| probe.step == 0);
    let len = run.probes.len();
    &run.probes[first.max(len.saturating_sub(HISTORY))..]
}

/// Classes of the last third by training images, the rarest first; none where all are equally frequent.
fn tail(started: &Started) -> Vec<usize> {
    Thirds::of(&started.train_counts).tail
}

/// Name of a class.
fn class(started: &Started, k: usize) -> &str {
    started.classes.get(k).map_or("?", String::as_str)
}

/// `in branch2.conv1`, `in the backbone`.
fn in_scope(scope: &Scope) -> String {
    match scope {
        Scope::Layer(name) | Scope::Group(name) => format!("in {name}"),
        Scope::Backbone | Scope::Network => format!("in the {}", scope.name()),
    }
}

/// An epoch: `12`, `4.8`.
fn epoch(epoch: f64) -> String {
    let text = format!("{epoch:.1}");
    text.strip_suffix(".0")
        .map_or_else(|| text.clone(), str::to_owned)
}

/// A number to the second digit of its error, in powers of ten where it is tiny: `0.0124`, `1.2e-7`.
fn rounded(value: f64, error: f64) -> String {
    if value == 0.0 && error == 0.0 {
        return "0".to_owned();
    }
    let digits = 1.0 - error.abs().log10().floor();
    if !digits.is_finite() || digits > 6.0 {
        return format!("{value:.1e}");
    }
    format!("{value:.*}", digits.max(0.0) as usize)
}

/// `a, b and c`, of many the first three.
fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [a, b] => format!("{a} and {b}"),
        [a, b, c] => format!("{a}, {b} and {c}"),
        [a, b, c, rest @ ..] => format!("{a}, {b}, {c} and {} more", rest.len()),
    }
}
