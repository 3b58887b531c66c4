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

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Wanted {
    #[default]
    Running,
    Paused,
    Stopped,
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

    /// Ends the run at the next step, with a checkpoint. A stop cannot be taken back.
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

    /// Blocks while the run is paused; returns whether the run is to go on.
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
