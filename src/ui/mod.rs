//! The window: set up an experiment, watch it train, and look at how classes pull against each other.
//!
//! State has four parts: the runs on the list, what is looked at, the experiment being set up, and the training thread.
//! Between frames [`App::logic`] takes in what threads report; [`App::ui`] draws, collects what the user asked for and
//! does it afterwards. Nothing here computes with tensors, and nothing slow happens while drawing.

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
pub use state::page::Page;
pub use window::{WindowError, open};
pub use work::background::{Discard, trash};
pub use work::worker::{Job, Trainer, trainer};
