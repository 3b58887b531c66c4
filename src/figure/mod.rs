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
mod gates;
mod grid;
mod group_curves;
mod ledger;
mod matrix;
mod matrix_difference;
mod numbers;
mod pair;
pub mod palette;
mod quantity;
pub mod raster;
mod scatter;
pub mod style;
pub mod table;
mod time;
mod what_if;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use egui::{Layout, RichText, Ui};
use serde::{Deserialize, Serialize};

use crate::run::event::Probe;
use crate::run::probe_file::ProbeTensors;
use crate::run::{Run, Scope};

pub use chart::Scales;
pub(crate) use confusion::evaluation;
pub use grid::Sight;
pub use scatter::Brush;

/// What a figure is drawn from: one run and those of its probe tensors that are loaded.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// Name on screen.
    pub name: &'a str,
    /// The reduced run.
    pub run: &'a Run,
    /// Probe tensors by step. A step missing here is still being loaded, or damaged.
    pub probes: &'a BTreeMap<u64, Arc<ProbeTensors>>,
}

impl<'a> Subject<'a> {
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

/// What is looked at: shared by all figures and all runs on screen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct View {
    /// The selected part of the network.
    pub scope: Scope,
    /// The step looked at; none follows the newest.
    pub step: Option<u64>,
    /// The selected pair of classes.
    pub pair: Option<(usize, usize)>,
    /// The selected class.
    pub class: Option<usize>,
    /// The selected cell of the confusion matrix: true class, predicted class.
    pub confused: Option<(usize, usize)>,
    /// Names of the curves that are switched off: a class is switched off in every figure.
    pub hidden: BTreeSet<String>,
    /// What time is measured in.
    pub time: TimeAxis,
    /// Order of the classes in matrices and lists.
    pub order: Order,
    /// What the network map and the picture of depth and time are coloured by.
    pub quantity: Quantity,
    /// What if training weighed classes differently.
    pub what_if: WhatIf,
    /// The part of every class × class matrix that is in sight; none for all of it.
    pub sight: Option<Sight>,
    /// The pairs marked in the scatter of conflict and confusion.
    pub brush: Option<Brush>,
    /// Whether, of two runs side by side, the second one's conflict matrix is shown as difference from the first's.
    pub difference: bool,
}

/// What time is measured in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TimeAxis {
    /// Passes over the training images.
    #[default]
    Epoch,
    /// Optimiser steps.
    Step,
    /// Training images seen.
    Images,
    /// Seconds of training.
    WallTime,
}

/// Order of the classes in matrices and lists.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Order {
    /// As the data set lists them.
    #[default]
    Listed,
    /// By training images, the most frequent first.
    Frequency,
    /// By name.
    Name,
    /// Classes whose gradients agree beside each other: an order found once, and kept for all times and runs.
    Similarity(Vec<usize>),
}

/// What parts of the network are coloured by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Quantity {
    /// Mean over class pairs of max(0, −cosine).
    #[default]
    Interference,
    /// Share of the resolved pairs that are in conflict.
    ConflictRate,
    /// Norm of the selected class's gradient.
    ClassNorm,
    /// Share of the squared gradient norms that belongs to the rarest third of the classes.
    TailShare,
}

/// What if training weighed classes differently, or changed gradients where they conflict.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WhatIf {
    /// Weight of each class's loss, 1 as trained; empty for all 1.
    pub weights: Vec<f64>,
    /// What is done to conflicting gradients.
    pub surgery: Surgery,
}

/// What is done to conflicting class gradients before they are summed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Surgery {
    /// Nothing.
    #[default]
    None,
    /// Each is projected away from those it conflicts with (Yu et al. 2020).
    PcGrad,
    /// The system of gradients is made orthogonal (Senushkin et al. 2023).
    AlignedMtl,
}

impl Default for View {
    fn default() -> Self {
        Self {
            scope: Scope::Backbone,
            step: None,
            pair: None,
            class: None,
            confused: None,
            hidden: BTreeSet::new(),
            time: TimeAxis::default(),
            order: Order::default(),
            quantity: Quantity::default(),
            what_if: WhatIf::default(),
            sight: None,
            brush: None,
            difference: false,
        }
    }
}

