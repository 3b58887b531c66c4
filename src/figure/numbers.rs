//! The numbers behind the charts, from the run itself: one row for every point, and for every one that is undefined.

use crate::run::event::{Eval, Split};

use super::table::{Table, Value};
use super::thirds::{self, Third, geometric_mean};
use super::{Subject, View, curves};

/// The name of a split in a table.
fn split_name(split: Split) -> &'static str {
    match split {
        Split::Train => "train",
        Split::Val => "validation",
        Split::Test => "test",
    }
}

/// The evaluations that charts show: those of the validation images, then those of the test images.
fn evals<'a>(subject: Subject<'a>) -> impl Iterator<Item = &'a Eval> {
    let of = move |split| subject.run.evals_of(split);
    of(Split::Val).chain(of(Split::Test))
}

pub(super) fn class_f1(subject: Subject<'_>) -> Table {
    let mut table = Table::new(["step", "epoch", "split", "class", "f1"]);
    for eval in evals(subject) {
        for (k, class) in subject.classes().iter().enumerate() {
            table.push([
                eval.step.into(),
                eval.epoch.into(),
                split_name(eval.split).into(),
                class.as_str().into(),
                eval.f1.get(k).copied().flatten().into(),
            ]);
        }
    }
    table
}

pub(super) fn scores(subject: Subject<'_>) -> Table {
    let columns = [
        "step",
        "epoch",
        "split",
        "macro_f1",
        "accuracy",
        "balanced_accuracy",
    ];
    let mut table = Table::new(columns);
    for eval in evals(subject) {
        table.push([
            eval.step.into(),
            eval.epoch.into(),
            split_name(eval.split).into(),
            eval.macro_f1.into(),
            eval.accuracy.into(),
            eval.balanced_accuracy.into(),
        ]);
    }
    table
}

pub(super) fn loss(subject: Subject<'_>) -> Table {
    let mut table = Table::new(["step", "epoch", "of", "loss_nats"]);
    for step in &subject.run.steps {
        let of = "training batch".into();
        table.push([step.step.into(), step.epoch.into(), of, step.loss.into()]);
    }
    for eval in evals(subject) {
        let of = split_name(eval.split).into();
        table.push([eval.step.into(), eval.epoch.into(), of, eval.loss.into()]);
    }
    table
}

/// A row for every class, and one without a class for the geometric mean of head and of tail. `norm` is that of a class.
fn push_norms(
    table: &mut Table,
    subject: Subject<'_>,
    place: &[Value; 3],
    norm: impl Fn(usize) -> Option<f64>,
) {
    let thirds = thirds::of(subject);
    let third_of = |k| thirds.iter().find(|third| third.classes.contains(&k));
    let mut push = |class: Value, third: Option<&Third>, norm: Option<f64>| {
        let [step, epoch, part] = place.clone();
        let third = third.map_or(Value::None, |third| third.key.into());
        table.push([step, epoch, part, class, third, norm.into()]);
    };
    for (k, class) in subject.classes().iter().enumerate() {
        push(class.as_str().into(), third_of(k), norm(k));
    }
    for third in &thirds {
        let mean = geometric_mean(&third.classes, &norm);
        push(Value::None, Some(third), mean);
    }
}

pub(super) fn grad_norms(subject: Subject<'_>, view: &View) -> Table {
    let mut table = Table::new(["step", "epoch", "part", "class", "third", "grad_norm"]);
    let rows = subject.run.gram_rows(&view.scope);
    for probe in &subject.run.probes {
        let part = view.scope.name().into();
        let place = [probe.step.into(), probe.epoch.into(), part];
        push_norms(&mut table, subject, &place, |k| {
            curves::norm(probe, &rows, k)
        });
    }
    table
}

pub(super) fn depth_profile(subject: Subject<'_>, view: &View) -> Table {
    let mut table = Table::new(["step", "epoch", "layer", "class", "third", "grad_norm"]);
    let Some(probe) = subject.probe(view) else {
        return table;
    };
    for (layer, row) in curves::layers_with_gradients(subject) {
        let part = layer.name.as_str().into();
        let place = [probe.step.into(), probe.epoch.into(), part];
        push_norms(&mut table, subject, &place, |k| {
            curves::norm(probe, &[row], k)
        });
    }
    table
}

pub(super) fn conflict_time(subject: Subject<'_>, view: &View) -> Table {
    let mut table = Table::new(["step", "epoch", "part", "interference", "noise_floor"]);
    let parts = curves::parts(subject, view);
    for probe in &subject.run.probes {
        for (name, row) in &parts {
            let summary = curves::summary_of(probe, *row);
            table.push([
                probe.step.into(),
                probe.epoch.into(),
                name.as_str().into(),
                summary.and_then(|x| x.interference).into(),
                summary.and_then(|x| x.floor).into(),
            ]);
        }
    }
    table
}
