//! Effects of steps on the loss of a class over time.

use std::sync::Arc;

use egui::{Color32, Context, RichText, Ui};

use crate::figure::facts::ledger::{Moment, made, measured, not_predicted};
use crate::figure::facts::probes::Need;
use crate::figure::facts::unmeasured;
use crate::figure::facts::unread::{NO_PROBE, no_parameters};
use crate::figure::kit::chart::{Chart, Curve, Look, signed_log};
use crate::figure::kit::palette;
use crate::figure::kit::table::Table;
use crate::figure::look::kind::Kind;
use crate::figure::look::pages::Page;
use crate::figure::look::pick::Pick;
use crate::figure::look::subject::{Subject, class_of};
use crate::figure::look::view::View;
use crate::figure::parts::charts::{chart_of_run_ui, kept};
use crate::figure::parts::figure::{At, Figure, Gradients, NEVER, Of};
use crate::figure::parts::unread::unread_ui;
use crate::gradient::gram::Effect;
use crate::run::Scope;

pub(in crate::figure) const FIGURE: Figure = Figure {
    kind: Kind::LedgerTime,
    name: "ledger-time",
    title: "Class influence over time",
    subtitle: "What steps do to the class: first-order change of its loss per step, in nats",
    help: "Sum of all bars of the ledger at every probe: below 0 the class is being learned, above 0 unlearned (red). \
           Filled points differ from 0 by more than 3 standard errors; the axis is logarithmic to both sides of 0. The \
           grey line is the change that the step actually taken (momentum and all) makes, to first order; beside it is \
           what its loss on the probe images, normalised as batch norm is chosen, really did between probes, per step.",
    synonyms: &[
        "what steps do to the class over time",
        "ledger",
        "unlearning",
        "forgetting",
        "learning dynamics",
        "first-order change",
    ],
    page: Page::Class,
    in_place_of: None,
    lacks: NEVER,
    of: Of::Run,
    needs: Need::History,
    at: At::Probe,
    gradients: Gradients::AsShown,
    names_part: true,
    names_step: false,
    colour_range: None,
    chart: Some(chart),
    ui: ledger_time_ui,
    table: |subject, _, view| table(subject, view),
};

/// The changes at every probe; those of a probe that is not read are undefined. The measured change is computed anew,
/// as the previous probe may have been read later.
fn moments(subject: Subject<'_>, class: usize, of: impl Fn(u64) -> Option<Moment>) -> Vec<Moment> {
    let steps = subject.run.probes.iter().map(|probe| probe.step);
    steps
        .map(|step| Moment {
            step,
            measured: measured(subject, step, class),
            ..of(step).unwrap_or_default()
        })
        .collect()
}

/// Says above the chart what is missing in it.
pub(in crate::figure) fn note_ui(ui: &mut Ui, subject: Subject<'_>, view: &View) {
    if let Some(class) = class_of(subject, view) {
        unread_ui(ui, subject, &[class]);
    }
    if let Some(sentence) = not_predicted(subject.run) {
        ui.label(RichText::new(sentence).size(11.0).weak());
    }
}

