//! The list of commands that are possible now.

use std::path::PathBuf;

use egui::{Theme, vec2};

use super::command::Command;
use super::shortcuts::{
    BACK, CLEAR, EXPORT, FIRST, FORWARD, KEYBOARD, LIVE, NEXT_CLASS, PAGES, PAUSE, PREVIOUS_CLASS,
    SIDE_BY_SIDE, START, STOP, Shortcut, THEME,
};
use crate::figure::difference::compared_once;
use crate::figure::pages::kind_shown;
use crate::figure::{
    Brush, Kind, Pick, Quantity, TimeAxis, class_after, curve_names, what_if_choices,
};
use crate::run::event::Started;
use crate::run::{BatchNorm, Ending};
use crate::ui::state::State;
use crate::ui::state::action::{Action, Purpose};
use crate::ui::state::choices::{ORDERS, SPLITS, scopes};
use crate::ui::state::place::Page;
use crate::ui::state::runs::{RunEntry, RunId, not_finite, offered_rate, with_rate};

/// With at most this many classes, the list holds all pairs of classes even if no class is selected.
const PAIRS_UP_TO: usize = 20;
/// Size in points of a figure that is exported from the list of commands, where the size of its card is not known.
const EXPORT_SIZE: egui::Vec2 = vec2(784.0, 536.0);

type Keys = Option<&'static Shortcut>;

/// The list of commands while it is being made.
#[derive(Default)]
struct List(Vec<Command>);

impl List {
    fn add(&mut self, text: impl Into<String>, shortcut: Keys, action: Action) {
        self.0.push(Command {
            text: text.into(),
            synonyms: &[],
            shortcut,
            action,
        });
    }

    /// Adds a command of a figure, which the other names of the figure find, too.
    fn figure(&mut self, kind: Kind, text: String, shortcut: Keys, action: Action) {
        self.0.push(Command {
            text,
            synonyms: kind.synonyms(),
            shortcut,
            action,
        });
    }

    /// Adds a command without keys, which further words find, too.
    fn synonyms(
        &mut self,
        text: impl Into<String>,
        synonyms: &'static [&'static str],
        action: Action,
    ) {
        self.0.push(Command {
            text: text.into(),
            synonyms,
            shortcut: None,
            action,
        });
    }

    /// Adds a command without keys.
    fn plain(&mut self, text: impl Into<String>, action: Action) {
        self.add(text, None, action);
    }
}

/// Lists every action that is possible now.
pub(super) fn commands(state: &State, ctx: &egui::Context) -> Vec<Command> {
    let mut list = List::default();
    ways(state, &mut list);
    times(state, &mut list);
    windows(state, ctx.theme(), &mut list);
    training(state, &mut list);
    // A search for the name of a class finds the class itself before its curves.
    selections(state, &mut list);
    figures(state, ctx, &mut list);
    matrices(state, &mut list);
    let shown = state.view.shown();
    let entries = shown.iter().filter_map(|&id| state.runs.get(id));
    let shown: Vec<_> = entries.map(|x| (x.id, x.run.batch_norm())).collect();
    for (sentence, way) in state.findings.ways(&shown) {
        list.plain(format!("Finding: {sentence}"), way);
    }
    for entry in state.runs.iter() {
        run(state, entry, &mut list);
    }
    list.0
}

/// Adds the commands that show a page, and those that go back and forward.
fn ways(state: &State, list: &mut List) {
    for (&page, keys) in Page::ALL.iter().zip(&PAGES) {
        list.add(
            format!("Page: {}", page.title()),
            Some(keys),
            Action::Show(page),
        );
    }
    if state.history.can_go_back() {
        list.add(
            "Back to what was looked at before",
            Some(&BACK),
            Action::Back,
        );
    }
    if state.history.can_go_forward() {
        list.add("Forward again", Some(&FORWARD), Action::Forward);
    }
}

fn times(state: &State, list: &mut List) {
    let live = "Time: follow the newest (live)";
    list.add(live, Some(&LIVE), Action::GoTo(None));
    if let Some(&first) = state.steps().first() {
        list.add(
            "Time: first moment",
            Some(&FIRST),
            Action::GoTo(Some(first)),
        );
    }
    list.plain("Time: earlier", Action::StepBy(-1));
    list.plain("Time: later", Action::StepBy(1));
    for axis in TimeAxis::ALL {
        let text = format!("Time: measure in {}", axis.unit());
        list.plain(text, Action::SetTime(axis));
    }
}

