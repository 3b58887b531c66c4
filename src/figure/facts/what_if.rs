//! The effect of one step on every class under other weights, or with gradients changed where they conflict.
//!
//! A plain step is Δθ = −lr Σ c_j g_j. As trained c_j = π_j; with weights w_j it is π_j w_j / Σ π_i w_i, the share
//! that a class has of a weighted mean loss as PyTorch defines it: only the ratios of the weights count, and no weight
//! makes the step longer by itself. Surgery then acts on the contributions c_j g_j, which sum to the step.

use std::sync::Arc;

use egui::Context;

use crate::figure::facts::ledger::{learning_rate_at, measured, missing, not_predicted};
use crate::figure::kit::memo::remembered;
use crate::figure::look::subject::Subject;
use crate::figure::look::view::{Surgery, View, WhatIf};
use crate::gradient::gram::{Effect, Gram};
use crate::gradient::ledger::Ledger;
use crate::gradient::surgery;
use crate::random::Random;

/// The weight of every class's loss: as chosen, or 1 where the choice was made for another number of classes.
pub(in crate::figure) fn weights_of(what_if: &WhatIf, classes: usize) -> Vec<f64> {
    if what_if.weights.len() == classes {
        what_if.weights.clone()
    } else {
        vec![1.0; classes]
    }
}

/// Share c_j of every class's gradient in the step; `None` where every weight is 0.
pub(in crate::figure) fn shares(gram: &Gram, plain: &[f64], what_if: &WhatIf) -> Option<Vec<f64>> {
    let weights = weights_of(what_if, plain.len());
    let mut shares: Vec<f64> = plain.iter().zip(weights).map(|(p, w)| p * w).collect();
    let total: f64 = shares.iter().sum();
    if total <= 0.0 || !total.is_finite() {
        return None;
    }
    shares.iter_mut().for_each(|share| *share /= total);
    let classes = shares.len();
    let coefficients = match what_if.surgery {
        Surgery::None => return Some(shares),
        Surgery::PcGrad => {
            surgery::pcgrad(&surgery::contributions(gram, &shares), &orders(classes))
        }
        Surgery::AlignedMtl => {
            surgery::aligned_mtl(&surgery::contributions(gram, &shares), classes)
        }
    };
    Some(
        shares
            .iter()
            .zip(coefficients)
            .map(|(c, a)| c * a)
            .collect(),
    )
}

/// For each class, the order in which PCGrad takes it past the other classes: from a fixed seed, so that the figure is
/// always the same.
fn orders(classes: usize) -> Vec<Vec<usize>> {
    let order = |i: usize| {
        let mut others: Vec<usize> = (0..classes).filter(|&j| j != i).collect();
        Random::new(0, "pcgrad", 0, i as u64).shuffle(&mut others);
        others
    };
    (0..classes).map(order).collect()
}

/// ‖Σ c_j g_j‖, the length of a step divided by its learning rate.
pub(in crate::figure) fn length(gram: &Gram, shares: &[f64]) -> f64 {
    let products = surgery::contributions(gram, shares);
    products.iter().sum::<f64>().max(0.0).sqrt()
}

/// Everything about one probe that does not depend on the weights.
#[derive(Debug)]
pub(in crate::figure) struct Moment {
    pub(in crate::figure) step: u64,
    pub(in crate::figure) lr: f64,
    pub(in crate::figure) gram: Gram,
    /// Share of every class in a step as trained.
    pub(in crate::figure) plain: Vec<f64>,
    pub(in crate::figure) ledgers: Vec<Option<Ledger>>,
    /// Effect of a plain step as trained, by class; `None` where the effect is not predicted.
    pub(in crate::figure) trained: Vec<Option<Effect>>,
    /// The reason why nothing is predicted of the run; `None` where effects are predicted.
    pub(in crate::figure) not_predicted: Option<String>,
    /// First-order change under the step actually taken, by class.
    pub(in crate::figure) taken: Vec<Option<Effect>>,
    /// Change of the loss on the probe images since the previous probe, divided by the steps between, by class.
    pub(in crate::figure) measured: Vec<Option<f64>>,
}

