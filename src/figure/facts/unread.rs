//! Sentences in place of a figure: nothing is measured yet, a probe is not read, or its file is damaged.

use crate::run::Scope;

/// The sentence before the first probe.
pub(in crate::figure) const NO_PROBE: &str = "The first probe comes before the first step.";
/// The sentence before the first evaluation.
pub(in crate::figure) const NO_EVALUATION: &str =
    "The first evaluation comes before the first step.";
/// The sentence for the probe that the pointer is on, where it is not read.
pub(in crate::figure) const THIS_PROBE: &str =
    "This probe is being read, or its file is missing or damaged.";

/// The sentence for a step whose probe is not in memory.
pub(in crate::figure) fn not_read(step: u64) -> String {
    format!("The probe of step {step} is being read, or its file is missing.")
}

/// The sentence for a step whose probe does not have the layers of the run.
pub(in crate::figure) fn damaged(step: u64) -> String {
    format!("The probe of step {step} does not fit the layers of the run: its file is damaged.")
}

/// The sentence for a part of the network that has no gradients.
pub(in crate::figure) fn no_parameters(scope: &Scope) -> String {
    format!(
        "{} has no parameters, so nothing pulls at it.",
        scope.name()
    )
}
