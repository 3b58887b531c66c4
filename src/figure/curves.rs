//! What each chart shows of a run.

use std::sync::Arc;

use egui::Context;

use crate::run::Scope;
use crate::run::event::{Eval, Layer, Probe, Split};

use super::chart::{Axis, Chart, Curve, Gap, Look};
use super::time::Clock;
use super::{
    Kind, Subject, TimeAxis, View, gates_time, ledger, ledger_time, pair, palette, remembered,
    thirds,
};
use crate::gradient::gram::ConflictSummary;

/// The chart of a run, made anew only where something it shows has changed.
pub(super) fn chart(ctx: &Context, kind: Kind, subject: Subject<'_>, view: &View) -> Arc<Chart> {
    let run = subject.run;
    let id = run.started.as_ref().map(|started| &started.id);
    let (evals, steps, probes) = (
        run.revisions.evals,
        run.revisions.steps,
        run.revisions.probes,
    );
    let key = match kind {
        Kind::ClassF1 | Kind::Scores => Key::Evals(evals),
        Kind::Loss => Key::Steps(evals, steps),
        Kind::GradNorms | Kind::ConflictTime => Key::Scope(probes, &view.scope),
        Kind::GatesTime | Kind::GatesAlike => {
            Key::Read(probes, subject.probes.whole.keys().copied().collect())
        }
        Kind::DepthProfile => Key::Moment(probes, subject.probe(view).map(|probe| probe.step)),
        Kind::LedgerTime => {
            let class = ledger::class_of(subject, view);
            Key::Made(
                probes,
                class.map(|class| ledger_time::made(ctx, subject, view, class).key()),
            )
        }
        _ => {
            let pair = pair::pair_of(subject, view);
            Key::Made(
                probes,
                pair.map(|pair| pair::made(ctx, subject, view, pair).key()),
            )
        }
    };
    remembered(
        ctx,
        (kind.name(), subject.name),
        (id, key, clock_key(subject, view)),
        || {
            let mut chart = match kind {
                Kind::ClassF1 => class_f1(subject),
                Kind::Scores => scores(subject),
                Kind::Loss => loss(subject),
                Kind::GradNorms => grad_norms(subject, view),
                Kind::DepthProfile => depth_profile(ctx, subject, view),
                Kind::ConflictTime => conflict_over_time(subject, view),
                Kind::GatesTime | Kind::GatesAlike => gates_time::over_time(ctx, kind, subject),
                Kind::LedgerTime => ledger_time::over_time(ctx, subject, view),
                _ => pair::over_time(ctx, subject, view),
            };
            chart.name = kind.title();
            Arc::new(timed(chart, subject, view))
        },
    )
}

/// What places in time depend on: minutes and images are known from the steps.
pub(super) fn clock_key(subject: Subject<'_>, view: &View) -> (TimeAxis, u64) {
    match view.time {
        TimeAxis::Epoch | TimeAxis::Step => (view.time, 0),
        TimeAxis::Images | TimeAxis::WallTime => (view.time, subject.run.revisions.steps),
    }
}

/// A chart whose curves come in epochs, in what time is measured in.
pub(super) fn timed(mut chart: Chart, subject: Subject<'_>, view: &View) -> Chart {
    if let Axis::Time(clock) = &mut chart.x {
        *clock = Clock::new(subject.run, view.time);
        let place = |epoch| clock.at(epoch * subject.steps_per_epoch());
        let curves = chart.curves.into_iter();
        chart.curves = curves.map(|curve| curve.at(place)).collect();
        let xs = chart.bands.iter_mut().flat_map(|band| &mut band.x);
        xs.for_each(|x| *x = place(*x));
    }
    chart
}

/// All that a chart is made from, but for the run: revisions, and what of the view it depends on.
#[derive(Debug, Hash)]
enum Key<'a> {
    Evals(u64),
    Steps(u64, u64),
    Scope(u64, &'a Scope),
    Read(u64, Vec<u64>),
    Moment(u64, Option<u64>),
    /// What was made of the probes that were read.
    Made(u64, Option<String>),
}

/// The x of what is looked at: the layer selected, or the moment held. Following the newest, a line would only cover
/// the end of the curves.
pub(super) fn cursor(chart: &Chart, subject: Subject<'_>, view: &View) -> Option<f64> {
    let Axis::Time(clock) = &chart.x else {
        let Scope::Layer(name) = &view.scope else {
            return None;
        };
        let mut layers = layers_with_gradients(subject);
        return layers
            .position(|(layer, _)| layer.name == *name)
            .map(|x| x as f64);
    };
    let step = view.step?.min(subject.run.last_step());
    Some(clock.at(step as f64))
}

