//! The table of runs: filtered, sorted, and grouped by seed.

use std::path::PathBuf;

use super::column::Column;
use super::found::Found;
use super::order::Order;
use super::row::{Key, Row, rows};
use crate::compare::groups::{differences, groups};
use crate::compare::statistics;
use crate::run::event::Split;
use crate::run::glance::Scores;
use crate::text::{has_words, words};
use crate::ui::state::runs::{RunState, Runs};

/// A line of the table.
#[derive(Clone, Debug)]
pub(crate) enum Line {
    /// A group of runs that differ in nothing but the seed, as a position in the table's groups.
    Group(usize),
    /// A run, as a position in the table's rows, and whether it is listed under its group.
    Run(usize, bool),
}

/// Runs that differ in nothing but the seed.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// The positions of its runs in the table's rows.
    pub(crate) rows: Vec<usize>,
    /// The smallest id of its runs, by which the group is recognised while runs come and go.
    pub(crate) key: String,
}

/// The table as it is drawn.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    pub(crate) rows: Vec<Row>,
    pub(crate) groups: Vec<Group>,
    pub(crate) lines: Vec<Line>,
    /// The fields of the configuration in which the listed runs differ.
    pub(crate) fields: Vec<String>,
    /// The number of runs without the filter.
    pub(crate) total: usize,
}

impl Table {
    /// The table of the open and the found runs, filtered, sorted and grouped as `order` says.
    pub(crate) fn new(runs: &Runs, found: &[Found], order: &Order) -> Self {
        let mut rows = rows(runs, found);
        let total = rows.len();
        if !order.filter.trim().is_empty() {
            let words = words(&order.filter);
            rows.retain(|row| has_words(&row.text(), &words));
        }
        rows.sort_by(|a, b| {
            let key = |row: &Row| row.key(&order.sort, order.split);
            let by_column = key(a).compare(&key(b), order.descending);
            by_column
                .then_with(|| a.name.cmp(&b.name))
                .then_with(|| a.dir.cmp(&b.dir))
        });
        let glances = rows.iter().filter_map(|row| row.glance.as_ref());
        let headers: Vec<_> = glances.map(|glance| &*glance.started).collect();
        let differing = differences(&headers).into_iter();
        let fields = differing.map(|difference| difference.field);
        let mut table = Self {
            fields: fields.collect(),
            rows,
            total,
            ..Self::default()
        };
        table.group(order);
        table
    }

    /// Makes the lines: the runs in the order of the rows, or groups of runs, each at the position of its first run. A
    /// run whose log cannot be read belongs to no group, and comes last.
    fn group(&mut self, order: &Order) {
        if !order.by_seed {
            self.lines = (0..self.rows.len())
                .map(|row| Line::Run(row, false))
                .collect();
            return;
        }
        let is_readable = |at: &usize| self.rows[*at].glance.is_some();
        let (readable, alone): (Vec<_>, Vec<_>) = (0..self.rows.len()).partition(is_readable);
        let glances = self.rows.iter().filter_map(|row| row.glance.as_ref());
        let headers: Vec<_> = glances.map(|glance| &*glance.started).collect();
        let group = |members: Vec<usize>| Group {
            key: members
                .iter()
                .map(|&member| headers[member].id.as_str())
                .min()
                .unwrap_or_default()
                .to_owned(),
            rows: members.into_iter().map(|member| readable[member]).collect(),
        };
        let groups = groups(&headers).into_iter();
        self.groups = groups.map(|found| group(found.members)).collect();
        self.sort_groups(order);
        for (at, group) in self.groups.iter().enumerate() {
            self.lines.push(Line::Group(at));
            if order.unfolded.contains(&group.key) {
                self.lines
                    .extend(group.rows.iter().map(|row| Line::Run(*row, true)));
            }
        }
        let alone = alone.into_iter().map(|row| Line::Run(row, false));
        self.lines.extend(alone);
    }

    /// Sorts the groups by their mean if the column is a score; otherwise they keep the order of their first runs.
    fn sort_groups(&mut self, order: &Order) {
        let score = match order.sort {
            Column::MacroF1 => |scores: Scores| scores.macro_f1,
            Column::Accuracy => |scores: Scores| scores.accuracy,
            Column::RarestF1 => |scores: Scores| scores.rarest_f1,
            Column::State | Column::Name | Column::Field(_) | Column::Steps | Column::Started => {
                return;
            }
        };
        let mut groups = std::mem::take(&mut self.groups);
        groups.sort_by(|a, b| {
            let key = |group| {
                let spread = self.spread(group, order.split, score);
                Key::number(spread.map(|spread| spread.mean))
            };
            key(a).compare(&key(b), order.descending)
        });
        self.groups = groups;
    }

    /// Mean and standard deviation of a score over those finished runs of a group that have it. The score of an
    /// unfinished run is no result.
    pub(crate) fn spread(
        &self,
        group: &Group,
        split: Split,
        score: fn(Scores) -> Option<f64>,
    ) -> Option<Spread> {
        let rows = group.rows.iter().map(|&row| &self.rows[row]);
        let finished = rows.filter(|row| row.state == RunState::Finished);
        let values = finished.filter_map(|row| row.scores(split).and_then(score));
        Spread::of(&values.collect::<Vec<_>>())
    }

    /// The runs of a group that can be opened to compare it. The first one names the group on the page Compare, which knows
    /// groups of finished runs alone.
    pub(crate) fn to_compare(&self, group: &Group) -> Vec<PathBuf> {
        let rows = group.rows.iter().map(|&row| &self.rows[row]);
        let mut rows: Vec<&Row> = rows.filter(|row| row.glance.is_some()).collect();
        rows.sort_by_key(|row| row.state != RunState::Finished);
        rows.into_iter().map(|row| row.dir.clone()).collect()
    }
}

/// Mean, standard deviation and number of values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) mean: f64,
    /// Sample standard deviation, which divides by n − 1; `None` for a single value.
    pub(crate) sd: Option<f64>,
    pub(crate) n: usize,
}

impl Spread {
    /// The mean and the standard deviation of these values; `None` without values.
    pub(crate) fn of(values: &[f64]) -> Option<Self> {
        Some(Self {
            mean: statistics::mean(values)?,
            sd: statistics::mean_sd(values).map(|(_, sd)| sd),
            n: values.len(),
        })
    }

    /// The values in words, such as "0.612 ± 0.013 (3)".
    pub(crate) fn in_words(&self) -> String {
        match self.sd {
            Some(sd) => format!("{:.3} ± {sd:.3} ({})", self.mean, self.n),
            None => format!("{:.3} ({})", self.mean, self.n),
        }
    }
}
