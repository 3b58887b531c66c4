//! Messages from a training run, and its control.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

use crate::run::event::Event;

/// The function that receives the messages of a run.
pub(super) type Emit<'a> = &'a mut (dyn FnMut(Message) + Send);

/// Messages of a training run to its watcher.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "a few are sent a second, and nearly all are events"
)]
pub enum Message {
    /// Images are being read, before the first step.
    Loading {
        /// Number of images read so far.
        done: usize,
        /// Number of images in all.
        total: usize,
    },
    /// An event, already written to the run's log.
    Event(Event),
    /// A sentence for the user, such as about a file that was skipped or a device that is not there.
    Notice(String),
}

/// Steers a training run from another thread. Clones steer the same run.
#[derive(Clone, Debug, Default)]
pub struct Control {
    shared: Arc<(Mutex<Wanted>, Condvar)>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Wanted {
    #[default]
    Running,
    Paused,
    /// With the reason, for the log.
    Stopped(String),
}

impl Control {
    /// Makes the run wait at the next step until it is resumed or stopped.
    pub fn pause(&self) {
        self.set(Wanted::Paused);
    }

    /// Lets the run go on after a pause.
    pub fn resume(&self) {
        self.set(Wanted::Running);
    }

    /// Ends the run at the next step, with a checkpoint, for the user. A stop cannot be taken back.
    pub fn stop(&self) {
        self.stop_for("stopped by the user");
    }

    /// As [`Self::stop`], for the given reason, which the log keeps. The first reason stands.
    pub fn stop_for(&self, reason: impl Into<String>) {
        self.set(Wanted::Stopped(reason.into()));
    }

    /// Whether the run is asked to pause.
    pub fn is_paused(&self) -> bool {
        *self.shared.0.lock().unwrap_or_else(PoisonError::into_inner) == Wanted::Paused
    }

    /// Whether the run is asked to stop.
    pub fn is_stopped(&self) -> bool {
        self.stopped_for().is_some()
    }

    /// Why the run is asked to stop; `None` where it is not.
    pub fn stopped_for(&self) -> Option<String> {
        match &*self.shared.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Wanted::Stopped(reason) => Some(reason.clone()),
            Wanted::Running | Wanted::Paused => None,
        }
    }

    /// Blocks while the run is paused; returns whether the run is to go on.
    pub fn wait(&self) -> bool {
        let (wanted, changed) = &*self.shared;
        let guard = wanted.lock().unwrap_or_else(PoisonError::into_inner);
        let guard = changed
            .wait_while(guard, |wanted| *wanted == Wanted::Paused)
            .unwrap_or_else(PoisonError::into_inner);
        !matches!(*guard, Wanted::Stopped(_))
    }

    fn set(&self, new: Wanted) {
        let (wanted, changed) = &*self.shared;
        let mut guard = wanted.lock().unwrap_or_else(PoisonError::into_inner);
        if !matches!(*guard, Wanted::Stopped(_)) {
            *guard = new;
        }
        drop(guard);
        changed.notify_all();
    }
}
