//! Looks through runs for findings.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::findings::{self, EndLogits, Finding, HISTORY, Subject};
use crate::run::Run;
use crate::run::probe_file::ProbeTensors;
use crate::ui::state::runs::RunEntry;

/// A run to look through on another thread.
pub(crate) struct Source {
    run: Run,
    dir: PathBuf,
    probes: BTreeMap<u64, Arc<ProbeTensors>>,
    logits: EndLogits,
}

impl Source {
    pub(crate) fn new(entry: &RunEntry) -> Self {
        let loaded = entry.probes.whole.iter().rev().take(HISTORY);
        Self {
            run: findings::excerpt(&entry.run),
            dir: entry.dir.clone(),
            probes: loaded.map(|(step, probe)| (*step, probe.clone())).collect(),
            logits: EndLogits::default(),
        }
    }

    /// Reads the logits, and the probe files that are not in memory. A file that cannot be read is left out here; the conflict matrix
    /// says why it cannot be read.
    fn read(&mut self) {
        self.logits = EndLogits::read(&self.dir, &self.run);
        let classes = self.run.started.as_ref().map_or(0, |x| x.classes.len());
        let batch_norm = self.run.batch_norm();
        for probe in &self.run.probes {
            let path = self.dir.join(&probe.file);
            if !self.probes.contains_key(&probe.step)
                && let Ok(tensors) = ProbeTensors::load(&path, classes, batch_norm)
            {
                self.probes.insert(probe.step, Arc::new(tensors));
            }
        }
    }
}

/// Finds the findings in these runs.
pub(crate) fn find(mut sources: Vec<Source>) -> Vec<Finding> {
    sources.iter_mut().for_each(Source::read);
    let subjects = sources.iter().map(|source| Subject {
        run: &source.run,
        probes: &source.probes,
        logits: &source.logits,
    });
    findings::find(&subjects.collect::<Vec<_>>())
}
