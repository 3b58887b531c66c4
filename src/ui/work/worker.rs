//! The training thread: does the jobs of a queue one after the other, and reports through a channel.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, TryRecvError, unbounded};

use super::panics::panic_sentence;
use super::reply::Opened;
use super::waker::Waker;
use crate::train::{self, Control, Message, device};
use crate::ui::state::queue::{Job, Queue, Waiting};

/// The function that trains a run: the real trainer in the window, a scripted one in tests. An error is one sentence.
pub type Trainer = Arc<
    dyn Fn(&Job, &Control, &mut (dyn FnMut(Message) + Send)) -> Result<(), String> + Send + Sync,
>;

/// A message of the training thread.
pub(crate) enum Update {
    /// The thread begins this job. Of a run that it goes on with, the log was read first: the trainer tells only what
    /// follows.
    Began(Box<Waiting>, Option<Box<Opened>>),
    /// The trainer reports on the current job.
    Message(Box<Message>),
    /// The current job is over; an error says why it failed.
    Ended(Result<(), String>),
}

/// The result of asking the training thread for its next message.
pub(crate) enum Report {
    /// The oldest message that was not taken yet.
    Update(Update),
    /// There is no further message yet.
    NoneYet,
    /// The last job is over, and the thread has ended.
    Over,
}

/// The training thread, as seen from the window.
pub(crate) struct Worker {
    /// The messages of the thread; the channel closes once the last job is over.
    updates: Receiver<Update>,
}

impl Worker {
    /// Starts a thread that does the jobs of `queue` in order, including those that are added meanwhile, until the
    /// queue is empty or training is stopped. `control` steers all of the jobs.
    ///
    /// # Errors
    /// Fails if the system gives no thread.
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

    /// Takes the thread's next message, without waiting for one.
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
    // Sending fails only if the window is gone; the run then ends through `control`.
    let send = |update| {
        let _ = sender.send(update);
        waker.wake_soon();
    };
    while !control.is_stopped()
        && let Some(next) = queue.take_first()
    {
        let job = next.job.clone();
        send(Update::Began(Box::new(next), known(&job).map(Box::new)));
        let mut emit = |message| send(Update::Message(Box::new(message)));
        let result = catch_unwind(AssertUnwindSafe(|| trainer(&job, control, &mut emit)))
            .unwrap_or_else(|panic| Err(panic_sentence(panic.as_ref())));
        send(Update::Ended(result));
    }
}

/// What is recorded of the run that a job goes on with. Where it cannot be read, the trainer says why.
fn known(job: &Job) -> Option<Opened> {
    match job {
        Job::Resume { dir } => catch_unwind(|| Opened::read(dir)).ok()?.ok(),
        Job::Train { .. } | Job::Fork { .. } => None,
    }
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
            Job::Fork {
                parent,
                dir,
                config,
                at,
            } => {
                let fallback = device::fallback(config);
                let (config, notice) =
                    fallback.unwrap_or_else(|| ((**config).clone(), String::new()));
                if !notice.is_empty() {
                    emit(Message::Notice(notice));
                }
                train::fork(parent, dir, &config, *at, control, emit)
            }
            Job::Resume { dir } => train::resume(dir, control, emit),
        };
        result.map_err(|error| error.to_string())
    })
}