/// Adds the commands for the whole window, for files and for notices.
fn windows(state: &State, theme: Theme, list: &mut List) {
    let on = !state.view.side_by_side;
    let text = if on {
        "Two runs side by side"
    } else {
        "One run alone"
    };
    list.add(text, Some(&SIDE_BY_SIDE), Action::SideBySide(on));
    let (name, other) = match theme {
        Theme::Dark => ("light", Theme::Light),
        Theme::Light => ("dark", Theme::Dark),
    };
    let text = format!("Colours: {name}");
    list.add(text, Some(&THEME), Action::SetTheme(other.into()));
    let system = Action::SetTheme(egui::ThemePreference::System);
    list.plain("Colours: as the system has them", system);
    list.add(
        "Keyboard: all keys",
        Some(&KEYBOARD),
        Action::ToggleKeyboard,
    );
    for (text, purpose) in [
        ("Open a run…", Purpose::RunFolder),
        (
            "Go back to the view of an exported figure…",
            Purpose::ExportedFigure,
        ),
        ("Look through a folder for runs…", Purpose::FolderOfRuns),
        ("Train on a folder of images…", Purpose::ImageFolder),
    ] {
        list.plain(text, Action::Choose(purpose, state.draft.output_dir()));
    }
    if state.notice.is_some() {
        list.plain("Dismiss the notice", Action::Dismiss);
    }
}

fn training(state: &State, list: &mut List) {
    let text = match state.training {
        Some(_) => "Training: add the experiment as set up to what waits",
        None => "Training: start the experiment as set up",
    };
    if state.draft.reason_not_to_start().is_none() {
        list.add(text, Some(&START), Action::Start);
    }
    if let Some(training) = &state.training {
        if training.control.is_paused() {
            list.add("Training: resume", Some(&PAUSE), Action::Resume);
        } else {
            list.add("Training: pause", Some(&PAUSE), Action::Pause);
        }
        list.add("Training: stop", Some(&STOP), Action::Stop);
    } else if !state.queue.is_empty() {
        list.plain("Training: go on with what waits", Action::GoOn);
    }
    let sweep = Action::Choose(Purpose::Sweep, PathBuf::new());
    list.plain("Training: run a sweep…", sweep);
}

/// Adds the commands that explain a figure of the page, export it, or show and hide its curves.
fn figures(state: &State, ctx: &egui::Context, list: &mut List) {
    let view = &state.view.figure;
    let page = state.view.page;
    // Figures of all pages are found, and one that several pages show is found on the page of its kind.
    for &of in Page::ALL {
        for &kind in of.kinds() {
            if Page::of(kind) == Some(of) {
                let text = format!("Go to: {}, page {}", kind.title(), of.title());
                list.figure(kind, text, None, Action::Show(of));
            }
        }
    }
    for &kind in page.kinds() {
        let text = format!("How to read: {}", kind.title());
        list.figure(kind, text, None, Action::ExplainFigure(Some(kind)));
    }
    let sizes: Vec<_> = page
        .kinds()
        .iter()
        .map(|kind| (*kind, EXPORT_SIZE))
        .collect();
    let mut curves: Vec<String> = Vec::new();
    let mut is_first = true;
    for (index, entry) in runs_of_page(state, ctx).into_iter().enumerate() {
        if entry.run.started.is_none() {
            continue;
        }
        for &kind in page.kinds() {
            let kind = kind_shown(kind, view, index);
            let text = format!("Export: {}, {}…", kind.title(), entry.name);
            let keys = is_first.then_some(&EXPORT);
            is_first = false;
            let action = Action::AskExport(kind, entry.id, sizes.clone());
            list.figure(kind, text, keys, action);
            let names = curve_names(ctx, kind, entry.subject(), view);
            curves.extend(names);
        }
    }
    curves.sort_unstable();
    curves.dedup();
    for name in curves {
        let verb = if view.hidden.contains(&name) {
            "show"
        } else {
            "hide"
        };
        list.plain(
            format!("Curves: {verb} {name}"),
            Action::Pick(Pick::Curve(name)),
        );
    }
    if !view.hidden.is_empty() {
        list.plain("Curves: show all", Action::ShowCurves);
    }
}

