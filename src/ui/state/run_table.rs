//! What the page of runs lists: the open runs and those found in folders, filtered, sorted and grouped.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::compare::groups::{differences, groups};
use crate::compare::statistics;
use crate::config::RunConfig;
use crate::run::event::Split;
use crate::run::glance::{Glance, Scores};
use crate::run::log::{self, events_path};
use crate::run::notes::Notes;
use crate::ui::state::runs::{GROWS_FOR_SECS, RunId, RunState, Runs, state_of};

/// Folders that new runs go to, or that were named, are looked through down to this depth.
pub(crate) const DEPTH: usize = 3;

/// A run directory that was found.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) dir: PathBuf,
    /// Length and time of the log: what was read is up to date while they stand.
    stamp: Option<Stamp>,
    /// When its log was last seen to be longer than before, in window seconds.
    grew_at: Option<f64>,
    /// What its log says, or why that cannot be told.
    glance: Result<Glance, String>,
    /// Why it could not be opened, while its log stands as it did then: a glance does not see all of a log.
    open_error: Option<String>,
    notes: Notes,
}

impl Found {
    /// The id in its header; none where it cannot be read.
    pub(crate) fn id(&self) -> Option<&str> {
        Some(&self.glance.as_ref().ok()?.started.id)
    }

    /// Whether a process writes it.
    pub(crate) fn is_running(&self) -> bool {
        self.glance.as_ref().is_ok_and(|glance| glance.running)
    }
}

/// Looks through folders, each down to a depth, at `now` in window seconds. What was found before in a log that did not
/// change is not read again.
pub(crate) fn look_through(places: &[(PathBuf, usize)], before: &[Found], now: f64) -> Vec<Found> {
    let mut dirs = BTreeSet::new();
    for (place, depth) in places {
        dirs.extend(log::runs_under(place, *depth));
    }
    let look = |dir: PathBuf| {
        let known = before.iter().find(|found| found.dir == dir);
        look_at(dir, known, now)
    };
    dirs.into_iter().map(look).collect()
}

fn look_at(dir: PathBuf, before: Option<&Found>, now: f64) -> Found {
    let path = events_path(&dir);
    let metadata = std::fs::metadata(&path).ok();
    let stamp = metadata.and_then(|metadata| Some((metadata.len(), metadata.modified().ok()?)));
    let grew_at = grew_at(stamp, before, now);
    let known = before.filter(|known| stamp.is_some() && known.stamp == stamp);
    let mut glance = match known.map(|known| &known.glance) {
        Some(Ok(glance)) => Ok(Glance {
            running: log::is_being_written(&dir),
            ..glance.clone()
        }),
        Some(Err(sentence)) => Err(sentence.clone()),
        None => Glance::read(&dir).map_err(|error| error.to_string()),
    };
    if let Ok(glance) = &mut glance {
        // On a network's file system a writer's lock is not seen, but what it writes is.
        let grows = grew_at.is_some_and(|at| now - at < GROWS_FOR_SECS);
        glance.running |= grows && glance.ending.is_none();
    }
    let notes = Notes::load(&dir).unwrap_or_else(|error| Notes {
        name: String::new(),
        notes: error.to_string(),
    });
    Found {
        dir,
        stamp,
        grew_at,
        glance,
        open_error: None,
        notes,
    }
}

/// When a log was last seen to be longer than before.
fn grew_at(stamp: Option<Stamp>, before: Option<&Found>, now: f64) -> Option<f64> {
    let before = before?;
    let grew = before.stamp.zip(stamp).is_some_and(|(a, b)| b.0 > a.0);
    if grew { Some(now) } else { before.grew_at }
}

/// Length and time of a log.
type Stamp = (u64, SystemTime);

/// What the rows are sorted by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Column {
    State,
    Name,
    /// A field of the configuration, by its name in TOML.
    Field(String),
    MacroF1,
    Accuracy,
    RarestF1,
    Steps,
    Started,
}

/// A line of the table.
#[derive(Clone, Debug)]
pub(crate) enum Line {
    /// Runs that differ in nothing but the seed: their position among the groups.
    Group(usize),
    /// A run: its position among the rows, and whether it belongs to a group above.
    Run(usize, bool),
}

