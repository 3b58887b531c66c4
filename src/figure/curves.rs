//! What each chart shows of a run.

use std::sync::Arc;

use egui::{Context, RichText, Ui};

use crate::run::Scope;
use crate::run::event::{Eval, Layer, Probe, Split};

use super::chart::{Axis, Chart, Curve, Look};
use super::time::Clock;
use super::{Kind, Subject, TimeAxis, View, palette, remembered};

/// Height from which on a chart has room for a note above it.
const NOTE_HEIGHT: f32 = 110.0;

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
        Kind::GradNorms => Key::Scope(probes, &view.scope),
        Kind::DepthProfile => Key::Moment(probes, subject.probe(view).map(|probe| probe.step)),
        Kind::LedgerTime => Key::Class(
            probes,
            steps.min(1),
            &view.scope,
            super::ledger::class_of(subject, view),
            subject.probes.keys().copied().collect(),
        ),
        _ => Key::Pair(
            probes,
            &view.scope,
            view.pair,
            subject.probes.keys().copied().collect(),
        ),
    };
    // Minutes and images are known from the steps.
    let clock_key = match view.time {
        TimeAxis::Epoch | TimeAxis::Step => (view.time, 0),
        TimeAxis::Images | TimeAxis::WallTime => (view.time, steps),
    };
    remembered(
        ctx,
        (kind.name(), subject.name),
        (id, key, clock_key),
        || {
            let mut chart = match kind {
                Kind::ClassF1 => class_f1(subject),
                Kind::Scores => scores(subject),
                Kind::Loss => loss(subject),
                Kind::GradNorms => grad_norms(subject, view),
                Kind::DepthProfile => depth_profile(subject, view),
                Kind::LedgerTime => super::ledger::over_time(subject, view),
                _ => super::pair::over_time(subject, view),
            };
            chart.name = kind.title();
            if let Axis::Time(clock) = &mut chart.x {
                *clock = Clock::new(run, view.time);
                // Curves come in epochs.
                let place = |epoch| clock.at(epoch * subject.steps_per_epoch());
                let curves = chart.curves.into_iter();
                chart.curves = curves.map(|curve| curve.at(place)).collect();
            }
            Arc::new(chart)
        },
    )
}

/// All that a chart is made from, but for the run: revisions, and what of the view it depends on.
#[derive(Debug, Hash)]
enum Key<'a> {
    Evals(u64),
    Steps(u64, u64),
    Scope(u64, &'a Scope),
    Moment(u64, Option<u64>),
    /// Of the steps only the first changes what was there before: until then no learning rate is known.
    Class(u64, u64, &'a Scope, Option<usize>, Vec<u64>),
    Pair(u64, &'a Scope, Option<(usize, usize)>, Vec<u64>),
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

/// Says above a chart what it is of, at the moment looked at, where there is room.
pub(super) fn note_ui(ui: &mut Ui, kind: Kind, subject: Subject<'_>, view: &View) {
    if kind != Kind::PairCosine || ui.available_height() < NOTE_HEIGHT {
        return;
    }
    if let Some(note) = super::pair::note(subject, view) {
        let text = RichText::new(note).size(11.0).weak();
        let label = egui::Label::new(text);
        // Cut to a line, all of it is in the tooltip.
        let has_room = ui.available_height() > 2.0 * NOTE_HEIGHT;
        ui.add(if has_room {
            label.wrap()
        } else {
            label.truncate()
        });
    }
}

/// One curve through the validation evaluations and, as points alone, the test ones.
fn over_evals(
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
        over_evals(subject, name, palette::class(k), move |eval| {
            eval.f1.get(k).copied().flatten()
        })
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
        empty: "The first evaluation comes before the first step.".to_owned(),
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
    Chart {
        y_label: "nats".to_owned(),
        none_is_not_finite: true,
        curves,
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
fn log10(value: Option<f64>) -> Option<f64> {
    value.filter(|value| *value > 0.0).map(f64::log10)
}

fn grad_norms(subject: Subject<'_>, view: &View) -> Chart {
    let rows = subject.run.gram_rows(&view.scope);
    let per_class = |(k, name): (usize, &String)| {
        let probes = subject.run.probes.iter();
        let points = probes.map(|probe| (probe.epoch, log10(norm(probe, &rows, k))));
        Curve::new(name.clone(), palette::class(k), Look::Line, points)
    };
    Chart {
        y_label: "‖g‖".to_owned(),
        log_y: true,
        curves: subject
            .classes()
            .iter()
            .enumerate()
            .map(per_class)
            .collect(),
        empty: "The first probe comes before the first step.".to_owned(),
        ..Chart::default()
    }
}

fn depth_profile(subject: Subject<'_>, view: &View) -> Chart {
    let layers: Vec<_> = layers_with_gradients(subject).collect();
    let probe = subject.probe(view);
    let per_class = |(k, name): (usize, &String)| {
        let points = layers.iter().enumerate().map(|(x, (_, row))| {
            let norm = probe.and_then(|probe| norm(probe, &[*row], k));
            (x as f64, log10(norm))
        });
        Curve::new(name.clone(), palette::class(k), Look::Line, points)
    };
    Chart {
        y_label: "‖g‖".to_owned(),
        x: Axis::Layers(layers.iter().map(|(layer, _)| layer.name.clone()).collect()),
        log_y: true,
        curves: subject
            .classes()
            .iter()
            .enumerate()
            .map(per_class)
            .collect(),
        empty: "The first probe comes before the first step.".to_owned(),
        ..Chart::default()
    }
}