/// The chart of the effects of steps on the class over time.
pub(in crate::figure) fn over_time(ctx: &Context, subject: Subject<'_>, view: &View) -> Chart {
    let mut chart = Chart {
        y_label: "nats per step".to_owned(),
        signed_log: true,
        empty: NO_PROBE.to_owned(),
        ..Chart::default()
    };
    let Some(class) = class_of(subject, view) else {
        return chart;
    };
    let made = made(ctx, subject, view, class);
    let moments = moments(subject, class, |step| {
        made.by_step.get(&step).map(|of| **of)
    });
    let name = format!("{}: one plain step", subject.classes()[class]);
    let unlearned = |effect: &Effect| effect.resolved() && effect.nats > 0.0;
    let curve = |name: &str, color, look, keep: &dyn Fn(&Effect) -> bool| {
        // A moment without a value breaks the line.
        let is_line = look == Look::Thin;
        let nets = moments
            .iter()
            .filter(|moment| moment.net.as_ref().map_or(is_line, keep));
        let points = nets.map(|moment| {
            (
                subject.run.epoch_of(moment.step),
                moment.net.map(|net| signed_log(net.nats)),
            )
        });
        Curve::new(name.to_owned(), color, look, points)
    };
    let measure = |name: &str, color, look, value: &dyn Fn(&Moment) -> Option<f64>| {
        let points = moments.iter().map(|moment| {
            (
                subject.run.epoch_of(moment.step),
                value(moment).map(signed_log),
            )
        });
        Curve::new(name.to_owned(), color, look, points)
    };
    let color = palette::class(class);
    let grey = Color32::from_gray(0x84);
    let taken = |moment: &Moment| moment.taken.map(|taken| taken.nats);
    let mut curves = vec![measure("the step actually taken", grey, Look::Thin, &taken)];
    if not_predicted(subject.run).is_none() {
        let dots = |filled| Look::Dots { filled };
        let red = palette::diverging(-1.0, false);
        curves.insert(0, curve(&name, color, Look::Thin, &|_| true));
        curves.extend([
            curve(&name, color, dots(false), &|net| !net.resolved()),
            curve(&name, color, dots(true), &|net| {
                net.resolved() && !unlearned(net)
            }),
            curve("unlearned", red, dots(true), &unlearned),
        ]);
    }
    // The measured loss is that of the whole network: beside a single layer or block it would say nothing.
    if matches!(view.scope, Scope::Network | Scope::Backbone) {
        let name = "its loss since the last probe, whole network";
        let others = [2, 1].map(palette::series);
        let other = others[usize::from(others[0] == color)];
        curves.push(measure(name, other, Look::Line, &|moment| moment.measured));
    }
    chart.curves = curves
        .into_iter()
        .filter(|curve| !curve.is_empty())
        .collect();
    let empty = if subject.run.probes.is_empty() {
        NO_PROBE
    } else if subject.steps_read(&[class]).is_empty() {
        "The probes are being read, or their files are missing."
    } else {
        "The probe has too few images of the class to say what moves it."
    };
    let lacks = subject.run.gram_rows(&view.scope).is_empty();
    let lacks = lacks.then(|| no_parameters(subject.run, &view.scope));
    let empty = lacks.unwrap_or_else(|| empty.to_owned());
    chart.empty = unmeasured::sentence(subject, &[class]).unwrap_or(empty);
    chart
}

/// The numbers of [`over_time`].
pub(in crate::figure) fn table(subject: Subject<'_>, view: &View) -> Table {
    let mut table = Table::new([
        "step",
        "epoch",
        "class",
        "plain_step_nats",
        "standard_error_nats",
        "resolved",
        "step_taken_nats",
        "loss_change_nats_per_step",
    ]);
    let Some(class) = class_of(subject, view) else {
        return table;
    };
    let of = |step| Moment::of(subject, view, class, step);
    for moment in moments(subject, class, of) {
        let is_resolved = moment.net.map(|net| f64::from(u8::from(net.resolved())));
        table.push([
            moment.step.into(),
            subject.run.epoch_of(moment.step).into(),
            subject.classes()[class].as_str().into(),
            moment.net.map(|net| net.nats).into(),
            moment.net.and_then(|net| net.standard_error).into(),
            is_resolved.into(),
            moment.taken.map(|taken| taken.nats).into(),
            moment.measured.into(),
        ]);
    }
    table
}

/// The chart of a run, made anew only where something it shows has changed.
pub(in crate::figure) fn chart(ctx: &Context, subject: Subject<'_>, view: &View) -> Arc<Chart> {
    let class = class_of(subject, view);
    let made = class.map(|class| made(ctx, subject, view, class).key());
    kept(
        ctx,
        &FIGURE,
        (subject, view),
        (subject.run.revisions.probes, made),
        || over_time(ctx, subject, view),
    )
}

/// Draws the chart of a class over time, below a note on what is missing in it.
fn ledger_time_ui(
    ui: &mut Ui,
    subject: Subject<'_>,
    shown: &[Subject<'_>],
    view: &View,
) -> Option<Pick> {
    note_ui(ui, subject, view);
    chart_of_run_ui(ui, (FIGURE.kind, chart), subject, shown, view)
}
