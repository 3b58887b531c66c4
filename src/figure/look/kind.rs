//! Which figures there are, by name, and how each is read.

use serde::{Deserialize, Serialize};

/// The figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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
    /// Cosine of the selected pair in every layer at every moment.
    PairDepth,
    /// Map of the network.
    Architecture,
    /// Interference by layer and moment.
    DepthTime,
    /// Interference in the backbone and the selected layer over time.
    ConflictTime,
    /// Who helps and who hurts the selected class, at the cursor.
    Ledger,
    /// What a step does to the selected class's loss over time.
    LedgerTime,
    /// What a step does to the selected class through every layer at every moment.
    LedgerDepth,
    /// What one step would do to every class under other weights.
    WhatIf,
    /// Mean gate by class and channel.
    Gates,
    /// How open gates are, and how far they tell classes apart, over time.
    GatesTime,
    /// How alike branches tell classes apart, over time.
    GatesAlike,
    /// How differently the gates treat every two classes, at the cursor.
    GateDistance,
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
    /// Mean difference of every pair's cosine between groups of runs.
    PairDifference,
    /// Scores and conflicts of groups of runs.
    Measures,
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
        Self::PairDepth,
        Self::Architecture,
        Self::DepthTime,
        Self::ConflictTime,
        Self::Ledger,
        Self::LedgerTime,
        Self::LedgerDepth,
        Self::WhatIf,
        Self::Gates,
        Self::GatesTime,
        Self::GatesAlike,
        Self::GateDistance,
        Self::Confusion,
        Self::ConflictDifference,
        Self::ConflictConfusion,
        Self::ClassScores,
        Self::ClassDifference,
        Self::LayerDifference,
        Self::PairDifference,
        Self::Measures,
        Self::GroupScores,
        Self::GroupConflict,
    ];

    /// Whether it compares groups of runs: `shown` are then all of their runs, and the subject is a run of the group
    /// that is compared to that of the first.
    pub fn compares_groups(self) -> bool {
        let is_of_one = matches!(
            self,
            Self::ClassDifference | Self::LayerDifference | Self::PairDifference | Self::Measures
        );
        is_of_one || self.is_of_all_groups()
    }

    /// Whether it shows all groups of runs at once.
    pub fn is_of_all_groups(self) -> bool {
        matches!(self, Self::GroupScores | Self::GroupConflict)
    }

    /// Whether it is a chart of one run, whose scale can be locked.
    pub fn is_chart(self) -> bool {
        matches!(
            self,
            Self::ClassF1
                | Self::Scores
                | Self::Loss
                | Self::GradNorms
                | Self::DepthProfile
                | Self::PairCosine
                | Self::LedgerTime
                | Self::ConflictTime
                | Self::GatesTime
                | Self::GatesAlike
        )
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
            Self::PairDepth => "pair-depth",
            Self::Architecture => "architecture",
            Self::DepthTime => "depth-time",
            Self::ConflictTime => "conflict-time",
            Self::Ledger => "ledger",
            Self::LedgerTime => "ledger-time",
            Self::LedgerDepth => "ledger-depth",
            Self::WhatIf => "what-if",
            Self::Gates => "gates",
            Self::GatesTime => "gates-time",
            Self::GatesAlike => "gates-alike",
            Self::GateDistance => "gate-distance",
            Self::Confusion => "confusion",
            Self::ConflictDifference => "conflict-difference",
            Self::ConflictConfusion => "conflict-confusion",
            Self::ClassScores => "class-scores",
            Self::ClassDifference => "class-difference",
            Self::LayerDifference => "layer-difference",
            Self::PairDifference => "pair-difference",
            Self::Measures => "measures",
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
            Self::PairDepth => "The selected pair in every layer",
            Self::Architecture => "Network",
            Self::DepthTime => "Conflict by depth and time",
            Self::ConflictTime => "Conflict over time",
            Self::Ledger => "Who helps and who hurts the class",
            Self::LedgerTime => "What steps do to the class over time",
            Self::LedgerDepth => "Where steps help and hurt the class",
            Self::WhatIf => "What if classes were weighed differently",
            Self::Gates => "Gates by class and channel",
            Self::GatesTime => "Gates over time",
            Self::GatesAlike => "How alike branches gate classes",
            Self::GateDistance => "How differently gates treat classes",
            Self::Confusion => "Which classes are taken for which",
            Self::ConflictDifference => "What changes between two runs",
            Self::ConflictConfusion => "Conflict against confusion",
            Self::ClassScores => "Scores of each class",
            Self::ClassDifference => "What changes in F1 of each class",
            Self::LayerDifference => "What changes in conflict by layer",
            Self::PairDifference => "What changes between classes",
            Self::Measures => "What changes in scores and conflicts",
            Self::GroupScores => "Macro-F1 over seeds",
            Self::GroupConflict => "Conflict in the backbone over seeds",
        }
    }

    /// How to read it.
    pub fn help(self) -> &'static str {
        match self {
            Self::ClassF1 => {
                "F1 = 2TP/(2TP+FP+FN) of every class on the validation images, from 0 to 1; diamonds are test results. \
                 A class that was neither present nor predicted has none, and a small ring at the lower edge. Click \
                 a line to select its class, which is then drawn on top; a box drawn with the pointer is enlarged."
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
                "Norm of each class's mean-loss gradient in the selected part of the network (batch norm on its running \
                 statistics), on a logarithmic axis. Thick lines are geometric means of the frequent (solid) and the \
                 rarest third (dashed) of the classes by training images, in areas from their least to their largest \
                 class; thin lines are single classes. A ring at the lower edge is a norm that is undefined or 0."
            }
            Self::DepthProfile => {
                "Norm of every class's gradient in every layer, from input to output, at the moment of the slider, on a \
                 logarithmic axis that holds all moments. Thick lines are geometric means of the frequent (solid) and \
                 the rarest third (dashed) of the classes, in areas from their least to their largest class. Click \
                 to select a layer, or near a line its class."
            }
            Self::ConflictMatrix => {
                "Gradient Conflict Matrix: cosine between the gradients of two classes in the selected part of the \
                 network. Red: a step that helps one hurts the other; blue: it helps both. Faded cells are not told apart \
                 from 0 (3 standard errors), hatched ones are undefined, and training images stand beside the names."
            }
            Self::PairCosine => {
                "Cosine between the gradients of the two selected classes at every probe. Filled points differ from 0 by \
                 more than 3 standard errors, hollow ones do not, and the upright lines join the cosines of two halves of \
                 the probe images: the longer, the less is known. Below, where there is room: how long both gradients \
                 are, and which share of each class's images is taken for the other."
            }
            Self::PairDepth => {
                "Cosine between the gradients of the two selected classes in every layer (from the input down) at every \
                 probe (from left to right), in the colours of the matrix: red pulls apart, blue together, pale is not \
                 told apart from 0, grey is undefined. Click to go to a layer and a moment."
            }
            Self::Architecture => {
                "Layers from input to output, coloured by what the list above them says; interference is the mean over \
                 class pairs of max(0, −cosine). Grey is undefined. Click a layer or a block and everything follows."
            }
            Self::DepthTime => {
                "The backbone on top, then layers from input to output; probes from left to right, coloured by what the \
                 list above them says. Rows that stand out are layers, columns moments; grey is undefined. Click to \
                 go to a layer and a moment."
            }
            Self::ConflictTime => {
                "Interference: mean over class pairs of max(0, −cosine), from 0 to 1, in all layers but the classifier \
                 and in the layer that is selected. The thin line of the same colour is the noise floor: what probes \
                 this small would show without any conflict. Only what lies clearly above it is conflict."
            }
            Self::Ledger => {
                "What each class's share of one plain gradient step does to the loss of the selected class, to first \
                 order, in nats. Bars to the left lower its loss: that class helps; bars to the right raise it: that \
                 class hurts. Pale bars are not told apart from 0 (3 standard errors)."
            }
            Self::LedgerTime => {
                "Sum of all bars of the ledger at every probe: below 0 the class is being learned, above 0 unlearned (red). \
                 Filled points differ from 0 by more than 3 standard errors; the axis is logarithmic to both sides of 0. The grey \
                 line is the change that the step actually taken (momentum and all) makes, to first order; beside it is what its loss on the probe \
                 images really did between probes, per step."
            }
            Self::LedgerDepth => {
                "What one plain step does to the loss of the selected class through every layer (from the input down) at \
                 every probe (from left to right), to first order, in nats: blue lowers it, red raises it (there the \
                 class is unlearned), pale is not told apart from 0, grey is undefined. The layers of a moment add up to \
                 the ledger's sum of the whole network. Where a run minimises another loss than cross-entropy, it is the \
                 step actually taken."
            }
            Self::WhatIf => {
                "First-order change of every class's loss under one plain gradient step, as trained (grey) and with the \
                 weights set here (colour); left of 0 the loss falls, pale bars are not told apart from 0. It holds for \
                 this moment and this one step only. Beside it stand the step actually taken and the measured loss."
            }
            Self::Gates => {
                "Mean gate of every class (rows) in every channel (columns), from 0 to 1, channels sorted by how much \
                 classes differ in them at the newest probe. Columns of one colour treat all classes alike; a row \
                 that stands out is a class the gate tells apart."
            }
            Self::GatesTime => {
                "Mean gate of every branch over classes and channels (thin), from 0 (shut) to 1 (open), and its standard \
                 deviation over classes, mean over channels, on a logarithmic axis: the lower, the more all classes \
                 are treated alike. Lines break where a probe is not read."
            }
            Self::GatesAlike => {
                "Correlation between two branches, from −1 to 1, of how far the gates of every two classes are apart. \
                 Near 1 they tell classes apart in the same way, and one shared gate might do as well. Undefined \
                 with fewer than four classes."
            }
            Self::GateDistance => {
                "How far the gates of two classes are apart: root mean square of their difference over all channels of \
                 all branches, from 0 (treated alike) to 1. The scale ends a little above the largest distance at \
                 any probe. Hatched: undefined."
            }
            Self::Confusion => {
                "Rows are true classes, columns what they are taken for; the numbers are images, the colour follows the root of \
                 the share of the row. Off the diagonal are the mistakes. Click a cell to see its images."
            }
            Self::ConflictDifference => {
                "Cosine of every pair in the second run minus that in the first, on one scale for all moments. Blue: the classes \
                 pull less against each other than in the first run; red: more. Faded cells are not told apart from 0 (3 \
                 standard errors of the difference), hatched ones are undefined in one of the runs."
            }
            Self::ConflictConfusion => {
                "A point for every pair of classes: how far their gradients agree (left of 0: conflict), and the share of both \
                 classes' images that are taken for the other. Hollow points are not told apart from 0. Draw a rectangle \
                 over points to mark their pairs in both matrices, click beside them to take the marks off."
            }
            Self::ClassScores => {
                "Precision, recall and F1 of every class, from 0 to 1, with the images they come from; a dash is undefined. Below, \
                 their means over the frequent third of the classes by training images, the middle, the rarest third, and \
                 all (macro). Click a class to select it everywhere."
            }
            Self::ClassDifference => {
                "Difference of every class's F1 at the last step between two groups of runs, paired by seed: grey points \
                 are single seeds, the large one is their mean, the line its 95 % interval by Student's t. Right of 0 \
                 the class gains; the mean is filled where the difference is significant after correction for the \
                 number of classes (exact test, p at most 0.05)."
            }
            Self::LayerDifference => {
                "Difference of every layer's interference (mean over class pairs of max(0, −cosine)) at the last step \
                 between two groups of runs, paired by seed, from input to output: grey points are single seeds, the \
                 large one is their mean, the line its 95 % interval. Left of 0 there is less conflict. The mean is \
                 filled where the difference is significant after correction for the number of layers."
            }
            Self::PairDifference => {
                "Difference of every pair's cosine at the last step between two groups of runs, paired by seed: the mean \
                 over seeds. Blue: the classes pull less against each other than in the baseline; red: more. Faded: the \
                 95 % interval by Student's t holds 0 (of a single seed: within 3 standard errors); hatched: undefined."
            }
            Self::Measures => {
                "Means over seeds with their standard deviation and number, the mean difference of runs with the same \
                 seed with its 95 % interval by Student's t, and p of the exact sign-flip test, alone and after Holm's \
                 correction. A star marks what is significant; with few seeds nothing can be."
            }
            Self::GroupScores => {
                "Macro-F1 on the validation images (test images where a run has none), from 0 to 1, of runs that differ \
                 in nothing but the seed: the thick line is their mean at the steps at which all were measured, the area \
                 reaches from the worst to the best of them or is mean ± standard deviation, thin lines are single runs. One line alone is a single seed: what another would do is not known."
            }
            Self::GroupConflict => {
                "Interference (mean over class pairs of max(0, −cosine)) in all layers but the classifier, of runs that \
                 differ in nothing but the seed: the thick line is their mean at the steps at which all were \
                 measured, the area reaches from the least to the most of them or is mean ± standard deviation, thin lines \
                 are single runs."
            }
        }
    }
}
