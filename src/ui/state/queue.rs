//! The queue of experiments: jobs that wait for the training thread.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::config::{DataSource, RunConfig};
use crate::run::event::Started;

/// One run to train.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Job {
    /// A new run in a new directory.
    Train {
        /// The run directory.
        dir: PathBuf,
        /// Configuration of the run.
        config: Box<RunConfig>,
    },
    /// A new run that goes on from a checkpoint of another one.
    Fork {
        /// Directory of the other run.
        parent: PathBuf,
        /// Directory of the new run.
        dir: PathBuf,
        /// Configuration of the new run.
        config: Box<RunConfig>,
        /// The latest checkpoint at or before this step is meant, or else the latest at which the network had not diverged.
        at: Option<u64>,
    },
    /// A stopped or interrupted run that goes on from its last checkpoint.
    Resume {
        /// The run directory.
        dir: PathBuf,
    },
}

impl Job {
    /// The run directory.
    pub fn dir(&self) -> &Path {
        match self {
            Self::Train { dir, .. } | Self::Fork { dir, .. } | Self::Resume { dir } => dir,
        }
    }
}

/// A job that waits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Waiting {
    /// The id of the job for as long as it waits.
    pub(crate) id: u64,
    /// The run to train.
    pub(crate) job: Job,
    /// Whether the job belongs to the previous one, beside whose run its own run is shown.
    pub(crate) is_second: bool,
}

/// The jobs that wait, in order. The training thread takes the first one whenever it is free, even if the window draws
/// no frames meanwhile.
#[derive(Clone, Debug, Default)]
pub(crate) struct Queue(Arc<Mutex<Jobs>>);

#[derive(Debug, Default)]
struct Jobs {
    waiting: Vec<Waiting>,
    next_id: u64,
}

/// The end of the queue to which new jobs are added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Before all jobs that wait.
    Front,
    /// Behind all jobs that wait.
    Back,
}

impl Queue {
    /// The jobs that wait now.
    pub(crate) fn waiting(&self) -> Vec<Waiting> {
        self.jobs().waiting.clone()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.jobs().waiting.is_empty()
    }

    /// Adds the jobs of one press on Start. A job that would continue a run for which another job waits is left out.
    pub(crate) fn add(&self, new: Vec<Job>, end: End) {
        let mut jobs = self.jobs();
        let mut added = Vec::new();
        for job in new {
            let is_same = |other: &Waiting| other.job.dir() == job.dir();
            if matches!(job, Job::Resume { .. }) && jobs.waiting.iter().any(is_same) {
                continue;
            }
            added.push(Waiting {
                id: jobs.next_id,
                job,
                is_second: !added.is_empty(),
            });
            jobs.next_id += 1;
        }
        let at = match end {
            End::Front => 0,
            End::Back => jobs.waiting.len(),
        };
        jobs.waiting.splice(at..at, added);
    }

    /// Puts back the jobs that waited when the program was last closed.
    pub(crate) fn restore(&self, kept: Vec<Waiting>) {
        let mut jobs = self.jobs();
        jobs.next_id = kept.iter().map(|waiting| waiting.id + 1).max().unwrap_or(0);
        jobs.waiting = kept;
    }

    /// Takes the first job out of the queue.
    pub(crate) fn take_first(&self) -> Option<Waiting> {
        let mut jobs = self.jobs();
        (!jobs.waiting.is_empty()).then(|| jobs.waiting.remove(0))
    }

    /// Moves a job up (-1) or down (1) by one place. A job that has begun meanwhile is not moved.
    pub(crate) fn shift(&self, id: u64, by: isize) {
        let mut jobs = self.jobs();
        let Some(from) = jobs.waiting.iter().position(|waiting| waiting.id == id) else {
            return;
        };
        let to = from.saturating_add_signed(by).min(jobs.waiting.len() - 1);
        let waiting = jobs.waiting.remove(from);
        jobs.waiting.insert(to, waiting);
    }

    /// Takes a job out of the queue.
    pub(crate) fn cancel(&self, id: u64) {
        self.jobs().waiting.retain(|waiting| waiting.id != id);
    }

