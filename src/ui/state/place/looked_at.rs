//! The place that is looked at.

use serde::{Deserialize, Serialize};

use super::choice::Choice;
use super::page::Page;
use crate::figure::View;
use crate::ui::state::runs::RunId;

/// A place: everything that says what the centre of the window shows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Place {
    /// Scope, step, pair and class.
    pub(crate) figure: View,
    /// The page of the centre.
    pub(crate) page: Page,
    /// The run on the left.
    #[serde(skip)]
    pub(crate) left: Option<RunId>,
    /// The run on the right; kept while only one is shown.
    #[serde(skip)]
    pub(crate) right: Option<RunId>,
    /// Whether both are shown.
    #[serde(skip)]
    pub(crate) side_by_side: bool,
    /// Which groups the page Compare sets against each other.
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

    /// Whether the place differs from `other` at most in the moment, the weights of a what-if, the part of a matrix
    /// that is in sight, and the marked pairs: all that changes by and by while one moves through it.
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

    /// Lets go of a run, unless it stands on the left.
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
