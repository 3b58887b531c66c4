//! Figures: each drawn by one function, called by the window's panel and by the exporter alike.

pub mod export;
pub mod raster;
pub mod style;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::run::probe_file::ProbeTensors;
use crate::run::{Run, Scope};

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

/// What is looked at: shared by all figures and all runs on screen.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// The selected part of the network.
    pub scope: Scope,
    /// The step looked at; none follows the newest.
    pub step: Option<u64>,
    /// The selected pair of classes.
    pub pair: Option<(usize, usize)>,
}

/// The figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// F1 of every class over time.
    ClassF1,
    /// Macro-F1, accuracy and balanced accuracy over time.
    Scores,
    /// Training, validation loss over time.
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

/// What a click in a figure selects.
#[derive(Clone, Debug, PartialEq)]
pub enum Pick {
    /// A pair of classes.
    Pair(usize, usize),
    /// A part of the network.
    Scope(Scope),
    /// A moment.
    Step(u64),
}
