//! The folder of a submission: its list of runs, and the jobs that Slurm made of it.

use std::fs;
use std::io::{BufRead as _, BufReader, ErrorKind};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::SlurmError;
use crate::config::RunConfig;
use crate::run::log::{RunError, write_whole};
use crate::sweep::Planned;

/// Runs that were, or are to be, submitted together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// Name of the sweep.
    pub name: String,
    /// The folder of the submission.
    pub dir: PathBuf,
    /// The program that trains, by its absolute path.
    pub program: PathBuf,
    /// The working directory of the jobs, from which relative paths of data lead.
    pub work_dir: PathBuf,
}

/// A line of the list: a run of a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Directory of the run, absolute.
    pub dir: PathBuf,
    /// The configuration to train.
    pub config: RunConfig,
}

/// The jobs of a submission, as far as they were submitted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jobs {
    /// The arrays, in the order of the list.
    pub arrays: Vec<Array>,
    /// Number of the job that compares the runs.
    pub compare: Option<u64>,
}

/// A job array.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Array {
    /// Number of the job.
    pub job: u64,
    /// Line of the list, from 0, of its first task.
    pub from: usize,
    /// Number of its tasks.
    pub count: usize,
}

/// The folder of the submissions of a sweep whose runs are in `folder`.
pub fn folder_of(folder: &Path) -> PathBuf {
    folder.join("slurm")
}

impl Submission {
    /// A new folder for a submission, with the smallest number that is free.
    ///
    /// # Errors
    /// Where it cannot be made.
    pub fn create_dir(folder: &Path) -> Result<PathBuf, SlurmError> {
        let parent = folder_of(folder);
        let made = fs::create_dir_all(&parent);
        made.map_err(|e| RunError::io("make the folder of the jobs", &parent, e))?;
        let mut number = 1_u32;
        loop {
            let dir = parent.join(number.to_string());
            match fs::create_dir(&dir) {
                Err(e) if e.kind() == ErrorKind::AlreadyExists => number += 1,
                Err(e) => return Err(RunError::io("make the folder of the jobs", &dir, e).into()),
                Ok(()) => return Ok(dir),
            }
        }
    }

    /// The file with the list of runs.
    pub fn list(&self) -> PathBuf {
        self.dir.join("runs.jsonl")
    }

    /// Writes the list of runs; the runs are in `folder`, which is absolute.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write_list(&self, folder: &Path, runs: &[&Planned]) -> Result<(), SlurmError> {
        let mut text = Vec::new();
        for run in runs {
            let entry = Entry {
                dir: folder.join(&run.name),
                config: run.config.clone(),
            };
            let line = serde_json::to_vec(&entry);
            text.extend(line.map_err(|e| RunError::damaged(&self.list(), e))?);
            text.push(b'\n');
        }
        Ok(write_whole(&self.list(), &text)?)
    }

    /// Writes which jobs were submitted.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write_jobs(&self, jobs: &Jobs) -> Result<(), SlurmError> {
        let path = self.dir.join("jobs.json");
        let text = serde_json::to_vec_pretty(jobs).map_err(|e| RunError::damaged(&path, e))?;
        Ok(write_whole(&path, &text)?)
    }
}

/// The line of a list with this number, from 0.
///
/// # Errors
/// Where the list cannot be read, or has no such line.
pub fn entry(list: &Path, number: usize) -> Result<Entry, SlurmError> {
    let unreadable = |reason: String| SlurmError::Unreadable {
        path: list.to_owned(),
        reason,
    };
    let file = fs::File::open(list).map_err(|e| unreadable(e.to_string()))?;
    match BufReader::new(file).lines().nth(number) {
        Some(Ok(line)) => serde_json::from_str(&line).map_err(|e| unreadable(e.to_string())),
        Some(Err(e)) => Err(unreadable(e.to_string())),
        None => Err(unreadable(format!("it has no line {}", number + 1))),
    }
}

/// The jobs of all submissions of a sweep whose runs are in `folder`: each array, with the directories of its runs by task.
///
/// # Errors
/// Where a submission cannot be read.
pub fn find(folder: &Path) -> Result<Vec<(u64, Vec<PathBuf>)>, SlurmError> {
    let parent = folder_of(folder);
    let entries = fs::read_dir(&parent).into_iter().flatten().flatten();
    let mut dirs: Vec<_> = entries.map(|entry| entry.path()).collect();
    dirs.sort();
    let mut found = Vec::new();
    for dir in dirs {
        let (jobs, list) = (dir.join("jobs.json"), dir.join("runs.jsonl"));
        let unreadable = |path: &Path, reason: &dyn ToString| SlurmError::Unreadable {
            path: path.to_owned(),
            reason: reason.to_string(),
        };
        let text = match fs::read(&jobs) {
            Ok(text) => text,
            // Nothing was submitted of it.
            Err(e) if e.kind() == ErrorKind::NotFound || !dir.is_dir() => continue,
            Err(e) => return Err(unreadable(&jobs, &e)),
        };
        let submitted: Jobs = serde_json::from_slice(&text).map_err(|e| unreadable(&jobs, &e))?;
        let text = fs::read_to_string(&list).map_err(|e| unreadable(&list, &e))?;
        let entries = text.lines().map(serde_json::from_str::<Entry>);
        let entries: Result<Vec<Entry>, _> = entries.collect();
        let entries = entries.map_err(|e| unreadable(&list, &e))?;
        for array in submitted.arrays {
            let tasks = entries.iter().skip(array.from).take(array.count);
            found.push((array.job, tasks.map(|entry| entry.dir.clone()).collect()));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_finds_its_run_again() -> anyhow::Result<()> {
        let root = tempfile::tempdir()?;
        let folder = root.path().join("runs");
        assert!(find(&folder)?.is_empty());
        let first = Submission::create_dir(&folder)?;
        let dir = Submission::create_dir(&folder)?;
        assert!(first.ends_with("slurm/1") && dir.ends_with("slurm/2"));
        let made = Submission {
            name: "s".to_owned(),
            dir,
            program: "/p".into(),
            work_dir: "/w".into(),
        };
        let runs: Vec<Planned> = (0..5)
            .map(|seed| Planned {
                name: format!("seed-{seed}"),
                config: RunConfig {
                    seed,
                    lr: Some(0.1 + 0.2),
                    ..RunConfig::default()
                },
                seed_index: 0,
            })
            .collect();
        let all: Vec<_> = runs.iter().collect();
        made.write_list(&folder, &all)?;
        assert!(find(&folder)?.is_empty(), "no job was submitted");
        made.write_jobs(&Jobs {
            arrays: vec![
                Array {
                    job: 7,
                    from: 0,
                    count: 3,
                },
                Array {
                    job: 9,
                    from: 3,
                    count: 2,
                },
            ],
            compare: None,
        })?;
        let last = entry(&made.list(), 4)?;
        assert_eq!(
            (last.dir, &last.config),
            (folder.join("seed-4"), &runs[4].config)
        );
        assert!(
            entry(&made.list(), 5)
                .unwrap_err()
                .to_string()
                .contains("no line 6")
        );
        let found = find(&folder)?;
        assert_eq!(found.len(), 2);
        assert_eq!(
            found[1],
            (9, vec![folder.join("seed-3"), folder.join("seed-4")])
        );
        Ok(())
    }
}