    fn jobs(&self) -> MutexGuard<'_, Jobs> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A job in a few words, such as "Baseline · solar · 10 epochs · seed 1".
pub(crate) fn in_words(job: &Job) -> String {
    match job {
        Job::Resume { dir } => format!("Continue {}", name_of(dir)),
        Job::Train { config, .. } => config_in_words(config),
        Job::Fork { parent, config, .. } => {
            format!(
                "Fork {} · learning rate {}",
                name_of(parent),
                config.learning_rate()
            )
        }
    }
}

fn config_in_words(config: &RunConfig) -> String {
    let mut words = vec![config.attention.label().to_owned()];
    words.push(match &config.data {
        DataSource::Solar => "solar".to_owned(),
        DataSource::Folder(path) => name_of(path),
    });
    if config.imbalance > 1.0 {
        words.push(format!("imbalance {}", config.imbalance));
    }
    words.push(match config.epochs {
        1 => "1 epoch".to_owned(),
        epochs => format!("{epochs} epochs"),
    });
    words.push(format!("seed {}", config.seed));
    words.join(" · ")
}

/// The last part of a path.
pub(crate) fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}

/// Seconds that the jobs of `waiting` will take at the speed of the run under way, and the number of jobs that are not
/// counted because their length is not known: those that train on other images, and those that continue a run.
pub(crate) fn secs_of(waiting: &[Waiting], started: &Started, images_per_sec: f64) -> (f64, usize) {
    let images: usize = started.train_counts.iter().sum();
    let known = |waiting: &&Waiting| match &waiting.job {
        Job::Train { config, .. } => same_images(config, &started.config),
        Job::Resume { .. } | Job::Fork { .. } => false,
    };
    let epochs = |waiting: &Waiting| match &waiting.job {
        Job::Train { config, .. } => f64::from(config.epochs),
        Job::Resume { .. } | Job::Fork { .. } => 0.0,
    };
    let epochs: Vec<f64> = waiting.iter().filter(known).map(epochs).collect();
    let secs = epochs.iter().sum::<f64>() * images as f64 / images_per_sec;
    (secs, waiting.len() - epochs.len())
}

/// Whether runs with these configurations train on the same images.
fn same_images(a: &RunConfig, b: &RunConfig) -> bool {
    let images = |config: &RunConfig| RunConfig {
        data: config.data.clone(),
        imbalance: config.imbalance,
        profile: config.profile,
        val: config.val,
        data_seed: config.data_seed,
        splits: config.splits.clone(),
        image_column: config.image_column.clone(),
        label_column: config.label_column.clone(),
        skip_unreadable: config.skip_unreadable,
        ..RunConfig::default()
    };
    images(a) == images(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(name: &str) -> Job {
        Job::Train {
            dir: PathBuf::from(name),
            config: Box::default(),
        }
    }

    fn names(queue: &Queue) -> Vec<String> {
        let waiting = queue.waiting();
        waiting.iter().map(|w| name_of(w.job.dir())).collect()
    }

    #[test]
    fn jobs_keep_the_order_they_are_given() {
        let queue = Queue::default();
        queue.add(vec![job("a"), job("b")], End::Back);
        queue.add(vec![job("c")], End::Back);
        assert_eq!(names(&queue), ["a", "b", "c"]);
        let seconds: Vec<_> = queue.waiting().iter().map(|w| w.is_second).collect();
        assert_eq!(seconds, [false, true, false]);

        queue.shift(2, -1);
        queue.shift(0, -1);
        assert_eq!(names(&queue), ["a", "c", "b"]);
        queue.shift(0, 5);
        assert_eq!(names(&queue), ["c", "b", "a"]);
        queue.cancel(1);
        queue.add(vec![job("d")], End::Front);
        assert_eq!(names(&queue), ["d", "c", "a"]);
        assert_eq!(queue.take_first().map(|w| w.id), Some(3));
        queue.shift(3, 1);
        assert_eq!(names(&queue), ["c", "a"], "what has begun stays begun");
    }

    #[test]
    fn a_run_is_continued_once() {
        let queue = Queue::default();
        let resume = || {
            let dir = PathBuf::from("a");
            vec![Job::Resume { dir }]
        };
        queue.add(resume(), End::Back);
        queue.add(resume(), End::Back);
        assert_eq!(queue.waiting().len(), 1);
    }

    #[test]
    fn a_job_says_what_it_does() {
        let mut config = RunConfig {
            imbalance: 100.0,
            seed: 3,
            ..RunConfig::default()
        };
        let words = config_in_words(&config);
        assert_eq!(
            words,
            "Baseline · solar · imbalance 100 · 10 epochs · seed 3"
        );
        config.data = DataSource::Folder(PathBuf::from("/data/cells"));
        config.epochs = 1;
        assert!(config_in_words(&config).contains("cells · imbalance 100 · 1 epoch ·"));
    }
}
