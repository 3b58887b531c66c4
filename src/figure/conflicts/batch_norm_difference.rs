//! The conflict that comes through batch statistics: a run's conflict matrix with batch norm as in training minus that
//! with batch norm frozen, in the same layers at the same moment.

use egui::Ui;

use crate::figure::conflicts::changes::{self, Changes};
use crate::figure::facts::conflict::{Change, in_both_ways};
use crate::figure::facts::probes::Need;
use crate::figure::kit::table::Table;
use crate::figure::kit::text::empty_ui;
use crate::figure::look::kind::Kind;
use crate::figure::look::pages::Page;
use crate::figure::look::pick::Pick;
use crate::figure::look::subject::Subject;
use crate::figure::look::view::View;
use crate::figure::parts::figure::{At, Figure, Gradients, NEVER, Of};
use crate::gradient::gram::Gram;

pub(in crate::figure) const FIGURE: Figure = Figure {
    kind: Kind::BatchNormDifference,
    name: "batch-norm-difference",
    title: "Gradient Conflict Matrix, through batch norm",
    subtitle: "Conflict that comes through batch statistics: batch norm as in training minus frozen, of one run",
    help: "Cosine of every pair with batch norm as in training minus that with batch norm frozen, on one scale for all \
           moments. Red: the pair pulls apart more where images mix through the statistics of the batch; blue: less. \
           Low cells are not significant (3 SE of the difference; both measures are of the same \
           images), hatched ones are undefined in one of the measures.",
    synonyms: &[
        "conflict that comes through batch statistics",
        "GCM",
        "gradient conflict matrix",
        "batch norm",
        "batch normalisation",
        "batch statistics",
        "running statistics",
        "train mode",
        "eval mode",
    ],
    page: Page::Conflicts,
    in_place_of: Some(Kind::ConflictMatrix),
    lacks: NEVER,
    of: Of::Run,
    needs: Need::Moment,
    at: At::Probe,
    gradients: Gradients::Both,
    names_part: true,
    names_step: true,
    colour_range: Some(|_, _| [-changes::END, changes::END]),
    chart: None,
    ui: |ui, subject, _, view| batch_norm_difference_ui(ui, subject, view),
    table: |subject, _, view| table(subject, view),
};

/// One run with batch norm frozen, then as in training.
struct Measures;

impl changes::Of for Measures {
    const NAME: &'static str = "Conflict through batch statistics";
    const KEPT: &'static str = "changes through batch norm";
    const UNDEFINED: &'static str = "undefined in one of the two measures";
    const SIDES: [&'static str; 2] = ["frozen ", "as in training "];
    const CHANGE: fn(&Gram, &Gram, usize, usize) -> Change = Change::of_same_images;
}

/// Draws the difference; a click picks a pair.
pub(in crate::figure) fn batch_norm_difference_ui(
    ui: &mut Ui,
    subject: Subject<'_>,
    view: &View,
) -> Option<Pick> {
    let shown = match in_both_ways(ui.ctx(), subject, view) {
        Ok(shown) => shown,
        Err(sentence) => {
            empty_ui(ui, &sentence);
            return None;
        }
    };
    let step = subject.probe(view).map_or(0, |probe| probe.step);
    let heading = format!("Step {step}: batch norm as in training minus frozen");
    Changes::<Measures>::new(ui, subject, shown).show(ui, Some(heading), subject, view)
}

/// The numbers of the figure: a row for every pair of classes.
pub(in crate::figure) fn table(subject: Subject<'_>, view: &View) -> Table {
    let grams = || {
        let tensors = subject.probes.get(&subject.probe(view)?.step)?;
        let rows = subject.run.gram_rows(&view.scope);
        let frozen = tensors.frozen.as_deref()?.gram_of(&rows)?;
        Some([frozen, tensors.gram_of(&rows)?])
    };
    let sides = ["frozen", "as_in_training"];
    let moments = [("step", subject.probe(view).map(|probe| probe.step))];
    changes::table::<Measures>(sides, &moments, subject, view, grams())
}

#[cfg(test)]
mod tests;
