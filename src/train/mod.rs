//! Training: the loop, and the messages through which it is watched and steered.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

use crate::run::event::Event;

/// What a training run tells whoever watches it.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// Before the first step: images being read, of how many.
    Loading {
        /// Images read.
        done: usize,
        /// Images in all.
        total: usize,
    },
    /// An event, already written to the run's log.
    Event(Event),
    /// Something the user should know: a file skipped, a device that is not there.
    Notice(String),
}

/// Steers a training run from another thread. Clones steer the same run.
#[derive(Clone, Debug, Default)]
pub struct Control {
    shared: Arc<(Mutex<Wanted>, Condvar)>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Wanted {
    #[default]
    Running,
    Paused,
    Stopped,
}

impl Control {
    /// Waits at the next step until resumed or stopped.
    pub fn pause(&self) {
        self.set(Wanted::Paused);
    }

    /// Goes on after a pause.
    pub fn resume(&self) {
        self.set(Wanted::Running);
    }

    /// Ends the run at the next step, with a checkpoint. Cannot be taken back.
    pub fn stop(&self) {
        self.set(Wanted::Stopped);
    }

    /// Whether the run is asked to pause.
    pub fn is_paused(&self) -> bool {
        *self.shared.0.lock().unwrap_or_else(PoisonError::into_inner) == Wanted::Paused
    }

    /// Whether the run is asked to stop.
    pub fn is_stopped(&self) -> bool {
        *self.shared.0.lock().unwrap_or_else(PoisonError::into_inner) == Wanted::Stopped
    }

    /// Blocks while paused; returns whether to go on.
    pub fn wait(&self) -> bool {
        let (wanted, changed) = &*self.shared;
        let guard = wanted.lock().unwrap_or_else(PoisonError::into_inner);
        let guard = changed
            .wait_while(guard, |wanted| *wanted == Wanted::Paused)
            .unwrap_or_else(PoisonError::into_inner);
        *guard != Wanted::Stopped
    }

    fn set(&self, new: Wanted) {
        let (wanted, changed) = &*self.shared;
        let mut guard = wanted.lock().unwrap_or_else(PoisonError::into_inner);
        if *guard != Wanted::Stopped {
            *guard = new;
        }
        drop(guard);
        changed.notify_all();
    }
}
