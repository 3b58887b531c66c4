//! Which figures the pages of the window show.

use crate::figure::look::kind::Kind;
use crate::figure::look::view::View;

/// A page by its name on the command line, and its figures.
pub type Figures = (&'static str, &'static [Kind]);

/// The pages that show figures.
pub const PAGES: [Figures; 6] = [
    (
        "overview",
        &[
            Kind::Architecture,
            Kind::ClassF1,
            Kind::GradNorms,
            Kind::DepthProfile,
            Kind::Scores,
            Kind::Loss,
            Kind::ConflictMatrix,
            Kind::PairCosine,
        ],
    ),
    (
        "conflicts",
        &[
            Kind::Architecture,
            Kind::DepthTime,
            Kind::DepthProfile,
            Kind::ConflictTime,
            Kind::ConflictMatrix,
            Kind::PairCosine,
            Kind::PairDepth,
        ],
    ),
    (
        "class",
        &[
            Kind::Ledger,
            Kind::LedgerTime,
            Kind::LedgerDepth,
            Kind::WhatIf,
            Kind::PairCosine,
        ],
    ),
    (
        "mistakes",
        &[
            Kind::Confusion,
            Kind::ClassScores,
            Kind::ConflictMatrix,
            Kind::ConflictConfusion,
        ],
    ),
    (
        "gates",
        &[
            Kind::Gates,
            Kind::GateDistance,
            Kind::GatesTime,
            Kind::GatesAlike,
        ],
    ),
    (
        "compare",
        &[
            Kind::Measures,
            Kind::ClassDifference,
            Kind::PairDifference,
            Kind::LayerDifference,
            Kind::GroupScores,
            Kind::GroupConflict,
        ],
    ),
];

/// What stands in a figure's place for one of the runs side by side, by its position from the left.
pub fn kind_shown(kind: Kind, view: &View, index: usize) -> Kind {
    match kind {
        Kind::ConflictMatrix if view.difference && index > 0 => Kind::ConflictDifference,
        kind => kind,
    }
}

/// The figure in whose place this one is shown.
pub fn card_of(kind: Kind) -> Kind {
    match kind {
        Kind::ConflictDifference => Kind::ConflictMatrix,
        kind => kind,
    }
}
