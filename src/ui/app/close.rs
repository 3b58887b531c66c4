//! Closes the window.

use std::path::Path;
use std::time::{Duration, Instant};

use super::App;
use crate::ui::state::queue::{End, Job};

/// After this long, closing the window no longer waits for training to stop.
const CLOSE_AFTER: Duration = Duration::from_secs(10);

impl App {
    /// If training is under way when the user closes the window, stops the run first, so that its checkpoint is
    /// written. A second request to close does not wait for that.
    pub(super) fn close_if_asked(&mut self, ctx: &egui::Context) {
        let asked = ctx.input(|input| input.viewport().close_requested());
        match (asked, self.closing_since, &self.state.training) {
            (true, None, Some(training)) => {
                training.control.stop();
                let dir = training.current_dir().map(Path::to_path_buf);
                let waiting = self.state.queue.waiting().len();
                if let Some(dir) = dir
                    && waiting > 0
                {
                    // At the next start, training continues the interrupted run before the jobs that wait.
                    self.state.queue.add(vec![Job::Resume { dir }], End::Front);
                }
                self.closing_since = Some(Instant::now());
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
                self.tell(text, false);
            }
            (false, Some(since), training) => {
                if training.is_none() || since.elapsed() > CLOSE_AFTER {
                    ctx.send_viewport_cmd(egui::ViewportCommand::Close);
                }
                ctx.request_repaint_after(Duration::from_millis(100));
            }
            _ => {}
        }
    }
}
