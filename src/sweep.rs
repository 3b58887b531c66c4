//! Sweeps: one configuration, varied over a grid of its fields and over seeds.
//!
//! ```toml
//! name = "solar"                       # the name of the folder of its runs
//! seeds = 8                            # 0 to 7; or a list
//! [run]                                # fields of a configuration, as in run.toml
//! width = "1/4"
//! [grid]                               # values of any other fields, all combined
//! attention = ["none", "branch"]
//! [slurm]                              # options of sbatch, for sweeps that are submitted to Slurm
//! partition = "gpu"
//! ```
//!
//! The runs that are still to be trained follow from the file and from the run directories that exist. A sweep that was
//! killed therefore continues when it is started again, and several processes can share a folder: the lock of a run
//! keeps other processes from it. Imports `config`, `run` and `text`.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::Deserialize;
use toml::{Table, Value};

use crate::config::{RunConfig, differences};
use crate::run::Ending;
use crate::run::glance::Glance;
use crate::run::log::{self, RunError};
use crate::text::{one_line, shown, visible};

/// Most runs in a sweep; a file that asks for more is assumed to be a mistake.
const MOST_RUNS: u64 = 10_000;

/// The runs that a file asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Sweep {
    /// Name of the folder that holds the runs.
    pub name: String,
    /// The runs, seed by seed, so that all runs of one seed, which are compared with each other, are finished early.
    pub runs: Vec<Planned>,
    /// Options of sbatch by their long names, as written; empty where an option takes no value.
    pub slurm: Vec<(String, String)>,
}

/// A run that a sweep asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// Name of the run's directory, composed of the fields that vary and their values, such as
    /// `attention-branch_seed-3`.
    pub name: String,
    /// The configuration to train.
    pub config: RunConfig,
    /// Index of the run's seed among the seeds of the sweep.
    pub seed_index: usize,
}

/// One of `count` parts of a sweep: every `count`-th seed, beginning with the seed at `index`. As text: `1/2`, counted
/// from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Position among the parts, from 0.
    pub index: usize,
    /// Number of parts.
    pub count: usize,
}

/// The progress of a run of a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The run was never begun.
    New,
    /// The run was interrupted before its first checkpoint, with little recorded, and has to begin again.
    Anew,
    /// The run was interrupted or failed, and can continue from its last checkpoint. Where that is gone, training
    /// refuses and says so.
    Cut,
    /// Another process is writing the run.
    Busy,
    /// The run is finished.
    Finished,
}

/// Why a sweep cannot be made. Each message is one sentence with the remedy.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The file cannot be read.
    #[error("cannot read the sweep: {error}: {}", shown(path))]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        error: std::io::Error,
    },
    /// The file asks for runs that cannot be trained, or is no sweep.
    #[error("{}, in the sweep {}", visible(reason), shown(path))]
    Content {
        /// The file.
        path: PathBuf,
        /// The mistake and its remedy.
        reason: String,
    },
    /// The directory of a run holds a run with another configuration.
    #[error(
        "there is a run with another configuration (`{field}` is not that of the sweep); choose another folder for the \
         sweep or move it away: {}",
        shown(path)
    )]
    OtherRun {
        /// The first field in which the two configurations differ.
        field: &'static str,
        /// The run directory.
        path: PathBuf,
    },
    /// The run in a directory cannot be read.
    #[error(transparent)]
    Run(#[from] RunError),
}

/// The file as written, before its grid is multiplied out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    seeds: Seeds,
    #[serde(default)]
    run: Table,
    #[serde(default)]
    grid: Table,
    #[serde(default)]
    slurm: Table,
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "`seeds` must be a number of seeds, such as 8, or a list of them, such as [0, 1, 2]"
)]
enum Seeds {
    Count(u64),
    List(Vec<u64>),
}

impl Sweep {
    /// Reads the file of a sweep.
    ///
    /// # Errors
    /// Where the file cannot be read, or asks for runs that cannot be trained.
    pub fn read(path: &Path) -> Result<Self, SweepError> {
        let text = std::fs::read_to_string(path).map_err(|error| SweepError::Io {
            path: path.to_owned(),
            error,
        })?;
        Self::parse(&text).map_err(|reason| SweepError::Content {
            path: path.to_owned(),
            reason,
        })
    }

