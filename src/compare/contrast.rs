//! Groups of runs against a baseline: means over seeds, paired differences, and what can be said of them.
//!
//! Everything is measured at the last step of finished runs. Runs are paired by seed. The p values are of the exact
//! sign-flip test of the paired differences, and Holm's correction is made within four families, each over all groups
//! that are compared: macro-F1 alone (the primary measure); the other headline measures; the classes; the layers.
//! Nothing is called significant where the smallest corrected p that so many seeds can give is above 0.05.

use serde::Serialize;

use super::groups::{Group, groups, name_apart};
use super::ranks::Thirds;
use super::statistics::{Paired, holm, mean, mean_sd};
use crate::config::Attention;
use crate::run::event::{Eval, Probe, Split, Started};
use crate::run::{Ending, Run};

/// A difference is significant up to this p.
pub const LEVEL: f64 = 0.05;

/// A run that takes part.
#[derive(Clone, Copy)]
pub struct Member<'a> {
    /// Name on screen.
    pub name: &'a str,
    /// The run.
    pub run: &'a Run,
}

/// Why nothing can be compared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompareError {
    /// No run is finished.
    #[error("no run is finished: a comparison is of what runs reach at their last step")]
    NothingFinished,
    /// All runs have one configuration.
    #[error("all finished runs are of one group, {0}: name runs that differ in more than the seed")]
    OneGroup(String),
    /// No such group.
    #[error("`{name}` names no finished run and no group of runs; the groups are {}", known.join("; "))]
    UnknownBaseline {
        /// What was asked for.
        name: String,
        /// The groups there are.
        known: Vec<String>,
    },
}

/// A baseline against any number of other groups.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The images that scores are of: test images where every run was tested at its last step, else validation images.
    pub split: Split,
    /// Which of the groups is the baseline.
    pub baseline: usize,
    /// The groups that take part.
    pub groups: Vec<Compared>,
    /// Names of the classes.
    pub classes: Vec<String>,
    /// Training images of each class, in the baseline.
    pub train_counts: Vec<usize>,
    /// Overall scores and conflicts; the first row is the primary measure.
    pub headline: Vec<Row>,
    /// F1 of every class.
    pub per_class: Vec<Row>,
    /// Interference of every layer of the baseline that another group has as well, from input to output.
    pub per_layer: Vec<Row>,
    /// What was left out, and why: whole sentences.
    pub notes: Vec<String>,
}

/// A group that takes part.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Compared {
    /// The settings that tell it from the other groups.
    pub name: String,
    /// Names of its runs, by seed.
    pub runs: Vec<String>,
    /// Their seeds, in order.
    pub seeds: Vec<u64>,
    /// The same for the same configuration and data, whatever it is compared to.
    #[serde(skip)]
    pub identity: String,
}

/// Finished runs in groups, whether or not there are any to compare them to.
#[derive(Clone, Debug, PartialEq)]
pub struct Grouped {
    /// The groups, of runs with different seeds.
    pub groups: Vec<Compared>,
    /// Runs that were given and are not finished.
    pub unfinished: usize,
}

impl Grouped {
    /// Of these runs; a first one that is finished decides which classes they are on.
    ///
    /// # Errors
    /// Where no run is finished.
    pub fn of(members: &[Member<'_>]) -> Result<Self, CompareError> {
        let first = members
            .first()
            .filter(|first| Reached::of(**first).is_some());
        let chosen = choose(members, first.map(|first| first.name))?;
        Ok(Self {
            groups: chosen.compared(),
            unfinished: members.len() - chosen.runs.len(),
        })
    }
}

/// One measure in every group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Name of the measure, the class or the layer.
    pub name: String,
    /// What the number is, in a sentence.
    pub help: String,
    /// Decimals that it is shown with.
    pub digits: usize,
    /// Whether more is better; none where neither is.
    pub more_is_better: Option<bool>,
    /// By group.
    pub values: Vec<Values>,
    /// Of every group but the baseline, in order.
    pub contrasts: Vec<Contrast>,
}

