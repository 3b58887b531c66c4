//! How a change of configuration changes the interference of every layer, over seeds.

use egui::Ui;

use crate::figure::facts::probes::Need;
use crate::figure::groups::differences::{self, Rows, difference_ui};
use crate::figure::kit::table::Table;
use crate::figure::look::kind::Kind;
use crate::figure::look::pages::Page;
use crate::figure::look::pick::Pick;
use crate::figure::look::subject::Subject;
use crate::figure::look::view::View;
use crate::figure::parts::figure::{At, Figure, Gradients, NEVER, Of};

pub(in crate::figure) const FIGURE: Figure = Figure {
    kind: Kind::LayerDifference,
    name: "layer-difference",
    title: "Interference by layer, change between groups",
    subtitle: "Paired difference of every layer’s interference, with its 95 % interval",
    help: "Difference of every layer's interference (mean over class pairs of max(0, −cosine)) at the last step between \
           two groups of runs, paired by seed, from input to output: grey points are single seeds, the large one is \
           their mean, the line its 95 % interval. Left of 0 there is less conflict. The mean is filled where the \
           difference is significant after correction for the number of layers.",
    synonyms: &[
        "what changes in conflict by layer",
        "ablation",
        "paired test",
        "confidence interval",
        "significance",
        "interference",
        "seeds",
    ],
    page: Page::Compare,
    in_place_of: None,
    lacks: NEVER,
    of: Of::Group,
    needs: Need::Nothing,
    at: At::End,
    gradients: Gradients::AsShown,
    names_part: false,
    names_step: false,
    colour_range: None,
    chart: None,
    ui: layer_difference_ui,
    table,
};

fn layer_difference_ui(
    ui: &mut Ui,
    subject: Subject<'_>,
    shown: &[Subject<'_>],
    view: &View,
) -> Option<Pick> {
    difference_ui(ui, (FIGURE.title, Rows::Layers), subject, shown, view)
}

fn table(subject: Subject<'_>, shown: &[Subject<'_>], view: &View) -> Table {
    differences::table(Rows::Layers, subject, shown, view)
}
