//! The choice of the runs and groups to compare and of the baseline, and notes about everything that is left out.

use std::fmt;

use serde::Serialize;

use super::member::{Member, Reached};
use crate::compare::groups::{Group, groups, name_apart};
use crate::config::Attention;
use crate::run::BatchNorm;
use crate::run::event::{Split, Started};

/// Why runs cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompareError {
    /// No run is finished.
    #[error("no run is finished: a comparison is of what runs reach at their last step")]
    NothingFinished,
    /// All finished runs are of one group, but for those of other classes.
    #[error("{0}")]
    OneGroup(Alone),
    /// The baseline asked for is neither a finished run nor a group.
    #[error("`{name}` names no finished run and no group of runs; the groups are {}", known.join("; "))]
    UnknownBaseline {
        /// The name that was asked for.
        name: String,
        /// The names of all groups.
        known: Vec<String>,
    },
}

/// The only group of finished runs that could be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alone {
    /// Name of the group.
    pub group: String,
    /// Names of the groups that have other classes.
    pub of_other_classes: Vec<String>,
}

impl Alone {
    /// `None` where there are several groups. Beside those of other classes a group keeps its name `apart` from them.
    fn of(groups: &[Group], apart: String, of_other_classes: Vec<String>) -> Option<Self> {
        let [group] = groups else {
            return None;
        };
        let group = if of_other_classes.is_empty() {
            group.name.clone()
        } else {
            apart
        };
        Some(Self {
            group,
            of_other_classes,
        })
    }
}

impl fmt::Display for Alone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let group = &self.group;
        if self.of_other_classes.is_empty() {
            write!(
                f,
                "all finished runs are of one group, {group}: name runs that differ in more than the seed"
            )
        } else {
            write!(
                f,
                "no other finished runs have the classes of {group}, and runs of different classes are not compared; other \
                 classes have {}",
                self.of_other_classes.join("; ")
            )
        }
    }
}

/// A group of runs that takes part in a comparison.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Compared {
    /// Name of the group: the settings in which it differs from the other groups.
    pub name: String,
    /// Names of the group's runs, ordered by seed.
    pub runs: Vec<String>,
    /// Seeds of the runs, in ascending order.
    pub seeds: Vec<u64>,
    /// Identity of the group: equal for equal configuration and data, whatever other groups it is compared with.
    #[serde(skip)]
    pub identity: String,
}

/// The chosen runs and groups, the baseline among the groups, and sentences about what was left out.
pub(super) struct Chosen<'a> {
    pub(super) runs: Vec<Reached<'a>>,
    pub(super) groups: Vec<Group>,
    pub(super) baseline: usize,
    /// Where there is a single group: that group, and those that were left out for their classes.
    pub(super) alone: Option<Alone>,
    /// The one way of treating batch norm in which class gradients are compared.
    pub(super) batch_norm: BatchNorm,
    pub(super) notes: Vec<String>,
}

/// Chooses finished runs: from every group one run for each seed, and only groups with the same classes as the
/// baseline.
pub(super) fn choose<'a>(
    members: &[Member<'a>],
    baseline: Option<&str>,
) -> Result<Chosen<'a>, CompareError> {
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
            let is_plain = |x: &Group| headers[x.members[0]].attention() == Attention::None;
            groups.iter().position(is_plain).unwrap_or(0)
        }
    };
    let classes = &headers[groups[base].members[0]].classes;
    let (base_name, base_identity) = (groups[base].name.clone(), groups[base].identity.clone());
    let mut of_other_classes = Vec::new();
    groups.retain(|group| {
        let fits = headers[group.members[0]].classes == *classes;
        if !fits {
            let name = &group.name;
            notes.push(format!(
                "The group {name} is left out: its classes are not those of {base_name}."
            ));
            of_other_classes.push(name.clone());
        }
        fits
    });
    for group in &mut groups {
        group.members.sort_by_key(|&run| runs[run].seed());
        group.members.dedup_by(|run, first| {
            let same = runs[*run].seed() == runs[*first].seed();
            if same {
                let (name, first, seed) = (runs[*run].name, runs[*first].name, runs[*run].seed());
                notes.push(if runs[*run].started.knows_seed() {
                    format!("{name} is left out: it has seed {seed} like {first}, of the same group.")
                } else {
                    format!(
                        "{name} is left out: its seed is not known, as little as that of {first}, of the same group; \
                         give the recorder `config={{\"seed\": …}}`."
                    )
                });
            }
            same
        });
    }
    // The groups that remain are named anew: a setting that they all share no longer belongs in their names.
    name_apart(&mut groups, &headers);
    let baseline = groups.iter().position(|x| x.identity == base_identity);
    let alone = Alone::of(&groups, base_name, of_other_classes);
    // Where only some of the runs are shown as in training, their frozen measure is compared: never a mix of the two.
    let mut members = groups.iter().flat_map(|group| &group.members);
    let is_frozen = members.any(|&run| runs[run].run.batch_norm() == BatchNorm::Frozen);
    let batch_norm = if is_frozen {
        runs.iter_mut().for_each(Reached::freeze);
        BatchNorm::Frozen
    } else {
        BatchNorm::AsInTraining
    };
    Ok(Chosen {
        runs,
        groups,
        baseline: baseline.unwrap_or(0),
        alone,
        batch_norm,
        notes,
    })
}

