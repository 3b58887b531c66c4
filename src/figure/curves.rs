//! What each chart shows of a run.

use egui::Context;

use crate::run::Scope;
use crate::run::event::{Eval, Probe, Split};

use super::chart::{Axis, Chart, Curve, Look};
use super::{Kind, Subject, View, palette, remembered};

/// The chart of a run.
pub(super) fn chart(ctx: &Context, kind: Kind, subject: Subject<'_>, view: &View) -> Chart {
    let mut chart = match kind {
        Kind::ClassF1 => class_f1(subject),
        Kind::Scores => scores(subject),
        Kind::Loss => loss(subject),
        Kind::GradNorms => grad_norms(subject, view),
        Kind::DepthProfile => depth_profile(subject, view),
        _ => pair_cosine(ctx, subject, view),
    };
    chart.name = kind.title();
    if let Axis::Epoch { steps_per_epoch } = &mut chart.x {
        *steps_per_epoch = subject
            .run
            .started
            .as_ref()
            .map_or(1.0, |started| started.steps_per_epoch.max(1) as f64);
        let shown = view.step.unwrap_or(u64::MAX).min(subject.run.last_step());
        // Following the newest, the cursor would only cover the end of the curves.
        chart.cursor = view.step.map(|_| subject.epoch(shown));
    }
    chart
}

/// One curve through the validation evaluations and, as points alone, the test ones.
fn over_evals(
    subject: Subject<'_>,
    name: &str,
    color: egui::Color32,
    value: impl Fn(&Eval) -> Option<f64>,
) -> [Curve; 2] {
    let points = |split: Split| {
        subject
            .run
            .evals_of(split)
            .map(|eval| (eval.epoch, value(eval)))
            .collect()
    };
    let curve = |points, look| Curve {
        name: name.to_owned(),
        color,
        points,
        look,
    };
    [
        curve(points(Split::Val), Look::Line),
        curve(points(Split::Test), Look::Points),
    ]
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
    let train = Curve {
        name: "Training batches".to_owned(),
        color: palette::series(1),
        points: subject
            .run
            .steps
            .iter()
            .map(|step| (step.epoch, step.loss))
            .collect(),
        look: Look::Thin,
    };
    let [val, mut test] = over_evals(subject, "Validation", palette::series(0), |eval| eval.loss);
    "Test".clone_into(&mut test.name);
    test.color = palette::series(2);
    let mut curves = vec![train, val];
    if !test.points.is_empty() {
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
fn norm(probe: &Probe, rows: &[usize], class: usize) -> Option<f64> {
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
    let per_class = |(k, name): (usize, &String)| Curve {
        name: name.clone(),
        color: palette::class(k),
        points: subject
            .run
            .probes
            .iter()
            .map(|probe| (probe.epoch, log10(norm(probe, &rows, k))))
            .collect(),
        look: Look::Line,
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
    let layers = subject
        .run
        .started
        .iter()
        .flat_map(|started| &started.layers);
    let layers: Vec<_> = layers
        .filter_map(|layer| Some((layer, layer.gram?)))
        .collect();
    let probe = subject.probe(view);
    let per_class = |(k, name): (usize, &String)| Curve {
        name: name.clone(),
        color: palette::class(k),
        points: layers
            .iter()
            .enumerate()
            .map(|(x, (_, row))| {
                (
                    x as f64,
                    probe.and_then(|probe| log10(norm(probe, &[*row], k))),
                )
            })
            .collect(),
        look: Look::Line,
    };
    let cursor = match &view.scope {
        Scope::Layer(name) => layers
            .iter()
            .position(|(layer, _)| layer.name == *name)
            .map(|x| x as f64),
        _ => None,
    };
    Chart {
        y_label: "‖g‖".to_owned(),
        x: Axis::Layers(layers.iter().map(|(layer, _)| layer.name.clone()).collect()),
        log_y: true,
        cursor,
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

fn pair_cosine(ctx: &Context, subject: Subject<'_>, view: &View) -> Chart {
    let mut chart = Chart {
        y_label: "cosine".to_owned(),
        fixed_y: Some((-1.0, 1.0)),
        empty: "Click a cell of the matrix to follow its two classes.".to_owned(),
        ..Chart::default()
    };
    let names = subject.classes();
    let Some((a, b)) = view
        .pair
        .filter(|&(a, b)| a < names.len() && b < names.len())
    else {
        return chart;
    };
    let rows = subject.run.gram_rows(&view.scope);
    let id = subject
        .run
        .started
        .as_ref()
        .map_or("", |started| started.id.as_str());
    let steps: Vec<u64> = subject.probes.keys().copied().collect();
    let cells = remembered(
        ctx,
        ("pair", subject.name),
        (id, &rows, (a, b), &steps),
        || {
            let cell =
                |(step, probe): (&u64, &std::sync::Arc<crate::run::probe_file::ProbeTensors>)| {
                    Some((*step, probe.gram_of(&rows)?.cell(a, b)))
                };
            subject.probes.iter().filter_map(cell).collect::<Vec<_>>()
        },
    );
    let name = format!("{} and {}", names[a], names[b]);
    let color = palette::blend(palette::class(a), palette::class(b), 0.5);
    let points = |keep: &dyn Fn(bool) -> bool| -> Vec<(f64, Option<f64>)> {
        let kept = cells.iter().filter(|(_, cell)| keep(cell.resolved));
        kept.map(|(step, cell)| (subject.epoch(*step), cell.cosine))
            .collect()
    };
    let curve = |points, look| Curve {
        name: name.clone(),
        color,
        points,
        look,
    };
    chart.curves = vec![
        curve(points(&|_| true), Look::Thin),
        curve(points(&|resolved| resolved), Look::Dots { filled: true }),
        curve(points(&|resolved| !resolved), Look::Dots { filled: false }),
    ];
    "This part of the network has no probe of the two classes yet.".clone_into(&mut chart.empty);
    chart
}
