//! A pair of classes over time.

use std::sync::Arc;

use super::chart::{Chart, Curve, Look};
use super::table::{Table, Value};
use super::{Subject, View, palette};
use crate::gradient::gram::Cell;
use crate::run::event::Split;
use crate::run::probe_file::ProbeTensors;

/// The pair at one probe.
struct Moment {
    step: u64,
    cell: Cell,
    /// The cosine from each half of the images alone.
    halves: Option<[f64; 2]>,
    norms: [Option<f64>; 2],
}

/// The selected pair, where the run has both classes.
fn pair_of(subject: Subject<'_>, view: &View) -> Option<(usize, usize)> {
    let classes = subject.classes().len();
    view.pair.filter(|&(a, b)| a < classes && b < classes)
}

fn moment(step: u64, probe: &ProbeTensors, rows: &[usize], pair: (usize, usize)) -> Option<Moment> {
    // Of two classes alone: the products of all would be many times more.
    let gram = probe.gram_of_pair(rows, pair.0, pair.1)?;
    Some(Moment {
        step,
        cell: gram.cell(0, 1),
        halves: gram.half_cosines(0, 1),
        norms: [gram.norm(0), gram.norm(1)],
    })
}

fn moments(subject: Subject<'_>, view: &View) -> Vec<Moment> {
    let Some(pair) = pair_of(subject, view) else {
        return Vec::new();
    };
    let rows = subject.run.gram_rows(&view.scope);
    let probes = subject.probes.iter();
    let of = |(step, probe): (&u64, &Arc<ProbeTensors>)| moment(*step, probe, &rows, pair);
    probes.filter_map(of).collect()
}

/// Its cosine over time, each with its two half-estimates as the ends of a thin upright line.
pub(super) fn over_time(subject: Subject<'_>, view: &View) -> Chart {
    let mut chart = Chart {
        y_label: "cosine".to_owned(),
        fixed_y: Some((-1.0, 1.0)),
        empty: "Click a cell of the matrix to follow its two classes.".to_owned(),
        ..Chart::default()
    };
    let Some((a, b)) = pair_of(subject, view) else {
        return chart;
    };
    let moments = moments(subject, view);
    let names = subject.classes();
    let name = format!("{} and {}", names[a], names[b]);
    let color = palette::blend(palette::class(a), palette::class(b), 0.5);
    let curve = |look, keep: &dyn Fn(bool) -> bool| {
        let kept = moments.iter().filter(|moment| keep(moment.cell.resolved));
        let points = kept.map(|moment| (subject.epoch(moment.step), moment.cell.cosine));
        Curve::new(name.clone(), color, look, points)
    };
    let halves = moments.iter().flat_map(|moment| {
        let x = subject.epoch(moment.step);
        let ends = moment.halves.map(|ends| ends.map(|end| (x, Some(end))));
        // A point without y ends the line.
        ends.into_iter().flatten().chain([(x, None)])
    });
    let halves = Curve::new(
        "from each half of the images".to_owned(),
        color,
        Look::Thin,
        halves,
    );
    chart.curves = vec![
        curve(Look::Thin, &|_| true),
        halves,
        curve(Look::Dots { filled: true }, &|resolved| resolved),
        curve(Look::Dots { filled: false }, &|resolved| !resolved),
    ];
    "This part of the network has no probe of the two classes yet.".clone_into(&mut chart.empty);
    chart
}

/// What is known of the pair at the cursor: its cosine and norms, and how often the two are confused. None where no
/// pair is selected or its probe is not there.
pub(super) fn note(subject: Subject<'_>, view: &View) -> Option<String> {
    let (a, b) = pair_of(subject, view)?;
    let names = subject.classes();
    let probe = subject.probe(view)?;
    let rows = subject.run.gram_rows(&view.scope);
    let moment = moment(probe.step, subject.probes.get(&probe.step)?, &rows, (a, b))?;
    let mut parts = Vec::new();
    if let Some(cosine) = moment.cell.cosine {
        let halves = moment.halves.map_or_else(String::new, |[first, second]| {
            format!(" (halves {} and {})", decimal(first), decimal(second))
        });
        parts.push(format!(
            "Step {}: cosine {}{halves}",
            probe.step,
            decimal(cosine)
        ));
    }
    if let [Some(first), Some(second)] = moment.norms {
        parts.push(format!("‖g‖ {} and {}", length(first), length(second)));
    }
    let evals = subject.run.evals_of(Split::Val);
    if let Some(eval) = evals.take_while(|eval| eval.step <= probe.step).last() {
        let taken = |truth: usize, for_: usize| {
            let count = eval.confusion.get(truth)?.get(for_)?;
            let of = eval.support.get(truth)?;
            Some(format!(
                "{} taken for {} {count} of {of} times",
                names[truth], names[for_]
            ))
        };
        parts.extend(taken(a, b));
        parts.extend(taken(b, a));
    }
    (!parts.is_empty()).then(|| parts.join(" · "))
}

/// A norm in three figures.
fn length(norm: f64) -> String {
    if (0.01..1000.0).contains(&norm) {
        format!("{norm:.2}")
    } else {
        format!("{norm:.2e}")
    }
}

/// Two decimals, and a real minus.
fn decimal(value: f64) -> String {
    format!("{:.2}", (value * 100.0).round() / 100.0 + 0.0).replace('-', "−")
}

/// The numbers of [`over_time`].
pub(super) fn table(subject: Subject<'_>, view: &View) -> Table {
    let columns = [
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
    ];
    let mut table = Table {
        columns: columns.map(str::to_owned).to_vec(),
        rows: Vec::new(),
    };
    let Some((a, b)) = pair_of(subject, view) else {
        return table;
    };
    let names = subject.classes();
    for moment in moments(subject, view) {
        table.rows.push(vec![
            Value::Number(moment.step as f64),
            Value::Number(subject.epoch(moment.step)),
            names[a].as_str().into(),
            names[b].as_str().into(),
            moment.cell.cosine.into(),
            Value::Number(f64::from(u8::from(moment.cell.resolved))),
            moment.halves.map(|halves| halves[0]).into(),
            moment.halves.map(|halves| halves[1]).into(),
            moment.norms[0].into(),
            moment.norms[1].into(),
        ]);
    }
    table
}
