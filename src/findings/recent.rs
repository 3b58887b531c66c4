//! The newest probes of a run with their tensors, in the form that the rules about gradients use.

use crate::gradient::gram::{ConflictSummary, Gram, RESOLVED_STANDARD_ERRORS};
use crate::run::event::{Probe, Started};
use crate::run::probe_file::ProbeTensors;
use crate::run::{Run, Scope};

use super::subject::{Subject, trained_probes};
use super::words::{epoch, unit};

/// Number of newest probes within which a fact must last.
pub(super) const WINDOW: usize = 5;
/// Fewest probes over which a fact is said to last.
pub(super) const LEAST: usize = 3;

/// Factor on the number of standard errors that rules require in blocks and layers: there are many of these, so some
/// exceed a bound by chance.
const PART_FACTOR: f64 = 2.0;
/// The newest probes whose tensors are in memory, oldest first.
pub(super) struct Recent<'a> {
    pub(super) run: &'a Run,
    pub(super) started: &'a Started,
    pub(super) moments: Vec<Moment<'a>>,
    /// Whether the run has earlier probes, which rules do not look at.
    is_cut: bool,
}

/// One probe with its tensors.
#[derive(Clone, Copy)]
pub(super) struct Moment<'a> {
    pub(super) probe: &'a Probe,
    pub(super) tensors: &'a ProbeTensors,
    /// Learning rate of the last step logged up to the probe.
    pub(super) lr: f64,
}

/// A part of the network at the newest probes.
pub(super) struct Part {
    pub(super) scope: Scope,
    pub(super) rows: Vec<usize>,
    /// The part at the newest [`WINDOW`] probes, oldest first.
    pub(super) pictures: Vec<Picture>,
}

/// A part of the network at one probe.
pub(super) struct Picture {
    pub(super) gram: Gram,
    /// The conflict over all pairs of classes.
    pub(super) all: ConflictSummary,
    /// Noise floor: the mean over pairs of max(0, −cosine) that noise alone would produce.
    pub(super) floor: f64,
    /// Median over all pairs of the standard error of ⟨g_a, g_b⟩ / (‖g_a‖ ‖g_b‖). The median is steadier than the
    /// standard error of a single pair, which rests on a few pieces.
    pub(super) middle_error: f64,
    /// Whether the images of every class agree on a direction ([`is_clear`]), `[K]`.
    pub(super) clear: Vec<bool>,
}

impl<'a> Recent<'a> {
    pub(super) fn new(subject: &Subject<'a>, started: &'a Started) -> Self {
        let run = subject.run;
        let lr = |step: u64| {
            let at = run.steps.partition_point(|x| x.step <= step);
            run.steps
                .get(at.saturating_sub(1))
                .map_or(started.config.learning_rate(), |x| x.lr)
        };
        let moment = |probe: &'a Probe| {
            let tensors = subject.probes.get(&probe.step)?;
            let fits = tensors.classes == started.classes.len();
            fits.then(|| Moment {
                probe,
                tensors,
                lr: lr(probe.step),
            })
        };
        let probes = trained_probes(run);
        let first = probes.first().map_or(0, |probe| probe.step);
        Self {
            run,
            started,
            moments: probes.iter().filter_map(moment).collect(),
            is_cut: run.probes.iter().any(|x| 0 < x.step && x.step < first),
        }
    }

    /// The time since which a fact holds, in words. `first` is the index of the first moment at which the fact holds;
    /// at index 0 the fact may have held before, where the run has earlier probes.
    pub(super) fn since_words(&self, first: usize) -> Option<String> {
        let epoch = epoch(self.moments.get(first)?.probe.epoch);
        let unit = unit(self.run);
        Some(if first == 0 && self.is_cut {
            format!("since {unit} {epoch} or earlier")
        } else {
            format!("since {unit} {epoch}")
        })
    }

    /// Share of every class in the optimiser step after a probe, `[K]`.
    pub(super) fn shares(&self, moment: &Moment<'_>) -> Vec<f64> {
        self.run.shares(moment.probe.step)
    }

    /// The newest `count` probes, or all of them where there are fewer.
    pub(super) fn newest(&self, count: usize) -> &[Moment<'a>] {
        &self.moments[self.moments.len().saturating_sub(count)..]
    }

    /// Number of standard errors that a sum or a product of gradients of these classes must exceed. With two pieces a
    /// standard error has so few degrees of freedom that twice as many are required.
    pub(super) fn standard_errors(&self, classes: &[usize]) -> f64 {
        if self.fewest_pieces(classes) > 2 {
            RESOLVED_STANDARD_ERRORS
        } else {
            2.0 * RESOLVED_STANDARD_ERRORS
        }
    }

    /// Number of pieces that hold images, of that one of these classes which has the fewest: a class with fewer images than
    /// pieces leaves some empty.
    pub(super) fn fewest_pieces(&self, classes: &[usize]) -> usize {
        let probe = &self.started.probe;
        let pieces = |k: usize| match probe.counts.get(k) {
            Some(counts) => counts.iter().filter(|&&images| images > 0).count(),
            None => probe.pieces,
        };
        let fewest = classes.iter().map(|&k| pieces(k)).min();
        fewest.unwrap_or(probe.pieces)
    }

    /// The backbone, its blocks and its layers, in this order. Empty with fewer than [`LEAST`] probes.
    pub(super) fn parts(&self) -> Vec<Part> {
        if self.moments.len() < LEAST {
            return Vec::new();
        }
        let scopes = scopes(self.started).into_iter();
        scopes.filter_map(|scope| self.part(scope)).collect()
    }

    /// A part of the network at every probe that rules look at, oldest first; `None` where the noise cannot be
    /// estimated.
    pub(super) fn pictures(&self, scope: &Scope) -> Vec<Option<Picture>> {
        let rows = self.run.gram_rows(scope);
        let picture =
            |moment: &Moment<'_>| picture(moment.tensors.gram_of(&rows)?, &self.shares(moment));
        self.moments.iter().map(picture).collect()
    }

    /// Whether the moment with this index is the first probe after training began.
    pub(super) fn is_first(&self, index: usize) -> bool {
        index == 0 && !self.is_cut
    }

    fn part(&self, scope: Scope) -> Option<Part> {
        let rows = self.run.gram_rows(&scope);
        let picture =
            |moment: &Moment<'_>| picture(moment.tensors.gram_of(&rows)?, &self.shares(moment));
        let pictures: Option<Vec<_>> = self.newest(WINDOW).iter().map(picture).collect();
        Some(Part {
            pictures: pictures?,
            scope,
            rows,
        })
    }
}

