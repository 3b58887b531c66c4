//! Effects of steps on the loss of a class: each class's share of a plain step, the step taken, and the measured
//! change.

use std::sync::Arc;

use egui::Context;

use crate::figure::facts::probes::{Made, of_probes};
use crate::figure::facts::unmeasured;
use crate::figure::facts::unread::{NO_PROBE, damaged, no_parameters, not_read};
use crate::figure::kit::memo::remembered;
use crate::figure::look::subject::{Subject, class_of};
use crate::figure::look::view::View;
use crate::gradient::gram::Effect;
use crate::run::{BatchNorm, Run};

/// A change of loss, in nats, from which on the loss no longer follows its slope: a first-order estimate then gives
/// the direction of the change only.
pub(in crate::figure) const BEYOND_FIRST_ORDER: f64 = 0.5;

pub(in crate::figure) const TOO_LARGE: &str =
    "Changes this large are beyond first order: they say which way, not how far.";

/// Learning rate of the newest logged step at or before `step`; of the first one where all are later.
pub(in crate::figure) fn learning_rate_at(run: &Run, step: u64) -> Option<f64> {
    let after = run.steps.partition_point(|x| x.step <= step);
    let step = run.steps.get(after.saturating_sub(1))?;
    Some(step.lr)
}

/// The sentence in place of a figure that cannot be drawn at the cursor: there is no probe, it is not read (`is_read`)
/// or damaged, the selected scope has no gradients, or no step is logged. `None` where the figure can be drawn.
pub(in crate::figure) fn missing(
    subject: Subject<'_>,
    view: &View,
    is_read: impl Fn(u64) -> bool,
) -> Option<String> {
    let Some(probe) = subject.probe(view) else {
        return Some(NO_PROBE.to_owned());
    };
    if !is_read(probe.step) {
        let text = not_read(probe.step);
        return Some(text);
    }
    let rows = subject.run.gram_rows(&view.scope);
    let whole = subject.probes.get(&probe.step);
    if whole.is_some_and(|tensors| rows.iter().any(|&row| row >= tensors.layers())) {
        let text = damaged(probe.step);
        return Some(text);
    }
    if rows.is_empty() {
        let text = no_parameters(subject.run, &view.scope);
        return Some(text);
    }
    if learning_rate_at(subject.run, probe.step).is_none() {
        return Some("The learning rate is known from the first logged step on.".to_owned());
    }
    None
}

/// Why no class's share of a step is predicted for a run: its steps do not follow the class gradients that are probed.
/// `None` where the shares are predicted.
pub(in crate::figure) fn no_shares(run: &Run) -> Option<String> {
    let reason = run.departs_from_class_gradients()?;
    Some(format!(
        "What each class's share of a step does is not known: {reason}. What its steps did is measured."
    ))
}

/// Why the effect of whole steps is not predicted for a run: no share is, or not that of every class. `None` where it
/// is predicted.
pub(in crate::figure) fn not_predicted(run: &Run) -> Option<String> {
    let unmeasured = || {
        let started = run.started.as_ref().filter(|_| !run.measures_all())?;
        if let Some(class) = run.not_probed() {
            let class = &started.classes[class];
            return Some(format!(
                "What a whole step does is not known, since the probe has no image of {class}. What the steps did is measured."
            ));
        }
        let (measured, all) = (started.probe.training.len(), started.classes.len());
        Some(format!(
            "What a whole step does is not known with batch norm as in training, which is measured for {measured} of \
             {all} classes; choose frozen to see it. What the steps did is measured."
        ))
    };
    no_shares(run).or_else(unmeasured)
}

/// The ledger of one class at one moment.
#[derive(Debug)]
pub(in crate::figure) struct Account {
    pub(in crate::figure) class: usize,
    /// Effect of each class's share of a step, the most hurtful first; classes without images are left out.
    pub(in crate::figure) shares: Vec<(usize, Effect)>,
    /// Effect of all these shares together.
    pub(in crate::figure) net: Effect,
    /// Whether these are the shares of all classes in a step; else some classes are not measured.
    pub(in crate::figure) is_whole: bool,
}

