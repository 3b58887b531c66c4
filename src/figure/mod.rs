//! Figures: each drawn by one function, called by the window's panel and by the exporter alike.

mod architecture;
mod bars;
mod chart;
mod class_scores;
mod confusion;
mod curves;
mod depth_time;
pub mod difference;
pub mod export;
mod gate_distance;
mod gates;
mod gates_time;
mod grid;
mod group_curves;
mod keys;
mod kind;
mod ledger;
mod ledger_depth;
mod ledger_time;
mod matrix;
mod matrix_difference;
pub mod measures;
mod needs;
mod numbers;
pub mod pages;
mod pair;
mod pair_depth;
mod pair_difference;
pub mod palette;
mod quantity;
pub mod raster;
mod scatter;
pub mod style;
pub mod table;
mod thirds;
mod time;
mod view;
mod what_if;

use egui::{Align, Layout, RichText, Ui};

use crate::run::event::{Probe, Split};
use crate::run::probes::Probes;
use crate::run::{Run, Scope};

pub use chart::{Range, Scales, locked};
pub(crate) use confusion::evaluation;
pub use grid::Sight;
pub use kind::Kind;
pub use needs::{followed, read_probes};
pub use scatter::Brush;
pub use view::{Order, Quantity, Spread, Surgery, TimeAxis, View, WhatIf};
pub(crate) use what_if::choices as what_if_choices;

/// What a figure is drawn from: one run and what of its probe tensors is in memory.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// Name on screen.
    pub name: &'a str,
    /// The reduced run.
    pub run: &'a Run,
    /// Its probe tensors. What is missing here is still being read, or damaged.
    pub probes: &'a Probes,
}

impl<'a> Subject<'a> {
    /// Whether both are the same run: names need not tell runs apart.
    pub fn is(&self, other: &Self) -> bool {
        std::ptr::eq(self.run, other.run)
    }

    /// Class names; none before the header.
    pub fn classes(&self) -> &'a [String] {
        self.run
            .started
            .as_ref()
            .map_or(&[], |started| &started.classes)
    }

    /// The probe that the cursor is on.
    pub fn probe(&self, view: &View) -> Option<&'a Probe> {
        let index = match view.step {
            Some(step) => self.run.probe_at(step)?,
            None => self.run.probes.len().checked_sub(1)?,
        };
        self.run.probes.get(index)
    }

    /// Optimiser steps of an epoch.
    fn steps_per_epoch(&self) -> f64 {
        let started = self.run.started.as_ref();
        started.map_or(1.0, |started| started.steps_per_epoch.max(1) as f64)
    }

    /// Epoch of a step.
    fn epoch(&self, step: u64) -> f64 {
        step as f64 / self.steps_per_epoch()
    }
}

/// What a click in a figure selects.
#[derive(Clone, Debug, PartialEq)]
pub enum Pick {
    /// A pair of classes.
    Pair(usize, usize),
    /// A part of the network.
    Scope(Scope),
    /// A moment.
    Step(u64),
    /// A curve, by name, to be switched off or on.
    Curve(String),
    /// Curves, by name, to be switched on.
    Curves(Vec<String>),
    /// The bounds of all charts of a kind; none for all there is.
    Range(Kind, Option<Range>),
    /// A class.
    Class(usize),
    /// A layer at a moment.
    ScopeAt(Scope, u64),
    /// A cell of the confusion matrix: true class, predicted class.
    Confused(usize, usize),
    /// An order of classes.
    Order(Order),
    /// What parts of the network are coloured by.
    Quantity(Quantity),
    /// Other weights.
    WhatIf(WhatIf),
    /// The part of the matrices that is in sight.
    Sight(Option<Sight>),
    /// The pairs marked in the scatter.
    Brush(Option<Brush>),
    /// Whether the second matrix is shown as difference.
    Difference(bool),
    /// Which images evaluations are of.
    Split(Option<Split>),
    /// How the spread of a group of runs is drawn.
    Spread(Spread),
}

