//! Changes the selection that all figures follow: the part of the network, the moment, the class and the pair; and
//! which runs are shown.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::App;
use crate::config::Attention;
use crate::figure::difference::compared_runs;
use crate::figure::{Order, Pick, View, locked, place_of, similarity_order, strongest_pair};
use crate::findings::Evidence;
use crate::run::common_batch_norm;
use crate::ui::state::place::{Page, moments};
use crate::ui::state::runs::{RunEntry, RunId};
use crate::ui::work::drop_elsewhere;

impl App {
    /// The run on the left.
    pub(super) fn first(&self) -> Option<&RunEntry> {
        self.state.runs.get(self.state.view.left?)
    }

    /// Shows all runs on the page in one way of treating batch norm: the one chosen, or frozen where one of them has
    /// recorded nothing else.
    pub(super) fn agree_on_batch_norm(&mut self, ctx: &egui::Context) {
        let is_comparison = self.state.view.page == Page::Compare;
        let shown = if is_comparison {
            self.state.view.compared(&self.state.runs)
        } else {
            self.state.view.shown()
        };
        let entries: Vec<&RunEntry> = shown
            .iter()
            .filter_map(|&id| self.state.runs.get(id))
            .collect();
        let takes_part = if is_comparison {
            let subjects: Vec<_> = entries.iter().map(|entry| entry.subject()).collect();
            compared_runs(ctx, &subjects)
        } else {
            vec![true; entries.len()]
        };
        let runs = entries.iter().zip(takes_part).filter(|(_, takes)| *takes);
        let runs = runs.map(|(entry, _)| (entry.name.as_str(), &*entry.run));
        let agreement = common_batch_norm(runs, self.state.view.figure.batch_norm);
        for id in shown {
            let entry = self.state.runs.get_mut(id);
            let forgotten = entry.and_then(|entry| entry.show(agreement.batch_norm));
            forgotten.into_iter().for_each(drop_elsewhere);
        }
        self.state.agreement = agreement;
    }

    /// Counts the selected classes in those of the run on the left, by name: a selection of a class that this run does
    /// not have is dropped.
    pub(super) fn agree_on_classes(&mut self) {
        let Some(entry) = self.first() else { return };
        let view = self.state.view.figure.in_classes(entry.subject().classes());
        if let Cow::Owned(view) = view {
            self.state.view.figure = view;
        }
    }

    /// Selects the pair of a rare and a frequent class that are in the strongest conflict, once for every run that comes
    /// to the left, where no pair is selected: the figures of a pair then have something to show.
    pub(super) fn offer_pair(&mut self, ctx: &egui::Context) {
        let shows_pair = matches!(self.state.view.page, Page::Overview | Page::Conflicts);
        let left = self.state.view.left;
        if !shows_pair || self.state.offered == left {
            return;
        }
        if self.state.view.figure.pair.is_some() {
            self.state.offered = left;
            return;
        }
        let view = self.state.view_of_runs();
        let pair = self
            .first()
            .and_then(|entry| strongest_pair(ctx, entry.subject(), &view));
        if pair.is_some() {
            self.state.view.figure.pair = pair;
            self.state.offered = left;
        }
    }

    pub(super) fn pick(&mut self, pick: Pick) {
        let steps = self.state.steps();
        let view = &mut self.state.view.figure;
        match pick {
            Pick::Pair(a, b) => {
                view.pair = Some((a, b));
                self.show_in_matrices(a, b);
            }
            Pick::PairIn(a, b, scope) => {
                view.pair = Some((a, b));
                view.scope = scope;
                self.show_in_matrices(a, b);
            }
            Pick::Scope(scope) => view.scope = scope,
            Pick::Step(step) => view.step = moments::nearest(&steps, step).or(view.step),
            Pick::Curve(name) => {
                if !view.hidden.remove(&name) {
                    view.hidden.insert(name);
                }
            }
            Pick::Curves(names) => view.hidden.retain(|name| !names.contains(name)),
            Pick::Range(kind, Some(range)) => {
                view.ranges.insert(kind, range);
            }
            Pick::Range(kind, None) => {
                view.ranges.remove(&kind);
            }
            Pick::Class(class) => {
                view.class = Some(class);
                self.show_in_matrices(class, class);
            }
            Pick::ScopeAt(scope, step) => {
                view.scope = scope;
                view.step = moments::nearest(&steps, step).or(view.step);
            }
            Pick::Confused(truth, predicted) => {
                view.confused = Some((truth, predicted));
                if truth != predicted {
                    view.pair = Some((truth, predicted));
                }
                self.show_in_matrices(truth, predicted);
            }
            Pick::Order(order) => view.order = order,
            Pick::Quantity(quantity) => view.quantity = quantity,
            Pick::Pairs(pairs) => view.show_pairs(pairs),
            Pick::Fit(fit) => view.fit = fit,
            Pick::WhatIf(what_if) => view.what_if = what_if,
            Pick::Sight(sight) => view.sight = sight,
            Pick::Brush(brush) => view.brush = brush,
            Pick::Difference(on) => {
                view.difference = on;
                view.through_batch_norm &= !on;
            }
            Pick::BatchNorm(batch_norm) => view.batch_norm = batch_norm,
            Pick::ThroughBatchNorm(on) => {
                view.through_batch_norm = on;
                view.difference &= !on;
            }
            Pick::Split(split) => view.split = split,
            Pick::Spread(spread) => view.spread = spread,
        }
    }

