//! Gates of every class: by branch and channel at one probe, over time, and the distance between those of two classes.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use egui::{Context, Id};

use crate::compare::statistics::{correlation, mean, mean_sd};
use crate::figure::facts::unread::{NO_PROBE, not_read};
use crate::figure::kit::memo::{keep, kept, remembered};
use crate::figure::look::subject::Subject;
use crate::figure::look::view::View;
use crate::run::gates::distances;
use crate::run::probe_file::ProbeTensors;

/// The sentence in place of the gates of a network that has none.
const NO_GATES: &str = "This network has no gates; train one with branch attention.";

/// The sentence in place of the agreement of branches whose values depend on each other.
const SHARES: &str =
    "The shares of the branches sum to 1, so that they tell classes apart together.";

/// The gates of one branch; with class attention the share that each class gives to it, as one channel.
pub(in crate::figure) struct Branch {
    pub(in crate::figure) name: String,
    /// `[K][channels]`; NaN for a class without images.
    pub(in crate::figure) gates: Vec<Vec<f64>>,
    /// Channels by how much classes differ in them, most first.
    pub(in crate::figure) channels: Vec<usize>,
    pub(in crate::figure) mean: Option<f64>,
    /// Mean over channels of the standard deviation over classes (n − 1).
    pub(in crate::figure) spread: Option<f64>,
}

impl Branch {
    /// A branch from values `[classes, channels]`; `None` where there are none, or their number is no multiple of
    /// `classes`.
    pub(in crate::figure) fn new(name: &str, values: &[f32], classes: usize) -> Option<Self> {
        let width = values.len().checked_div(classes).filter(|n| *n > 0)?;
        if width * classes != values.len() {
            return None;
        }
        let row = |row: &[f32]| row.iter().copied().map(f64::from).collect::<Vec<_>>();
        let gates: Vec<Vec<f64>> = values.chunks(width).map(row).collect();
        let finite: Vec<&Vec<f64>> = gates
            .iter()
            .filter(|row| row.iter().all(|x| x.is_finite()))
            .collect();
        let sd = |c: usize| {
            let column: Vec<f64> = finite.iter().map(|row| row[c]).collect();
            mean_sd(&column).map(|(_, sd)| sd)
        };
        let sds: Vec<Option<f64>> = (0..width).map(sd).collect();
        let mut channels: Vec<usize> = (0..width).collect();
        channels.sort_by(|&a, &b| sds[b].unwrap_or(0.0).total_cmp(&sds[a].unwrap_or(0.0)));
        let all: Vec<f64> = finite.iter().copied().flatten().copied().collect();
        let spread: Option<Vec<f64>> = sds.into_iter().collect();
        Some(Self {
            name: name.to_owned(),
            channels,
            mean: mean(&all),
            spread: spread.and_then(|sds| mean(&sds)),
            gates,
        })
    }

    /// Whether the values are the shares that classes give to the branch, rather than gates of its channels.
    pub(in crate::figure) fn is_share(&self) -> bool {
        self.channels.len() == 1
    }

    /// Mean gate of a class; `None` where the class has no images.
    pub(in crate::figure) fn gate(&self, class: usize, channel: usize) -> Option<f64> {
        let gate = self.gates.get(class)?.get(channel).copied()?;
        gate.is_finite().then_some(gate)
    }
}

/// The gates of one probe, branch by branch.
pub(in crate::figure) struct Shown {
    pub(in crate::figure) branches: Vec<Branch>,
    /// Correlation of the distances between classes, by pair of branches; `None` where it is undefined.
    pub(in crate::figure) alike: Vec<(usize, usize, Option<f64>)>,
    /// The step whose gates give the order of the channels; `None` where that is the step of this probe.
    pub(in crate::figure) sorted_at: Option<u64>,
}