/// A run of the list.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) dir: PathBuf,
    /// Where it is open.
    pub(crate) open: Option<RunId>,
    pub(crate) name: String,
    pub(crate) state: RunState,
    /// None where it cannot be read.
    pub(crate) glance: Option<Glance>,
    /// The configuration as text: the name of each field that is set, and its value.
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) notes: Notes,
}

impl Row {
    /// The scores on a split that has any.
    pub(crate) fn scores(&self, split: Split) -> Option<Scores> {
        let glance = self.glance.as_ref()?;
        match split {
            Split::Test => glance.test,
            _ => glance.val,
        }
    }

    /// A field of the configuration; "default" where it is left to the program, none where there is no configuration.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.glance.as_ref()?;
        let found = self.fields.iter().find(|(other, _)| other == name);
        Some(found.map_or("default", |(_, value)| value))
    }

    /// Everything that the filter looks at.
    fn text(&self) -> String {
        let mut text = format!("{} {} ", self.name, self.state.word());
        for (name, value) in &self.fields {
            text.push_str(&format!("{name}={value} "));
        }
        text.push_str(&self.notes.notes);
        text.push_str(&self.dir.display().to_string());
        text.to_lowercase()
    }

    fn key(&self, column: &Column, split: Split) -> Key {
        let score =
            |score: fn(Scores) -> Option<f64>| Key::number(self.scores(split).and_then(score));
        let glance = self.glance.as_ref();
        match column {
            Column::State => Key::Text(self.state.word().to_owned()),
            Column::Name => Key::Text(self.name.to_lowercase()),
            Column::Field(name) => Key::of_text(self.field(name)),
            Column::MacroF1 => score(|scores| scores.macro_f1),
            Column::Accuracy => score(|scores| scores.accuracy),
            Column::RarestF1 => score(|scores| scores.rarest_f1),
            Column::Steps => Key::number(glance.map(|glance| glance.step as f64)),
            Column::Started => {
                Key::number(glance.map(|glance| glance.started.created_unix_secs as f64))
            }
        }
    }
}

/// What rows are compared by. What is missing comes last, whatever the direction.
#[derive(Clone, Debug, PartialEq)]
enum Key {
    Number(f64),
    Text(String),
    Missing,
}

impl Key {
    fn number(value: Option<f64>) -> Self {
        value.map_or(Self::Missing, Self::Number)
    }

    /// Text that is a number is one.
    fn of_text(text: Option<&str>) -> Self {
        let Some(text) = text else {
            return Self::Missing;
        };
        text.parse()
            .map_or_else(|_| Self::Text(text.to_owned()), Self::Number)
    }

    fn compare(&self, other: &Self, descending: bool) -> std::cmp::Ordering {
        use std::cmp::Ordering;
        let order = match (self, other) {
            (Self::Missing, Self::Missing) => return Ordering::Equal,
            (Self::Missing, _) => return Ordering::Greater,
            (_, Self::Missing) => return Ordering::Less,
            (Self::Number(a), Self::Number(b)) => a.total_cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Number(_), Self::Text(_)) => Ordering::Less,
            (Self::Text(_), Self::Number(_)) => Ordering::Greater,
        };
        if descending { order.reverse() } else { order }
    }
}

/// Runs that differ in nothing but the seed.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// Positions among the rows.
    pub(crate) rows: Vec<usize>,
    /// Tells it from others while runs come and go: the id of one of its runs.
    pub(crate) key: String,
}

/// How the runs are listed, as chosen on the page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Order {
    /// Not kept: runs that it hides would be missed.
    #[serde(skip)]
    pub(crate) filter: String,
    pub(crate) sort: Column,
    pub(crate) descending: bool,
    pub(crate) by_seed: bool,
    pub(crate) split: Split,
    /// Groups whose runs are listed under them.
    pub(crate) unfolded: BTreeSet<String>,
}

impl Default for Order {
    fn default() -> Self {
        Self {
            filter: String::new(),
            sort: Column::Started,
            descending: true,
            by_seed: false,
            split: Split::Val,
            unfolded: BTreeSet::new(),
        }
    }
}

/// The table as it is drawn.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    pub(crate) rows: Vec<Row>,
    pub(crate) groups: Vec<Group>,
    pub(crate) lines: Vec<Line>,
    /// Fields of the configuration that differ between the runs listed.
    pub(crate) fields: Vec<String>,
    /// Runs before the filter.
    pub(crate) total: usize,
}