/// One measure over the seeds of a group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Values {
    /// One for each run; none where it is undefined.
    pub by_seed: Vec<Option<f64>>,
    /// Mean of those that are defined.
    pub mean: Option<f64>,
    /// Their standard deviation (n − 1); none of a single one.
    pub sd: Option<f64>,
    /// Their number.
    pub n: usize,
}

/// One measure of a group against the baseline.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Contrast {
    /// The group compared.
    pub group: usize,
    /// Seeds of the pairs.
    pub seeds: Vec<u64>,
    /// Group − baseline, for each of those; none without a pair, or where the measure is not tested.
    pub paired: Option<Paired>,
    /// Pairs of runs left out since the measure is undefined in one of them.
    pub undefined_pairs: usize,
    /// p after Holm's correction within the family.
    pub corrected_p: Option<f64>,
    /// The smallest that `corrected_p` can be with so many pairs.
    pub smallest_corrected_p: Option<f64>,
    /// Pairs with which `corrected_p` could be at most 0.05.
    pub pairs_needed: usize,
    /// Whether the difference is significant; none where it cannot be with so many pairs.
    pub significant: Option<bool>,
    /// What can be said.
    pub sentence: String,
}

/// A finished run with its last evaluation and probe.
struct Reached<'a> {
    name: &'a str,
    started: &'a Started,
    val: Option<&'a Eval>,
    test: Option<&'a Eval>,
    probe: Option<&'a Probe>,
}

impl<'a> Reached<'a> {
    /// None where the run is not finished.
    fn of(member: Member<'a>) -> Option<Self> {
        let run = member.run;
        let Some(Ending::Finished(end)) = &run.ending else {
            return None;
        };
        let eval = |split| {
            run.evals_of(split)
                .next_back()
                .filter(|x| x.step == end.step)
        };
        Some(Self {
            name: member.name,
            started: run.started.as_ref()?,
            val: eval(Split::Val),
            test: eval(Split::Test),
            probe: run.probes.last().filter(|probe| probe.step == end.step),
        })
    }

    fn seed(&self) -> u64 {
        self.started.config.seed
    }

    fn eval(&self, split: Split) -> Option<&'a Eval> {
        match split {
            Split::Test => self.test,
            Split::Val => self.val,
            Split::Train => None,
        }
    }
}

/// What of a run a comparison reads: cheap to keep a copy of.
pub fn excerpt(run: &Run) -> Run {
    let last = run.last_step();
    // Of what was before, the curves show one number.
    let eval = |eval: &Eval| Eval {
        precision: Vec::new(),
        recall: Vec::new(),
        f1: Vec::new(),
        support: Vec::new(),
        confusion: Vec::new(),
        ..*eval
    };
    let probe = |probe: &Probe| Probe {
        layers: Vec::new(),
        file: probe.file.clone(),
        backbone: probe.backbone.clone(),
        classifier: probe.classifier.clone(),
        ..*probe
    };
    let evals = run.evals.iter();
    let probes = run.probes.iter();
    Run {
        started: run.started.clone(),
        steps: Vec::new(),
        evals: evals
            .map(|x| if x.step == last { x.clone() } else { eval(x) })
            .collect(),
        probes: probes
            .map(|x| if x.step == last { x.clone() } else { probe(x) })
            .collect(),
        ending: run.ending.clone(),
        revisions: run.revisions,
    }
}

/// What is left to compare, and which group is the baseline.
struct Chosen<'a> {
    runs: Vec<Reached<'a>>,
    groups: Vec<Group>,
    baseline: usize,
    notes: Vec<String>,
}

