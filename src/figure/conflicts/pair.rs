//! A pair of classes over time: the cosine of their gradients, the norms of their gradients, and how often the classes
//! are taken for each other.

use std::sync::Arc;

use egui::{Context, RichText, Ui, vec2};

use crate::figure::facts::mistakes;
use crate::figure::facts::mistakes::{evaluation_at, not_evaluated};
use crate::figure::facts::network::log10;
use crate::figure::facts::pair::{PairCell, made};
use crate::figure::facts::probes::Need;
use crate::figure::facts::unmeasured;
use crate::figure::kit::chart::{Chart, Curve, Look, Place, Scales, part_ui};
use crate::figure::kit::memo::remembered;
use crate::figure::kit::numerals::{decimal, three_figures};
use crate::figure::kit::palette;
use crate::figure::kit::table::{Table, Value};
use crate::figure::look::kind::Kind;
use crate::figure::look::pages::Page;
use crate::figure::look::pick::Pick;
use crate::figure::look::subject::{Subject, pair_of};
use crate::figure::look::view::View;
use crate::figure::parts::charts;
use crate::figure::parts::charts::{clock_key, kept, over_evals, timed};
use crate::figure::parts::figure::{At, Figure, Gradients, NEVER, Of};
use crate::figure::parts::unread::unread_ui;
use crate::gradient::gram::Cell;
use crate::run::event::{Eval, Split};

pub(in crate::figure) const FIGURE: Figure = Figure {
    kind: Kind::PairCosine,
    name: "pair-cosine",
    title: "Selected pair over time",
    subtitle: "Cosine, gradient norms and confusion of two classes",
    help: "Cosine between the gradients of the two selected classes at every probe. Filled points differ from 0 by more \
           than 3 standard errors, hollow ones do not, and the upright lines join the cosines of two halves of the \
           probe images: the longer, the less is known. Below, where there is room: how long both gradients are, and \
           which share of each class's images is taken for the other.",
    synonyms: &[
        "the selected pair over time",
        "cosine similarity",
        "gradient conflict",
        "pair of classes",
        "half-split estimate",
    ],
    page: Page::Conflicts,
    in_place_of: None,
    lacks: NEVER,
    of: Of::Pair,
    needs: Need::History,
    at: At::Probe,
    gradients: Gradients::AsShown,
    names_part: true,
    names_step: false,
    colour_range: None,
    chart: Some(chart),
    ui: pair_ui,
    table: |subject, _, view| table(subject, view),
};

/// Height of the figure, in points, from which on norms and confusion are drawn below the cosine.
const PARTS_HEIGHT: f32 = 240.0;
/// Heights of the figure, in points, from which on there is room for a note: above the cosine alone, and above all
/// three charts.
const NOTE_HEIGHT: [f32; 2] = [110.0, 290.0];
/// The scale of confusion reaches at least to this share, in percent.
const LEAST_PERCENT: f64 = 5.0;
/// Height that the legend, the times and the axis label take of the lowest chart, in points.
const FOOT: f32 = 50.0;

