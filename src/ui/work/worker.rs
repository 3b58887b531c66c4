//! The training thread: does the jobs of a queue one after the other, and reports through a channel.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, TryRecvError, unbounded};
use serde::{Deserialize, Serialize};

use crate::config::RunConfig;
use crate::train::{self, Control, Message, device};
use crate::ui::state::queue::{Queue, Waiting};
use crate::ui::work::waker::Waker;

/// One run to train.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Job {
    /// A new run in a new directory.
    Train {
        /// The run directory.
        dir: PathBuf,
        /// What to train.
        config: Box<RunConfig>,
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
            Self::Train { dir, .. } | Self::Resume { dir } => dir,
        }
    }
}

/// What does the training: the real trainer in the window, a scripted one in tests. An error is one sentence.
pub type Trainer = Arc<
    dyn Fn(&Job, &Control, &mut (dyn FnMut(Message) + Send)) -> Result<(), String> + Send + Sync,
>;

/// What the training thread reports.
pub(crate) enum Update {
    /// This job begins.
    Began(Box<Waiting>),
    /// The current job says something.
    Message(Box<Message>),
    /// The current job is over; an error says why it failed.
    Ended(Result<(), String>),
}

/// What there is to be heard of the training thread.
pub(crate) enum Report {
    /// This has happened.
    Update(Update),
    /// Nothing has happened since the last report.
    NoneYet,
    /// The last job is over, and the thread has ended.
    Over,
}

/// The training thread, as seen from the window.
pub(crate) struct Worker {
    /// Closed once the last job is over.
    updates: Receiver<Update>,
}

impl Worker {
    /// Starts a thread that does the jobs of `queue` in order, those added meanwhile too, until none waits. `control`
    /// steers all of them.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub(crate) fn start(
        queue: Queue,
        control: Control,
        trainer: Trainer,
        waker: Waker,
    ) -> std::io::Result<Self> {
        let (sender, updates) = unbounded();
        std::thread::Builder::new()
            .name("training".to_owned())
            .spawn(move || {
                crate::threads::give_way();
                work(&queue, &trainer, &control, &sender, &waker);
                drop(sender);
                waker.wake();
            })?;
        Ok(Self { updates })
    }

    /// The oldest report that was not taken yet.
    pub(crate) fn next_report(&self) -> Report {
        match self.updates.try_recv() {
            Ok(update) => Report::Update(update),
            Err(TryRecvError::Empty) => Report::NoneYet,
            Err(TryRecvError::Disconnected) => Report::Over,
        }
    }
}

fn work(
    queue: &Queue,
    trainer: &Trainer,
    control: &Control,
    sender: &Sender<Update>,
    waker: &Waker,
) {
    // Sending fails only where the window is gone; the run then ends through `control`.
    let send = |update| {
        let _ = sender.send(update);
        waker.wake_soon();
    };
    while !control.is_stopped()
        && let Some(next) = queue.take_first()
    {
        let job = next.job.clone();
        send(Update::Began(Box::new(next)));
        let mut emit = |message| send(Update::Message(Box::new(message)));
        let result = catch_unwind(AssertUnwindSafe(|| trainer(&job, control, &mut emit)))
            .unwrap_or_else(|panic| Err(panic_sentence(panic.as_ref())));
        send(Update::Ended(result));
    }
}

/// A panic as a sentence for the notice.
pub(crate) fn panic_sentence(panic: &(dyn Any + Send)) -> String {
    let text = panic_text(panic);
    format!(
        "an internal error ended it ({text}); everything recorded so far is kept, please report this"
    )
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no reason given")
}

/// The trainer of the real window.
pub fn trainer() -> Trainer {
    Arc::new(|job, control, emit| {
        let result = match job {
            Job::Train { dir, config } => match device::fallback(config) {
                Some((config, notice)) => {
                    emit(Message::Notice(notice));
                    train::run(dir, &config, control, emit)
                }
                None => train::run(dir, config, control, emit),
            },
            Job::Resume { dir } => train::resume(dir, control, emit),
        };
        result.map_err(|error| error.to_string())
    })
}
