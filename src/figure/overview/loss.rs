//! Loss of training batches and of evaluations over time.

use std::sync::Arc;

use egui::Context;

use crate::figure::facts::mistakes::{evals, split_name};
use crate::figure::facts::probes::Need;
use crate::figure::kit::chart::{Chart, Curve, Gap, Look};
use crate::figure::kit::palette;
use crate::figure::kit::table::Table;
use crate::figure::look::kind::Kind;
use crate::figure::look::pages::Page;
use crate::figure::look::subject::Subject;
use crate::figure::look::view::View;
use crate::figure::parts::charts::{chart_of_run_ui, kept, over_evals};
use crate::figure::parts::figure::{At, Figure, Gradients, NEVER, Of};

pub(in crate::figure) const FIGURE: Figure = Figure {
    kind: Kind::Loss,
    name: "loss",
    title: "Loss",
    subtitle: "Loss of training batches, validation and test images over time, in nats",
    help: "In nats: the mean of what training minimises over single batches (thin), and the mean cross-entropy of the \
           validation images. The first is cross-entropy as well, unless another loss, class weights, smoothed labels or \
           mixed images were chosen, or experts, whose losses are added; then the two cannot be compared. Batches are those of \
           the trained weights, also where an average of them is evaluated. Test results are points alone.",
    synonyms: &[
        "cross-entropy",
        "loss curve",
        "training loss",
        "validation loss",
        "objective",
    ],
    page: Page::Overview,
    in_place_of: None,
    lacks: NEVER,
    of: Of::Run,
    needs: Need::Nothing,
    at: At::Evaluation,
    gradients: Gradients::No,
    names_part: false,
    names_step: false,
    colour_range: None,
    chart: Some(chart),
    ui: |ui, subject, shown, view| chart_of_run_ui(ui, (Kind::Loss, chart), subject, shown, view),
    table: |subject, _, _| table(subject),
};

/// The chart of a run, made anew only where something it shows has changed.
pub(in crate::figure) fn chart(ctx: &Context, subject: Subject<'_>, view: &View) -> Arc<Chart> {
    let revisions = &subject.run.revisions;
    kept(
        ctx,
        &FIGURE,
        (subject, view),
        (revisions.evals, revisions.steps),
        || over_time(subject),
    )
}

fn over_time(subject: Subject<'_>) -> Chart {
    let run = subject.run;
    // A recorder need not log a loss at every step, or at all.
    let steps = run.steps.iter();
    let steps = steps.filter(|step| step.loss.is_some() || run.has_no_number(step));
    let train = Curve::new(
        "Training batches".to_owned(),
        palette::series(1),
        Look::Thin,
        steps.map(|step| (step.epoch, step.loss)),
    );
    let config = run.started.as_ref().map(|started| &started.config);
    let weights = match config.is_some_and(|config| config.ema_decay.is_some()) {
        true => ", averaged weights",
        false => "",
    };
    let [val, mut test] = over_evals(
        subject,
        &format!("Validation{weights}"),
        palette::series(0),
        |eval| eval.loss,
    );
    test.name = format!("Test{weights}");
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

pub(in crate::figure) fn table(subject: Subject<'_>) -> Table {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::testing::recorded;

    /// A script need not hand its loss to the recorder: that is no loss which is not a number.
    #[test]
    fn a_loss_that_was_not_recorded_is_not_marked() -> anyhow::Result<()> {
        let recorded = recorded("solar-none")?;
        let mut run = recorded.run.clone();
        run.steps.iter_mut().for_each(|step| step.loss = None);
        let curve = |run: &crate::run::Run| {
            let subject = Subject {
                run,
                ..recorded.subject()
            };
            over_time(subject).curves.swap_remove(0)
        };
        assert!(!curve(&run).is_empty());
        if let Some(started) = &mut run.started {
            started.recorder = Some(Box::default());
        }
        assert!(curve(&run).is_empty());
        run.steps[1].grad_norms[0] = None;
        assert!(!curve(&run).is_empty());
        Ok(())
    }
}