/// The cosine of the pair over time; at every probe, the cosines from either half of the images are the ends of a thin
/// upright line.
pub(in crate::figure) fn over_time(ctx: &Context, subject: Subject<'_>, view: &View) -> Chart {
    let mut chart = Chart {
        y_label: "cosine".to_owned(),
        fixed_y: Some((-1.0, 1.0)),
        empty: "Click a cell of the matrix, or a bar of a class's ledger, to follow two classes."
            .to_owned(),
        ..Chart::default()
    };
    let Some((a, b)) = pair_of(subject, view) else {
        return chart;
    };
    let made = made(ctx, subject, view, (a, b));
    let steps = subject.run.probes.iter().map(|probe| probe.step);
    let moments: Vec<_> = steps.map(|step| (step, made.by_step.get(&step))).collect();
    let names = subject.classes();
    let name = format!("{} and {}", names[a], names[b]);
    let color = palette::blend(palette::class(a), palette::class(b), 0.5);
    let curve = |look, keep: &dyn Fn(Option<Cell>) -> bool| {
        let cells = moments.iter();
        let cells = cells.map(|(step, cell)| (*step, cell.map(|cell| cell.cell)));
        let kept = cells.filter(|(_, cell)| keep(*cell));
        let points =
            kept.map(|(step, cell)| (subject.run.epoch_of(step), cell.and_then(|x| x.cosine)));
        Curve::new(name.clone(), color, look, points)
    };
    let halves = moments.iter().flat_map(|(step, cell)| {
        let x = subject.run.epoch_of(*step);
        let halves = cell.and_then(|cell| cell.halves);
        let ends = halves.map(|ends| ends.map(|end| (x, Some(end))));
        // A point without y ends the line.
        ends.into_iter().flatten().chain([(x, None)])
    });
    let halves = Curve::new(
        "from each half of the images".to_owned(),
        color,
        Look::Thin,
        halves,
    );
    let is =
        |resolved: bool| move |cell: Option<Cell>| cell.is_some_and(|x| x.resolved == resolved);
    chart.curves = vec![
        curve(Look::Thin, &|_| true),
        halves,
        curve(Look::Dots { filled: true }, &is(true)),
        curve(Look::Dots { filled: false }, &is(false)),
    ];
    let none = || "This part of the network has no probe of the two classes yet.".to_owned();
    chart.empty = unmeasured::sentence(subject, &[a, b]).unwrap_or_else(none);
    chart
}

/// Norms of both gradients over time.
fn norms(ctx: &Context, subject: Subject<'_>, view: &View) -> Chart {
    let mut chart = Chart {
        name: "Norms of the selected pair",
        // A label in plain letters, like those of the other two charts, so that all three begin at the same x.
        y_label: "norm".to_owned(),
        log_y: true,
        empty: "No norm is known yet.".to_owned(),
        ..Chart::default()
    };
    let Some(pair) = pair_of(subject, view) else {
        return chart;
    };
    let made = made(ctx, subject, view, pair);
    for (i, class) in [pair.0, pair.1].into_iter().enumerate() {
        let points = subject.run.probes.iter().map(|probe| {
            let cell = made.by_step.get(&probe.step);
            let norm = cell.and_then(|cell| cell.norms[i]);
            (subject.run.epoch_of(probe.step), log10(norm))
        });
        let name = subject.classes()[class].clone();
        chart
            .curves
            .push(Curve::new(name, palette::class(class), Look::Line, points));
    }
    chart
}

/// How often each of the two classes is taken for the other over time, in percent of the images of the true class.
fn mistakes(subject: Subject<'_>, view: &View) -> Chart {
    let mut chart = Chart {
        name: "Confusion of the selected pair",
        y_label: "%".to_owned(),
        empty: not_evaluated(subject.run).to_owned(),
        ..Chart::default()
    };
    let Some((a, b)) = pair_of(subject, view) else {
        return chart;
    };
    for (truth, taken_for) in [(a, b), (b, a)] {
        let name = taken(subject, truth, taken_for);
        let share = move |eval: &Eval| {
            mistakes::cell(eval, truth, taken_for)
                .1
                .map(|share| 100.0 * share)
        };
        let curves = over_evals(subject, &name, palette::class(truth), share);
        chart.curves.extend(curves);
    }
    chart
}

fn taken(subject: Subject<'_>, truth: usize, taken_for: usize) -> String {
    let names = subject.classes();
    format!("{} taken for {}", names[truth], names[taken_for])
}

/// One of the charts of the pair: the cosine, or one of the two charts below it.
#[derive(Clone, Copy)]
enum Part {
    Cosine,
    Norms,
    Mistakes,
}

impl Part {
    const ALL: [Self; 3] = [Self::Cosine, Self::Norms, Self::Mistakes];

