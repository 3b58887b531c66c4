//! The window: set up an experiment, watch it train, and look at how classes pull against each other.
//!
//! The window is laid out in rooms, each of which may import those above it:
//!
//! | room | what it holds |
//! |---|---|
//! | `state` | what the window knows |
//! | `work` | threads, channels, dialogs, the disk and the trash; imports `state` |
//! | `widgets` | small controls; imports nothing of the window |
//! | `panels` | what stands around the page; imports `state` and `widgets` |
//! | `pages` | one file a page; imports `state`, `widgets` and `panels` |
//! | `overlays` | what lies over the page; imports `state` and `widgets` |
//! | `app` | takes actions and answers of threads, and changes the state; imports all of these |
//! | `window` | opens the window of the system; imports `app`, and of `state` words |
//!
//! What draws takes the state and collects what the user asked for. Nothing here computes with tensors, and nothing
//! slow happens while drawing.

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