impl Table {
    /// Lists open and found runs.
    pub(crate) fn new(runs: &Runs, found: &[Found], order: &Order) -> Self {
        let mut rows = rows(runs, found);
        let total = rows.len();
        let words: Vec<String> = order
            .filter
            .to_lowercase()
            .split_whitespace()
            .map(str::to_owned)
            .collect();
        if !words.is_empty() {
            rows.retain(|row| {
                let text = row.text();
                words.iter().all(|word| text.contains(word))
            });
        }
        rows.sort_by(|a, b| {
            let key = |row: &Row| row.key(&order.sort, order.split);
            let by_column = key(a).compare(&key(b), order.descending);
            by_column
                .then_with(|| a.name.cmp(&b.name))
                .then_with(|| a.dir.cmp(&b.dir))
        });
        let glances = rows.iter().filter_map(|row| row.glance.as_ref());
        let configs: Vec<_> = glances.map(|glance| &glance.started.config).collect();
        let differing = differences(&configs).into_iter();
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

    /// Lists the runs in the order of the rows, a group where its first run is.
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

    /// By the mean where the column has one; else a group comes where its first run came.
    fn sort_groups(&mut self, order: &Order) {
        let score = match order.sort {
            Column::MacroF1 => |scores: Scores| scores.macro_f1,
            Column::Accuracy => |scores: Scores| scores.accuracy,
            Column::RarestF1 => |scores: Scores| scores.rarest_f1,
            _ => return,
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

    /// Mean and standard deviation of a score over the finished runs of a group that have it: what others reached on the
    /// way is no result.
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
}

/// Mean, standard deviation and number of values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) mean: f64,
    /// With n − 1; none for a single value.
    pub(crate) sd: Option<f64>,
    pub(crate) n: usize,
}

impl Spread {
    /// None where there is no value.
    pub(crate) fn of(values: &[f64]) -> Option<Self> {
        Some(Self {
            mean: statistics::mean(values)?,
            sd: statistics::mean_sd(values).map(|(_, sd)| sd),
            n: values.len(),
        })
    }

    /// As "0.612 ± 0.013 (3)".
    pub(crate) fn in_words(&self) -> String {
        match self.sd {
            Some(sd) => format!("{:.3} ± {sd:.3} ({})", self.mean, self.n),
            None => format!("{:.3} ({})", self.mean, self.n),
        }
    }
}

/// Every run once: as it is known here where it is open, as it was found where not.
fn rows(runs: &Runs, found: &[Found]) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for entry in runs.iter() {
        let running = matches!(entry.state, RunState::Elsewhere) || entry.state.is_ours();
        let glance = Glance::of(&entry.run, running);
        let known = found.iter().find(|found| found.dir == entry.dir);
        rows.push(Row {
            dir: entry.dir.clone(),
            open: Some(entry.id),
            name: entry.name.clone(),
            state: entry.state.clone(),
            fields: glance
                .iter()
                .flat_map(|glance| fields(&glance.started.config))
                .collect(),
            glance,
            notes: known.map(|known| known.notes.clone()).unwrap_or_default(),
        });
    }
    for found in found {
        if runs.at_dir(&found.dir).is_some() {
            continue;
        }
        let (glance, state) = match &found.glance {
            Ok(glance) => (
                Some(glance.clone()),
                match &found.open_error {
                    Some(sentence) => RunState::Damaged(sentence.clone()),
                    None => state_of(&glance.ending, glance.running),
                },
            ),
            Err(sentence) => (None, RunState::Damaged(sentence.clone())),
        };
        rows.push(Row {
            dir: found.dir.clone(),
            open: None,
            name: found.notes.name_of(&found.dir),
            state,
            fields: glance
                .iter()
                .flat_map(|glance| fields(&glance.started.config))
                .collect(),
            glance,
            notes: found.notes.clone(),
        });
    }
    rows
}

/// Every field that is set, as text, in the order of [`RunConfig`].
fn fields(config: &RunConfig) -> Vec<(String, String)> {
    // TOML keeps the order of fields, and has one line for each.
    let text = toml::to_string(config).unwrap_or_default();
    let field = |line: &str| {
        let (name, value) = line.split_once(" = ")?;
        let value = value.trim_matches('"');
        let value = value.strip_suffix(".0").unwrap_or(value);
        Some((name.to_owned(), value.to_owned()))
    };
    text.lines().filter_map(field).collect()
}

/// What is edited of the run whose details are shown.
#[derive(Clone, Debug)]
pub(crate) struct Edit {
    pub(crate) dir: PathBuf,
    pub(crate) notes: Notes,
}

/// The page's state.
#[derive(Default)]
pub(crate) struct Browser {
    /// Folders that were named, beside the one that new runs go to.
    pub(crate) folders: Vec<PathBuf>,
    /// A folder being named.
    pub(crate) folder_to_add: String,
    pub(crate) found: Arc<Vec<Found>>,
    pub(crate) order: Order,
    /// The run whose details are shown.
    pub(crate) selected: Option<PathBuf>,
    pub(crate) edit: Option<Edit>,
    /// Runs that could not be opened and were not looked at since, and why.
    pub(crate) not_opened: BTreeMap<PathBuf, String>,
    /// Runs that are to be trained on once they are open.
    pub(crate) to_continue: BTreeSet<PathBuf>,
    /// The run that would be moved to the trash, while that is asked.
    pub(crate) to_trash: Option<PathBuf>,
    pub(crate) table: Arc<Table>,
    /// What the table was made from.
    made_from: Option<(u64, Order)>,
    /// Counts the times that folders were looked through.
    pub(crate) rounds: u64,
    /// When folders were last looked through, in window seconds.
    pub(crate) looked_at: Option<f64>,
    pub(crate) is_looking: bool,
}

impl Browser {
    /// Lists what was found. Why a run could not be opened is kept while its log stands as it did: it may have been
    /// learned while folders were looked through.
    pub(crate) fn list(&mut self, mut found: Vec<Found>) {
        for found in &mut found {
            let mut known = self.found.iter().filter(|known| known.stamp.is_some());
            found.open_error = known
                .find(|known| known.dir == found.dir && known.stamp == found.stamp)
                .and_then(|known| known.open_error.clone());
        }
        self.found = Arc::new(found);
        self.rounds += 1;
    }