impl Comparison {
    /// Of all groups with `baseline`, the name of a group or of one of its runs; without one, with the first group that
    /// has no attention, else the first of all.
    ///
    /// # Errors
    /// Where there is no other group, or no such baseline.
    pub fn of(members: &[Member<'_>], baseline: Option<&str>) -> Result<Self, CompareError> {
        let mut chosen = choose(members, baseline)?;
        if let [group] = chosen.groups.as_slice() {
            return Err(CompareError::OneGroup(group.name.clone()));
        }
        let split = chosen.split();
        chosen.note_pairs(split);
        let measured = Measured::new(&chosen, split);
        let mut comparison = Self {
            split,
            baseline: chosen.baseline,
            groups: chosen.compared(),
            classes: measured.reference().started.classes.clone(),
            train_counts: measured.reference().started.train_counts.clone(),
            headline: measured.headline(),
            per_class: measured.per_class(),
            per_layer: measured.per_layer(),
            notes: chosen.notes.clone(),
        };
        let (primary, others) = comparison.headline.split_at_mut(1);
        correct(primary);
        correct(others);
        correct(&mut comparison.per_class);
        correct(&mut comparison.per_layer);
        comparison.say();
        Ok(comparison)
    }

    /// The groups that are compared to the baseline, in the order of [`Row::contrasts`].
    pub fn others(&self) -> Vec<usize> {
        (0..self.groups.len())
            .filter(|&x| x != self.baseline)
            .collect()
    }

    /// The group that a run is in.
    pub fn group_of(&self, run: &str) -> Option<usize> {
        let has = |group: &Compared| group.runs.iter().any(|name| name == run);
        self.groups.iter().position(has)
    }

    /// "test" or "validation".
    pub fn images(&self) -> &'static str {
        if self.split == Split::Test {
            "test"
        } else {
            "validation"
        }
    }

    /// Puts in words what can be said, and notes what is undefined.
    fn say(&mut self) {
        let families = [&mut self.headline, &mut self.per_class, &mut self.per_layer];
        for rows in families {
            put_in_words(rows, &self.groups, self.baseline);
        }
        let undefined = |row: &Row| {
            row.contrasts
                .iter()
                .map(|x| x.undefined_pairs)
                .sum::<usize>()
        };
        let mut notes = Vec::new();
        for row in self
            .headline
            .iter()
            .chain(&self.per_class)
            .chain(&self.per_layer)
        {
            match undefined(row) {
                0 => {}
                1 => notes.push(format!(
                    "{}: a pair is left out, since it is undefined in one of its runs.",
                    row.name
                )),
                n => notes.push(format!(
                    "{}: {n} pairs are left out, since it is undefined in one of their runs.",
                    row.name
                )),
            }
        }
        self.notes.extend(notes);
    }
}

/// Says of every contrast what can be said.
pub(super) fn put_in_words(rows: &mut [Row], groups: &[Compared], baseline: usize) {
    let name = |group: usize| groups[group].name.as_str();
    for row in rows {
        for contrast in &mut row.contrasts {
            let (group, base) = (name(contrast.group), name(baseline));
            contrast.sentence = contrast.in_words(&row.name, row.digits, group, base);
        }
    }
}

/// Finished runs in groups, one for each seed, on the baseline's classes.
fn choose<'a>(members: &[Member<'a>], baseline: Option<&str>) -> Result<Chosen<'a>, CompareError> {
    let mut notes = Vec::new();
    let mut runs = Vec::new();
    for &member in members {
        match Reached::of(member) {
            Some(reached) => runs.push(reached),
            None => notes.push(format!("{} is left out: it is not finished.", member.name)),
        }
    }
    let headers: Vec<_> = runs.iter().map(|run| run.started).collect();
    let mut groups = groups(&headers);
    if groups.is_empty() {
        return Err(CompareError::NothingFinished);
    }
    let base = match baseline {
        Some(name) => find(name, &groups, &runs)?,
        None => {
            let is_plain = |x: &Group| headers[x.members[0]].config.attention == Attention::None;
            groups.iter().position(is_plain).unwrap_or(0)
        }
    };
    let classes = &headers[groups[base].members[0]].classes;
    let (base_name, base_identity) = (groups[base].name.clone(), groups[base].identity.clone());
    groups.retain(|group| {
        let fits = headers[group.members[0]].classes == *classes;
        if !fits {
            let name = &group.name;
            notes.push(format!(
                "The group {name} is left out: its classes are not those of {base_name}."
            ));
        }
        fits
    });
    for group in &mut groups {
        group.members.sort_by_key(|&run| runs[run].seed());
        group.members.dedup_by(|run, first| {
            let same = runs[*run].seed() == runs[*first].seed();
            if same {
                let (name, first, seed) = (runs[*run].name, runs[*first].name, runs[*run].seed());
                notes.push(format!(
                    "{name} is left out: it has seed {seed} like {first}, of the same group."
                ));
            }
            same
        });
    }
    // What only told them from groups that are left out need not be said of every number.
    name_apart(&mut groups, &headers);
    let baseline = groups.iter().position(|x| x.identity == base_identity);
    Ok(Chosen {
        runs,
        groups,
        baseline: baseline.unwrap_or(0),
        notes,
    })
}