/// The figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// F1 of every class over time.
    ClassF1,
    /// Macro-F1, accuracy and balanced accuracy over time.
    Scores,
    /// Training and validation loss over time.
    Loss,
    /// Gradient norm of every class in the selected scope over time.
    GradNorms,
    /// Gradient norm of every class by depth, at the cursor.
    DepthProfile,
    /// How classes pull against each other in the selected scope, at the cursor.
    ConflictMatrix,
    /// Cosine of the selected pair in the selected scope over time.
    PairCosine,
    /// Map of the network.
    Architecture,
    /// Interference by layer and moment.
    DepthTime,
    /// Who helps and who hurts the selected class, at the cursor.
    Ledger,
    /// What a step does to the selected class's loss over time.
    LedgerTime,
    /// What one step would do to every class under other weights.
    WhatIf,
    /// Mean gate by class and channel.
    Gates,
    /// Which classes are taken for which, at the cursor.
    Confusion,
    /// What differs between the conflict matrices of two runs, at the cursor.
    ConflictDifference,
    /// Whether the classes in conflict are those mistaken for each other, at the cursor.
    ConflictConfusion,
    /// Precision, recall and F1 of every class, at the cursor.
    ClassScores,
    /// Difference of every class's F1 between groups of runs.
    ClassDifference,
    /// Difference of every layer's interference between groups of runs.
    LayerDifference,
    /// Macro-F1 of groups of runs over time.
    GroupScores,
    /// Interference in the backbone of groups of runs over time.
    GroupConflict,
}

impl Kind {
    /// Every figure, in the order it is offered.
    pub const ALL: &[Self] = &[
        Self::ClassF1,
        Self::Scores,
        Self::Loss,
        Self::GradNorms,
        Self::DepthProfile,
        Self::ConflictMatrix,
        Self::PairCosine,
        Self::Architecture,
        Self::DepthTime,
        Self::Ledger,
        Self::LedgerTime,
        Self::WhatIf,
        Self::Gates,
        Self::Confusion,
        Self::ConflictDifference,
        Self::ConflictConfusion,
        Self::ClassScores,
        Self::ClassDifference,
        Self::LayerDifference,
        Self::GroupScores,
        Self::GroupConflict,
    ];

    /// Whether it compares groups of runs: `shown` are then all of their runs, and the subject is a run of the group
    /// that is compared to that of the first.
    pub fn compares_groups(self) -> bool {
        matches!(self, Self::ClassDifference | Self::LayerDifference) || self.is_of_all_groups()
    }

    /// Whether it shows all groups of runs at once.
    pub fn is_of_all_groups(self) -> bool {
        matches!(self, Self::GroupScores | Self::GroupConflict)
    }