/// One curve through the validation evaluations and, as points alone, the test ones.
pub(super) fn over_evals(
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

/// Layers that have class gradients, with their Gram rows, from input to output.
pub(super) fn layers_with_gradients(subject: Subject<'_>) -> impl Iterator<Item = (&Layer, usize)> {
    let started = subject.run.started.iter();
    started
        .flat_map(|started| &started.layers)
        .filter_map(|layer| Some((layer, layer.gram?)))
}

fn class_f1(subject: Subject<'_>) -> Chart {
    let per_class = |(k, name): (usize, &String)| {
        let curves = over_evals(subject, name, palette::class(k), move |eval| {
            eval.f1.get(k).copied().flatten()
        });
        let why = "undefined: neither present nor predicted";
        curves.map(|curve| curve.of_class(k).with_gaps(Gap::Undefined(why)))
    };
    Chart {
        y_label: "F1".to_owned(),
        fixed_y: Some((0.0, 1.0)),
        curves: subject
            .classes()
            .iter()
            .enumerate()
            .flat_map(per_class)
            .collect(),
        empty: if subject.run.evals.is_empty() {
            "The first evaluation comes before the first step.".to_owned()
        } else {
            "No class has an F1 yet: none was there or predicted.".to_owned()
        },
        ..Chart::default()
    }
}

fn scores(subject: Subject<'_>) -> Chart {
    let curves = [
        over_evals(subject, "Macro-F1", palette::series(0), |eval| {
            eval.macro_f1
        }),
        over_evals(subject, "Accuracy", palette::series(1), |eval| {
            eval.accuracy
        }),
        over_evals(subject, "Balanced accuracy", palette::series(2), |eval| {
            eval.balanced_accuracy
        }),
    ];
    Chart {
        y_label: "score".to_owned(),
        fixed_y: Some((0.0, 1.0)),
        curves: curves.into_iter().flatten().collect(),
        empty: "The first evaluation comes before the first step.".to_owned(),
        ..Chart::default()
    }
}

fn loss(subject: Subject<'_>) -> Chart {
    let train = Curve::new(
        "Training batches".to_owned(),
        palette::series(1),
        Look::Thin,
        subject.run.steps.iter().map(|step| (step.epoch, step.loss)),
    );
    let [val, mut test] = over_evals(subject, "Validation", palette::series(0), |eval| eval.loss);
    "Test".clone_into(&mut test.name);
    test.color = palette::series(2);
    let mut curves = vec![train, val];
    if !test.is_empty() {
        curves.push(test);
    }
    let marked = curves.into_iter().map(|x| x.with_gaps(Gap::NotFinite));
    Chart {
        y_label: "nats".to_owned(),
        curves: marked.collect(),
        empty: "The loss appears with the first steps.".to_owned(),
        ..Chart::default()
    }
}

/// ‖g_k‖ of a scope, from the log alone: squared norms add over layers.
pub(super) fn norm(probe: &Probe, rows: &[usize], class: usize) -> Option<f64> {
    let mut square = 0.0;
    for &row in rows {
        let norm = probe.layers.get(row)?.norm.get(class).copied().flatten()?;
        square += norm * norm;
    }
    (!rows.is_empty()).then(|| square.sqrt())
}

/// log10, undefined for 0: a zero gradient has no place on a logarithmic axis.
pub(super) fn log10(value: Option<f64>) -> Option<f64> {
    value.filter(|value| *value > 0.0).map(f64::log10)
}

fn grad_norms(subject: Subject<'_>, view: &View) -> Chart {
    let rows = subject.run.gram_rows(&view.scope);
    let probes = &subject.run.probes;
    let xs: Vec<f64> = probes.iter().map(|probe| probe.epoch).collect();
    norms(subject, &xs, |i, k| norm(&probes[i], &rows, k))
}

fn depth_profile(ctx: &Context, subject: Subject<'_>, view: &View) -> Chart {
    let layers: Vec<_> = layers_with_gradients(subject).collect();
    let probe = subject.probe(view);
    let xs: Vec<f64> = (0..layers.len()).map(|x| x as f64).collect();
    let chart = norms(subject, &xs, |i, k| norm(probe?, &[layers[i].1], k));
    Chart {
        x: Axis::Layers(layers.iter().map(|(layer, _)| layer.name.clone()).collect()),
        range_y: range_of_norms(ctx, subject),
        ..chart
    }
}

/// The least and the largest norm of any class in any layer at any probe, as log10.
fn range_of_norms(ctx: &Context, subject: Subject<'_>) -> Option<(f64, f64)> {
    let id = subject.run.started.as_ref().map(|started| &started.id);
    let key = (id, subject.run.revisions.probes);
    remembered(ctx, ("range of norms", subject.name), key, || {
        let layers = subject.run.probes.iter().flat_map(|probe| &probe.layers);
        let norms = layers.flat_map(|layer| layer.norm.iter().flatten());
        let norms = norms
            .copied()
            .filter(|norm| *norm > 0.0 && norm.is_finite());
        let ends = norms.fold(None, |ends: Option<(f64, f64)>, x| {
            let (low, high) = ends.unwrap_or((x, x));
            Some((low.min(x), high.max(x)))
        });
        ends.map(|(low, high)| (low.log10(), high.log10()))
    })
}

/// Norms of single classes, and head against tail before them. `norm(i, k)` is that of class k at `xs[i]`.
fn norms(subject: Subject<'_>, xs: &[f64], norm: impl Fn(usize, usize) -> Option<f64>) -> Chart {
    let thirds = thirds::of(subject);
    let look = if thirds.is_empty() {
        Look::Line
    } else {
        Look::Thin
    };
    let per_class = |(k, name): (usize, &String)| {
        let values = xs.iter().enumerate().map(|(i, x)| (*x, norm(i, k)));
        let has_images = values.clone().any(|(_, norm)| norm.is_some());
        let why = if has_images {
            "undefined: the gradient is 0, which has no place on a logarithmic axis"
        } else {
            "undefined: no training image to probe"
        };
        let points = values.map(|(x, norm)| (x, log10(norm)));
        let curve = Curve::new(name.clone(), palette::class(k), look, points);
        curve.of_class(k).with_gaps(Gap::Undefined(why))
    };
    let classes = subject.classes().iter().enumerate().map(per_class);
    let (groups, bands): (Vec<_>, Vec<_>) =
        thirds.iter().map(|third| third.drawn(xs, &norm)).unzip();
    Chart {
        y_label: "‖g‖".to_owned(),
        log_y: true,
        curves: classes.chain(groups).collect(),
        bands,
        empty: "The first probe comes before the first step.".to_owned(),
        ..Chart::default()
    }
}

/// Parts of the network whose interference is drawn over time: the backbone, and the layer that is selected.
pub(super) fn parts(subject: Subject<'_>, view: &View) -> Vec<(String, Option<usize>)> {
    let mut parts = vec![("Backbone".to_owned(), None)];
    if let Scope::Layer(name) = &view.scope {
        let mut layers = layers_with_gradients(subject);
        let found = layers.find(|(layer, _)| layer.name == *name);
        parts.extend(found.map(|(layer, row)| (layer.name.clone(), Some(row))));
    }
    parts
}

/// What a probe knows of such a part.
pub(super) fn summary_of(probe: &Probe, row: Option<usize>) -> Option<&ConflictSummary> {
    match row {
        Some(row) => probe.layers.get(row),
        None => Some(&probe.backbone),
    }
}

/// Interference of the backbone and of the layer selected, each with its noise floor.
fn conflict_over_time(subject: Subject<'_>, view: &View) -> Chart {
    let why = "undefined: no pair of classes has gradients";
    let of_part = |(i, (name, row)): (usize, (String, Option<usize>))| {
        let color = palette::series(i);
        let curve = |name, look, value: fn(&ConflictSummary) -> Option<f64>| {
            let probes = subject.run.probes.iter();
            let points = probes.map(|x| (x.epoch, summary_of(x, row).and_then(value)));
            Curve::new(name, color, look, points)
        };
        let floor = curve(format!("{name}, noise floor"), Look::Thin, |x| x.floor);
        let value = curve(name, Look::Line, |x| x.interference);
        [value.with_gaps(Gap::Undefined(why)), floor]
    };
    let parts = parts(subject, view).into_iter().enumerate();
    Chart {
        y_label: "interference".to_owned(),
        curves: parts.flat_map(of_part).collect(),
        empty: if subject.run.probes.is_empty() {
            "The first probe comes before the first step.".to_owned()
        } else {
            "No pair of classes has gradients that could conflict.".to_owned()
        },
        ..Chart::default()
    }
}