impl Shown {
    pub(in crate::figure) fn new(tensors: &ProbeTensors) -> Self {
        let branches: Vec<Branch> = tensors
            .gates
            .iter()
            .filter_map(|(name, values)| Branch::new(name, values, tensors.classes))
            .collect();
        let distances: Vec<_> = branches
            .iter()
            .map(|branch| distances(&tensors.gates[&branch.name], tensors.classes))
            .collect();
        let pairs = (0..branches.len()).flat_map(|b| (0..b).map(move |a| (a, b)));
        let alike = pairs.map(|(a, b)| {
            let both = distances[a].as_ref().zip(distances[b].as_ref());
            (a, b, both.and_then(|(x, y)| correlation(x, y)))
        });
        Self {
            alike: alike.collect(),
            branches,
            sorted_at: None,
        }
    }

    /// Sorts the channels in the order that they have at another step, so that columns stay where they are over time.
    pub(in crate::figure) fn sorted_as_at(mut self, step: u64, tensors: &ProbeTensors) -> Self {
        for branch in &mut self.branches {
            let other = tensors.gates.get(&branch.name);
            let other = other.and_then(|x| Branch::new(&branch.name, x, tensors.classes));
            if let Some(other) = other.filter(|x| x.channels.len() == branch.channels.len()) {
                branch.channels = other.channels;
                self.sorted_at = Some(step);
            }
        }
        self
    }
}

