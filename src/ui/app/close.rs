//! Closes the window.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::App;
use crate::ui::state::queue::End;

impl App {
    /// A function for other threads that closes the window as the user would, and gives the reason to the run that is
    /// being trained.
    pub fn closer(&self) -> impl FnOnce(String) + Send + 'static {
        let (signalled, stop_reason) = (self.signalled.clone(), self.stop_reason.clone());
        let waker = self.waker.clone();
        move |reason| {
            let _ = stop_reason.set(reason);
            signalled.store(true, Ordering::Release);
            waker.wake();
        }
    }

    /// If training is under way when the user closes the window, stops the run first, so that its checkpoint is
    /// written. A second request to close does not wait for that.
    pub(super) fn close_if_asked(&mut self, ctx: &egui::Context) {
        // A signal asks once; the window's button may ask again.
        let signalled = self.signalled.swap(false, Ordering::AcqRel);
        let asked = signalled || ctx.input(|input| input.viewport().close_requested());
        match (asked, self.is_closing, &self.state.training) {
            (true, false, Some(training)) => {
                match self.stop_reason.get() {
                    Some(reason) => training.control.stop_for(reason),
                    None => training.control.stop(),
                }
                let waiting = self.state.queue.waiting().len();
                if let Some(job) = self.job_to_continue()
                    && waiting > 0
                {
                    // At the next start, training continues the interrupted job before those that wait.
                    self.state.queue.add(vec![job], End::Front);
                }
                self.is_closing = true;
                ctx.send_viewport_cmd(egui::ViewportCommand::CancelClose);
                ctx.request_repaint_after(Duration::from_millis(100));
                let mut text =
                    "Stopping training; the window closes when its checkpoint is written."
                        .to_owned();
                if waiting > 0 && self.settings_path.is_some() {
                    text.push_str(" What waits is kept for the next start.");
                } else if waiting > 0 {
                    text.push_str(" What waits is lost.");
                }
                text.push_str(" Close it again not to wait.");
                self.tell(text, false);
            }
            // Nothing holds up the closing that a signal asks for.
            (_, false, None) if signalled => ctx.send_viewport_cmd(egui::ViewportCommand::Close),
            (_, true, training) if signalled || !asked => {
                if training.is_none() {
                    ctx.send_viewport_cmd(egui::ViewportCommand::Close);
                }
                ctx.request_repaint_after(Duration::from_millis(100));
            }
            _ => {}
        }
    }
}
