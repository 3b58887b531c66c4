//! Which classes images of other classes hold down: positive against negative gradient at every class's logit.

use std::sync::Arc;

use egui::Context;

use crate::figure::facts::network::log10;
use crate::figure::facts::probes::Need;
use crate::figure::kit::chart::{Chart, Curve, Gap, Look};
use crate::figure::kit::palette;
use crate::figure::kit::table::Table;
use crate::figure::look::kind::Kind;
use crate::figure::look::pages::Page;
use crate::figure::look::subject::Subject;
use crate::figure::look::view::View;
use crate::figure::parts::charts::{chart_of_run_ui, kept};
use crate::figure::parts::figure::{At, Figure, Gradients, Of};
use crate::run::event::{LogitGradients, Step};

/// So many of the first moments are all drawn: there the ratios change fastest.
const ALL_OF_FIRST: usize = 64;
/// Of later moments, no more than twice as many as this are drawn. Sums over all steps so far change too little from
/// one logged step to the next to show it, and a long run has ten thousand of them for every class.
const LATER: usize = 512;

pub(in crate::figure) const FIGURE: Figure = Figure {
    kind: Kind::GradientRatio,
    name: "gradient-ratio",
    title: "Gradient ratio by class",
    subtitle: "Which classes are held down: positive to negative gradient at every class's logit since the first step; balanced at 1",
    help: "In every training step, images of a class pull its logit up and images of all other classes push it down. \
           This is the ratio of both, each summed as |∂loss/∂logit| over all images drawn so far (Equalization Loss \
           v2). At 1 (the dashed line) they balance; at 0.1 a class is pushed down ten times as hard as it is pulled \
           up. All ratios near 1 as training settles, learnt or not: what tells is how far below 1 a class falls, and \
           for how long. It is taken from the loss that trains, class weights and margins included. A ring at the \
           lower edge is a ratio of 0 or an undefined one.",
    synonyms: &[
        "which classes are held down",
        "held down",
        "EQL v2",
        "equalization loss",
        "gradient ratio",
        "positive and negative gradients",
        "suppression",
        "logit",
    ],
    page: Page::Overview,
    in_place_of: None,
    lacks,
    of: Of::Run,
    needs: Need::Nothing,
    at: At::Evaluation,
    gradients: Gradients::No,
    names_part: false,
    names_step: false,
    colour_range: None,
    chart: Some(chart),
    ui: |ui, subject, shown, view| {
        chart_of_run_ui(ui, (Kind::GradientRatio, chart), subject, shown, view)
    },
    table: |subject, _, _| table(subject),
};

/// The chart of a run, made anew only where something it shows has changed.
pub(in crate::figure) fn chart(ctx: &Context, subject: Subject<'_>, view: &View) -> Arc<Chart> {
    let revisions = &subject.run.revisions;
    kept(ctx, &FIGURE, (subject, view), revisions.steps, || {
        over_time(subject)
    })
}

fn over_time(subject: Subject<'_>) -> Chart {
    let all: Vec<_> = recorded(subject).collect();
    let drawn = thinned(&all);
    let counts = subject.run.started.as_ref().map(|x| &x.train_counts);
    let per_class = |(k, name): (usize, &String)| {
        let has_images = counts.and_then(|counts| counts.get(k)) != Some(&0);
        let why = if has_images {
            "is 0 or undefined: no image has pulled it up so far"
        } else {
            "is 0: the class has no training images"
        };
        let points = drawn
            .iter()
            .map(|(step, sums)| (step.epoch, log10(sums.ratio(k))));
        let curve = Curve::new(name.clone(), palette::class(k), Look::Line, points);
        curve.of_class(k).with_gaps(Gap::Undefined(why))
    };
    Chart {
        y_label: "ratio".to_owned(),
        log_y: true,
        level: Some(0.0),
        // The line of balance is in view wherever the classes are.
        range_y: Some((0.0, 0.0)),
        curves: subject
            .classes()
            .iter()
            .enumerate()
            .map(per_class)
            .collect(),
        empty: missing(subject, all.is_empty()).to_owned(),
        ..Chart::default()
    }
}

