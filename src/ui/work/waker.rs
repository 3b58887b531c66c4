//! Lets background threads wake the window, before and after it exists.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// While messages stream in, the window is redrawn at most this often.
const REDRAW_EVERY: Duration = Duration::from_millis(100);

/// Messages wait for a redraw no longer than this, however long frames take.
const REDRAW_AT_LAST: Duration = Duration::from_millis(500);

/// Redraws for messages take at most 1/40 of the window's time, unless [`REDRAW_AT_LAST`] forces more of them. If the
/// processor draws, and not a graphics card, the window's own thread does the smaller part of the work, and all of it
/// takes cores away from training.
const PARTS: u32 = 40;

/// A handle that asks the window for a redraw. It does nothing before the first frame, which comes without being asked
/// for.
#[derive(Clone, Default)]
pub(crate) struct Waker(Arc<Shared>);

#[derive(Default)]
struct Shared {
    ctx: OnceLock<egui::Context>,
    pace: Mutex<Pace>,
    /// Whether a redraw was asked for since the newest frame began.
    asked: AtomicBool,
}

#[derive(Default)]
struct Pace {
    /// When the newest frame began.
    drawn: Option<Instant>,
    /// The time that frames take, on a moving average.
    frame: Duration,
}

impl Waker {
    /// Must be called in every frame before messages are taken in: messages sent after this call ask for the next
    /// frame.
    pub(crate) fn frame_begins(&self, ctx: &egui::Context) {
        let shared = &self.0;
        if shared.ctx.get().is_none() {
            let _ = shared.ctx.set(ctx.clone());
        }
        self.pace().drawn = Some(Instant::now());
        shared.asked.store(false, Ordering::Release);
    }

    /// Takes in how long the newest frame took.
    pub(crate) fn frame_took(&self, time: Duration) {
        let mut pace = self.pace();
        // The average changes slowly, since a single long frame says little.
        pace.frame = (3 * pace.frame + time) / 4;
    }

    /// Asks for a redraw at once: data that the user waits for has arrived.
    pub(crate) fn wake(&self) {
        if let Some(ctx) = self.0.ctx.get() {
            ctx.request_repaint();
        }
    }

    /// Asks for a redraw soon: one of many messages has arrived.
    pub(crate) fn wake_soon(&self) {
        let Some(ctx) = self.0.ctx.get() else { return };
        if !self.0.asked.swap(true, Ordering::AcqRel) {
            let delay = self.pace().delay(Instant::now());
            ctx.request_repaint_after(delay);
        }
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.0.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pace {
    /// How long the next frame should wait. The delay is never zero, for which egui would draw two frames.
    fn delay(&self, now: Instant) -> Duration {
        let every = (PARTS * self.frame).clamp(REDRAW_EVERY, REDRAW_AT_LAST);
        let since_frame = self.drawn.map_or(Duration::ZERO, |drawn| now - drawn);
        every
            .saturating_sub(since_frame)
            .max(Duration::from_millis(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_keep_their_distance() {
        let ms = Duration::from_millis;
        let now = Instant::now();
        let delay = |since, frame| {
            let drawn = Some(now);
            Pace { drawn, frame }.delay(now + since)
        };
        assert_eq!(delay(ms(0), ms(1)), ms(100));
        assert_eq!(delay(ms(70), ms(1)), ms(30));
        assert_eq!(delay(ms(0), ms(5)), ms(200), "long frames are fewer");
        assert_eq!(delay(ms(0), ms(90)), ms(500), "but never too few");
        assert_eq!(
            delay(ms(5000), ms(1)),
            ms(1),
            "a rare message is shown at once"
        );
        assert_eq!(Pace::default().delay(now), ms(100));
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
