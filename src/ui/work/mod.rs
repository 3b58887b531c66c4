//! What the window must not wait for: threads, channels, file dialogs, the disk and the trash.
//!
//! Nothing else in the window starts a thread or listens to a channel, and `app` alone uses what lies here. May import
//! `state` and the library.

pub(crate) mod background;
pub(crate) mod waker;
pub(crate) mod worker;
