//! Figures: each drawn by one function, called by the window's panel and by the exporter alike.

mod architecture;
mod chart;
mod curves;
pub mod export;
mod matrix;
pub mod palette;
pub mod raster;
pub mod style;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use egui::{Layout, RichText, Ui};

use crate::run::event::Probe;
use crate::run::probe_file::ProbeTensors;
use crate::run::{Run, Scope};

pub use chart::Scales;

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

    /// Epoch of a step.
    fn epoch(&self, step: u64) -> f64 {
        let per_epoch = self
            .run
            .started
            .as_ref()
            .map_or(1, |started| started.steps_per_epoch.max(1));
        step as f64 / per_epoch as f64
    }
}

/// What is looked at: shared by all figures and all runs on screen.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// The selected part of the network.
    pub scope: Scope,
    /// The step looked at; none follows the newest.
    pub step: Option<u64>,
    /// The selected pair of classes.
    pub pair: Option<(usize, usize)>,
    /// Names of the curves that are switched off: a class is switched off in every figure.
    pub hidden: BTreeSet<String>,
}

impl Default for View {
    fn default() -> Self {
        Self {
            scope: Scope::Backbone,
            step: None,
            pair: None,
            hidden: BTreeSet::new(),
        }
    }
}

/// The figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
    ];

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
                 more than 3 standard errors, hollow ones do not."
            }
            Self::Architecture => {
                "Layers from input to output; the colour is interference, the mean over class pairs of max(0, −cosine). \
                 Click a layer or a block and everything follows."
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
}

/// Draws a figure into the space that is left; returns what was clicked.
pub fn figure_ui(
    ui: &mut Ui,
    kind: Kind,
    subject: Subject<'_>,
    view: &View,
    scales: &Scales,
) -> Option<Pick> {
    // Two figures of a kind stand side by side where two runs are compared.
    ui.push_id((kind, subject.name), |ui| match kind {
        Kind::ConflictMatrix => matrix::matrix_ui(ui, subject, view),
        Kind::Architecture => architecture::architecture_ui(ui, subject, view),
        _ => {
            let chart = curves::chart(ui.ctx(), kind, subject, view);
            let cursor = curves::cursor(kind, subject, view);
            chart::chart_ui(ui, &chart, scales, cursor, &view.hidden)
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
    export::png(options, |ui| {
        ui.label(RichText::new(kind.title()).strong().size(16.0));
        let caption = RichText::new(caption(kind, subject, view)).small().weak();
        ui.add(egui::Label::new(caption).truncate());
        ui.add_space(6.0);
        let scales = Scales::of(ui.ctx(), kind, shown, view);
        figure_ui(ui, kind, subject, view, &scales);
    })
}

/// Run, part of the network and moment that a figure shows.
fn caption(kind: Kind, subject: Subject<'_>, view: &View) -> String {
    let mut parts = vec![subject.name.to_owned()];
    if matches!(
        kind,
        Kind::GradNorms | Kind::ConflictMatrix | Kind::PairCosine
    ) {
        parts.push(view.scope.name().to_owned());
    }
    if matches!(
        kind,
        Kind::DepthProfile | Kind::ConflictMatrix | Kind::Architecture
    ) && let Some(probe) = subject.probe(view)
    {
        parts.push(format!("step {}", probe.step));
    }
    parts.join(" · ")
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