/// The group of that name, the one that has the run of that name, or the only one whose name has all parts of it.
fn find(name: &str, groups: &[Group], runs: &[Reached<'_>]) -> Result<usize, CompareError> {
    let by_run = |group: &Group| group.members.iter().any(|&run| runs[run].name == name);
    let by_name = groups.iter().position(|group| group.name == name);
    let has_parts = |group: &&Group| {
        let mut parts = name.split(", ");
        parts.all(|part| group.name.split(", ").any(|known| known == part))
    };
    let by_parts = || {
        let mut having = groups.iter().filter(has_parts);
        let only = having.next().filter(|_| having.next().is_none())?;
        groups.iter().position(|group| group == only)
    };
    let by_run = || groups.iter().position(by_run);
    let found = by_name.or_else(by_run).or_else(by_parts);
    found.ok_or_else(|| CompareError::UnknownBaseline {
        name: name.to_owned(),
        known: groups.iter().map(|group| group.name.clone()).collect(),
    })
}

impl Chosen<'_> {
    fn compared(&self) -> Vec<Compared> {
        let runs = |group: &Group| -> Vec<&Reached<'_>> {
            group.members.iter().map(|&run| &self.runs[run]).collect()
        };
        let of = |group: &Group| Compared {
            name: group.name.clone(),
            runs: runs(group).iter().map(|x| x.name.to_owned()).collect(),
            seeds: runs(group).iter().map(|x| x.seed()).collect(),
            identity: group.identity.clone(),
        };
        self.groups.iter().map(of).collect()
    }

    fn split(&self) -> Split {
        let mut members = self.groups.iter().flat_map(|group| &group.members);
        if members.all(|&run| self.runs[run].test.is_some()) {
            Split::Test
        } else {
            Split::Val
        }
    }

    /// Notes what concerns pairs of runs as a whole.
    fn note_pairs(&mut self, split: Split) {
        if split == Split::Val {
            let sentence =
                "Not every run was tested at its last step: scores are of validation images.";
            self.notes.push(sentence.to_owned());
        }
        let base = &self.groups[self.baseline];
        let seeds = |group: &Group| -> Vec<u64> {
            group
                .members
                .iter()
                .map(|&run| self.runs[run].seed())
                .collect()
        };
        let mut notes = Vec::new();
        for group in self.groups.iter().filter(|group| group.name != base.name) {
            let (ours, theirs) = (seeds(base), seeds(group));
            let mut only_in = |one: &[u64], other: &[u64], name: &str, lacking: &str| {
                let alone: Vec<_> = one.iter().filter(|x| !other.contains(x)).collect();
                if let [seed] = alone.as_slice() {
                    notes.push(format!(
                        "Seed {seed} is in no pair: {name} has it, {lacking} has not."
                    ));
                } else if !alone.is_empty() {
                    let alone: Vec<_> = alone.iter().map(ToString::to_string).collect();
                    let alone = alone.join(", ");
                    notes.push(format!(
                        "Seeds {alone} are in no pair: {name} has them, {lacking} has not."
                    ));
                }
            };
            only_in(&ours, &theirs, &base.name, &group.name);
            only_in(&theirs, &ours, &group.name, &base.name);
            let data = |group: &Group| &self.runs[group.members[0]].started.data_fingerprint;
            if data(group) != data(base) {
                notes.push(format!(
                    "{} and {} are not of the same images.",
                    group.name, base.name
                ));
            }
        }
        self.notes.extend(notes);
    }
}

/// Reads measures off the runs that were chosen.
struct Measured<'a> {
    runs: &'a [Reached<'a>],
    groups: &'a [Group],
    baseline: usize,
    split: Split,
}

impl<'a> Measured<'a> {
    fn new(chosen: &'a Chosen<'_>, split: Split) -> Self {
        Self {
            runs: &chosen.runs,
            groups: &chosen.groups,
            baseline: chosen.baseline,
            split,
        }
    }