/// The runs whose figures the page shows: those on screen or, on the page Compare, the first run of the group that is
/// compared to the baseline.
fn runs_of_page<'a>(state: &'a State, ctx: &egui::Context) -> Vec<&'a RunEntry> {
    let entries = |ids: Vec<RunId>| -> Vec<&'a RunEntry> {
        ids.iter().filter_map(|&id| state.runs.get(id)).collect()
    };
    if state.view.page != Page::Compare {
        return entries(state.view.shown());
    }
    let entries = entries(state.view.compared(&state.runs));
    let subjects: Vec<_> = entries.iter().map(|entry| entry.subject()).collect();
    let found = compared_once(ctx, &subjects);
    let first = match &*found {
        Ok(comparison) => {
            let others = comparison.others();
            let chosen = entries
                .iter()
                .find(|entry| Some(entry.id) == state.view.compare.other)
                .and_then(|entry| comparison.group_of(&entry.name))
                .filter(|group| others.contains(group));
            let group = chosen.or_else(|| others.first().copied());
            let name = group.and_then(|group| comparison.groups[group].runs.first());
            entries.iter().find(|entry| Some(&entry.name) == name)
        }
        // One group alone has curves, too.
        Err(_) => entries.first(),
    };
    first.copied().into_iter().collect()
}

/// Adds the commands that select classes, pairs and parts of the network, and those of the what-if.
fn selections(state: &State, list: &mut List) {
    let view = &state.view.figure;
    let shown = state.view.shown();
    let mut entries = shown.iter().filter_map(|&id| state.runs.get(id));
    let Some(entry) = entries.find(|entry| entry.run.started.is_some()) else {
        return;
    };
    let Some(started) = &entry.run.started else {
        return;
    };
    for (text, keys, by) in [
        ("Class: next", &NEXT_CLASS, 1),
        ("Class: the one before", &PREVIOUS_CLASS, -1),
    ] {
        if let Some(class) = class_after(entry.subject(), view, by) {
            list.add(text, Some(keys), Action::Pick(Pick::Class(class)));
        }
    }
    let is_selected = view.class.is_some() || view.pair.is_some();
    if is_selected || view.confused.is_some() || view.brush.is_some() {
        list.add("Clear the selection", Some(&CLEAR), Action::ClearSelection);
    }
    for (k, name) in started.classes.iter().enumerate() {
        list.plain(format!("Class: {name}"), Action::Pick(Pick::Class(k)));
    }
    if view.class.is_some() {
        list.plain("Class: none", Action::NoClass);
    }
    pairs(state, started, list);
    for scope in scopes(started) {
        let text = format!("Part of the network: {}", scope.name());
        list.plain(text, Action::Pick(Pick::Scope(scope)));
    }
    for (name, what_if) in what_if_choices(&started.train_counts, &view.what_if) {
        list.plain(
            format!("What if: {name}"),
            Action::Pick(Pick::WhatIf(what_if)),
        );
    }
}

/// Adds the commands that select a pair: the pairs with the selected class, or else all pairs if there are not too many
/// to read. Also adds the commands that mark pairs in the matrices, as dragging a rectangle over the scatter plot does.
fn pairs(state: &State, started: &Started, list: &mut List) {
    let classes = &started.classes;
    let firsts = match state.view.figure.class {
        Some(class) => class..class + 1,
        None if classes.len() <= PAIRS_UP_TO => 0..classes.len(),
        None => 0..0,
    };
    let any = state.view.figure.class.is_some();
    for a in firsts.filter(|a| *a < classes.len()) {
        for b in (0..classes.len()).filter(|&b| if any { b != a } else { b > a }) {
            let text = format!("Pair: {} × {}", classes[a], classes[b]);
            list.plain(text, Action::Pick(Pick::Pair(a, b)));
        }
    }
    for (name, brush) in Brush::CHOICES {
        let text = format!("Mark pairs: {name}");
        list.plain(text, Action::Pick(Pick::Brush(brush)));
    }
}

