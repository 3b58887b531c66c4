//! The pages, and the figures that each of them shows.

use serde::{Deserialize, Serialize};

use crate::figure::Kind;
use crate::figure::pages::{self, Part, card_of, of_two};

/// A page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Page {
    /// The progress of training, and the findings.
    #[default]
    Overview,
    /// Where in the network and when during training classes are in conflict.
    Conflicts,
    /// One class, and the classes that help and hurt it.
    Class,
    /// Which classes the network mistakes for which others.
    Mistakes,
    /// The gates of channel attention.
    Gates,
    /// The effect of a setting of the configuration, over several seeds.
    Compare,
    /// The images of a data set.
    Data,
    /// All runs that are open or were found in folders.
    Runs,
}

impl Page {
    /// Every page, in the order of its tabs.
    pub const ALL: &[Self] = &[
        Self::Overview,
        Self::Conflicts,
        Self::Class,
        Self::Mistakes,
        Self::Gates,
        Self::Compare,
        Self::Data,
        Self::Runs,
    ];

    /// The name on its tab.
    pub fn title(self) -> &'static str {
        let other = if self == Self::Data { "Data" } else { "Runs" };
        self.of_figures().map_or(other, pages::Page::title)
    }

    /// The purpose of the page, for its tooltip.
    pub fn help(self) -> &'static str {
        match self {
            Self::Overview => "How training goes, and what stands out",
            Self::Conflicts => "Where in the network and when classes pull against each other",
            Self::Class => "Who helps and who hurts one class, and what other weights would do",
            Self::Mistakes => {
                "Which classes are taken for which, and whether those are the ones that fight"
            }
            Self::Gates => "What channel attention does with each class",
            Self::Compare => "What a setting changes, over all open runs and their seeds",
            Self::Data => "How many images of each class there are, and what they look like",
            Self::Runs => "All runs there are, what they reached and in what they differ",
        }
    }

    /// The page as the figures know it; `None` for a page without figures of runs.
    pub(crate) fn of_figures(self) -> Option<pages::Page> {
        pages::Page::ALL.get(self as usize).copied()
    }

    /// The arrangement of the figures of one run in a column of this width, of which `seen` points of height are seen
    /// without scrolling; `None` for a page without figures of runs.
    pub(crate) fn of_one(self, width: f32, seen: f32) -> Option<Part> {
        Some(self.of_figures()?.of_one(width, seen))
    }

    /// As [`Self::of_one`], of two runs together; `None` for a page on which each run has a column of its own.
    pub(crate) fn of_both(self, width: f32, seen: f32) -> Option<Part> {
        self.of_figures()?.of_both(width, seen)
    }

    /// The row of figures that stays in view below the page, of `runs` runs, where there is one.
    pub(crate) fn dock(self, runs: usize, width: f32, seen: f32) -> Option<Part> {
        self.of_figures()?.dock(runs, width, seen)
    }

    /// Whether two runs stand together on the page.
    pub(crate) fn shows_both(self) -> bool {
        self.of_figures().and_then(of_two).is_some()
    }

    /// The figures that the page shows of a run.
    pub(crate) fn kinds(self) -> &'static [Kind] {
        self.of_figures().map_or(&[], pages::Page::figures)
    }

    /// The page that a figure belongs to, where several show it.
    pub(crate) fn of(kind: Kind) -> Option<Self> {
        let shows = |page: &Self| page.shows(kind);
        let own = Some(Self::Conflicts).filter(shows);
        own.or_else(|| Self::ALL.iter().copied().find(shows))
    }

    /// Whether the page has a place for a figure, whatever the size of the window.
    pub(crate) fn shows(self, kind: Kind) -> bool {
        self.kinds().contains(&card_of(kind))
    }
}