/// The ledger at the cursor, computed once.
///
/// # Errors
/// A sentence that says why there is none.
pub(in crate::figure) fn account(
    ctx: &Context,
    subject: Subject<'_>,
    view: &View,
) -> Result<Arc<Account>, String> {
    let class = class_of(subject, view);
    let is_read = |step| class.is_none_or(|class| subject.probes.has_rows_of(step, class));
    if let Some(sentence) = missing(subject, view, is_read) {
        return Err(sentence);
    }
    if let Some(sentence) = no_shares(subject.run) {
        return Err(sentence);
    }
    let undefined = "The probe has too few images of the class to say what moves it.";
    let (Some(class), Some(probe)) = (class, subject.probe(view)) else {
        return Err(undefined.to_owned());
    };
    let rows = subject.run.gram_rows(&view.scope);
    let id = subject.run.started.as_ref().map(|started| &started.id);
    let account = remembered(
        ctx,
        ("ledger", subject.identity()),
        (id, &rows, probe.step, class, subject.run.revisions.probes),
        || {
            let lr = learning_rate_at(subject.run, probe.step)?;
            let ledger = subject.probes.rows_of(probe.step, class)?.ledger(&rows)?;
            let shares = subject.run.shares(probe.step);
            let share = |j: usize| Some((j, ledger.share(lr, &shares, j)?));
            let mut effects: Vec<_> = (0..shares.len()).filter_map(share).collect();
            effects.sort_by(|(_, a), (_, b)| b.nats.total_cmp(&a.nats));
            let net = ledger.net(lr, &shares)?;
            Some(Arc::new(Account {
                class,
                shares: effects,
                net,
                is_whole: subject.run.measures_all(),
            }))
        },
    );
    account.ok_or_else(|| {
        let unmeasured = unmeasured::sentence(subject, &[class]);
        unmeasured.unwrap_or_else(|| undefined.to_owned())
    })
}

/// Changes of the loss of a class at one probe, in nats per step; undefined ones are `None`.
#[derive(Clone, Copy, Default)]
pub(in crate::figure) struct Moment {
    pub(in crate::figure) step: u64,
    /// Predicted effect of all shares of a plain step together; `None` where it is not predicted ([`not_predicted`]).
    pub(in crate::figure) net: Option<Effect>,
    /// First-order change under the step actually taken, of the selected part of the network.
    pub(in crate::figure) taken: Option<Effect>,
    /// Change of the class's loss on the probe images since the previous probe, divided by the steps between.
    pub(in crate::figure) measured: Option<f64>,
}

impl Moment {
    /// The changes at one probe; `None` where the rows of the class are not read there.
    pub(in crate::figure) fn of(
        subject: Subject<'_>,
        view: &View,
        class: usize,
        step: u64,
    ) -> Option<Self> {
        let run = subject.run;
        let rows = subject.probes.rows_of(step, class)?;
        let ledger = rows.ledger(&run.gram_rows(&view.scope));
        let net = || {
            let lr = learning_rate_at(run, step)?;
            ledger.as_ref()?.net(lr, &run.shares(step))
        };
        Some(Self {
            step,
            net: not_predicted(run).is_none().then(net).flatten(),
            // Before the first step there is no step taken.
            taken: ledger
                .as_ref()
                .and_then(crate::gradient::ledger::Ledger::taken)
                .filter(|_| step > 0),
            measured: measured(subject, step, class),
        })
    }
}

/// The images that the change of a loss is measured on, and how batch norm normalises them: as it does where the class
/// gradients are measured.
pub(in crate::figure) fn measured_on(run: &Run) -> &'static str {
    if run.started.as_ref().is_some_and(|x| !x.mixes_images()) {
        return "the probe images";
    }
    match run.batch_norm() {
        BatchNorm::AsInTraining => {
            "the probe images, normalised with the statistics of their batch"
        }
        BatchNorm::Frozen => "the probe images, normalised with the running statistics",
    }
}

/// Change of a class's loss on the probe images since the previous probe, divided by the steps between, in nats per
/// step. `None` at the first probe, and where either probe is not read.
pub(in crate::figure) fn measured(subject: Subject<'_>, step: u64, class: usize) -> Option<f64> {
    let run = subject.run;
    let before = run.probes.get(run.probe_at(step)?.checked_sub(1)?)?.step;
    let loss = |step| subject.probes.class_loss(step, class);
    (step > before).then(|| Some((loss(step)? - loss(before)?) / (step - before) as f64))?
}

/// The changes of the loss of a class at all probes that are read.
pub(in crate::figure) fn made(
    ctx: &Context,
    subject: Subject<'_>,
    view: &View,
    class: usize,
) -> Arc<Made<Moment>> {
    let name = ("ledger over time", subject.identity() ^ (class as u64 + 1));
    // Until the first step no learning rate is known.
    let key = (class, &view.scope, subject.run.revisions.steps.min(1));
    of_probes(ctx, name, (subject, &[class]), key, |step| {
        Moment::of(subject, view, class, step)
    })
}