    /// Name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::ClassF1 => "class-f1",
            Self::Scores => "scores",
            Self::Loss => "loss",
            Self::GradNorms => "grad-norms",
            Self::DepthProfile => "depth-profile",
            Self::ConflictMatrix => "conflict-matrix",
            Self::PairCosine => "pair-cosine",
            Self::Architecture => "architecture",
            Self::DepthTime => "depth-time",
            Self::Ledger => "ledger",
            Self::LedgerTime => "ledger-time",
            Self::WhatIf => "what-if",
            Self::Gates => "gates",
            Self::Confusion => "confusion",
            Self::ConflictDifference => "conflict-difference",
            Self::ConflictConfusion => "conflict-confusion",
            Self::ClassScores => "class-scores",
            Self::ClassDifference => "class-difference",
            Self::LayerDifference => "layer-difference",
            Self::GroupScores => "group-scores",
            Self::GroupConflict => "group-conflict",
        }
    }

    /// Heading in plain words.
    pub fn title(self) -> &'static str {
        match self {
            Self::ClassF1 => "F1 of each class",
            Self::Scores => "Overall scores",
            Self::Loss => "Loss",
            Self::GradNorms => "How strongly each class pulls",
            Self::DepthProfile => "Pull of each class by depth",
            Self::ConflictMatrix => "How classes pull against each other",
            Self::PairCosine => "The selected pair over time",
            Self::Architecture => "Network",
            Self::DepthTime => "Conflict by depth and time",
            Self::Ledger => "Who helps and who hurts the class",
            Self::LedgerTime => "What steps do to the class over time",
            Self::WhatIf => "What if classes were weighed differently",
            Self::Gates => "Gates by class and channel",
            Self::Confusion => "Which classes are taken for which",
            Self::ConflictDifference => "What changes between two runs",
            Self::ConflictConfusion => "Conflict against confusion",
            Self::ClassScores => "Scores of each class",
            Self::ClassDifference => "What changes in F1 of each class",
            Self::LayerDifference => "What changes in conflict by layer",
            Self::GroupScores => "Macro-F1 over seeds",
            Self::GroupConflict => "Conflict in the backbone over seeds",
        }
    }

    /// How to read it.
    pub fn help(self) -> &'static str {
        match self {
            Self::ClassF1 => {
                "F1 = 2TP/(2TP+FP+FN) of every class on the validation images, from 0 to 1. Points alone are test \
                 results. A class that was neither present nor predicted has no F1, and no point."
            }
            Self::Scores => {
                "Macro-F1 is the mean F1 over classes, balanced accuracy the mean recall, accuracy the share of all \
                 images; rare classes count as much as frequent ones only in the first two. Points alone are test results."
            }
            Self::Loss => {
                "Mean cross-entropy in nats: of single training batches (thin), and of the validation images. Test \
                 results are points alone."
            }
            Self::GradNorms => {
                "Norm of the class gradient: the gradient of one class's mean loss in the selected part of the network, \
                 with batch norm on its running statistics. Logarithmic axis."
            }
            Self::DepthProfile => {
                "Norm of every class's gradient in every layer, from input to output, at the moment of the slider. \
                 Click to select a layer. Logarithmic axis."
            }
            Self::ConflictMatrix => {
                "Gradient Conflict Matrix: cosine between the gradients of two classes in the selected part of the \
                 network. Red: a step that helps one hurts the other. Blue: it helps both. Faded: not told apart from 0 \
                 (3 standard errors). Hatched: undefined."
            }
            Self::PairCosine => {
                "Cosine between the gradients of the two selected classes at every probe. Filled points differ from 0 by \
                 more than 3 standard errors, hollow ones do not. The upright lines join the cosines of two halves of \
                 the probe images: the longer, the less is known."
            }
            Self::Architecture => {
                "Layers from input to output, coloured by what the list above them says; interference is the mean over \
                 class pairs of max(0, −cosine). Grey is undefined. Click a layer or a block and everything follows."
            }
            Self::DepthTime => {
                "Layers from input (top) to output, probes from left to right, coloured by what the list above them \
                 says. Red rows are layers where classes fight, red columns moments when they do. Grey is undefined. \
                 Click to go to a layer and a moment."
            }
            Self::Ledger => {
                "What each class's share of one plain gradient step does to the loss of the selected class, to first \
                 order, in nats. Bars to the left lower its loss: that class helps. Bars to the right raise it: that \
                 class hurts. Pale bars are not told apart from 0 (3 standard errors)."
            }
            Self::LedgerTime => {
                "Sum of all bars of the ledger at every probe: below 0 the class is being learned, above 0 unlearned (red). \
                 Filled points differ from 0 by more than 3 standard errors. The grey line is the change that the step \
                 actually taken (momentum and all) makes, to first order; beside it is what its loss on the probe \
                 images really did between probes, per step. The axis is logarithmic to both sides of 0."
            }
            Self::WhatIf => {
                "First-order change of every class's loss under one plain gradient step, as trained (grey) and with the \
                 weights set here (colour); left of 0 the loss falls, pale bars are not told apart from 0. It holds for \
                 this moment and this one step only. Beside it stand the step actually taken and the measured loss."
            }
            Self::Gates => {
                "Mean gate of every class (rows) in every channel (columns), from 0 to 1, channels sorted by how much \
                 classes differ in them. Columns of one colour treat all classes alike; a row that stands out is a \
                 class the gate tells apart."
            }
            Self::Confusion => {
                "Rows are true classes, columns predicted ones; the colour is the share of the row. Off the diagonal \
                 are the mistakes. Click a cell to see its images."
            }
            Self::ConflictDifference => {
                "Cosine of every pair in the second run minus that in the first, on a scale of its own. Blue: the \
                 classes pull less against each other than in the first run. Red: more. Faded: not told apart from 0 \
                 (3 standard errors of the difference). Hatched: undefined in one of them."
            }
            Self::ConflictConfusion => {
                "A point for every pair of classes: how far their gradients agree (left of 0: conflict), and the share \
                 of both classes' images that are taken for the other. Hollow points are not told apart from 0. Draw a \
                 rectangle over points to mark their pairs in both matrices; click beside them to take the marks off."
            }
            Self::ClassScores => {
                "Precision, recall and F1 of every class, from 0 to 1, with the images they come from; a dash is \
                 undefined. Below, their means over the frequent third of the classes by training images, the middle, \
                 the rarest third, and all (macro). Click a class to select it everywhere."
            }
            Self::ClassDifference => {
                "Difference of every class's F1 at the last step between two groups of runs, paired by seed: grey points \
                 are single seeds, the large one is their mean, the line its 95 % interval by Student's t. Right of 0 \
                 the class gains. The mean is filled where the difference is significant after correction for the \
                 number of classes (exact test, p at most 0.05). Beside the names stand the training images."
            }
            Self::LayerDifference => {
                "Difference of every layer's interference (mean over class pairs of max(0, −cosine)) at the last step \
                 between two groups of runs, paired by seed, from input to output: grey points are single seeds, the \
                 large one is their mean, the line its 95 % interval. Left of 0 there is less conflict. The mean is \
                 filled where the difference is significant after correction for the number of layers."
            }
            Self::GroupScores => {
                "Macro-F1 on the validation images (test images where a run has none), from 0 to 1, of runs that differ \
                 in nothing but the seed: the thick line is their mean, the area reaches from the worst to the best of \
                 them, thin lines are single runs. One line alone is a single seed: what another would do is not known."
            }
            Self::GroupConflict => {
                "Interference (mean over class pairs of max(0, −cosine)) in all layers but the classifier, of runs that \
                 differ in nothing but the seed: the thick line is their mean, the area reaches from the least to the \
                 most of them, thin lines are single runs."
            }
        }
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
        Kind::Confusion => confusion::confusion_ui(ui, subject, view),
        Kind::ConflictDifference => {
            matrix_difference::matrix_difference_ui(ui, subject, shown, view)
        }
        Kind::ConflictConfusion => scatter::scatter_ui(ui, subject, shown, view),
        Kind::ClassScores => class_scores::class_scores_ui(ui, subject, shown, view),
        Kind::ClassDifference | Kind::LayerDifference => {
            difference::difference_ui(ui, kind, subject, shown, view)
        }
        Kind::GroupScores | Kind::GroupConflict => {
            group_curves::group_curves_ui(ui, kind, shown, view)
        }
        Kind::ClassF1
        | Kind::Scores
        | Kind::Loss
        | Kind::GradNorms
        | Kind::DepthProfile
        | Kind::PairCosine
        | Kind::LedgerTime => {
            let chart = curves::chart(ui.ctx(), kind, subject, view);
            let cursor = curves::cursor(&chart, subject, view);
            let scales = Scales::of(ui.ctx(), kind, shown, view);
            curves::note_ui(ui, kind, subject, view);
            chart::chart_ui(ui, &chart, &scales, cursor, &view.hidden)
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
        return "mean, range and single runs".to_owned();
    }
    if kind.compares_groups() {
        return "at the last step of all runs, paired by seed".to_owned();
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
            | Kind::Gates
            | Kind::Ledger
            | Kind::WhatIf
    ) && let Some(probe) = subject.probe(view)
    {
        parts.push(format!("step {}", probe.step));
    }
    parts.join(" · ")
}

