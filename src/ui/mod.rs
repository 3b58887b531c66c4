//! The window: set up an experiment, watch it train, and look at how classes pull against each other.
//!
//! The modules of the window are ordered. Each may import some of those above it, as the table says:
//!
//! | module | what it holds |
//! |---|---|
//! | `state` | the data that the window shows, and the texts that were typed |
//! | `work` | threads, channels, dialogs, the disk and the trash; imports `state` |
//! | `widgets` | small controls; imports nothing of the window |
//! | `panels` | the panels around the page; imports `state` and `widgets` |
//! | `pages` | the pages, and their layout; imports `state`, `widgets` and `panels` |
//! | `overlays` | dialogs, notices and lists over the page; imports `state` and `widgets` |
//! | `app` | takes actions and answers of threads, and changes the state; imports all of the modules above |
//! | `frame_times` | measures how long frames take; imports nothing of the window |
//! | `window` | opens the system's window; imports `app`, `frame_times` and the words in `state` |
//!
//! Functions that draw take the state and collect the actions that the user asks for. Nothing here computes with
//! tensors, and nothing slow happens while the window is drawn.

mod app;
mod frame_times;
mod overlays;
mod pages;
mod panels;
mod state;
mod widgets;
mod window;
mod work;

pub use app::{App, Options};
pub use state::place::Page;
pub use state::queue::Job;
pub use window::{WindowError, open};
pub use work::{Discard, Trainer, trainer, trash};
