//! Sweeps: one configuration, varied over a grid of its fields and over seeds.
//!
//! ```toml
//! name = "solar"                       # what the folder of its runs is called
//! seeds = 8                            # 0 to 7; or a list
//! [run]                                # fields of a configuration, as in run.toml
//! width = "1/4"
//! [grid]                               # values of any other fields, all combined
//! attention = ["none", "branch"]
//! ```
//!
//! Everything that is to do follows from the file and from what lies in the runs' directories, so a sweep that was killed
//! goes on when it is started again, and several processes can work on one folder: the lock of a run keeps it to one.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::Deserialize;
use toml::{Table, Value};

use crate::config::RunConfig;
use crate::run::Ending;
use crate::run::glance::Glance;
use crate::run::log::{self, RunError};

/// Runs of a larger sweep than this are surely not meant.
const MOST_RUNS: usize = 10_000;

/// Runs to be made.
#[derive(Clone, Debug, PartialEq)]
pub struct Sweep {
    /// What the folder of its runs is called.
    pub name: String,
    /// Its runs; all those of one seed stand together, so that pairs are finished early.
    pub runs: Vec<Planned>,
}

/// A run to be made.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// Name of its directory, of the fields that vary, such as `attention-branch_seed-3`.
    pub name: String,
    /// What to train.
    pub config: RunConfig,
    /// Position of its seed among the seeds.
    pub seed_index: usize,
}

/// One of `count` parts of a sweep: every `count`-th seed, from the one at `index` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 0.
    pub index: usize,
    /// Parts in all.
    pub count: usize,
}

/// What is left to do for a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// All of it.
    New,
    /// All of it: it was cut before its first checkpoint.
    Anew,
    /// To go on from its last checkpoint.
    Cut,
    /// Another process is writing it.
    Busy,
    /// Nothing.
    Finished,
}

/// Why a sweep cannot be made. Each message is one sentence with the remedy.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The file cannot be read.
    #[error("cannot read the sweep: {error}: {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        error: std::io::Error,
    },
    /// The file says what cannot be done.
    #[error("{reason}, in the sweep {}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// The directory of a run holds another one.
    #[error(
        "there is a run with another configuration (`{field}` is not that of the sweep); choose another folder for the \
         sweep or move it away: {}", path.display()
    )]
    OtherRun {
        /// The first field that differs.
        field: String,
        /// The run directory.
        path: PathBuf,
    },
    /// What is in the directory of a run cannot be used.
    #[error(transparent)]
    Run(#[from] RunError),
}

/// The file as it stands.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: String,
    seeds: Seeds,
    #[serde(default)]
    run: Table,
    #[serde(default)]
    grid: Table,
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
    /// Where it cannot be read, or asks for what cannot be trained.
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

    /// # Errors
    /// What is wrong with the text, as the beginning of a sentence.
    fn parse(text: &str) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|e| one_line(&e))?;
        let plain = !file.name.is_empty() && file.name == as_name(&file.name);
        if !plain {
            return Err("`name` must consist of letters, digits, dots and dashes".to_owned());
        }
        let seeds: Vec<u64> = match file.seeds {
            Seeds::Count(count) => (0..count).collect(),
            Seeds::List(list) => list,
        };
        let cells = cells(&file.run, &file.grid)?;
        let count = seeds.len().saturating_mul(cells.len());
        if count == 0 || count > MOST_RUNS {
            return Err(format!(
                "it makes {count} runs; it must make between 1 and {MOST_RUNS}"
            ));
        }
        let mut runs: Vec<Planned> = Vec::with_capacity(count);
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
        })
    }

    /// The runs that belong to a part.
    pub fn part(&self, shard: Shard) -> impl Iterator<Item = &Planned> {
        let is_in = move |run: &&Planned| run.seed_index % shard.count == shard.index;
        self.runs.iter().filter(is_in)
    }
}

/// All combinations of the grid's values, each with the beginning of its runs' names; the last field varies fastest.
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
        let config: RunConfig = Value::Table(table).try_into().map_err(|e| one_line(&e))?;
        match config.validate().into_iter().next() {
            Some(error) => Err(error.to_string()),
            None => Ok((name, config)),
        }
    };
    tables.into_iter().map(cell).collect()
}

fn value_name(value: &Value) -> String {
    match value {
        Value::String(text) => as_name(text),
        other => as_name(&other.to_string()),
    }
}

/// With a dash for whatever a file name had better not hold.
fn as_name(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-');
    text.chars()
        .map(|c| if plain(c) { c } else { '-' })
        .collect()
}

/// A TOML error spans lines to point at the place; one sentence will do.
pub(crate) fn one_line(error: &toml::de::Error) -> String {
    error.message().replace('\n', " ")
}

