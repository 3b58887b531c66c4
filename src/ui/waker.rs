//! Lets background threads wake the window, before and after it exists.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// While messages stream in, the window is redrawn at most this often.
const REDRAW_EVERY: Duration = Duration::from_millis(100);

/// A handle that asks the window for a redraw. Does nothing until the first frame was drawn, which needs no waking.
#[derive(Clone, Default)]
pub(crate) struct Waker(Arc<OnceLock<egui::Context>>);

impl Waker {
    /// Called in every frame; the first one counts.
    pub(crate) fn attach(&self, ctx: &egui::Context) {
        if self.0.get().is_none() {
            let _ = self.0.set(ctx.clone());
        }
    }

    /// Redraw at once: something the user waits for is there.
    pub(crate) fn wake(&self) {
        if let Some(ctx) = self.0.get() {
            ctx.request_repaint();
        }
    }

    /// Redraw soon: one of many messages is there.
    pub(crate) fn wake_soon(&self) {
        if let Some(ctx) = self.0.get() {
            ctx.request_repaint_after(REDRAW_EVERY);
        }
    }
}