    /// Axis bounds that hold this chart of every run on screen.
    fn scales(self, ctx: &Context, shown: &[Subject<'_>], view: &View) -> Scales {
        let charts = shown
            .iter()
            .map(|subject| self.chart(ctx, *subject, &view.in_classes(subject.classes())));
        let scales = Scales::holding(&charts.collect::<Vec<_>>());
        match self {
            Self::Mistakes => scales.at_least_to(LEAST_PERCENT),
            Self::Cosine | Self::Norms => scales,
        }
    }

    fn chart(self, ctx: &Context, subject: Subject<'_>, view: &View) -> Arc<Chart> {
        let name = match self {
            Self::Cosine => return chart(ctx, subject, view),
            Self::Norms => "norms of the pair",
            Self::Mistakes => "confusion of the pair",
        };
        let run = subject.run;
        let pair = pair_of(subject, view);
        let read = pair.map(|pair| made(ctx, subject, view, pair).key());
        let key = (
            run.started.as_ref().map(|started| &started.id),
            (run.revisions.probes, run.revisions.evals),
            (&view.scope, pair, read),
            clock_key(subject, view),
        );
        remembered(ctx, (name, subject.identity()), key, || {
            let chart = match self {
                Self::Mistakes => mistakes(subject, view),
                Self::Cosine | Self::Norms => norms(ctx, subject, view),
            };
            Arc::new(timed(chart, subject, view))
        })
    }
}

/// Draws the cosine over time and, where there is room, norms and confusion below it, all with the same times.
pub(in crate::figure) fn pair_ui(
    ui: &mut Ui,
    subject: Subject<'_>,
    shown: &[Subject<'_>],
    view: &View,
) -> Option<Pick> {
    if let Some((a, b)) = pair_of(subject, view) {
        unread_ui(ui, subject, &[a, b]);
    }
    let has_parts = ui.available_height() >= PARTS_HEIGHT && pair_of(subject, view).is_some();
    if ui.available_height() >= NOTE_HEIGHT[usize::from(has_parts)] {
        note_ui(ui, subject, view);
    }
    let ctx = ui.ctx().clone();
    let scales = Part::ALL.map(|part| part.scales(&ctx, shown, view));
    let draw = |ui: &mut Ui, part: Part, place: Place| {
        let chart = charts::overlaid(&ctx, subject, shown, view, |x, view| {
            part.chart(&ctx, x, view)
        });
        let own = scales[part as usize];
        let scales = match place {
            Place::Alone => own,
            Place::Top | Place::Middle | Place::Bottom => own.with_times_of(&scales),
        };
        let cursor = charts::cursor(&chart, subject, view);
        let of = (Kind::PairCosine, place);
        part_ui(ui, of, &chart, &scales, cursor, view)
    };
    if !has_parts {
        return draw(ui, Part::Cosine, Place::Alone);
    }
    // The numbers at the ends of neighbouring axes stand half outside their charts, so the charts need a gap.
    ui.spacing_mut().item_spacing.y = 11.0;
    let (width, height) = (ui.available_width(), ui.available_height() - 22.0);
    let lower = (0.2 * (height - FOOT)).clamp(46.0, 100.0);
    let parts = [
        (Part::Cosine, Place::Top, height - FOOT - 2.0 * lower),
        (Part::Norms, Place::Middle, lower),
        (Part::Mistakes, Place::Bottom, lower + FOOT),
    ];
    let drawn = parts.map(|(part, place, height)| {
        let part = ui.allocate_ui(vec2(width, height), |ui| draw(ui, part, place));
        part.inner
    });
    drawn.into_iter().flatten().next()
}

/// Says above the chart what is known of the pair at the cursor.
fn note_ui(ui: &mut Ui, subject: Subject<'_>, view: &View) {
    if let Some(note) = note(subject, view) {
        let text = RichText::new(note).size(11.0).weak();
        // The label is cut to one line; its tooltip holds the whole note.
        ui.add(egui::Label::new(text).truncate());
    }
}

/// What is known of the pair at the cursor: its cosine and norms, and how often the two classes are confused. `None`
/// where no pair is selected or its probe is not read.
pub(in crate::figure) fn note(subject: Subject<'_>, view: &View) -> Option<String> {
    let (a, b) = pair_of(subject, view)?;
    let probe = subject.probe(view)?;
    let layers = subject.run.gram_rows(&view.scope);
    let cell = PairCell::at(subject, probe.step, (a, b), &layers)?;
    let mut parts = Vec::new();
    if let Some(cosine) = cell.cell.cosine {
        let halves = cell.halves.map_or_else(String::new, |[first, second]| {
            format!(" (halves {} and {})", decimal(first), decimal(second))
        });
        parts.push(format!(
            "Step {}: cosine {}{halves}",
            probe.step,
            decimal(cosine)
        ));
    }
    if let [Some(first), Some(second)] = cell.norms {
        parts.push(format!(
            "‖g‖ {} and {}",
            three_figures(first),
            three_figures(second)
        ));
    }
    if let Some(eval) = evaluation_at(subject.run, view.split, probe.step) {
        let images = match eval.split {
            Split::Test => "test images",
            Split::Train | Split::Val => "times",
        };
        parts.extend([(a, b), (b, a)].map(|(truth, taken_for)| {
            let (count, _) = mistakes::cell(eval, truth, taken_for);
            let of = eval.support.get(truth).copied().unwrap_or(0);
            format!(
                "{} {count} of {of} {images}",
                taken(subject, truth, taken_for)
            )
        }));
    }
    (!parts.is_empty()).then(|| parts.join(" · "))
}

/// The numbers of the figure at every probe; confusion is that of the evaluation at the probe.
pub(in crate::figure) fn table(subject: Subject<'_>, view: &View) -> Table {
    let mut table = Table::new([
        "step",
        "epoch",
        "class_a",
        "class_b",
        "cosine",
        "resolved",
        "cosine_first_half",
        "cosine_second_half",
        "grad_norm_a",
        "grad_norm_b",
        "evaluation_step",
        "split",
        "share_a_taken_for_b",
        "share_b_taken_for_a",
    ]);
    let Some((a, b)) = pair_of(subject, view) else {
        return table;
    };
    let names = subject.classes();
    let layers = subject.run.gram_rows(&view.scope);
    for step in subject.run.probes.iter().map(|probe| probe.step) {
        let cell = PairCell::at(subject, step, (a, b), &layers);
        let eval = evaluation_at(subject.run, view.split, step);
        let share = |truth, taken_for| eval.and_then(|x| mistakes::cell(x, truth, taken_for).1);
        let cell = cell.as_ref();
        let half = |i: usize| cell.and_then(|cell| cell.halves).map(|halves| halves[i]);
        let norm = |i: usize| cell.and_then(|cell| cell.norms[i]);
        table.push([
            step.into(),
            subject.run.epoch_of(step).into(),
            names[a].as_str().into(),
            names[b].as_str().into(),
            cell.and_then(|cell| cell.cell.cosine).into(),
            cell.map_or(Value::None, |cell| cell.cell.resolved.into()),
            half(0).into(),
            half(1).into(),
            norm(0).into(),
            norm(1).into(),
            eval.map_or(Value::None, |eval| eval.step.into()),
            eval.map_or(Value::None, |eval| mistakes::word(eval.split).into()),
            share(a, b).into(),
            share(b, a).into(),
        ]);
    }
    table
}

/// The chart of the pair's cosine, made anew only where something it shows has changed.
pub(in crate::figure) fn chart(ctx: &Context, subject: Subject<'_>, view: &View) -> Arc<Chart> {
    let pair = pair_of(subject, view);
    let made = pair.map(|pair| made(ctx, subject, view, pair).key());
    kept(
        ctx,
        &FIGURE,
        (subject, view),
        (subject.run.revisions.probes, made),
        || over_time(ctx, subject, view),
    )
}