/// The backbone, its blocks of more than one layer, and its layers.
fn scopes(started: &Started) -> Vec<Scope> {
    let trained = || {
        let layers = started.layers.iter();
        layers.filter(|layer| layer.gram.is_some() && layer.is_in_backbone())
    };
    let mut scopes = vec![Scope::Backbone];
    let mut groups: Vec<&str> = Vec::new();
    for layer in trained() {
        let alone = trained().filter(|x| x.group == layer.group).count() < 2;
        if !alone && !groups.contains(&layer.group.as_str()) {
            groups.push(&layer.group);
        }
    }
    scopes.extend(
        groups
            .into_iter()
            .map(|group| Scope::Group(group.to_owned())),
    );
    scopes.extend(trained().map(|layer| Scope::Layer(layer.name.clone())));
    scopes
}

/// A part of the network at one probe, from its Gram matrix; `None` where the noise cannot be estimated.
fn picture(gram: Gram, shares: &[f64]) -> Option<Picture> {
    let all = gram.summary(shares);
    let classes = gram.classes();
    let pairs = (0..classes).flat_map(|a| (0..a).map(move |b| (a, b)));
    let error = |(a, b)| Some(gram.standard_error(a, b)? / (gram.norm(a)? * gram.norm(b)?));
    let mut errors: Vec<f64> = pairs.filter_map(error).filter(|x| x.is_finite()).collect();
    errors.sort_by(f64::total_cmp);
    Some(Picture {
        floor: all.floor?,
        all,
        middle_error: *errors.get(errors.len() / 2)?,
        clear: (0..classes).map(|k| is_clear(&gram, k)).collect(),
        gram,
    })
}

/// Share of a class's squared gradient norm on which different pieces agree; the rest is noise. `None` where the
/// gradient is 0 or undefined, or the class has a single piece.
pub(super) fn shared(gram: &Gram, k: usize) -> Option<f64> {
    let mut alone = vec![0.0; gram.classes()];
    *alone.get_mut(k)? = 1.0;
    let square = gram.norm(k)?.powi(2);
    let shared = gram.influence(-1.0, &alone, k, k)?;
    (square > 0.0).then(|| shared / square)
}

/// Whether a class's images agree on a direction: the mean product of different pieces exceeds 0 by two standard
/// errors. With two pieces there is no such standard error; the pieces must then share half of the squared norm.
pub(super) fn is_clear(gram: &Gram, k: usize) -> bool {
    match gram.agreement(k) {
        Some(agreement) => agreement > 2.0,
        None => shared(gram, k).is_some_and(|shared| shared > 0.5),
    }
}

/// The first index since which a fact holds: walking back from the newest moment, the earliest one at which the fact
/// holds, as long as it holds at four or more times as many moments as it does not. `None` where it does not hold at
/// the newest.
pub(super) fn since(holds: &[bool]) -> Option<usize> {
    let mut first = None;
    let (mut hits, mut misses) = (0_usize, 0_usize);
    for (index, holds) in holds.iter().enumerate().rev() {
        if *holds {
            hits += 1;
        } else {
            misses += 1;
        }
        if hits < 4 * misses {
            break;
        }
        if *holds {
            first = Some(index);
        }
    }
    first
}

/// Factor on the number of standard errors that rules require in a part of the network.
pub(super) fn factor(scope: &Scope) -> f64 {
    if *scope == Scope::Backbone {
        1.0
    } else {
        PART_FACTOR
    }
}
