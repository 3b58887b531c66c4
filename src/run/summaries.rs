//! The summaries of a probe, computed from its tensors: those that an event of a recorder leaves out.

use std::path::Path;

use rayon::prelude::*;

use super::event::{BatchNorm, Event, Probe, Summaries};
use super::reducer::Run;
use super::scope::Scope;
use super::tensors::probe_file::ProbeTensors;
use crate::gradient::gram::ConflictSummary;
use crate::network::CLASSIFIER;

/// Whether an event is a probe without summaries.
pub(super) fn are_missing(event: &Event) -> bool {
    matches!(event, Event::Probe(probe) if probe.layers.is_empty())
}

/// Adds the summaries to an event that is a probe without them; `run` has the header. Gives a sentence where the probe's
/// file cannot be read; the probe then stays without summaries.
pub(super) fn complete(event: &mut Event, run: &Run, dir: &Path) -> Option<String> {
    if !are_missing(event) {
        return None;
    }
    let Event::Probe(probe) = event else {
        return None;
    };
    let classes = run.started.as_ref()?.classes.len();
    let is_both = run.records_training();
    let way = if is_both {
        BatchNorm::AsInTraining
    } else {
        BatchNorm::Frozen
    };
    match ProbeTensors::load(&dir.join(&probe.file), classes, way) {
        Ok(tensors) => {
            add(probe, run, &tensors, is_both);
            None
        }
        Err(error) => Some(format!(
            "the probe of step {} is left out: {error}",
            probe.step
        )),
    }
}

fn add(probe: &mut Probe, run: &Run, tensors: &ProbeTensors, is_both: bool) {
    let frozen = tensors.frozen.as_deref().unwrap_or(tensors);
    let found = run.summaries(frozen, probe.step);
    probe.layers = found.layers;
    probe.backbone = found.backbone;
    probe.classifier = found.classifier;
    probe.training = is_both.then(|| run.summaries(tensors, probe.step));
}

impl Run {
    /// The summaries of a probe at `step` from its tensors: of each layer, of the backbone and of the classifier.
    pub fn summaries(&self, tensors: &ProbeTensors, step: u64) -> Summaries {
        let summary = |rows: &[usize]| -> ConflictSummary {
            let gram = tensors.gram_of(rows);
            gram.map(|gram| self.summary_of(&gram, step))
                .unwrap_or_default()
        };
        let of = |scope: &Scope| summary(&self.gram_rows(scope));
        let layers = (0..tensors.layers()).into_par_iter();
        Summaries {
            layers: layers.map(|row| summary(&[row])).collect(),
            backbone: of(&Scope::Backbone),
            classifier: of(&Scope::Group(CLASSIFIER.to_owned())),
        }
    }
}
