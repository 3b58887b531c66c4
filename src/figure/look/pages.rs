//! Which figures the pages of the window show.

use crate::figure::look::kind::Kind;

/// A page that shows figures, in the order of [`PAGES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Page {
    Overview,
    Conflicts,
    Class,
    Mistakes,
    Gates,
    Compare,
}

impl Page {
    /// Every page that shows figures.
    pub(crate) const ALL: &[Self] = &[
        Self::Overview,
        Self::Conflicts,
        Self::Class,
        Self::Mistakes,
        Self::Gates,
        Self::Compare,
    ];

    /// The name on its tab.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Conflicts => "Conflicts",
            Self::Class => "One class",
            Self::Mistakes => "Mistakes",
            Self::Gates => "Gates",
            Self::Compare => "Compare",
        }
    }

    /// Its name on the command line and in names of files.
    pub(crate) fn name(self) -> &'static str {
        PAGES[self as usize].0
    }

    /// Its figures.
    pub(crate) const fn figures(self) -> &'static [Kind] {
        PAGES[self as usize].1
    }
}

/// A page by its name on the command line, and its figures.
pub type Figures = (&'static str, &'static [Kind]);

/// The figures of a page on which two runs stand together: those of the first run, which have both where a figure can, and
/// those of the second. `None` for a page on which each run has a column of its own.
pub(crate) const fn of_two(page: Page) -> Option<[&'static [Kind]; 2]> {
    match page {
        Page::Overview => Some([
            page.figures(),
            &[Kind::ConflictMatrix, Kind::ConflictDifference],
        ]),
        Page::Conflicts => Some([
            page.figures(),
            &[
                Kind::DepthTime,
                Kind::DepthTimeDifference,
                Kind::ConflictMatrix,
                Kind::ConflictDifference,
                Kind::Peaks,
                Kind::Layer,
                Kind::RareConflicts,
            ],
        ]),
        Page::Class | Page::Mistakes | Page::Gates | Page::Compare => None,
    }
}

/// The pages that show figures.
pub const PAGES: [Figures; 6] = [
    (
        "overview",
        &[
            Kind::Architecture,
            Kind::ClassF1,
            Kind::GradientRatio,
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
            Kind::ConflictMatrix,
            Kind::PairCosine,
            Kind::Peaks,
            Kind::Layer,
            Kind::RareConflicts,
            Kind::DepthProfile,
            Kind::ThirdsTime,
            Kind::ConflictTime,
        ],
    ),
    (
        "class",
        &[
            Kind::Ledger,
            Kind::LedgerTime,
            Kind::LedgerDepth,
            Kind::Verified,
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