/// An order that puts classes beside each other whose gradients agree, in the selected scope at the cursor; none before
/// that probe is there. Takes tens of milliseconds with 100 classes.
pub fn similarity_order(subject: Subject<'_>, view: &View) -> Option<Order> {
    let rows = subject.run.gram_rows(&view.scope);
    let tensors = subject.probes.get(&subject.probe(view)?.step)?;
    let gram = tensors.gram_of(&rows)?;
    Some(Order::Similarity(crate::gradient::order::by_similarity(
        &gram,
    )))
}

/// Where a class stands in the order of the classes.
pub fn place_of(subject: Subject<'_>, view: &View, class: usize) -> Option<usize> {
    let order = order_of(subject, view);
    order.iter().position(|&other| other == class)
}

/// The classes in the order they are listed in.
fn order_of(subject: Subject<'_>, view: &View) -> Vec<usize> {
    let names = subject.classes();
    let mut order: Vec<usize> = (0..names.len()).collect();
    match &view.order {
        Order::Listed => {}
        Order::Frequency => {
            let counts = subject.run.started.as_ref();
            let count = |k: usize| counts.and_then(|started| started.train_counts.get(k));
            order.sort_by_key(|&k| std::cmp::Reverse(count(k)));
        }
        Order::Name => order.sort_by_key(|&k| names[k].to_lowercase()),
        Order::Similarity(found) => {
            // Of another data set, it says nothing about these classes.
            let mut sorted = found.clone();
            sorted.sort_unstable();
            if sorted == order {
                order.clone_from(found);
            }
        }
    }
    order
}

/// Gives a widget that is painted by hand its name for those who cannot see it.
fn named(response: &egui::Response, role: egui::Role, name: &str) {
    response.widget_info(|| egui::WidgetInfo::labeled(role, true, name));
}

/// Says in the middle of an empty figure what to do next.
fn empty_ui(ui: &mut Ui, sentence: &str) {
    let size = ui.available_size();
    ui.allocate_ui_with_layout(
        size,
        Layout::centered_and_justified(egui::Direction::TopDown),
        |ui| {
            ui.label(RichText::new(sentence).weak());
        },
    );
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