impl Planned {
    /// What is left to do in a sweep whose runs lie in `folder`.
    ///
    /// # Errors
    /// Where its directory holds a run with another configuration, or one that cannot be read.
    pub fn state(&self, folder: &Path) -> Result<State, SweepError> {
        let dir = folder.join(&self.name);
        let length = std::fs::metadata(log::events_path(&dir)).map(|log| log.len());
        if length.unwrap_or(0) == 0 {
            return Ok(State::New);
        }
        let has_checkpoint = log::checkpoint_path(&dir, "last").is_file();
        let glance = match Glance::read(&dir) {
            Err(_) if !has_checkpoint => return Ok(State::Anew),
            glance => glance?,
        };
        if let Some(field) = difference(&self.config, &glance.started.config) {
            return Err(SweepError::OtherRun { field, path: dir });
        }
        Ok(match glance.ending {
            _ if glance.running => State::Busy,
            Some(Ending::Finished(_)) => State::Finished,
            _ if has_checkpoint => State::Cut,
            _ => State::Anew,
        })
    }
}

/// The first field in which two configurations differ.
fn difference(one: &RunConfig, other: &RunConfig) -> Option<String> {
    if one == other {
        return None;
    }
    let fields = |config: &RunConfig| Table::try_from(config).unwrap_or_default();
    let (one, other) = (fields(one), fields(other));
    let mut names = one.keys().chain(other.keys());
    let found = names.find(|&name| one.get(name) != other.get(name));
    Some(found.cloned().unwrap_or_else(|| "data".to_owned()))
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
mod tests {
    use super::*;

    const SMALL: &str = r#"
        name = "small"
        seeds = 2
        [run]
        epochs = 3
        [grid]
        attention = ["none", "branch"]
        width = ["1/4"]
        lr = [0.1, 0.05]
    "#;

    #[test]
    fn a_grid_is_every_combination_for_every_seed() {
        let sweep = Sweep::parse(SMALL).unwrap();
        let names: Vec<_> = sweep.runs.iter().map(|run| run.name.as_str()).collect();
        assert_eq!(names.len(), 8);
        assert_eq!(
            names[..3],
            [
                "attention-none_lr-0.1_width-1-4_seed-0",
                "attention-none_lr-0.05_width-1-4_seed-0",
                "attention-branch_lr-0.1_width-1-4_seed-0"
            ]
        );
        assert!(names[4..].iter().all(|name| name.ends_with("seed-1")));
        let last = &sweep.runs[7].config;
        assert_eq!((last.seed, last.lr, last.epochs), (1, 0.05, 3));
        assert_eq!(last.attention.name(), "branch");
    }

    #[test]
    fn the_experiments_can_be_read() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/experiments");
        let mut names = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|end| end == "toml") {
                let sweep = Sweep::read(&path).unwrap();
                assert_eq!(path.file_stem().unwrap(), sweep.name.as_str());
                assert_eq!(sweep.runs.len() % 8, 0, "{}: eight seeds", sweep.name);
                names.push(sweep.name);
            }
        }
        assert!(names.len() >= 3, "{names:?}");
    }

    #[test]
    fn parts_are_whole_seeds_and_cover_everything_once() {
        let sweep = Sweep::parse(&SMALL.replace("seeds = 2", "seeds = [5, 3, 9]")).unwrap();
        let part = |text: &str| -> Vec<&Planned> { sweep.part(text.parse().unwrap()).collect() };
        let (one, two) = (part("1/2"), part("2/2"));
        assert!(one.iter().all(|run| run.config.seed != 3) && one.len() == 8);
        assert!(two.iter().all(|run| run.config.seed == 3) && two.len() == 4);
        for wrong in ["0/2", "3/2", "2", "a/b", "1/0"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        let with = |from: &str, to: &str| Sweep::parse(&SMALL.replace(from, to)).unwrap_err();
        for (from, to, named) in [
            ("epochs = 3", "epoch = 3", "unknown field `epoch`"),
            ("epochs = 3", "epochs = 0", "epochs"),
            ("epochs = 3", "lr = 3.0", "in [run] and in [grid]"),
            ("epochs = 3", "seed = 3", "`seeds`"),
            ("[\"1/4\"]", "\"1/4\"", "list of values"),
            ("[\"1/4\"]", "[\"1/3\"]", "1/4"),
            ("[\"1/4\"]", "[\"1/4\", \"1/4\"]", "each value once"),
            ("seeds = 2", "seeds = 0", "0 runs"),
            ("seeds = 2", "seeds = \"x\"", "`seeds` must be"),
            ("seeds = 2", "", "seeds"),
            ("\"small\"", "\"../small\"", "`name`"),
        ] {
            let said = with(from, to);
            assert!(said.contains(named) && !said.contains('\n'), "{to}: {said}");
        }
    }

    #[test]
    fn another_run_in_the_way_is_named_by_what_differs() {
        let one = RunConfig::default();
        let other = RunConfig {
            weight_decay: 0.0,
            ..one.clone()
        };
        assert_eq!(difference(&one, &one.clone()), None);
        assert_eq!(difference(&one, &other).as_deref(), Some("weight_decay"));
        let other = RunConfig {
            val: Some(3),
            ..one.clone()
        };
        assert_eq!(difference(&one, &other).as_deref(), Some("val"));
    }
}