/// Why a run has no gates at any moment; `None` where it has.
pub(in crate::figure) fn lacks(subject: Subject<'_>) -> Option<&'static str> {
    let started = subject.run.started.as_ref()?;
    let attention = started.attention();
    let has_any = attention.has_gates() || attention.shares_branches();
    (!has_any).then_some(NO_GATES)
}

/// Why branches cannot be compared by how they tell classes apart; `None` where they can.
pub(in crate::figure) fn lacks_agreement(subject: Subject<'_>) -> Option<&'static str> {
    let started = subject.run.started.as_ref()?;
    match started.attention().shares_branches() {
        true => Some(SHARES),
        false => lacks(subject),
    }
}

/// The gates at the moment looked at; else a sentence that says why there are none.
pub(in crate::figure) fn shown(
    ctx: &Context,
    subject: Subject<'_>,
    view: &View,
) -> Result<Arc<Shown>, String> {
    let Some(probe) = subject.probe(view) else {
        return Err(NO_PROBE.to_owned());
    };
    let Some(tensors) = subject.probes.get(&probe.step) else {
        return Err(not_read(probe.step));
    };
    if tensors.gates.is_empty() {
        return Err(NO_GATES.to_owned());
    }
    let id = subject.run.started.as_ref().map(|started| &started.id);
    // The newest probe in memory: the later in training, the more gates tell classes apart.
    let newest = subject.probes.whole.iter().next_back();
    let newest_step = newest.map(|(step, _)| step);
    let key = (id, subject.run.revisions.probes, probe.step, newest_step);
    let shown = remembered(ctx, ("gates", subject.identity()), key, || {
        let shown = Shown::new(tensors);
        Arc::new(match newest {
            Some((&step, newest)) => shown.sorted_as_at(step, newest),
            None => shown,
        })
    });
    if shown.branches.is_empty() {
        return Err(format!("The gates of step {} are damaged.", probe.step));
    }
    Ok(shown)
}

/// The name of a gate's block without that of the layer: in these figures it is clear that a gate is meant.
pub(in crate::figure) fn short(name: &str) -> &str {
    name.split('.').next().unwrap_or(name)
}

/// The gates of one probe reduced to a few numbers per branch, kept for curves over time.
#[derive(Debug)]
pub(in crate::figure) struct Moment {
    /// Name, mean and spread over classes of every branch.
    pub(in crate::figure) branches: Vec<(String, Option<f64>, Option<f64>)>,
    /// How alike two branches tell classes apart: the correlation of [`Shown::alike`].
    pub(in crate::figure) alike: Vec<(usize, usize, Option<f64>)>,
    /// The largest distance between the gates of two classes.
    pub(in crate::figure) farthest: f64,
}

impl Moment {
    pub(in crate::figure) fn new(tensors: &ProbeTensors) -> Self {
        let shown = Shown::new(tensors);
        let distances = all(&shown.branches, tensors.classes);
        let branches = shown.branches.iter();
        Self {
            branches: branches
                .map(|branch| (short(&branch.name).to_owned(), branch.mean, branch.spread))
                .collect(),
            alike: shown.alike,
            farthest: distances.into_iter().flatten().fold(0.0, f64::max),
        }
    }

    pub(in crate::figure) fn pair(&self, (a, b): (usize, usize)) -> Option<f64> {
        let found = self.alike.iter().find(|pair| (pair.0, pair.1) == (a, b))?;
        found.2
    }
}

/// Moments by step, each with the tensors it was made from.
pub(in crate::figure) type Moments = BTreeMap<u64, (Weak<ProbeTensors>, Arc<Moment>)>;

/// The moments of all probes that are read, each computed once.
pub(in crate::figure) fn moments(ctx: &Context, subject: Subject<'_>) -> Arc<Moments> {
    let id = Id::unique(("gates over time", subject.identity()));
    let kept: Arc<Moments> = kept(ctx, id).unwrap_or_default();
    let known = |(step, tensors): (&u64, &Arc<ProbeTensors>)| {
        let (source, moment) = kept.get(step)?;
        let is_same = source.ptr_eq(&Arc::downgrade(tensors));
        is_same.then(|| moment.clone())
    };
    let probes = &subject.probes.whole;
    if kept.len() == probes.len() && probes.iter().all(|probe| known(probe).is_some()) {
        return kept;
    }
    let moment = |probe: (&u64, &Arc<ProbeTensors>)| {
        let moment = known(probe).unwrap_or_else(|| Arc::new(Moment::new(probe.1)));
        (*probe.0, (Arc::downgrade(probe.1), moment))
    };
    let moments: Arc<Moments> = Arc::new(probes.iter().map(moment).collect());
    keep(ctx, id, moments.clone());
    moments
}

/// Root mean square of the difference between the gates of two classes; `None` where a class has no gates.
pub(in crate::figure) fn distance(branches: &[Branch], a: usize, b: usize) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0);
    for branch in branches {
        for (x, y) in branch.gates.get(a)?.iter().zip(branch.gates.get(b)?) {
            sum += (x - y).powi(2);
            count += 1;
        }
    }
    let mean = sum / f64::from(count);
    mean.is_finite().then(|| mean.sqrt())
}

/// The distances of all pairs of classes, `[K, K]` row by row.
pub(in crate::figure) fn all(branches: &[Branch], classes: usize) -> Vec<Option<f64>> {
    let mut all = vec![None; classes * classes];
    for b in 0..classes {
        for a in 0..=b {
            let distance = distance(branches, a, b);
            all[a * classes + b] = distance;
            all[b * classes + a] = distance;
        }
    }
    all
}

/// Epoch and value at every probe; no value where the probe is not read.
pub(in crate::figure) fn points<'a>(
    subject: Subject<'a>,
    moments: &'a Moments,
    value: &'a dyn Fn(&Moment) -> Option<f64>,
) -> impl Iterator<Item = (f64, Option<f64>)> {
    let at = |step: u64| moments.get(&step).map(|(_, moment)| moment.as_ref());
    let probes = subject.run.probes.iter();
    probes.map(move |probe| (probe.epoch, at(probe.step).and_then(value)))
}

/// A key of all that the gates over time depend on: the probes, and which of them are read.
pub(in crate::figure) fn read(subject: Subject<'_>) -> (u64, Vec<u64>) {
    let read = subject.probes.whole.keys().copied().collect();
    (subject.run.revisions.probes, read)
}