/// Index of the baseline called `name`: the group of that name, else the group with a run of that name, else the only
/// group whose name contains all comma-separated parts of `name`.
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
    /// The groups as a comparison shows them.
    pub(super) fn compared(&self) -> Vec<Compared> {
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

    /// Whether images of a batch mix, by batch norm, in any network compared.
    pub(super) fn mixes_images(&self) -> bool {
        let mut members = self.groups.iter().flat_map(|group| &group.members);
        members.any(|&run| self.runs[run].started.mixes_images())
    }

    /// The split on which scores are measured: test where every run was tested at its last step, else validation.
    pub(super) fn split(&self) -> Split {
        let mut members = self.groups.iter().flat_map(|group| &group.members);
        if members.all(|&run| self.runs[run].test.is_some()) {
            Split::Test
        } else {
            Split::Val
        }
    }

    /// Adds notes about scores on validation images, seeds without a partner in the other group, and groups on other
    /// data than the baseline.
    pub(super) fn note_pairs(&mut self, split: Split) {
        if split == Split::Val {
            let sentence =
                "Not every run was tested at its last step: scores are of validation images.";
            self.notes.push(sentence.to_owned());
        }
        let departs = |group: &&Group| {
            let mut members = group.members.iter();
            members.any(|&run| self.runs[run].run.other_loss_measured().is_some())
        };
        let departing: Vec<_> = self.groups.iter().filter(departs).collect();
        if !departing.is_empty() {
            let names: Vec<_> = departing.iter().map(|group| group.name.as_str()).collect();
            self.notes.push(format!(
                "Interference is that of plain cross-entropy, which these runs do not minimise: {}.",
                names.join("; ")
            ));
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
        let knows_seeds = |group: &Group| {
            let mut members = group.members.iter();
            members.all(|&run| self.runs[run].started.knows_seed())
        };
        let unknown = self.groups.iter().filter(|group| !knows_seeds(group));
        let unknown: Vec<_> = unknown.map(|group| group.name.as_str()).collect();
        if !unknown.is_empty() {
            notes.push(format!(
                "Runs whose seed is not known are taken to have seed 0, so that their pairs may have nothing in common: \
                 {}.",
                unknown.join("; ")
            ));
        }
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
            let header = |group: &Group| self.runs[group.members[0]].started;
            let (one, other) = (header(group), header(base));
            let (name, base) = (&group.name, &base.name);
            let differing = split_differences(one, other);
            if one.data_fingerprint != other.data_fingerprint {
                notes.push(format!("{name} and {base} are not of the same images."));
            } else if !differing.is_empty() {
                notes.push(format!(
                    "{name} and {base} are of the same data, but need not be trained and tested on the same images of it, since \
                     they differ in {}.",
                    differing.join(", ")
                ));
            }
        }
        self.notes.extend(notes);
    }
}

/// What decides which images of the same data train and test, where it differs between two runs.
fn split_differences(one: &Started, other: &Started) -> Vec<&'static str> {
    // The settings of other programs have names of their own.
    let is_own = one.recorder.is_none() && other.recorder.is_none();
    let differences = [
        (
            one.train_counts != other.train_counts,
            "the numbers of training images",
        ),
        (
            one.test_counts != other.test_counts,
            "the numbers of test images",
        ),
        (is_own && one.config.val != other.config.val, "`val`"),
        (
            is_own && one.config.data_seed != other.config.data_seed,
            "`data_seed`",
        ),
    ];
    let differing = differences.into_iter().filter(|(differs, _)| *differs);
    differing.map(|(_, words)| words).collect()
}
