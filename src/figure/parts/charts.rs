//! Charts of a run: kept until what they show has changed, and placed in time.

use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use egui::{Context, Ui};

use crate::figure::kit::chart::{Axis, Chart, Curve, Look, Scales, chart_ui};
use crate::figure::kit::memo::remembered;
use crate::figure::look::clock::{Clock, TimeAxis};
use crate::figure::look::kind::Kind;
use crate::figure::look::pick::Pick;
use crate::figure::look::subject::Subject;
use crate::figure::look::view::View;
use crate::figure::parts::figure::{ChartOf, Figure};
use crate::run::Scope;
use crate::run::event::{Eval, Split};

/// The time axis as part of a key: minutes and images depend on the logged steps, epochs and steps do not.
pub(in crate::figure) fn clock_key(subject: Subject<'_>, view: &View) -> (TimeAxis, u64) {
    match view.time {
        TimeAxis::Epoch | TimeAxis::Step => (view.time, 0),
        TimeAxis::Images | TimeAxis::WallTime => (view.time, subject.run.revisions.steps),
    }
}

/// Moves a chart whose curves come in epochs to the unit of time of the view.
pub(in crate::figure) fn timed(mut chart: Chart, subject: Subject<'_>, view: &View) -> Chart {
    if let Axis::Time(clock) = &mut chart.x {
        *clock = Clock::new(subject.run, view.time);
        let place = |epoch| clock.at(epoch * subject.run.steps_per_epoch());
        let curves = chart.curves.into_iter();
        chart.curves = curves.map(|curve| curve.at(place)).collect();
        let xs = chart.bands.iter_mut().flat_map(|band| &mut band.x);
        xs.for_each(|x| *x = place(*x));
    }
    chart
}

/// The x of the selected layer or of the selected step. `None` while the view follows the newest step, where a line
/// would only cover the end of the curves.
pub(in crate::figure) fn cursor(chart: &Chart, subject: Subject<'_>, view: &View) -> Option<f64> {
    match (&chart.x, &view.scope) {
        (Axis::Time(clock), _) => {
            let step = view.step?.min(subject.run.last_step());
            Some(clock.at(step as f64))
        }
        (Axis::Layers(layers), Scope::Layer(name)) => {
            let place = layers.iter().position(|layer| layer == name);
            place.map(|x| x as f64)
        }
        (Axis::Layers(_), _) => None,
    }
}

/// One curve through the validation evaluations and one, of points alone, through the test evaluations.
pub(in crate::figure) fn over_evals(
    subject: Subject<'_>,
    name: &str,
    color: egui::Color32,
    value: impl Fn(&Eval) -> Option<f64>,
) -> [Curve; 2] {
    let curve = |split: Split, look| {
        let evals = subject.run.evals_of(split);
        let points = evals.map(|eval| (eval.epoch, value(eval)));
        Curve::new(name.to_owned(), color, look, points)
    };
    [
        curve(Split::Val, Look::Line),
        curve(Split::Test, Look::Points),
    ]
}

/// The chart of a run, made anew only where something it shows has changed: `key` has all that it is made from, except
/// for the run's id and its clock.
pub(in crate::figure) fn kept(
    ctx: &Context,
    figure: &Figure,
    (subject, view): (Subject<'_>, &View),
    key: impl Hash + Debug,
    make: impl FnOnce() -> Chart,
) -> Arc<Chart> {
    let id = subject.run.started.as_ref().map(|started| &started.id);
    let key = (id, key, clock_key(subject, view));
    remembered(ctx, (figure.name, subject.identity()), key, || {
        let mut chart = make();
        chart.name = figure.title;
        Arc::new(timed(chart, subject, view))
    })
}

/// Draws the chart of a run, on scales that hold those of all runs on screen.
pub(in crate::figure) fn chart_of_run_ui(
    ui: &mut Ui,
    (kind, of): (Kind, ChartOf),
    subject: Subject<'_>,
    shown: &[Subject<'_>],
    view: &View,
) -> Option<Pick> {
    let chart = overlaid(ui.ctx(), subject, shown, view, |x, view| {
        of(ui.ctx(), x, view)
    });
    let scales = scales(ui.ctx(), of, shown, view).with_layers_of(&chart);
    let cursor = cursor(&chart, subject, view);
    chart_ui(ui, kind, &chart, &scales, cursor, view)
}

/// The chart of a run; where the view lays the curves of two runs over each other, that of both for the first of them.
pub(in crate::figure) fn overlaid<'a>(
    ctx: &Context,
    subject: Subject<'a>,
    shown: &[Subject<'a>],
    view: &View,
    of: impl Fn(Subject<'a>, &View) -> Arc<Chart>,
) -> Arc<Chart> {
    let own = of(subject, view);
    let [first, second] = shown else { return own };
    if !view.overlaid || !first.is(&subject) || first.is(second) {
        return own;
    }
    let other = of(*second, &view.in_classes(second.classes()));
    let key = [&own, &other].map(|chart| Arc::as_ptr(chart).addr());
    let classes = [first.classes(), second.classes()];
    let both = remembered(ctx, (own.name, subject.identity()), key, || {
        // The charts are kept as well, so that no other chart can have their addresses.
        let both = Arc::new(Chart::overlaid(&own, &other, classes));
        (both, own.clone(), other.clone())
    });
    both.0
}

/// Bounds that hold the charts of all `subjects`.
pub(in crate::figure) fn scales(
    ctx: &Context,
    of: ChartOf,
    subjects: &[Subject<'_>],
    view: &View,
) -> Scales {
    let charts = subjects
        .iter()
        .map(|subject| of(ctx, *subject, &view.in_classes(subject.classes())));
    Scales::holding(&charts.collect::<Vec<_>>())
}