impl Moment {
    pub(in crate::figure) fn new(subject: Subject<'_>, view: &View) -> Option<Self> {
        let step = subject.probe(view)?.step;
        let rows = subject.run.gram_rows(&view.scope);
        let tensors = subject.probes.get(&step)?;
        let gram = tensors.gram_of(&rows)?;
        let (lr, plain) = (
            learning_rate_at(subject.run, step)?,
            subject.run.shares(step),
        );
        let ledgers: Vec<_> = (0..gram.classes()).map(|k| gram.ledger(k)).collect();
        let not_predicted = not_predicted(subject.run);
        let net = |ledger: &Option<Ledger>| {
            let ledger = ledger.as_ref().filter(|_| not_predicted.is_none());
            ledger?.net(lr, &plain)
        };
        let taken = |ledger: &Option<Ledger>| ledger.as_ref()?.taken().filter(|_| step > 0);
        let classes = 0..gram.classes();
        Some(Self {
            step,
            lr,
            trained: ledgers.iter().map(net).collect(),
            taken: ledgers.iter().map(taken).collect(),
            measured: classes.map(|k| measured(subject, step, k)).collect(),
            not_predicted,
            gram,
            plain,
            ledgers,
        })
    }

    /// The outcome of a step under other weights; `None` where all weights are 0, or nothing is predicted.
    pub(in crate::figure) fn under(&self, what_if: &WhatIf) -> Option<Outcome> {
        if self.not_predicted.is_some() {
            return None;
        }
        let shares = shares(&self.gram, &self.plain, what_if)?;
        let trained = length(&self.gram, &self.plain);
        let net = |ledger: &Option<Ledger>| ledger.as_ref()?.net(self.lr, &shares);
        Some(Outcome {
            effects: self.ledgers.iter().map(net).collect(),
            length: (trained > 0.0).then(|| length(&self.gram, &shares) / trained),
        })
    }
}

/// Effects and length of a step under other weights.
#[derive(Debug)]
pub(in crate::figure) struct Outcome {
    /// Effect by class.
    pub(in crate::figure) effects: Vec<Option<Effect>>,
    /// Length of the step, over that of the step as trained.
    pub(in crate::figure) length: Option<f64>,
}

/// The numbers of the probe at the cursor and the outcome under the chosen weights, each computed once. The outcome is
/// `None` where all weights are 0, or nothing is predicted.
///
/// # Errors
/// A sentence that says why nothing can be drawn.
pub(in crate::figure) fn answer(
    ctx: &Context,
    subject: Subject<'_>,
    view: &View,
) -> Result<(Arc<Moment>, Option<Arc<Outcome>>), String> {
    let is_read = |step| subject.probes.get(&step).is_some();
    if let Some(sentence) = missing(subject, view, is_read) {
        return Err(sentence);
    }
    let rows = subject.run.gram_rows(&view.scope);
    let step = subject.probe(view).map(|probe| probe.step);
    let id = subject.run.started.as_ref().map(|started| &started.id);
    // The measured changes become known once the previous probe is read.
    let classes = subject.run.started.as_ref().map_or(0, |x| x.classes.len());
    let is_measured = |step| (0..classes).any(|k| measured(subject, step, k).is_some());
    let measured = step.map(is_measured);
    let key = (id, rows, step, measured, subject.run.revisions.probes);
    let moment = remembered(ctx, ("what if, moment", subject.identity()), &key, || {
        Moment::new(subject, view).map(Arc::new)
    });
    let moment =
        moment.ok_or("The probe of this moment does not fit the layers of the run.".to_owned())?;
    let weights: Vec<u64> = view.what_if.weights.iter().map(|w| w.to_bits()).collect();
    let key = (key, weights, view.what_if.surgery);
    let outcome = remembered(ctx, ("what if, outcome", subject.identity()), key, || {
        moment.under(&view.what_if).map(Arc::new)
    });
    Ok((moment, outcome))
}
