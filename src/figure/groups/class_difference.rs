//! How a change of configuration changes the F1 of every class, over seeds.

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
    kind: Kind::ClassDifference,
    name: "class-difference",
    title: "Per-class F1, change between groups",
    subtitle: "Paired difference of every class’s F1, with its 95 % interval",
    help: "Difference of every class's F1 at the last step between two groups of runs, paired by seed: grey points are \
           single seeds, the large one is their mean, the line its 95 % interval by Student's t. Right of 0 the class \
           gains; the mean is filled where the difference is significant after correction for the number of classes \
           (exact test, p at most 0.05).",
    synonyms: &[
        "what changes in F1 of each class",
        "ablation",
        "paired test",
        "confidence interval",
        "significance",
        "F1 score",
        "seeds",
    ],
    page: Page::Compare,
    in_place_of: None,
    lacks: NEVER,
    of: Of::Group,
    needs: Need::Nothing,
    at: At::End,
    gradients: Gradients::No,
    names_part: false,
    names_step: false,
    colour_range: None,
    chart: None,
    ui: class_difference_ui,
    table,
};

fn class_difference_ui(
    ui: &mut Ui,
    subject: Subject<'_>,
    shown: &[Subject<'_>],
    view: &View,
) -> Option<Pick> {
    difference_ui(ui, (FIGURE.title, Rows::Classes), subject, shown, view)
}

fn table(subject: Subject<'_>, shown: &[Subject<'_>], view: &View) -> Table {
    differences::table(Rows::Classes, subject, shown, view)
}
