//! The comparison of a baseline with other groups, and the grouping of finished runs without a comparison.

use serde::Serialize;

use super::choose::{CompareError, Compared, choose};
use super::measures::Measured;
use super::member::{Member, Reached};
use super::row::{Row, correct};
use super::words::{images, put_in_words};
use crate::run::BatchNorm;
use crate::run::event::Split;

/// A baseline compared with any number of other groups.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The split on which scores are measured: test where every run was tested at its last step, else validation.
    pub split: Split,
    /// How batch norm is treated in the class gradients of all runs compared.
    pub batch_norm: BatchNorm,
    /// Whether images of a batch mix, by batch norm, in any network compared. Where they do in none, both ways are one.
    pub mixes_images: bool,
    /// Index of the baseline in `groups`.
    pub baseline: usize,
    /// The groups that take part.
    pub groups: Vec<Compared>,
    /// Names of the classes.
    pub classes: Vec<String>,
    /// Training images of every class in the baseline, `[K]`.
    pub train_counts: Vec<usize>,
    /// Overall scores and conflicts; the first row is the primary measure.
    pub headline: Vec<Row>,
    /// F1 of every class.
    pub per_class: Vec<Row>,
    /// Interference in every layer of the baseline that another group has as well, from input to output.
    pub per_layer: Vec<Row>,
    /// Sentences that say what was left out, and why.
    pub notes: Vec<String>,
}

impl Comparison {
    /// Compares all groups with `baseline`, which names a group or one of its runs. Without it, the baseline is the
    /// first group without attention, else the first group.
    ///
    /// # Errors
    /// Where no run is finished, all finished runs with the classes of the baseline are of one group, or `baseline` names
    /// neither a group nor a run.
    pub fn of(members: &[Member<'_>], baseline: Option<&str>) -> Result<Self, CompareError> {
        let mut chosen = choose(members, baseline)?;
        if let Some(alone) = chosen.alone.take() {
            return Err(CompareError::OneGroup(alone));
        }
        let split = chosen.split();
        chosen.note_pairs(split);
        let measured = Measured::new(&chosen, split);
        let notes = [chosen.notes.clone(), measured.notes()].concat();
        let mut comparison = Self {
            split,
            batch_norm: chosen.batch_norm,
            mixes_images: chosen.mixes_images(),
            baseline: chosen.baseline,
            groups: chosen.compared(),
            classes: measured.reference().started.classes.clone(),
            train_counts: measured.reference().started.train_counts.clone(),
            headline: measured.headline(),
            per_class: measured.per_class(),
            per_layer: measured.per_layer(),
            notes,
        };
        let (primary, others) = comparison.headline.split_at_mut(1);
        correct(primary);
        correct(others);
        correct(&mut comparison.per_class);
        correct(&mut comparison.per_layer);
        comparison.say();
        Ok(comparison)
    }

    /// Indices of the groups other than the baseline, in the order of [`Row::contrasts`].
    pub fn others(&self) -> Vec<usize> {
        (0..self.groups.len())
            .filter(|&x| x != self.baseline)
            .collect()
    }

    /// Index of the group that a run belongs to.
    pub fn group_of(&self, run: &str) -> Option<usize> {
        let has = |group: &Compared| group.runs.iter().any(|name| name == run);
        self.groups.iter().position(has)
    }

    /// How batch norm is treated in the class gradients of all runs compared, in words.
    pub fn batch_norm_in_words(&self) -> String {
        self.batch_norm.in_words(self.mixes_images)
    }

    /// Name of the images on which scores are measured: `test` or `validation`.
    pub fn images(&self) -> &'static str {
        images(self.split)
    }

    /// Writes the sentences of all contrasts, and notes for pairs in which a measure is undefined.
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
        // A class without images has no F1 in any run, of which a note of its own speaks.
        let has_values = |row: &&Row| row.values.iter().any(|values| values.n > 0);
        let per_class = self.per_class.iter().filter(has_values);
        for row in self.headline.iter().chain(per_class).chain(&self.per_layer) {
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

/// Finished runs in groups, whether or not there is more than one group to compare.
#[derive(Clone, Debug, PartialEq)]
pub struct Grouped {
    /// The groups, of runs with different seeds.
    pub groups: Vec<Compared>,
    /// Number of runs that are left out because they are not finished.
    pub unfinished: usize,
    /// Sentences that say what else was left out, and why.
    pub notes: Vec<String>,
}

impl Grouped {
    /// Groups these runs. Where the first run is finished, groups with other classes than the first run's are left out.
    ///
    /// # Errors
    /// Where no run is finished.
    pub fn of(members: &[Member<'_>]) -> Result<Self, CompareError> {
        let first = members
            .first()
            .filter(|first| Reached::of(**first).is_some());
        let mut chosen = choose(members, first.map(|first| first.name))?;
        // The notes of runs that are not finished come first, one for each.
        let unfinished = members.len() - chosen.runs.len();
        Ok(Self {
            groups: chosen.compared(),
            unfinished,
            notes: chosen.notes.split_off(unfinished),
        })
    }
}