/// Why a run has no ratio at any moment; `None` where it has, or may have later.
fn lacks(subject: Subject<'_>) -> Option<&'static str> {
    let run = subject.run;
    let started = run.started.as_ref();
    if started.is_some_and(|x| x.recorder.is_none() && x.config.smoothing() > 0.0) {
        return Some(
            "With label smoothing, images pull at the logits of all classes, so that the ratio is not defined.",
        );
    }
    if run.is_recorded() {
        return Some("The recorder does not see the gradients at the logits.");
    }
    let is_old = run.started.as_ref().is_some_and(|x| x.format < 2);
    let is_over = is_old || run.ending.is_some();
    (is_over && recorded(subject).next().is_none()).then_some(
        "This run does not have the gradients at the logits: they are recorded since format 2.",
    )
}

/// The logged steps that have the sums.
fn recorded(subject: Subject<'_>) -> impl Iterator<Item = (&Step, &LogitGradients)> {
    let steps = subject.run.steps.iter();
    steps.filter_map(|step| Some((step, step.logit_gradients.as_ref()?)))
}

/// The moments that are drawn: the first ones, some of the others, and the last.
fn thinned<T: Copy>(all: &[T]) -> Vec<T> {
    // A power of two, so that the moments that are drawn stay while a run grows.
    let apart = all.len().div_ceil(2 * LATER).next_power_of_two();
    let is_drawn = |at: usize| at < ALL_OF_FIRST || at.is_multiple_of(apart) || at + 1 == all.len();
    let moments = all.iter().enumerate();
    moments
        .filter(|(at, _)| is_drawn(*at))
        .map(|(_, moment)| *moment)
        .collect()
}

/// Why there is nothing to draw.
fn missing(subject: Subject<'_>, is_not_recorded: bool) -> &'static str {
    match lacks(subject) {
        Some(sentence) => sentence,
        None if is_not_recorded => "The ratio appears with the first steps.",
        None => "No class has been pulled both up and down yet.",
    }
}

pub(in crate::figure) fn table(subject: Subject<'_>) -> Table {
    let columns = ["step", "epoch", "class", "positive", "negative", "ratio"];
    let mut table = Table::new(columns);
    for (step, sums) in recorded(subject) {
        for (k, class) in subject.classes().iter().enumerate() {
            table.push([
                step.step.into(),
                step.epoch.into(),
                class.as_str().into(),
                sums.positive.get(k).copied().into(),
                sums.negative.get(k).copied().into(),
                sums.ratio(k).into(),
            ]);
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::testing::directory;
    use crate::run::log;
    use crate::run::probes::Probes;

    #[test]
    fn a_run_that_lacks_the_sums_says_why() -> anyhow::Result<()> {
        let run = log::load(&directory("solar-branch"))?.run;
        let subject = Subject {
            name: "solar-branch",
            run: &run,
            probes: &Probes::new(),
        };
        assert!(over_time(subject).empty.ends_with("since format 2."));
        assert!(table(subject).rows.is_empty());
        let mut smoothed = run.clone();
        if let Some(started) = &mut smoothed.started {
            started.config.label_smoothing = Some(0.1);
        }
        let subject = Subject {
            run: &smoothed,
            ..subject
        };
        assert!(over_time(subject).empty.starts_with("With label smoothing"));
        Ok(())
    }

    #[test]
    fn few_moments_of_a_long_run_are_drawn_and_they_stay() {
        let drawn = |len: usize| thinned(&(0..len).collect::<Vec<_>>());
        assert_eq!(drawn(1000).len(), 1000);
        assert_eq!(drawn(0), [0; 0]);
        let (before, after) = (drawn(20_000), drawn(20_100));
        assert!(
            before.len() < 2 * LATER + ALL_OF_FIRST + 1,
            "{}",
            before.len()
        );
        assert!(before[..ALL_OF_FIRST].iter().copied().eq(0..ALL_OF_FIRST));
        assert_eq!(before.last(), Some(&19_999));
        let (_, kept) = before.split_last().unwrap();
        assert!(kept.iter().all(|at| after.contains(at)));
    }
}
