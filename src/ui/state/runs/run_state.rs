//! The state of a run on the list.

use crate::run::{Ending, Run};

/// The id of a run for as long as it is on the list.
pub(crate) type RunId = usize;

/// The state of a run, as shown on the list.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum RunState {
    /// Its log is being read.
    Opening,
    /// This window trains the run, but the first step is not done.
    Loading,
    /// This window trains the run.
    Running,
    /// This window trains the run, and has paused.
    Paused,
    /// Another process trains it.
    Elsewhere,
    /// All epochs were trained.
    Finished,
    /// Training was stopped before the last epoch, for the reason given if there is one.
    Stopped(String),
    /// Training failed for this reason.
    Failed(String),
    /// Its process ended without recording an end.
    Interrupted,
    /// The log was being followed and can no longer be read, for this reason.
    Unreachable(String),
    /// The log cannot be read, for this reason.
    Damaged(String),
}

impl RunState {
    /// One word for the list.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Loading => "loading",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Elsewhere => "running elsewhere",
            Self::Finished => "finished",
            Self::Stopped(_) => "stopped",
            Self::Failed(_) => "failed",
            Self::Interrupted => "interrupted",
            Self::Unreachable(_) => "out of reach",
            Self::Damaged(_) => "damaged",
        }
    }

    /// A sentence for the tooltip. `is_own` says whether the program trained the run itself.
    pub(crate) fn sentence(&self, is_own: bool) -> String {
        match self {
            Self::Finished if !is_own => "Its training script has ended it.".to_owned(),
            Self::Stopped(reason) if reason.is_empty() && !is_own => {
                "Stopped before its end. Its training script can go on with it.".to_owned()
            }
            Self::Interrupted if !is_own => {
                "Its training script ended before the run did, and can go on with it from a checkpoint of its own.".to_owned()
            }
            Self::Opening => "The run is being read.".to_owned(),
            Self::Loading => "Images are being read; the first step follows.".to_owned(),
            Self::Running => "This window is training the run.".to_owned(),
            Self::Paused => "Training waits. Press Resume to go on.".to_owned(),
            Self::Elsewhere => "Another process is training the run; what it writes is read every two seconds.".to_owned(),
            Self::Finished => "All epochs were trained.".to_owned(),
            Self::Stopped(reason) if reason.is_empty() => {
                "Stopped before its last epoch. It can be continued.".to_owned()
            }
            Self::Stopped(reason) | Self::Failed(reason) | Self::Damaged(reason) => reason.clone(),
            Self::Interrupted => "Its program ended before the run did. It can be continued from its last checkpoint.".to_owned(),
            Self::Unreachable(reason) => format!("Shown as it was last read; it is tried again every two seconds. {reason}"),
        }
    }

    /// Whether no process is thought to train the run.
    pub(crate) fn is_at_rest(&self) -> bool {
        matches!(
            self,
            Self::Finished | Self::Stopped(_) | Self::Failed(_) | Self::Interrupted
        )
    }

    /// Whether something went wrong.
    pub(crate) fn is_bad(&self) -> bool {
        matches!(
            self,
            Self::Failed(_) | Self::Damaged(_) | Self::Unreachable(_)
        )
    }

    /// Whether this window trains the run.
    pub(crate) fn is_ours(&self) -> bool {
        matches!(self, Self::Loading | Self::Running | Self::Paused)
    }

    /// Whether training can go on from a checkpoint.
    pub(crate) fn can_continue(&self) -> bool {
        matches!(self, Self::Stopped(_) | Self::Interrupted)
    }
}

/// The state of a run that this window is not training, as its log tells it.
pub(crate) fn state_at_rest(run: &Run, running: bool) -> RunState {
    state_of(&run.ending, running)
}

/// The state of a run with this ending, or without one; `running` says whether another process is training it.
pub(crate) fn state_of(ending: &Option<Ending>, running: bool) -> RunState {
    match ending {
        _ if running => RunState::Elsewhere,
        Some(Ending::Finished(_)) => RunState::Finished,
        Some(Ending::Stopped(end)) => RunState::Stopped(end.message.clone()),
        Some(Ending::Failed(end)) => RunState::Failed(end.message.clone()),
        None => RunState::Interrupted,
    }
}