    /// Clears the selected class, pair and cell, and the marked pairs.
    pub(super) fn clear_selection(&mut self) {
        let view = &mut self.state.view.figure;
        (view.class, view.pair) = (None, None);
        (view.confused, view.brush) = (None, None);
    }

    /// Finds an order that puts similar classes beside each other, on another thread.
    pub(super) fn order_by_similarity(&mut self) {
        let view = &self.state.view.figure;
        let found = self
            .first()
            .map(|entry| similarity_order(entry.subject(), view));
        match found.flatten() {
            Some(find) => self.background.order(find),
            None => self.ordered(None),
        }
    }

    /// Takes in the order that a thread found; `None` if there is no probe to find one by.
    pub(super) fn ordered(&mut self, order: Option<Order>) {
        let before = self.state.view.clone();
        match order {
            Some(order) => self.state.view.figure.order = order,
            None => self.tell(
                "There is no probe here yet to find similar classes by.",
                true,
            ),
        }
        self.state.history.moved(before, &self.state.view);
    }

    /// If only a part of the matrices is in sight, moves that part so that it holds this row and column.
    fn show_in_matrices(&mut self, row: usize, column: usize) {
        let view = &self.state.view.figure;
        let (Some(sight), Some(entry)) = (view.sight, self.first()) else {
            return;
        };
        let subject = entry.subject();
        let place = |class| place_of(subject, view, class);
        if let (Some(row), Some(column)) = (place(row), place(column)) {
            let all = subject.classes().len();
            self.state.view.figure.sight = Some(sight.showing(row, column, all));
        }
    }

    pub(super) fn show_evidence(&mut self, id: RunId, page: Page, evidence: Evidence) {
        self.state.view.page = page;
        let steps = self.state.steps();
        let Some(entry) = self.state.runs.get(id) else {
            return;
        };
        let newest = entry.run.probes.last().map(|probe| probe.step);
        let classes = entry.subject().classes();
        let view = &mut self.state.view.figure;
        let pair = evidence.pair.or(evidence.class.map(|class| (class, class)));
        for k in pair.into_iter().flat_map(|(a, b)| [a, b]) {
            // The curves of these classes are evidence, even if the user has switched them off.
            if let Some(name) = classes.get(k) {
                view.hidden.remove(name);
            }
        }
        view.scope = evidence.scope.unwrap_or_else(|| view.scope.clone());
        // The evidence counts in the classes of its own run, the view in those of the run on the left.
        let mut of_run = View {
            classes: classes.to_vec(),
            class: evidence.class,
            pair: evidence.pair,
            ..View::default()
        };
        of_run = of_run.in_classes(&view.classes).into_owned();
        view.class = of_run.class.or(view.class);
        view.pair = of_run.pair.or(view.pair);
        let pair = of_run.pair.or(of_run.class.map(|class| (class, class)));
        // If the evidence is the newest probe, the view goes on to follow the newest probe.
        view.step = match evidence.step {
            Some(step) if newest.is_none_or(|newest| step < newest) => {
                moments::nearest(&steps, step)
            }
            _ => None,
        };
        if let Some((row, column)) = pair {
            self.show_in_matrices(row, column);
        }
    }

    /// Moves the cursor by this many moments. Past the newest moment, the view follows the newest one.
    pub(super) fn step_by(&mut self, count: isize) {
        let steps = self.state.steps();
        let at = moments::position(&steps, self.state.view_of_runs().step);
        self.state.view.figure.step = steps.get(at.saturating_add_signed(count)).copied();
    }

    pub(super) fn show_left(&mut self, id: RunId) {
        if self.state.view.right == Some(id) {
            self.state.view.right = self.state.view.left;
        }
        self.state.view.left = Some(id);
    }

    pub(super) fn show_right(&mut self, id: RunId) {
        if self.state.view.left == Some(id) {
            let mut others = self.state.runs.iter().map(|entry| entry.id);
            let other = self
                .state
                .view
                .right
                .or_else(|| others.find(|&other| other != id));
            let Some(other) = other else { return };
            self.state.view.left = Some(other);
        }
        self.state.view.right = Some(id);
        self.state.view.side_by_side = true;
    }

    /// Shows one run, or two side by side. If no run was chosen for the right, the first other run is, one of another
    /// attention variant if there is one.
    pub(super) fn show_side_by_side(&mut self, on: bool) {
        self.state.view.side_by_side = on;
        if !on || self.state.view.right.is_some() {
            return;
        }
        let left = self.state.view.left.and_then(|id| self.state.runs.get(id));
        let Some(left) = left else { return };
        let attention: Option<Attention> = left.attention();
        let others = || self.state.runs.iter().filter(|entry| entry.id != left.id);
        let other = others()
            .find(|entry| entry.attention() != attention)
            .or_else(|| others().next());
        self.state.view.right = other.map(|entry| entry.id);
        self.state.view.side_by_side = self.state.view.right.is_some();
    }

    pub(super) fn lock_scales(&mut self, on: bool, ctx: &egui::Context) {
        self.state.view.figure.ranges = if on {
            let shown = self.state.view.shown();
            let entries = shown.iter().filter_map(|&id| self.state.runs.get(id));
            let subjects: Vec<_> = entries.map(RunEntry::subject).collect();
            locked(ctx, &subjects, &self.state.view.figure)
        } else {
            BTreeMap::new()
        };
    }
}
