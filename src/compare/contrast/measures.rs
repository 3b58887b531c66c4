//! The measures that a comparison shows, read from the chosen runs.

use std::collections::BTreeSet;

use super::choose::Chosen;
use super::member::Reached;
use super::row::{Row, contrast, summed};
use super::words::images;
use crate::compare::groups::Group;
use crate::compare::statistics::mean;
use crate::gradient::gram::PairsConflict;
use crate::network::Layer;
use crate::run::Thirds;
use crate::run::event::{Eval, Probe, Split};
use crate::text::counted;

/// Most classes that a note names.
const NAMED: usize = 10;

/// The chosen runs, from which measures are read.
pub(super) struct Measured<'a> {
    runs: &'a [Reached<'a>],
    groups: &'a [Group],
    baseline: usize,
    split: Split,
}

impl<'a> Measured<'a> {
    pub(super) fn new(chosen: &'a Chosen<'_>, split: Split) -> Self {
        Self {
            runs: &chosen.runs,
            groups: &chosen.groups,
            baseline: chosen.baseline,
            split,
        }
    }

    /// The first run of the baseline.
    pub(super) fn reference(&self) -> &Reached<'a> {
        &self.runs[self.groups[self.baseline].members[0]]
    }

    /// Overall scores, then conflicts; the first row is the primary measure.
    pub(super) fn headline(&self) -> Vec<Row> {
        let split = self.split;
        let images = images(split);
        let classes = &self.reference().started.classes;
        let rarest = self.reference().started.rarest();
        let thirds = self.reference().started.thirds();
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
                    let f1: Vec<_> = members.iter().filter_map(|&k| f1_of(eval, k)).collect();
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
                f1_of(run.eval(split)?, k)
            }));
        }
        rows.extend(self.conflict());
        rows
    }

    /// Interference and conflicts in the backbone, and interference in the classifier. Interference between frequent and
    /// rare classes is left out where no run has recorded it.
    fn conflict(&self) -> Vec<Row> {
        let row = |name: &str, help: &str, read: fn(&Probe) -> Option<f64>| {
            self.row(name, help.to_owned(), Some(false), move |run| {
                read(run.probe?)
            })
        };
        let untested = |mut row: Row| {
            row.more_is_better = None;
            let contrasts = row.contrasts.iter_mut();
            contrasts.for_each(|contrast| contrast.paired = None);
            row
        };
        let mut conflicts = row(
            "backbone conflicts",
            "Pairs of classes whose gradients pull apart in the backbone beyond noise.",
            |x| Some(x.backbone.conflicting as f64),
        );
        conflicts.digits = 1;
        let mut rows = vec![
            row(
                "backbone interference",
                "Mean over class pairs of max(0, −cosine) of their gradients, all layers but the classifier.",
                |x| x.backbone.interference,
            ),
            untested(row(
                "its noise floor",
                "What noise alone would make of the backbone's interference; not tested.",
                |x| x.backbone.floor,
            )),
        ];
        let thirds = self.reference().started.thirds();
        let between = |name: &str, help: &str, read: fn(&PairsConflict) -> Option<f64>| {
            self.row(name, help.to_owned(), Some(false), |run| {
                read(&head_tail(run, &thirds)?)
            })
        };
        let conflict = between(
            "head-tail interf.",
            "Interference in the backbone over the pairs of a head class and a tail class by rank, in runs whose head and \
             tail are those of the baseline.",
            |x| x.interference,
        );
        if conflict.values.iter().any(|values| values.n > 0) {
            rows.push(conflict);
            rows.push(untested(between(
                "head-tail floor",
                "What noise alone would make of the interference of head and tail; not tested.",
                |x| x.floor,
            )));
        }
        rows.push(conflicts);
        rows.push(row(
            "classifier interf.",
            "Interference in the classifier, where it is there by construction.",
            |x| x.classifier.interference,
        ));
        rows
    }

    /// F1 of every class; undefined where the class has no image.
    pub(super) fn per_class(&self) -> Vec<Row> {
        let started = self.reference().started;
        let row = |(k, name): (usize, &String)| {
            let help = format!(
                "F1 of {name}, {} training images.",
                started.train_counts.get(k).unwrap_or(&0)
            );
            self.row(name, help, Some(true), move |run| {
                f1_of(run.eval(self.split)?, k)
            })
        };
        started.classes.iter().enumerate().map(row).collect()
    }

    /// Interference in every layer of the baseline that another group has as well.
    pub(super) fn per_layer(&self) -> Vec<Row> {
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
        let row = |layer: &Layer| {
            let help = format!(
                "Mean over class pairs of max(0, −cosine) of their gradients in {}.",
                layer.name
            );
            self.row(&layer.name, help, Some(false), |run| of(run, &layer.name))
        };
        shared.map(row).collect()
    }

    /// Sentences about classes without images, on which the scores of two runs need not be based alike.
    pub(super) fn notes(&self) -> Vec<String> {
        let classes = &self.reference().started.classes;
        let names = |named: &[usize]| -> String {
            let shown = named.iter().take(NAMED).map(|&k| classes[k].as_str());
            let shown = shown.collect::<Vec<_>>().join(", ");
            match named.len().saturating_sub(NAMED) {
                0 => shown,
                more => format!("{shown} and {more} more"),
            }
        };
        let images = images(self.split);
        let mut notes = Vec::new();
        let has_images = |k: usize| {
            let mut members = self.groups.iter().flat_map(|group| &group.members);
            members.any(|&run| {
                let eval = self.runs[run].eval(self.split);
                eval.is_none_or(|eval| eval.support.get(k) != Some(&0))
            })
        };
        let absent: Vec<_> = (0..classes.len()).filter(|&k| !has_images(k)).collect();
        if !absent.is_empty() {
            notes.push(format!(
                "Without {images} images there is no F1: {}.",
                names(&absent)
            ));
        }
        let base = &self.groups[self.baseline];
        for group in self.groups.iter().filter(|group| group.name != base.name) {
            let (mut pairs, mut differing) = (0, BTreeSet::new());
            for (one, other) in self.pairs(group, base) {
                let is_defined =
                    |eval: &Eval, k: usize| eval.f1.get(k).is_some_and(Option::is_some);
                let differs = |&k: &usize| is_defined(one, k) != is_defined(other, k);
                let found: Vec<_> = (0..classes.len()).filter(differs).collect();
                pairs += usize::from(!found.is_empty());
                differing.extend(found);
            }
            if pairs > 0 {
                let differing: Vec<_> = differing.into_iter().collect();
                notes.push(format!(
                    "Macro-F1 is not the mean over the same classes in {} of {} and {}: a class without {images} images counts \
                     in it, with an F1 of 0, where one is predicted as it, and does not elsewhere ({}).",
                    counted(pairs, "pair"),
                    group.name,
                    base.name,
                    names(&differing)
                ));
            }
        }
        notes
    }

    /// The evaluations of the runs of two groups that have the same seed.
    fn pairs(&self, group: &Group, base: &Group) -> Vec<(&'a Eval, &'a Eval)> {
        let eval = |run: usize| self.runs[run].eval(self.split);
        let pair = |&run: &usize| {
            let seed = self.runs[run].seed();
            let mut others = base.members.iter();
            let &other = others.find(|&&other| self.runs[other].seed() == seed)?;
            Some((eval(run)?, eval(other)?))
        };
        group.members.iter().filter_map(pair).collect()
    }

    /// The row of a measure, whose value in a run is given by `read`. The p values of the row are not yet corrected.
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

/// F1 of class `k`; `None` where it is undefined, or the class has no image. An image that is predicted as such a class
/// gives it an F1 of 0, which does not tell how well it is recognised.
fn f1_of(eval: &Eval, k: usize) -> Option<f64> {
    let f1 = *eval.f1.get(k)?;
    f1.filter(|_| eval.support.get(k) != Some(&0))
}

/// What a run has recorded of the conflict between its frequent and rare classes; `None` where these are not those of
/// `thirds`, as where other runs have another profile of imbalance.
fn head_tail(run: &Reached<'_>, thirds: &Thirds) -> Option<PairsConflict> {
    if !run.started.thirds().have_the_ends_of(thirds) {
        return None;
    }
    Some(run.probe?.backbone.thirds.as_ref()?.head_tail)
}