/// Adds the commands that change how matrices and the network map are shown.
fn matrices(state: &State, list: &mut List) {
    for (order, name) in ORDERS {
        let text = format!("Order of classes: {name}");
        list.plain(text, Action::Pick(Pick::Order(order)));
    }
    list.plain(
        "Order of classes: by similarity of their gradients",
        Action::OrderBySimilarity,
    );
    list.plain(
        "Matrices: show all classes",
        Action::Pick(Pick::Sight(None)),
    );
    batch_norm(state, list);
    let on = !state.view.figure.difference;
    let text = if on { "as difference" } else { "of each run" };
    let action = Action::Pick(Pick::Difference(on));
    list.plain(format!("Matrices: the second {text}"), action);
    for (name, split, _) in SPLITS {
        let text = format!("Mistakes: {} images", name.to_lowercase());
        list.plain(text, Action::Pick(Pick::Split(split)));
    }
    for (quantity, name) in [
        (Quantity::Interference, "interference"),
        (Quantity::ConflictRate, "share of pairs in conflict"),
        (Quantity::ClassNorm, "pull of the selected class"),
        (Quantity::TailShare, "share of the rarest classes"),
        (Quantity::HeadToTail, "pull of frequent to rare classes"),
        (Quantity::HeadAgainstTail, "frequent against rare classes"),
        (Quantity::TailAgainstTail, "rare against rare classes"),
        (
            Quantity::HeadAgainstHead,
            "frequent against frequent classes",
        ),
    ] {
        let text = format!("Colour the network by {name}");
        list.plain(text, Action::Pick(Pick::Quantity(quantity)));
    }
    for (on, name) in [(true, "lock the scales"), (false, "show all there is")] {
        list.plain(format!("Charts: {name}"), Action::LockScales(on));
    }
}

/// Adds the commands that choose how batch norm is treated in class gradients, and show the difference that it makes.
fn batch_norm(state: &State, list: &mut List) {
    for batch_norm in BatchNorm::ALL {
        let synonyms: &[&str] = match batch_norm {
            BatchNorm::AsInTraining => &["batch statistics", "train mode", "training mode"],
            BatchNorm::Frozen => &["running statistics", "eval mode", "evaluation mode"],
        };
        let text = format!("Batch norm: {}", batch_norm.label());
        let action = Action::Pick(Pick::BatchNorm(batch_norm));
        list.synonyms(text, synonyms, action);
    }
    let on = !state.view.figure.through_batch_norm;
    let text = if on {
        "conflict that comes through batch statistics"
    } else {
        "conflict itself"
    };
    let action = Action::Pick(Pick::ThroughBatchNorm(on));
    let synonyms = Kind::BatchNormDifference.synonyms();
    list.synonyms(format!("Matrices: {text}"), synonyms, action);
}

/// Adds the commands for a run of the list.
fn run(state: &State, entry: &RunEntry, list: &mut List) {
    let (id, name, dir) = (entry.id, &entry.name, &entry.dir);
    list.plain(
        format!("Run: show {name} on the left"),
        Action::ShowLeft(id),
    );
    list.plain(
        format!("Run: show {name} on the right"),
        Action::ShowRight(id),
    );
    if entry.can_continue() {
        list.plain(
            format!("Run: continue training {name}"),
            Action::Continue(id),
        );
    }
    if let (Some(started), Some(_)) = (&entry.run.started, not_finite(entry.run.ending.as_ref()))
        && !entry.state.is_ours()
    {
        let rate = offered_rate(&started.config);
        if let Ok(config) = with_rate(&started.config, &rate) {
            list.synonyms(
                format!("Run: fork {name}, with learning rate {rate}"),
                &["NaN", "diverged", "not finite"],
                Action::Fork(dir.clone(), Box::new(config), None),
            );
        }
    }
    if !entry.state.is_ours() {
        list.plain(format!("Run: take {name} off the list"), Action::Remove(id));
        let trash = Action::AskTrash(dir.clone());
        list.plain(format!("Run: move {name} to the trash…"), trash);
    }
    let reveal = Action::Reveal(dir.clone());
    list.plain(format!("Run: show {name} in the file manager"), reveal);
    // The page Compare knows groups of finished runs alone.
    let is_finished = matches!(entry.run.ending, Some(Ending::Finished(_)));
    if is_finished && state.runs.iter().count() > 1 {
        list.plain(
            format!("Compare: to runs like {name}"),
            Action::CompareTo(id),
        );
        list.plain(format!("Compare: runs like {name}"), Action::Compare(id));
    }
}