    /// The first run of the baseline.
    fn reference(&self) -> &Reached<'a> {
        &self.runs[self.groups[self.baseline].members[0]]
    }

    fn headline(&self) -> Vec<Row> {
        let split = self.split;
        let images = if split == Split::Test {
            "test"
        } else {
            "validation"
        };
        let counts = &self.reference().started.train_counts;
        let classes = &self.reference().started.classes;
        let rarest = (0..counts.len())
            .filter(|&k| counts[k] > 0)
            .min_by_key(|&k| counts[k]);
        let thirds = Thirds::of(counts);
        let score = |name: &str, help: &str, read: fn(&Eval) -> Option<f64>| {
            let help = format!("{help}, {images} images.");
            self.row(name, help, Some(true), move |run| read(run.eval(split)?))
        };
        let mut rows = vec![
            score("macro-F1", "Mean F1 over the classes", |x| x.macro_f1),
            score("accuracy", "Share of correct predictions", |x| x.accuracy),
            score("balanced accuracy", "Mean recall over the classes", |x| {
                x.balanced_accuracy
            }),
        ];
        let third = [
            ("head", &thirds.head),
            ("medium", &thirds.medium),
            ("tail", &thirds.tail),
        ];
        for (name, members) in third.into_iter().filter(|(_, members)| !members.is_empty()) {
            let names: Vec<_> = members.iter().map(|&k| classes[k].as_str()).collect();
            let help = format!(
                "Mean F1 over the {name} classes by rank ({}), {images} images.",
                names.join(", ")
            );
            rows.push(
                self.row(&format!("{name} F1"), help, Some(true), move |run| {
                    let eval = run.eval(split)?;
                    let f1: Vec<_> = members.iter().filter_map(|&k| *eval.f1.get(k)?).collect();
                    mean(&f1)
                }),
            );
        }
        if let Some(k) = rarest {
            let help = format!(
                "F1 of the class with the fewest training images, {}, {images} images.",
                classes[k]
            );
            rows.push(self.row("rarest class F1", help, Some(true), move |run| {
                *run.eval(split)?.f1.get(k)?
            }));
        }
        rows.extend(self.conflict());
        rows
    }

    fn conflict(&self) -> Vec<Row> {
        let row = |name: &str, help: &str, read: fn(&Probe) -> Option<f64>| {
            self.row(name, help.to_owned(), Some(false), move |run| {
                read(run.probe?)
            })
        };
        let mut floor = row(
            "its noise floor",
            "What noise alone would make of the backbone's interference; not tested.",
            |x| x.backbone.floor,
        );
        floor.more_is_better = None;
        floor
            .contrasts
            .iter_mut()
            .for_each(|contrast| contrast.paired = None);
        let mut conflicts = row(
            "backbone conflicts",
            "Pairs of classes whose gradients pull apart in the backbone beyond noise.",
            |x| Some(x.backbone.conflicting as f64),
        );
        conflicts.digits = 1;
        vec![
            row(
                "backbone interference",
                "Mean over class pairs of max(0, −cosine) of their gradients, all layers but the classifier.",
                |x| x.backbone.interference,
            ),
            floor,
            conflicts,
            row(
                "classifier interf.",
                "Interference in the classifier, where it is there by construction.",
                |x| x.classifier.interference,
            ),
        ]
    }

    fn per_class(&self) -> Vec<Row> {
        let started = self.reference().started;
        let row = |(k, name): (usize, &String)| {
            let help = format!(
                "F1 of {name}, {} training images.",
                started.train_counts.get(k).unwrap_or(&0)
            );
            self.row(name, help, Some(true), move |run| {
                *run.eval(self.split)?.f1.get(k)?
            })
        };
        started.classes.iter().enumerate().map(row).collect()
    }

    fn per_layer(&self) -> Vec<Row> {
        let layers = &self.reference().started.layers;
        let of = |run: &Reached<'_>, name: &str| {
            let layer = run.started.layers.iter().find(|layer| layer.name == name)?;
            run.probe?.layers.get(layer.gram?)?.interference
        };
        let others = self
            .groups
            .iter()
            .enumerate()
            .filter(|(at, _)| *at != self.baseline);
        let headers: Vec<_> = others
            .map(|(_, x)| self.runs[x.members[0]].started)
            .collect();
        let is_shared = |name: &str| {
            headers.iter().any(|other| {
                let mut layers = other.layers.iter();
                layers.any(|layer| layer.name == name && layer.gram.is_some())
            })
        };
        let with_gradients = layers.iter().filter(|layer| layer.gram.is_some());
        let shared = with_gradients.filter(|layer| is_shared(&layer.name));
        let row = |layer: &crate::run::event::Layer| {
            let help = format!(
                "Mean over class pairs of max(0, −cosine) of their gradients in {}.",
                layer.name
            );
            self.row(&layer.name, help, Some(false), |run| of(run, &layer.name))
        };
        shared.map(row).collect()
    }

    /// A measure in every group and between them; not yet corrected.
    fn row(
        &self,
        name: &str,
        help: String,
        more_is_better: Option<bool>,
        read: impl Fn(&Reached<'a>) -> Option<f64>,
    ) -> Row {
        let of_group = |group: &Group| -> Vec<(u64, Option<f64>)> {
            let of_run = |&run: &usize| (self.runs[run].seed(), read(&self.runs[run]));
            group.members.iter().map(of_run).collect()
        };
        let values: Vec<_> = self.groups.iter().map(of_group).collect();
        let base = &values[self.baseline];
        let others = (0..values.len()).filter(|&group| group != self.baseline);
        Row {
            name: name.to_owned(),
            help,
            digits: 3,
            more_is_better,
            contrasts: others
                .map(|group| contrast(group, &values[group], base))
                .collect(),
            values: values.iter().map(|values| summed(values)).collect(),
        }
    }
}

