//! Asks threads for the data needed next.

use std::time::Duration;

use super::App;
use crate::figure::View;
use crate::ui::state::place::Page;
use crate::ui::state::runs::RunId;
use crate::ui::state::{State, findings};
use crate::ui::work::Source;

impl App {
    /// The runs whose probes are looked at, and the view. On the page Compare the view's step is `None`, which means
    /// the last probe of each run.
    pub(super) fn probes_looked_at(&self) -> (Vec<RunId>, View) {
        if self.state.view.page == Page::Compare {
            let view = self.state.view.figure.clone();
            (
                self.state
                    .view
                    .compare
                    .finished(&self.state.runs, self.state.view.left),
                View { step: None, ..view },
            )
        } else {
            (self.state.view.shown(), self.state.view_of_runs())
        }
    }

    pub(super) fn ask_for_probes(&mut self) {
        let (shown, view) = self.probes_looked_at();
        let wanted = if self.state.view.page == Page::Compare {
            self.state.runs.wanted_last_probes(&shown)
        } else {
            self.state.runs.wanted_probes(&shown, &view)
        };
        if !wanted.is_empty() {
            // A user who has moved the slider is waiting for these probes; a new probe of a live run can come with the
            // next redraw.
            self.background.read_probes(wanted, view.step.is_some());
        }
    }

    /// On the overview, which lists findings, asks a thread for the findings in the runs shown.
    pub(super) fn ask_for_findings(&mut self, ctx: &egui::Context, now: f64) {
        let shown = self.state.view.shown();
        if shown.is_empty() || self.state.view.page != Page::Overview {
            return;
        }
        let entries = || shown.iter().filter_map(|&id| self.state.runs.get(id));
        let Some(key) = findings::key(entries()) else {
            return;
        };
        match self.state.findings.ask(&key, now) {
            Ok(()) => {
                let sources = entries().map(Source::new).collect();
                self.background.find(key, sources);
            }
            Err(Some(secs)) => ctx.request_repaint_after(Duration::from_secs_f64(secs)),
            Err(None) => {}
        }
    }

    /// Reads the images of the selected cell of the confusion matrix.
    pub(super) fn ask_for_images(&mut self) {
        let wanted =
            self.state
                .images
                .wanted(&self.state.runs, &self.state.view, &self.state.located);
        for wanted in self.state.images.ask(wanted) {
            self.background.read_images(wanted);
        }
    }

    /// Reads sample images if the page of data is open.
    pub(super) fn ask_for_samples(&mut self, ctx: &egui::Context, now: f64) {
        let State {
            data,
            runs,
            located,
            view,
            draft,
            ..
        } = &self.state;
        let Some(key) = data.wanted((runs, located), view.page, &draft.config) else {
            self.state.data.forget();
            return;
        };
        match self.state.data.ask(&key, now) {
            Ok(()) => self.background.read_samples(key),
            Err(Some(secs)) => ctx.request_repaint_after(Duration::from_secs_f64(secs)),
            Err(None) => {}
        }
    }

    /// Looks through the data of the new experiment, a moment after its configuration was changed.
    pub(super) fn ask_for_scan(&mut self, ctx: &egui::Context, now: f64) {
        if !self.state.is_training() {
            if let Some((config, is_cancelled)) = self.state.draft.check_due(now) {
                self.background.check(config, is_cancelled);
            } else if let Some(secs) = self.state.draft.check_waits(now) {
                ctx.request_repaint_after(Duration::from_secs_f64(secs));
            }
        }
        if let Some(config) = self.state.draft.scan_due(now) {
            self.background.scan(config);
        } else if let Some(secs) = self.state.draft.scan_waits(now) {
            ctx.request_repaint_after(Duration::from_secs_f64(secs));
        }
    }

    /// Reads on in the logs of runs that other processes write.
    pub(super) fn follow_others(&mut self, ctx: &egui::Context, now: f64) {
        let mut soonest = f64::INFINITY;
        for entry in self.state.runs.iter_mut() {
            let Some(mut wait) = entry.follow_in(now) else {
                continue;
            };
            if wait <= 0.0 && !entry.is_being_read {
                entry.is_being_read = true;
                entry.followed_at = now;
                let position = entry.position.clone();
                self.background
                    .follow(entry.id, entry.dir.clone(), position);
                wait = entry.follow_in(now).unwrap_or(wait);
            }
            // A log that is being read needs no redraw: its thread wakes the window when it is done.
            if wait > 0.0 {
                soonest = soonest.min(wait);
            }
        }
        if soonest.is_finite() {
            ctx.request_repaint_after(Duration::from_secs_f64(soonest));
        }
    }
}
