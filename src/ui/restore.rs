//! Back to what an exported image shows.

use super::app::App;
use super::compare_panel::Choice;
use super::page::Page;
use super::runs::RunId;
use crate::figure::export::{Restored, RunRef};
use crate::figure::{Kind, Order, View, WhatIf};
use crate::run::Scope;
use crate::run::event::Started;

impl App {
    /// Shows what an exported image shows: its run, figure, moment and selection. Where that run is not open, a notice
    /// names it.
    pub fn restore(&mut self, restored: Restored) {
        let Some(run) = self.open_run(&restored.run) else {
            let name = &restored.run.name;
            let text = format!(
                "The image shows the run {name}, which is not open; open it and try again."
            );
            return self.tell(text, true);
        };
        let others = restored
            .shown
            .iter()
            .filter(|other| **other != restored.run);
        let missing: Vec<_> = others
            .filter(|other| self.open_run(other).is_none())
            .map(|other| other.name.as_str())
            .collect();
        let text = match missing[..] {
            [] => format!("Back to the view of {}", restored.run.name),
            _ => format!(
                "The image also shows {}, which is not open",
                missing.join(", ")
            ),
        };
        let is_incomplete = !missing.is_empty();
        let shown = restored
            .shown
            .iter()
            .filter_map(|other| self.open_run(other));
        let mut shown: Vec<RunId> = shown.collect();
        if !shown.contains(&run) {
            shown = vec![run];
        }
        if restored.figure.compares_groups() {
            self.compare = Choice {
                baseline: shown.first().copied(),
                other: Some(run),
            };
        } else {
            self.view.left = shown.first().copied();
            self.view.side_by_side = shown.len() > 1;
            if let Some(right) = shown.get(1) {
                self.view.right = Some(*right);
            }
        }
        let entry = self.runs.get(run);
        let started = entry.and_then(|entry| entry.run.started.as_ref());
        self.view.figure = known_view(restored.view, started);
        self.view.page = page_of(restored.figure, self.view.page);
        self.tell(text, is_incomplete);
    }

    fn open_run(&self, wanted: &RunRef) -> Option<RunId> {
        let id = |run: &crate::run::Run| Some(run.started.as_ref()?.id.clone());
        let mut entries = self.runs.iter();
        let found = entries.find(|entry| id(&entry.run).is_some_and(|id| id == wanted.id));
        found.map(|entry| entry.id)
    }
}

/// The page that shows a figure: the one that is open, where it does.
fn page_of(kind: Kind, open: Page) -> Page {
    let shows = |page: &Page| page.kinds().contains(&kind);
    let all = || Page::ALL.iter().copied();
    std::iter::once(open)
        .chain(all())
        .find(shows)
        .unwrap_or(open)
}

/// A view without what a run does not have: the image may be of another version of it.
fn known_view(mut view: View, started: Option<&Started>) -> View {
    let Some(started) = started else {
        return View::default();
    };
    let classes = started.classes.len();
    let both = |&(a, b): &(usize, usize)| a < classes && b < classes;
    view.pair = view.pair.filter(both);
    view.confused = view.confused.filter(both);
    view.class = view.class.filter(|class| *class < classes);
    if let Scope::Layer(name) | Scope::Group(name) = &view.scope
        && Scope::find(name, started).is_none()
    {
        view.scope = View::default().scope;
    }
    if !view.what_if.weights.is_empty() && view.what_if.weights.len() != classes {
        view.what_if = WhatIf::default();
    }
    if let Order::Similarity(order) = &view.order {
        let mut sorted = order.clone();
        sorted.sort_unstable();
        if !sorted.iter().copied().eq(0..classes) {
            view.order = Order::default();
        }
    }
    view
}