pub(super) fn summed(values: &[(u64, Option<f64>)]) -> Values {
    let defined: Vec<_> = values.iter().filter_map(|(_, value)| *value).collect();
    Values {
        by_seed: values.iter().map(|(_, value)| *value).collect(),
        mean: mean(&defined),
        sd: mean_sd(&defined).map(|(_, sd)| sd),
        n: defined.len(),
    }
}

pub(super) fn contrast(
    group: usize,
    values: &[(u64, Option<f64>)],
    base: &[(u64, Option<f64>)],
) -> Contrast {
    let mut seeds = Vec::new();
    let mut differences = Vec::new();
    let mut undefined_pairs = 0;
    for (seed, value) in values {
        let Some((_, before)) = base.iter().find(|(other, _)| other == seed) else {
            continue;
        };
        match (value, before) {
            (Some(after), Some(before)) => {
                seeds.push(*seed);
                differences.push(after - before);
            }
            _ => undefined_pairs += 1,
        }
    }
    Contrast {
        group,
        seeds,
        paired: Paired::of(differences),
        undefined_pairs,
        corrected_p: None,
        smallest_corrected_p: None,
        pairs_needed: 0,
        significant: None,
        sentence: String::new(),
    }
}

/// Holm's correction over all contrasts of some rows.
pub(super) fn correct(rows: &mut [Row]) {
    let tested = |x: &&mut Contrast| x.paired.as_ref().is_some_and(|x| x.p.is_some());
    let mut family: Vec<_> = rows
        .iter_mut()
        .flat_map(|row| &mut row.contrasts)
        .filter(tested)
        .collect();
    let p: Vec<_> = family.iter().filter_map(|x| x.paired.as_ref()?.p).collect();
    let size = p.len() as f64;
    // With n pairs p is at least 2/2ⁿ, and the smallest of m is corrected to m times that.
    let pairs_needed = (2.0 * size / LEVEL).log2().ceil().max(1.0) as usize;
    let smallest = family
        .iter()
        .filter_map(|x| Some(x.paired.as_ref()?.smallest_p));
    let smallest = smallest.fold(1.0, f64::min) * size;
    for (contrast, corrected) in family.iter_mut().zip(holm(&p)) {
        let own = contrast.paired.as_ref().map_or(1.0, |x| x.smallest_p);
        let smallest = smallest.max(own).min(1.0);
        contrast.corrected_p = Some(corrected);
        contrast.smallest_corrected_p = Some(smallest);
        contrast.pairs_needed = pairs_needed;
        contrast.significant = (smallest <= LEVEL).then_some(corrected <= LEVEL);
    }
}

