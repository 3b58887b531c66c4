//! The difference between the conflict matrices of two runs.

use egui::Ui;

use crate::figure::conflicts::changes::{self, Changes};
use crate::figure::facts::conflict;
use crate::figure::facts::conflict::Change;
use crate::figure::facts::probes::Need;
use crate::figure::kit::memo::is_exporting;
use crate::figure::kit::table::Table;
use crate::figure::kit::text::empty_ui;
use crate::figure::look::kind::Kind;
use crate::figure::look::pages::Page;
use crate::figure::look::pick::Pick;
use crate::figure::look::subject::Subject;
use crate::figure::look::view::View;
use crate::figure::parts::figure::{At, Figure, Gradients, NEVER, Of};
use crate::gradient::gram::Gram;
use crate::run::comparable;

pub(in crate::figure) const FIGURE: Figure = Figure {
    kind: Kind::ConflictDifference,
    name: "conflict-difference",
    title: "Gradient Conflict Matrix, B − A",
    subtitle: "What changes between two runs: cosine of every pair in the second minus that in the first",
    help: "Cosine of every pair in the second run minus that in the first, on one scale for all moments. Blue: the \
           classes pull less against each other than in the first run; red: more. Low cells are not significant \
           (3 SE of the difference), hatched ones are undefined in one of the runs.",
    synonyms: &[
        "what changes between two runs",
        "GCM",
        "gradient conflict matrix",
        "cosine similarity",
        "comparison of runs",
    ],
    page: Page::Conflicts,
    in_place_of: Some(Kind::ConflictMatrix),
    lacks: NEVER,
    of: Of::TwoRuns,
    needs: Need::Moment,
    at: At::Probe,
    gradients: Gradients::AsShown,
    names_part: true,
    names_step: false,
    colour_range: Some(|_, _| [-changes::END, changes::END]),
    chart: None,
    ui: matrix_difference_ui,
    table,
};

/// The first run on screen, where it is another run than `subject` and has the same classes; else a sentence that says
/// what is missing.
pub(super) fn other<'a>(
    subject: Subject<'a>,
    shown: &[Subject<'a>],
) -> Result<Subject<'a>, String> {
    let first = shown.first().filter(|first| !first.is(&subject));
    let Some(first) = first else {
        return Err("A difference needs two runs: show a second one side by side.".to_owned());
    };
    if first.classes() != subject.classes() {
        return Err(format!(
            "{} and {} have different classes, so their pairs cannot be compared.",
            first.name, subject.name
        ));
    }
    Ok(*first)
}

/// As [`other`], where both runs are at the same moment.
fn both<'a>(
    subject: Subject<'a>,
    shown: &[Subject<'a>],
    view: &View,
) -> Result<Subject<'a>, String> {
    let first = other(subject, shown)?;
    let steps = [first, subject].map(|run| Some((run.name, run.run, run.probe(view)?.step)));
    if let [Some(first), Some(second)] = steps {
        comparable([first, second])?;
    }
    Ok(first)
}

/// The first run on screen, then another.
struct Runs;

impl changes::Of for Runs {
    const NAME: &'static str = "Difference of conflict matrices";
    const KEPT: &'static str = "changes";
    const UNDEFINED: &'static str = "undefined in one of the runs";
    const SIDES: [&'static str; 2] = ["", ""];
    const CHANGE: fn(&Gram, &Gram, usize, usize) -> Change = Change::of;
}

/// Draws the difference of `subject` from the first of `shown`; a click picks a pair.
pub(in crate::figure) fn matrix_difference_ui(
    ui: &mut Ui,
    subject: Subject<'_>,
    shown: &[Subject<'_>],
    view: &View,
) -> Option<Pick> {
    let found = both(subject, shown, view).and_then(|first| {
        let matrix = |subject| conflict::shown(ui.ctx(), subject, view);
        Ok((first, [matrix(first)?, matrix(subject)?]))
    });
    let (first, matrices) = match found {
        Ok(found) => found,
        Err(sentence) => {
            empty_ui(ui, &sentence);
            return None;
        }
    };
    let of = |subject: Subject<'_>| subject.probe(view).map_or(0, |probe| probe.step);
    let heading = format!(
        "{} (step {}) minus {} (step {})",
        subject.name,
        of(subject),
        first.name,
        of(first)
    );
    // Beside the matrices of both runs, under their names, the square stands as high and is as large as they are.
    let is_beside = view.overlaid && !is_exporting(ui.ctx());
    let heading = (!is_beside).then_some(heading);
    Changes::<Runs>::new(ui, subject, matrices).show(ui, heading, subject, view)
}

/// The numbers of the figure: a row for every pair of classes.
pub(in crate::figure) fn table(subject: Subject<'_>, shown: &[Subject<'_>], view: &View) -> Table {
    let first = both(subject, shown, view).ok();
    let step = |run: Subject<'_>| Some(run.probe(view)?.step);
    let moments = [
        ("step_first", first.and_then(step)),
        ("step_second", step(subject)),
    ];
    let grams = first.and_then(|first| Some([gram(first, view)?, gram(subject, view)?]));
    changes::table::<Runs>(["first", "second"], &moments, subject, view, grams)
}

/// The Gram matrix of the selected part at the cursor.
fn gram(subject: Subject<'_>, view: &View) -> Option<Gram> {
    let tensors = subject.probes.get(&subject.probe(view)?.step)?;
    tensors.gram_of(&subject.run.gram_rows(&view.scope))
}

#[cfg(test)]
mod tests;
