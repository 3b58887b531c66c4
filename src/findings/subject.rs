//! The runs to which rules are applied, and how many probes and evaluations rules look back at.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::run::Run;
use crate::run::event::{Eval, Probe, Started, Step};
use crate::run::probe_file::ProbeTensors;

use super::adjustment::EndLogits;

/// Number of newest probes that rules look back at.
pub const HISTORY: usize = 24;

/// Number of newest evaluations that rules look back at.
const EVALS: usize = 32;

/// A run with the probe tensors that are in memory. Rules read the tensors of the newest [`HISTORY`] probes.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The run, reduced from its events.
    pub run: &'a Run,
    /// Probe tensors by step.
    pub probes: &'a BTreeMap<u64, Arc<ProbeTensors>>,
    /// The logits of its last step.
    pub logits: &'a EndLogits,
}

/// A copy of a run with all that rules read but without its large parts, so that it is cheap to hand to a thread.
pub fn excerpt(run: &Run) -> Run {
    let newest = |len: usize, kept: usize| len.saturating_sub(kept)..len;
    let evals = newest(run.evals.len(), EVALS);
    // One probe more than rules look at shows that there were earlier probes.
    let probes = newest(run.probes.len(), HISTORY + 1);
    let step = |step: &Step| Step {
        grad_norms: Vec::new(),
        logit_gradients: None,
        ..*step
    };
    let eval = |eval: &Eval| Eval {
        f1: eval.f1.clone(),
        support: eval.support.clone(),
        ..eval.overall()
    };
    run.excerpt(
        run.steps.iter().map(step).collect(),
        run.evals[evals].iter().map(eval).collect(),
        run.recorded()[probes].to_vec(),
    )
}

/// The newest [`HISTORY`] probes taken after the first optimiser step, in order.
pub(super) fn trained_probes(run: &Run) -> &[Probe] {
    let first = run.probes.partition_point(|probe| probe.step == 0);
    let len = run.probes.len();
    &run.probes[first.max(len.saturating_sub(HISTORY))..]
}

/// The rarest third of classes by training images, the rarest first; empty where all are equally frequent.
pub(super) fn tail(started: &Started) -> Vec<usize> {
    started.thirds().tail
}
