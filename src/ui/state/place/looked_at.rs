//! The place that the user looks at.

use serde::{Deserialize, Serialize};

use super::choice::Choice;
use super::page::Page;
use crate::figure::View;
use crate::ui::state::runs::{RunId, Runs};

/// A place: everything that says what the centre of the window shows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Place {
    /// The selection that figures follow: scope, step, pair, class and the like.
    pub(crate) figure: View,
    /// The page that is shown.
    pub(crate) page: Page,
    /// The run on the left.
    #[serde(skip)]
    pub(crate) left: Option<RunId>,
    /// The run on the right, which is kept while only one run is shown.
    #[serde(skip)]
    pub(crate) right: Option<RunId>,
    /// Whether both runs are shown.
    #[serde(skip)]
    pub(crate) side_by_side: bool,
    /// The groups that the page Compare sets against each other.
    #[serde(skip)]
    pub(crate) compare: Choice,
}

impl Place {
    /// The runs shown, from left to right.
    pub(crate) fn shown(&self) -> Vec<RunId> {
        let right = self
            .right
            .filter(|right| self.side_by_side && Some(*right) != self.left);
        self.left.into_iter().chain(right).collect()
    }

    /// Whether the place differs from `other` in nothing but the step, the weights of a what-if, the part of a matrix
    /// that is in sight, and the marked pairs: these change continually while the user drags a control.
    pub(super) fn is_near(&self, other: &Self) -> bool {
        let still = |place: &Self| {
            let mut place = place.clone();
            place.figure.step = None;
            place.figure.what_if = Default::default();
            place.figure.sight = None;
            place.figure.brush = None;
            place
        };
        still(self) == still(other)
    }

    /// Whether a run is shown here.
    pub(super) fn shows(&self, id: RunId) -> bool {
        self.shown().contains(&id)
    }

    /// All runs whose logs were read, in the order in which they are compared: a run of the baseline first.
    pub(crate) fn compared(&self, runs: &Runs) -> Vec<RunId> {
        self.compare.order(runs, self.left)
    }

    /// Removes a run from the right side and from the comparison; the run on the left stays.
    pub(crate) fn forget(&mut self, id: RunId) {
        let chosen = [
            &mut self.right,
            &mut self.compare.baseline,
            &mut self.compare.other,
        ];
        for chosen in chosen {
            *chosen = chosen.filter(|other| *other != id);
        }
    }
}