    /// Reads the text of a sweep.
    ///
    /// # Errors
    /// The mistake in the text, in words to which [`SweepError::Content`] adds the path.
    fn parse(text: &str) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|e| one_line(e.message()))?;
        let plain = !file.name.is_empty() && file.name == as_name(&file.name);
        if !plain {
            return Err("`name` must consist of letters, digits, dots and dashes".to_owned());
        }
        // Counted before any run is made: a short file can ask for more than memory holds.
        let seeds = match &file.seeds {
            Seeds::Count(count) => *count,
            Seeds::List(list) => list.len() as u64,
        };
        let values = file.grid.values().filter_map(Value::as_array);
        let count = values.fold(seeds, |count, values| {
            count.saturating_mul(values.len() as u64)
        });
        if count == 0 || count > MOST_RUNS {
            return Err(format!(
                "it makes {count} runs; it must make between 1 and {MOST_RUNS}"
            ));
        }
        let seeds: Vec<u64> = match file.seeds {
            Seeds::Count(count) => (0..count).collect(),
            Seeds::List(list) => list,
        };
        let cells = cells(&file.run, &file.grid)?;
        let mut runs: Vec<Planned> = Vec::with_capacity(seeds.len() * cells.len());
        for (seed_index, &seed) in seeds.iter().enumerate() {
            for (varied, config) in &cells {
                let config = RunConfig {
                    seed,
                    ..config.clone()
                };
                let name = format!("{varied}seed-{seed}");
                if runs.iter().any(|other| other.name == name) {
                    return Err(format!(
                        "two runs would be called {name}; give each value once"
                    ));
                }
                runs.push(Planned {
                    name,
                    config,
                    seed_index,
                });
            }
        }
        Ok(Self {
            name: file.name,
            runs,
            slurm: options(&file.slurm)?,
        })
    }

    /// The runs of one part of the sweep.
    pub fn part(&self, shard: Shard) -> impl Iterator<Item = &Planned> {
        let is_in = move |run: &&Planned| run.seed_index % shard.count == shard.index;
        self.runs.iter().filter(is_in)
    }
}

/// The options of sbatch in the table [slurm]: a text, a number, or `true` for an option without a value.
fn options(table: &Table) -> Result<Vec<(String, String)>, String> {
    let option = |(name, value): (&String, &Value)| match value {
        Value::String(text) => Ok((name.clone(), text.clone())),
        Value::Integer(number) => Ok((name.clone(), number.to_string())),
        Value::Boolean(true) => Ok((name.clone(), String::new())),
        Value::Boolean(false)
        | Value::Float(_)
        | Value::Datetime(_)
        | Value::Array(_)
        | Value::Table(_) => Err(format!(
            "`{name}` in [slurm] must be a text, a whole number, or true for an option without a value"
        )),
    };
    table.iter().map(option).collect()
}

/// All combinations of the grid's values. Each is given as the beginning of its runs' names and as a configuration. The
/// last field varies fastest.
fn cells(run: &Table, grid: &Table) -> Result<Vec<(String, RunConfig)>, String> {
    for table in [run, grid] {
        if table.contains_key("seed") {
            return Err("`seed` is varied by `seeds`; name the seeds there".to_owned());
        }
    }
    let mut tables = vec![(String::new(), run.clone())];
    for (field, values) in grid {
        if run.contains_key(field) {
            return Err(format!(
                "`{field}` stands in [run] and in [grid]; leave one out"
            ));
        }
        let Value::Array(values) = values else {
            return Err(format!("`{field}` in [grid] must be a list of values"));
        };
        let with = |(name, table): &(String, Table)| -> Vec<_> {
            let one = |value: &Value| {
                let mut table = table.clone();
                table.insert(field.clone(), value.clone());
                (format!("{name}{field}-{}_", value_name(value)), table)
            };
            values.iter().map(one).collect()
        };
        tables = tables.iter().flat_map(with).collect();
    }
    let cell = |(name, table): (String, Table)| {
        let config: RunConfig = Value::Table(table)
            .try_into()
            .map_err(|e| one_line(e.message()))?;
        match config.validate().into_iter().next() {
            Some(error) => Err(error.to_string()),
            None => Ok((name, config.settled())),
        }
    };
    tables.into_iter().map(cell).collect()
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "every other type of TOML is written as it prints itself"
)]
fn value_name(value: &Value) -> String {
    match value {
        Value::String(text) => as_name(text),
        other => as_name(&other.to_string()),
    }
}

/// The text with a dash in place of every character other than a letter, digit, dot or dash, so that it suits any file
/// system.
fn as_name(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-');
    text.chars()
        .map(|c| if plain(c) { c } else { '-' })
        .collect()
}

impl Planned {
    /// The state of the run in a sweep whose runs are in `folder`.
    ///
    /// # Errors
    /// Where the run's directory holds a run with another configuration, or a run that cannot be read.
    pub fn state(&self, folder: &Path) -> Result<State, SweepError> {
        let dir = folder.join(&self.name);
        let length = std::fs::metadata(log::events_path(&dir)).map(|log| log.len());
        if length.unwrap_or(0) == 0 {
            return Ok(State::New);
        }
        let has_checkpoint = log::checkpoint_to_resume(&dir).is_some();
        let glance = match Glance::read(&dir) {
            Err(_) if !has_checkpoint && log::holds_nothing(&dir)? => return Ok(State::Anew),
            glance => glance?,
        };
        RunError::refuse_recorded(&glance.started, &dir, "train it anew")?;
        if let Some(first) = differences(&[&self.config, &glance.started.config]).first() {
            let field = first.field.name;
            return Err(SweepError::OtherRun { field, path: dir });
        }
        Ok(match glance.ending {
            _ if glance.running => State::Busy,
            Some(Ending::Finished(_)) => State::Finished,
            _ if log::begins_anew(&dir)? => State::Anew,
            _ => State::Cut,
        })
    }
}

impl Default for Shard {
    fn default() -> Self {
        Self { index: 0, count: 1 }
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/');
        let parts = parts.and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
        match parts {
            Some((i, count)) if (1..=count).contains(&i) => Ok(Self {
                index: i - 1,
                count,
            }),
            _ => Err("write which part of how many, such as 1/2".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests;