/// Draws a figure into the space that is left; returns what was clicked. `shown` are all runs on screen: they share
/// scales, and differences are from the first.
pub fn figure_ui(
    ui: &mut Ui,
    kind: Kind,
    subject: Subject<'_>,
    shown: &[Subject<'_>],
    view: &View,
) -> Option<Pick> {
    // Two figures of a kind stand side by side where two runs are compared.
    ui.push_id((kind, subject.name), |ui| match kind {
        Kind::ConflictMatrix => matrix::matrix_ui(ui, subject, view),
        Kind::Architecture => architecture::architecture_ui(ui, subject, shown, view),
        Kind::DepthTime => depth_time::depth_time_ui(ui, subject, shown, view),
        Kind::Ledger => ledger::ledger_ui(ui, subject, shown, view),
        Kind::WhatIf => what_if::what_if_ui(ui, subject, shown, view),
        Kind::Gates => gates::gates_ui(ui, subject, view),
        Kind::GateDistance => gate_distance::gate_distance_ui(ui, subject, shown, view),
        Kind::Confusion => confusion::confusion_ui(ui, subject, view),
        Kind::ConflictDifference => {
            matrix_difference::matrix_difference_ui(ui, subject, shown, view)
        }
        Kind::ConflictConfusion => scatter::scatter_ui(ui, subject, shown, view),
        Kind::ClassScores => class_scores::class_scores_ui(ui, subject, shown, view),
        Kind::ClassDifference | Kind::LayerDifference => {
            difference::difference_ui(ui, kind, subject, shown, view)
        }
        Kind::PairDifference => pair_difference::pair_difference_ui(ui, subject, shown, view),
        Kind::Measures => {
            measures::measures_ui(ui, subject, shown);
            None
        }
        Kind::GroupScores | Kind::GroupConflict => {
            group_curves::group_curves_ui(ui, kind, shown, view)
        }
        Kind::PairDepth => pair_depth::pair_depth_ui(ui, subject, view),
        Kind::LedgerDepth => ledger_depth::ledger_depth_ui(ui, subject, shown, view),
        Kind::PairCosine => pair::pair_ui(ui, subject, shown, view),
        Kind::ClassF1
        | Kind::Scores
        | Kind::Loss
        | Kind::GradNorms
        | Kind::DepthProfile
        | Kind::ConflictTime
        | Kind::GatesTime
        | Kind::GatesAlike
        | Kind::LedgerTime => {
            if kind == Kind::LedgerTime {
                ledger_time::note_ui(ui, subject, view);
            }
            let chart = curves::chart(ui.ctx(), kind, subject, view);
            let cursor = curves::cursor(&chart, subject, view);
            let scales = Scales::of(ui.ctx(), kind, shown, view);
            chart::chart_ui(ui, kind, &chart, &scales, cursor, view)
        }
    })
    .inner
}

/// The figure as an image with its heading: what the command line writes.
pub fn figure_png(
    kind: Kind,
    subject: Subject<'_>,
    view: &View,
    options: &export::Options,
) -> image::RgbaImage {
    figure_png_among(kind, subject, &[subject], view, options)
}

/// As [`figure_png`], with the scales of all runs in `shown`: what the window exports.
pub fn figure_png_among(
    kind: Kind,
    subject: Subject<'_>,
    shown: &[Subject<'_>],
    view: &View,
    options: &export::Options,
) -> image::RgbaImage {
    export::png(options, |ui| page_ui(ui, kind, subject, shown, view))
}

/// A figure with its heading, as it is exported.
fn page_ui(ui: &mut Ui, kind: Kind, subject: Subject<'_>, shown: &[Subject<'_>], view: &View) {
    ui.label(RichText::new(kind.title()).strong().size(16.0));
    let caption = RichText::new(caption(kind, subject, view)).small().weak();
    ui.add(egui::Label::new(caption).truncate());
    ui.add_space(6.0);
    figure_ui(ui, kind, subject, shown, view);
}

/// Run, part of the network and moment that a figure shows.
fn caption(kind: Kind, subject: Subject<'_>, view: &View) -> String {
    if kind.is_of_all_groups() {
        return "a curve for every configuration, over its seeds".to_owned();
    }
    if kind.compares_groups() {
        let mut text = "at the last step of all runs, paired by seed".to_owned();
        if kind == Kind::PairDifference {
            text.push_str(" · ");
            text.push_str(view.scope.name());
        }
        return text;
    }
    let mut parts = vec![subject.name.to_owned()];
    if matches!(
        kind,
        Kind::GradNorms
            | Kind::ConflictMatrix
            | Kind::ConflictDifference
            | Kind::ConflictConfusion
            | Kind::PairCosine
            | Kind::Ledger
            | Kind::LedgerTime
            | Kind::WhatIf
    ) {
        parts.push(view.scope.name().to_owned());
    }
    if matches!(
        kind,
        Kind::DepthProfile
            | Kind::ConflictMatrix
            | Kind::ConflictConfusion
            | Kind::Architecture
            | Kind::DepthTime
            | Kind::PairDepth
            | Kind::LedgerDepth
            | Kind::Gates
            | Kind::GateDistance
            | Kind::Ledger
            | Kind::WhatIf
    ) && let Some(probe) = subject.probe(view)
    {
        parts.push(format!("step {}", probe.step));
    }
    parts.join(" · ")
}

/// Finds an order that puts classes beside each other whose gradients agree, in the selected scope at the cursor; none
/// before that probe is there. The search takes tens of milliseconds with 100 classes, and has none where the probe
/// lacks a layer.
pub fn similarity_order(
    subject: Subject<'_>,
    view: &View,
) -> Option<impl FnOnce() -> Option<Order> + Send + use<>> {
    let rows = subject.run.gram_rows(&view.scope);
    let tensors = subject.probes.get(&subject.probe(view)?.step)?.clone();
    let names = subject.classes().to_vec();
    Some(move || {
        let order = crate::gradient::order::by_similarity(&tensors.gram_of(&rows)?);
        let names = order.iter().filter_map(|&k| names.get(k).cloned());
        Some(Order::Similarity(names.collect()))
    })
}

/// Where a step of a run lies on a time axis, in its unit.
pub(crate) fn time_at(run: &Run, axis: TimeAxis, step: u64) -> f64 {
    time::Clock::new(run, axis).at(step as f64)
}

/// Names of a figure's curves, which can be switched off and on; none where it has none.
pub(crate) fn curve_names(
    ctx: &egui::Context,
    kind: Kind,
    subject: Subject<'_>,
    view: &View,
) -> Vec<String> {
    if !kind.is_chart() {
        return Vec::new();
    }
    let chart = curves::chart(ctx, kind, subject, view);
    chart
        .curves
        .iter()
        .map(|curve| curve.name.clone())
        .collect()
}

/// The class so many places after the selected one in the order of the classes, round and round; without one the first
/// or the last. None where there are no classes.
pub(crate) fn class_after(subject: Subject<'_>, view: &View, by: isize) -> Option<usize> {
    let order = order_of(subject, view);
    let selected = view
        .class
        .and_then(|class| order.iter().position(|&k| k == class));
    let from = selected.map_or(if by > 0 { -1 } else { 0 }, |place| place as isize);
    let count = isize::try_from(order.len())
        .ok()
        .filter(|count| *count > 0)?;
    order.get((from + by).rem_euclid(count) as usize).copied()
}

/// Where a class stands in the order of the classes.
pub fn place_of(subject: Subject<'_>, view: &View, class: usize) -> Option<usize> {
    let order = order_of(subject, view);
    order.iter().position(|&other| other == class)
}

/// The classes in the order they are listed in.
fn order_of(subject: Subject<'_>, view: &View) -> Vec<usize> {
    let started = subject.run.started.as_ref();
    let counts = started.map_or(&[][..], |started| &started.train_counts);
    order_of_classes(subject.classes(), counts, &view.order)
}

/// Classes of these names and training images in an order.
pub(crate) fn order_of_classes(names: &[String], counts: &[usize], by: &Order) -> Vec<usize> {
    let mut order: Vec<usize> = (0..names.len()).collect();
    match by {
        Order::Listed => {}
        Order::Frequency => order.sort_by_key(|&k| std::cmp::Reverse(counts.get(k))),
        Order::Name => order.sort_by_key(|&k| names[k].to_lowercase()),
        // Of another data set, it says nothing about these classes.
        Order::Similarity(found) if by.applies_to(names) => {
            order.sort_by_cached_key(|&k| found.iter().position(|name| *name == names[k]));
        }
        Order::Similarity(_) => {}
    }
    order
}

/// Gives a widget that is painted by hand its name for those who cannot see it, and a ring while it has the keyboard.
fn named(response: &egui::Response, role: egui::Role, name: &str) {
    response.widget_info(|| egui::WidgetInfo::labeled(role, true, name));
    if response.has_focus() && response.interact_rect.is_positive() {
        let ctx = &response.ctx;
        let stroke = egui::Stroke::new(2.0, ctx.global_style().visuals.selection.stroke.color);
        let painter = ctx.layer_painter(response.layer_id);
        painter.rect_stroke(response.rect, 2.0, stroke, egui::StrokeKind::Outside);
    }
}

/// Says in the middle of an empty figure what to do next.
fn empty_ui(ui: &mut Ui, sentence: &str) {
    #[cfg(test)]
    tests::SAID.set(Some(sentence.to_owned()));
    let size = ui.available_size();
    // In the middle of the height; words justified to the width would be drawn apart.
    let middle = Layout::top_down(Align::Center)
        .with_main_align(Align::Center)
        .with_main_justify(true);
    ui.allocate_ui_with_layout(size, middle, |ui| {
        ui.label(RichText::new(sentence).weak());
    });
}

/// A value computed once and kept until its key changes: figures are redrawn many times a second.
fn remembered<T: Clone + Send + Sync + 'static>(
    ctx: &egui::Context,
    name: (&'static str, &str),
    key: impl std::hash::Hash + std::fmt::Debug,
    compute: impl FnOnce() -> T,
) -> T {
    let id = egui::Id::unique(name);
    let key = egui::Id::unique(key);
    let kept = ctx.data(|data| data.get_temp::<(egui::Id, T)>(id));
    match kept {
        Some((old, value)) if old == key => value,
        _ => {
            let value = compute();
            ctx.data_mut(|data| data.insert_temp(id, (key, value.clone())));
            value
        }
    }
}

#[cfg(test)]
mod tests;
