//! Work that the window must not wait for: threads, channels, file dialogs, the disk and the trash.
//!
//! No other module of the window starts a thread or listens to a channel, and `app` is the only one that hands work to
//! threads. May import `state` and the library.

mod background;
mod dialog;
mod discard;
mod dropped;
mod export;
mod memory;
mod panics;
mod reading;
mod remotes;
mod reply;
mod settings;
mod waker;
mod worker;

pub(crate) use background::Background;
pub use discard::{Discard, trash};
pub(crate) use dropped::Dropped;
pub(crate) use export::{Export, Exported, Made, copy_job, write_job};
pub(crate) use memory::drop_elsewhere;
pub(crate) use reading::Source;
#[cfg(test)]
pub(crate) use reading::look_through;
pub(crate) use reply::{Opened, Reply};
pub(crate) use settings::usual_path;
pub(crate) use waker::Waker;
pub(crate) use worker::{Report, Update, Worker};
pub use worker::{Trainer, trainer};
