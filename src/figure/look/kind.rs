//! The kinds of figures. Each figure is described in its own file, and the registry knows them all.

use serde::{Deserialize, Serialize};

/// Declares the kinds of figures and the list of all of them, so that no kind can be missing from the list.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident,)*) => {
        /// The figures.
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        pub enum Kind {
            $($(#[$doc])* $kind,)*
        }

        impl Kind {
            /// Every figure, in the order it is offered.
            pub const ALL: &[Self] = &[$(Self::$kind),*];
        }
    };
}

kinds! {
    /// F1 of every class over time.
    ClassF1,
    /// Positive against negative gradient at every class's logit over time.
    GradientRatio,
    /// Macro-F1, accuracy and balanced accuracy over time.
    Scores,
    /// Training and validation loss over time.
    Loss,
    /// Gradient norm of every class in the selected scope over time.
    GradNorms,
    /// Gradient norm of every class by depth, at the cursor.
    DepthProfile,
    /// Gradient Conflict Matrix in the selected scope, at the cursor.
    ConflictMatrix,
    /// Cosine of the selected pair in the selected scope over time.
    PairCosine,
    /// Cosine of the selected pair in every layer at every moment, in place of a quantity of all classes.
    PairDepth,
    /// Map of the network, its layers coloured by the selected quantity.
    Architecture,
    /// The selected part of the network by itself, at the cursor.
    Layer,
    /// Interference by layer and moment.
    DepthTime,
    /// Difference of interference by layer and moment between two runs.
    DepthTimeDifference,
    /// The layers with the moments at which the selected quantity is highest, the highest first.
    Peaks,
    /// Interference in the backbone and the selected layer over time.
    ConflictTime,
    /// Interference between and within the frequent and the rare third of the classes over time.
    ThirdsTime,
    /// The strongest conflicts of a rare and a frequent class over all layers, at the cursor.
    RareConflicts,
    /// Which classes help and which hurt the selected class, at the cursor.
    Ledger,
    /// Effect of a step on the selected class's loss over time.
    LedgerTime,
    /// Effect of a step on the selected class's loss through every layer at every moment.
    LedgerDepth,
    /// Effect of every class's share of a step on every class's loss, predicted and measured.
    Verified,
    /// Effect of one step on every class's loss under other weights.
    WhatIf,
    /// Mean gate by class and channel.
    Gates,
    /// How open gates are, and how far they tell classes apart, over time.
    GatesTime,
    /// How alike branches tell classes apart, over time.
    GatesAlike,
    /// How differently the gates treat every two classes, at the cursor.
    GateDistance,
    /// Confusion matrix: which classes are taken for which other class, at the cursor.
    Confusion,
    /// Difference between the confusion matrices of two runs, at the cursor.
    ConfusionDifference,
    /// Difference between the conflict matrices of two runs, at the cursor.
    ConflictDifference,
    /// Difference between a run's conflict matrices with batch norm as in training and frozen, at the cursor.
    BatchNormDifference,
    /// Whether the classes in conflict are those mistaken for each other, at the cursor.
    ConflictConfusion,
    /// Precision, recall and F1 of every class, at the cursor.
    ClassScores,
    /// Difference of every class's F1 between groups of runs.
    ClassDifference,
    /// Difference of every layer's interference between groups of runs.
    LayerDifference,
    /// Mean difference of every pair's cosine between groups of runs.
    PairDifference,
    /// Scores and conflicts of groups of runs.
    Measures,
    /// Macro-F1 of groups of runs over time.
    GroupScores,
    /// Interference in the backbone of groups of runs over time.
    GroupConflict,
}