impl Contrast {
    /// What can be said of a measure called `name` between two groups.
    fn in_words(&self, name: &str, digits: usize, group: &str, base: &str) -> String {
        let Some(paired) = &self.paired else {
            return format!("{name}: no pair of runs to compare.");
        };
        let (Some(p), Some(smallest)) = (self.corrected_p, self.smallest_corrected_p) else {
            return format!("{name}: too many pairs for the exact test.");
        };
        let difference = signed(paired.mean, digits);
        let seeds = with_seeds(paired.n());
        match self.significant {
            None => format!(
                "The difference of {name} between {group} and {base} is {difference} over {seeds}: not to be told from \
                 chance, since with so few p cannot be below {}; {} seeds would do.",
                probability(smallest),
                self.pairs_needed
            ),
            Some(true) => {
                let verb = if paired.mean < 0.0 { "lower" } else { "higher" };
                format!(
                    "{name} is {verb} with {group} than with {base}: {difference}, p = {} over {seeds}.",
                    probability(p)
                )
            }
            Some(false) => format!(
                "No significant difference of {name} between {group} and {base}: {difference}, p = {} over {seeds}.",
                probability(p)
            ),
        }
    }
}

/// Where nothing in a family can be called significant with so few pairs, a sentence that says so; `at` is the contrast
/// looked at.
pub fn remark(rows: &[Row], at: usize) -> Option<String> {
    let contrasts = rows.iter().filter_map(|row| row.contrasts.get(at));
    let tested: Vec<_> = contrasts.filter(|x| x.corrected_p.is_some()).collect();
    if tested.iter().any(|contrast| contrast.significant.is_some()) {
        return None;
    }
    let most = tested.iter().max_by_key(|contrast| contrast.seeds.len())?;
    let seeds = with_seeds(most.seeds.len());
    Some(format!(
        "With {seeds} none of these can be called significant, since corrected p cannot be below {}; {} seeds would do.",
        probability(most.smallest_corrected_p?),
        most.pairs_needed
    ))
}

/// `1 seed`, `3 seeds`.
pub fn with_seeds(n: usize) -> String {
    if n == 1 {
        "1 seed".to_owned()
    } else {
        format!("{n} seeds")
    }
}

/// A number with a sign that a reader sees: `−0.43`, `+0.05`.
pub fn signed(value: f64, digits: usize) -> String {
    let size = format!("{:.digits$}", value.abs());
    let is_zero = size.chars().all(|c| matches!(c, '0' | '.'));
    match value {
        _ if is_zero => size,
        x if x < 0.0 => format!("−{size}"),
        _ => format!("+{size}"),
    }
}

/// A probability to two figures: `0.0078`, `0.062`, `1`.
pub fn probability(p: f64) -> String {
    if p >= 0.995 {
        return "1".to_owned();
    }
    if p < 0.000_1 {
        return "< 0.0001".to_owned();
    }
    let decimals = (1.0 - p.log10().floor()).clamp(2.0, 5.0) as usize;
    format!("{p:.decimals$}")
}

/// `0.595 ± 0.012 (8)`: mean ± standard deviation (n).
pub fn mean_text(values: &Values, digits: usize) -> String {
    match (values.mean, values.sd) {
        (None, _) => format!("– ({})", values.n),
        (Some(mean), None) => format!("{mean:.digits$} ({})", values.n),
        (Some(mean), Some(sd)) => format!("{mean:.digits$} ± {sd:.digits$} ({})", values.n),
    }
}

/// `+0.017 [+0.003, +0.031]`: the difference and its 95 % interval.
pub fn difference_text(paired: Option<&Paired>, digits: usize) -> String {
    let Some(paired) = paired else {
        return "–".to_owned();
    };
    let mean = signed(paired.mean, digits);
    match paired.interval {
        None => mean,
        Some([low, high]) => format!("{mean} [{}, {}]", signed(low, digits), signed(high, digits)),
    }
}

#[cfg(test)]
pub(super) mod tests;
