//! Lets background threads wake the window, before and after it exists.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// While messages stream in, the window is redrawn at most this often.
const REDRAW_EVERY: Duration = Duration::from_millis(100);

/// A handle that asks the window for a redraw. Does nothing until the first frame was drawn, which needs no waking.
#[derive(Clone, Default)]
pub(crate) struct Waker(Arc<Shared>);

#[derive(Default)]
struct Shared {
    ctx: OnceLock<egui::Context>,
    /// When the newest frame began.
    drawn: Mutex<Option<Instant>>,
    /// Whether a redraw was asked for since.
    asked: AtomicBool,
}

impl Waker {
    /// Called in every frame, before messages are taken in: those sent later are not in it.
    pub(crate) fn frame_begins(&self, ctx: &egui::Context) {
        let shared = &self.0;
        if shared.ctx.get().is_none() {
            let _ = shared.ctx.set(ctx.clone());
        }
        *shared.drawn.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        shared.asked.store(false, Ordering::Release);
    }

    /// Redraw at once: something the user waits for is there.
    pub(crate) fn wake(&self) {
        if let Some(ctx) = self.0.ctx.get() {
            ctx.request_repaint();
        }
    }

    /// Redraw soon: one of many messages is there.
    pub(crate) fn wake_soon(&self) {
        let Some(ctx) = self.0.ctx.get() else { return };
        if !self.0.asked.swap(true, Ordering::AcqRel) {
            let drawn = *self.0.drawn.lock().unwrap_or_else(PoisonError::into_inner);
            ctx.request_repaint_after(delay(drawn.map(|drawn| drawn.elapsed())));
        }
    }
}

/// How long to wait where the newest frame began this long ago. Never zero, which egui takes for two frames.
fn delay(since_frame: Option<Duration>) -> Duration {
    let since_frame = since_frame.unwrap_or(Duration::ZERO);
    REDRAW_EVERY
        .saturating_sub(since_frame)
        .max(Duration::from_millis(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_keep_their_distance() {
        let ms = Duration::from_millis;
        assert_eq!(delay(Some(ms(0))), ms(100));
        assert_eq!(delay(Some(ms(70))), ms(30));
        assert_eq!(
            delay(Some(ms(5000))),
            ms(1),
            "a rare message is shown at once"
        );
        assert_eq!(delay(None), ms(100));
    }

    #[test]
    fn many_messages_ask_for_one_frame() {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let ctx = egui::Context::default();
        let log = asked.clone();
        ctx.set_request_repaint_callback(move |info| log.lock().unwrap().push(info.delay));
        let waker = Waker::default();
        waker.wake_soon();
        assert!(asked.lock().unwrap().is_empty(), "before the first frame");
        let frame = || {
            waker.frame_begins(&ctx);
            let _ = ctx.run_ui(egui::RawInput::default(), |_| ());
        };
        // A new window draws a few frames of its own accord.
        (0..3).for_each(|_| frame());
        for _ in 0..2 {
            frame();
            asked.lock().unwrap().clear();
            (0..50).for_each(|_| waker.wake_soon());
            let asked = asked.lock().unwrap();
            assert_eq!(asked.len(), 1);
            assert!(asked[0] > Duration::ZERO && asked[0] <= REDRAW_EVERY);
        }
    }
}
