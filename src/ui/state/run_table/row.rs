//! A row of the table, which is a run that is open or was found in a folder; and its sort keys.

use std::path::PathBuf;

use super::column::Column;
use super::found::Found;
use crate::run::event::Split;
use crate::run::glance::{Glance, Scores};
use crate::run::notes::Notes;
use crate::ui::state::runs::{RunId, RunState, Runs, state_of};

/// A run of the table.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) dir: PathBuf,
    /// Its id while it is open.
    pub(crate) open: Option<RunId>,
    pub(crate) name: String,
    pub(crate) state: RunState,
    /// Summary of its log; `None` if the log cannot be read.
    pub(crate) glance: Option<Glance>,
    /// The configuration as text: the name of each field that is set, with its value.
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) notes: Notes,
    /// Why the notes cannot be read, if they cannot.
    pub(crate) notes_error: Option<String>,
    /// Address of the run on another machine that this is a copy of: it is only read here.
    pub(crate) original: Option<String>,
}

impl Row {
    /// The scores on the test images if `split` is [`Split::Test`], otherwise those on the validation images.
    pub(crate) fn scores(&self, split: Split) -> Option<Scores> {
        let glance = self.glance.as_ref()?;
        match split {
            Split::Test => glance.test,
            Split::Train | Split::Val => glance.val,
        }
    }

    /// The value of a field of the configuration: "default" if it is not set, `None` if the configuration cannot be
    /// read.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.glance.as_ref()?;
        let found = self.fields.iter().find(|(other, _)| other == name);
        Some(found.map_or("default", |(_, value)| value))
    }

    /// Whether the program trained the run itself; false where its log cannot be read.
    pub(crate) fn is_own(&self) -> bool {
        let glance = self.glance.as_ref();
        glance.is_some_and(|glance| glance.started.recorder.is_none())
    }

    /// Where the run lies: its directory, or its address on another machine.
    pub(crate) fn place(&self) -> String {
        let dir = || self.dir.display().to_string();
        self.original.clone().unwrap_or_else(dir)
    }

    /// All text that the filter searches.
    pub(super) fn text(&self) -> String {
        let mut text = format!("{} {} ", self.name, self.state.word());
        for (name, value) in &self.fields {
            text.push_str(&format!("{name}={value} "));
        }
        text.push_str(&self.notes.notes);
        text.push_str(&self.place());
        text
    }

    pub(super) fn key(&self, column: &Column, split: Split) -> Key {
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

/// A sort key. Rows without a value come last, whatever the direction.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Key {
    Number(f64),
    Text(String),
    Missing,
}

impl Key {
    pub(super) fn number(value: Option<f64>) -> Self {
        value.map_or(Self::Missing, Self::Number)
    }

    /// The sort key of a text; a text that is a number is sorted as a number.
    fn of_text(text: Option<&str>) -> Self {
        let Some(text) = text else {
            return Self::Missing;
        };
        text.parse()
            .map_or_else(|_| Self::Text(text.to_owned()), Self::Number)
    }

    pub(super) fn compare(&self, other: &Self, descending: bool) -> std::cmp::Ordering {
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

/// Lists every run once: an open run as the window knows it, any other run as it was found.
pub(super) fn rows(runs: &Runs, found: &[Found]) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for entry in runs.iter() {
        let running = matches!(entry.state, RunState::Elsewhere) || entry.state.is_ours();
        let glance = Glance::of(&entry.run, running);
        // The search finds no run behind a link, and knows of none before it has ended.
        let known = found.iter().find(|found| found.dir == entry.dir);
        let (notes, notes_error) = match known {
            Some(known) => (&known.notes, &known.notes_error),
            None => (&entry.user_notes, &entry.notes_error),
        };
        rows.push(Row {
            dir: entry.dir.clone(),
            open: Some(entry.id),
            name: entry.name.clone(),
            state: entry.state.clone(),
            fields: glance
                .iter()
                .flat_map(|glance| glance.started.settings())
                .collect(),
            glance,
            notes: notes.clone(),
            notes_error: notes_error.clone(),
            original: known
                .and_then(|known| known.original.clone())
                .or_else(|| entry.original.clone()),
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
                .flat_map(|glance| glance.started.settings())
                .collect(),
            glance,
            notes: found.notes.clone(),
            notes_error: found.notes_error.clone(),
            original: found.original.clone(),
        });
    }
    rows
}
