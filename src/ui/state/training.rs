//! The training that is under way, and its progress.

use std::path::Path;

use crate::run::Run;
use crate::text::grouped;
use crate::train::Control;
use crate::ui::state::queue::Waiting;
use crate::ui::state::words::duration;

/// The number of logged steps over which the present speed is measured.
const SPEED_OVER_STEPS: usize = 20;

/// The jobs of the training thread, as the window knows them.
#[derive(Default)]
pub(crate) struct Training {
    /// Steers all jobs: stopping ends the current one and starts no further one.
    pub(crate) control: Control,
    /// The job under way; `None` before the first one begins.
    pub(crate) current: Option<Waiting>,
    /// Number of jobs that have ended, with or without an error.
    pub(crate) done: usize,
    /// Before the first step of the current job: the number of images that were read, and of images in all.
    pub(crate) loading: Option<(usize, usize)>,
}

impl Training {
    /// Directory of the run that is being trained.
    pub(crate) fn current_dir(&self) -> Option<&Path> {
        Some(self.current.as_ref()?.job.dir())
    }
}

/// The progress of the current job.
pub(crate) struct Progress {
    /// The share of the job that is done, in [0, 1].
    pub(crate) done: f32,
    /// The progress in words, such as "epoch 3.2 of 10 · 812 images/s · 41 s left".
    pub(crate) words: String,
}

impl Progress {
    /// Progress of the current job, whose run is on the list once its first step was logged.
    pub(crate) fn of(training: &Training, run: Option<&Run>) -> Self {
        if let Some((done, total)) = training.loading {
            return Self {
                done: done as f32 / total.max(1) as f32,
                words: format!(
                    "reading images, {} of {}",
                    grouped(done as u64),
                    grouped(total as u64)
                ),
            };
        }
        let started = run.and_then(|run| run.started.as_ref());
        let (Some(run), Some(started)) = (run, started) else {
            return Self {
                done: 0.0,
                words: "getting ready".to_owned(),
            };
        };
        let step = run.last_step();
        let mut words = Vec::new();
        let is_paused = training.control.is_paused();
        if is_paused {
            words.push("paused: Resume goes on at the next step".to_owned());
        }
        if let Some((images, steps)) = speed(run).filter(|_| !is_paused) {
            let left = started.total_steps.saturating_sub(step) as f64 / steps;
            words.push(format!("{images:.0} images/s"));
            words.push(format!("{} left", duration(left)));
        }
        let epoch = step as f64 / started.steps_per_epoch.max(1) as f64;
        words.insert(0, format!("epoch {epoch:.1} of {}", started.config.epochs));
        Self {
            done: (step as f32 / started.total_steps.max(1) as f32).min(1.0),
            words: words.join(" · "),
        }
    }
}

/// Images and steps per second over the last logged steps; `None` before two are logged.
pub(crate) fn speed(run: &Run) -> Option<(f64, f64)> {
    let last = run.steps.last()?;
    let first = &run.steps[run.steps.len().saturating_sub(SPEED_OVER_STEPS)];
    let secs = last.wall_secs - first.wall_secs;
    (secs > 0.0).then(|| {
        let images = last.images.saturating_sub(first.images) as f64;
        let steps = last.step.saturating_sub(first.step) as f64;
        (images / secs, steps / secs)
    })
}
