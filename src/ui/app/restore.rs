//! Goes back to the view that an exported image shows.

use super::App;
use super::restore_progress::{Restoring, Stage};
use crate::figure::export::{Restored, RunRef};
use crate::figure::{Kind, View};
use crate::ui::state::place::{Choice, Page};
use crate::ui::state::runs::{RunEntry, RunId};

impl App {
    /// Shows the view of an exported image: its run, figure, moment and selection. Runs that are not open are looked
    /// for in the folders that the page of runs looks through. A notice names the runs that are found nowhere.
    pub fn restore(&mut self, restored: Restored) {
        let stage = Stage::Dropped;
        self.restoring = Some(Restoring { restored, stage });
        self.go_on_restoring();
    }

    /// Takes the next step towards the view: looks for runs, opens the runs that were found, or shows the view.
    pub(super) fn go_on_restoring(&mut self) {
        let Some(mut restoring) = self.restoring.take_if(|_| !self.state.runs.are_opening()) else {
            return;
        };
        let missing = self.missing(&restoring.restored);
        restoring.stage = match restoring.stage {
            _ if missing.is_empty() => return self.show_restored(restoring.restored, &missing),
            Stage::Dropped => {
                self.tell(format!("Looking for {}…", missing.join(", ")), false);
                self.look();
                Stage::Looking(self.state.browser.rounds)
            }
            Stage::Looking(before) if self.state.browser.rounds == before => Stage::Looking(before),
            Stage::Looking(_) => {
                self.open_found(&restoring.restored);
                restoring.stage = Stage::Opening;
                self.restoring = Some(restoring);
                return self.go_on_restoring();
            }
            Stage::Opening => return self.show_restored(restoring.restored, &missing),
        };
        self.restoring = Some(restoring);
    }

    /// Opens those runs of an image that were found in folders.
    fn open_found(&mut self, restored: &Restored) {
        let found = self.state.browser.found.clone();
        for wanted in runs_of(restored) {
            let run = found
                .iter()
                .find(|run| run.id() == Some(wanted.id.as_str()));
            if let Some(run) = run
                && self.open_run(wanted).is_none()
                && self.state.runs.at_dir(&run.dir).is_none()
            {
                self.open(run.dir.clone());
            }
        }
    }

    /// Names of the runs of an image that are not open.
    fn missing(&self, restored: &Restored) -> Vec<String> {
        let mut missing: Vec<String> = Vec::new();
        for wanted in runs_of(restored) {
            if self.open_run(wanted).is_none() && !missing.contains(&wanted.name) {
                missing.push(wanted.name.clone());
            }
        }
        missing
    }

    fn show_restored(&mut self, restored: Restored, missing: &[String]) {
        let nowhere =
            "neither open nor where the page Runs looks; open it and drop the image again";
        let Some(run) = self.open_run(&restored.run) else {
            let name = &restored.run.name;
            let text = format!("The image shows the run {name}, which is {nowhere}.");
            return self.tell(text, true);
        };
        let before = self.state.view.clone();
        let text = match missing {
            [] => format!("Back to the view of {}", restored.run.name),
            _ => format!("The image also shows {}, {nowhere}.", missing.join(", ")),
        };
        let shown = restored
            .shown
            .iter()
            .filter_map(|other| self.open_run(other));
        let mut shown: Vec<RunId> = shown.collect();
        if !shown.contains(&run) {
            shown = vec![run];
        }
        if restored.figure.compares_groups() {
            self.state.view.compare = Choice {
                baseline: shown.first().copied(),
                other: Some(run),
            };
        } else {
            self.state.view.left = shown.first().copied();
            self.state.view.side_by_side = shown.len() > 1;
            if let Some(right) = shown.get(1) {
                self.state.view.right = Some(*right);
            }
        }
        let entry = self.state.runs.get(run);
        let started = entry.and_then(|entry| entry.run.started.as_ref());
        // The overview of two runs lays their curves over each other of its own accord.
        self.state.view.figure = View {
            overlaid: false,
            ..restored.view_of(started)
        };
        self.state.view.page = page_of(restored.figure, self.state.view.page);
        self.tell(text, !missing.is_empty());
        self.state.history.moved(before, &self.state.view);
    }

    /// Finds an open run by its id. If several copies of the run are open, prefers the one with the wanted name.
    fn open_run(&self, wanted: &RunRef) -> Option<RunId> {
        let has_id = |entry: &&RunEntry| {
            let started = entry.run.started.as_ref();
            started.is_some_and(|started| started.id == wanted.id)
        };
        let found = || self.state.runs.iter().filter(has_id);
        let called_so = found().find(|entry| entry.name == wanted.name);
        called_so.or_else(|| found().next()).map(|entry| entry.id)
    }
}

/// The run that an image shows, and the runs that were on screen with it.
fn runs_of(restored: &Restored) -> impl Iterator<Item = &RunRef> {
    std::iter::once(&restored.run).chain(&restored.shown)
}

/// A page that shows a figure: the open page if it does, otherwise the first page that does.
fn page_of(kind: Kind, open: Page) -> Page {
    let shows = |page: &Page| page.shows(kind);
    let all = || Page::ALL.iter().copied();
    std::iter::once(open)
        .chain(all())
        .find(shows)
        .unwrap_or(open)
}
