//! Sentences in place of a figure: nothing is measured yet, a probe is not read, or its file is damaged.

use crate::run::{Run, Scope};

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

/// The sentence for a recorded run of which there is the log alone.
pub(in crate::figure) const NO_SUMMARIES: &str = "The files of this run’s probes are missing, and its log alone does not have what they measured.";

/// The sentence for a part of the network that has no gradients.
pub(in crate::figure) fn no_parameters(run: &Run, scope: &Scope) -> String {
    let mut layers = run.started.iter().flat_map(|started| &started.layers);
    let name = scope.name();
    match layers.any(|layer| scope.covers(layer)) {
        true => format!("{name} has no parameters, so nothing pulls at it."),
        false => format!("This network has no part called {name}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::testing::recorded;

    /// A layer that a network does not have is not one without parameters.
    #[test]
    fn a_layer_of_another_network_is_not_there() -> anyhow::Result<()> {
        let run = recorded("solar-none")?.run;
        let of = |name: &str| no_parameters(&run, &Scope::Layer(name.to_owned()));
        assert_eq!(
            of("stem.pool"),
            "stem.pool has no parameters, so nothing pulls at it."
        );
        assert_eq!(
            of("branch1.gate"),
            "This network has no part called branch1.gate."
        );
        Ok(())
    }
}
