//! The description of a figure, which stands in the figure's own file and which everything else reads.

use std::sync::Arc;

use egui::{Context, Ui};

use crate::figure::facts::probes::Need;
use crate::figure::kit::chart::Chart;
use crate::figure::kit::table::Table;
use crate::figure::look::kind::Kind;
use crate::figure::look::pages::Page;
use crate::figure::look::pick::Pick;
use crate::figure::look::subject::Subject;
use crate::figure::look::view::View;

/// A figure.
pub(in crate::figure) struct Figure {
    pub(in crate::figure) kind: Kind,
    /// Name on the command line and in names of files.
    pub(in crate::figure) name: &'static str,
    /// Heading in plain words.
    pub(in crate::figure) title: &'static str,
    /// The field's term and what is drawn, with its range, in a line of a list.
    pub(in crate::figure) subtitle: &'static str,
    /// How to read it.
    pub(in crate::figure) help: &'static str,
    /// The field's terms for the figure, under which it is found.
    pub(in crate::figure) synonyms: &'static [&'static str],
    /// The page that the figure belongs to; other pages may show it as well.
    pub(in crate::figure) page: Page,
    /// The figure in whose place it is shown where the view asks for it: for the second of two runs, for a pair of classes,
    /// or through batch norm. `None` where it has a place of its own.
    pub(in crate::figure) in_place_of: Option<Kind>,
    /// Why the figure has nothing to show of a run at any moment, whatever is selected.
    pub(in crate::figure) lacks: Lacks,
    pub(in crate::figure) of: Of,
    pub(in crate::figure) needs: Need,
    pub(in crate::figure) at: At,
    /// The class gradients that it is made from: the caption names how batch norm was treated in them.
    pub(in crate::figure) gradients: Gradients,
    /// Whether the caption names the part of the network that is selected.
    pub(in crate::figure) names_part: bool,
    /// Whether the caption names the step.
    pub(in crate::figure) names_step: bool,
    /// Least and largest value of the colour scale; `None` where colours stand for no number.
    pub(in crate::figure) colour_range: Option<ColourRange>,
    /// Makes the figure's curves, where it is a chart of one run, whose scale can be locked; else `None`.
    pub(in crate::figure) chart: Option<ChartOf>,
    /// Draws the figure into the space that is left and returns what was clicked. The slice has all runs on screen.
    pub(in crate::figure) ui: fn(&mut Ui, Subject<'_>, &[Subject<'_>], &View) -> Option<Pick>,
    /// The numbers that it shows, from the run itself.
    pub(in crate::figure) table: fn(Subject<'_>, &[Subject<'_>], &View) -> Table,
}

/// Why a figure has nothing to show of a run; `None` where it has something, or may have later.
pub(in crate::figure) type Lacks = fn(Subject<'_>) -> Option<&'static str>;

/// A figure that has something to show of every run.
pub(in crate::figure) const NEVER: Lacks = |_| None;

/// The least and the largest value of the colour scale that the runs on screen share.
pub(in crate::figure) type ColourRange = fn(&[Subject<'_>], &View) -> [f64; 2];

/// Makes the chart of a run, or takes the one that is kept.
pub(in crate::figure) type ChartOf = fn(&Context, Subject<'_>, &View) -> Arc<Chart>;

/// The subject that a figure is drawn from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::figure) enum Of {
    /// One run.
    Run,
    /// The selected pair of classes of one run.
    Pair,
    /// A run beside the first of those shown.
    TwoRuns,
    /// A group of runs against the group of the first run shown.
    Group,
    /// All groups of runs at once.
    AllGroups,
}

/// The class gradients that a figure is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::figure) enum Gradients {
    /// None.
    No,
    /// Those measured in the way in which the run is shown.
    AsShown,
    /// Those measured in both ways.
    Both,
}

/// The moment that a figure shows where it follows the cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::figure) enum At {
    /// The step of the probe at the cursor.
    Probe,
    /// The step of the evaluation at the cursor.
    Evaluation,
    /// The later of the two steps.
    Both,
    /// The last step of every run, whatever the cursor is on.
    End,
}