    /// Notes in the list why a run could not be opened, or that it could; false where it is not listed yet.
    pub(crate) fn mark(&mut self, dir: &Path, open_error: Option<&str>) -> bool {
        let found = Arc::make_mut(&mut self.found);
        let Some(found) = found.iter_mut().find(|found| found.dir == dir) else {
            return false;
        };
        found.open_error = open_error.map(str::to_owned);
        self.rounds += 1;
        true
    }

    /// Makes the table anew where anything that it shows has changed.
    pub(crate) fn update(&mut self, runs: &Runs) {
        let known = (fingerprint(runs, self.rounds), self.order.clone());
        if self.made_from.as_ref() != Some(&known) {
            self.table = Arc::new(Table::new(runs, &self.found, &self.order));
            self.made_from = Some(known);
        }
    }

    /// What was typed about a run and is not in its file; it is edited no longer.
    pub(crate) fn unsaved(&mut self) -> Option<Edit> {
        let edit = self.edit.take()?;
        let mut rows = self.table.rows.iter();
        let row = rows.find(|row| row.dir == edit.dir)?;
        (row.notes != edit.notes).then_some(edit)
    }

    /// Runs that are listed, could be opened and are not.
    pub(crate) fn unopened(&self) -> Vec<PathBuf> {
        let rows = self.table.rows.iter();
        rows.filter(|row| row.open.is_none() && row.glance.is_some())
            .map(|row| row.dir.clone())
            .collect()
    }

    /// The row whose details are shown.
    pub(crate) fn selected_row(&self) -> Option<Row> {
        let selected = self.selected.as_ref()?;
        let mut rows = self.table.rows.iter();
        rows.find(|row| row.dir == *selected).cloned()
    }
}

/// A number that changes with anything of the open runs that the table shows.
fn fingerprint(runs: &Runs, rounds: u64) -> u64 {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    rounds.hash(&mut hasher);
    for entry in runs.iter() {
        entry.id.hash(&mut hasher);
        entry.name.hash(&mut hasher);
        entry.state.word().hash(&mut hasher);
        entry.run.started.is_some().hash(&mut hasher);
        entry.run.revisions.steps.hash(&mut hasher);
        entry.run.revisions.evals.hash(&mut hasher);
        entry.run.revisions.probes.hash(&mut hasher);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests;
