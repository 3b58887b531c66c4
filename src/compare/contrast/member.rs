//! The runs that take part in a comparison, with their evaluations and probe at their last step.

use crate::run::event::{Eval, Probe, Split, Started, Summaries};
use crate::run::{BatchNorm, Ending, Run};

/// A run that takes part in a comparison.
#[derive(Clone, Copy)]
pub struct Member<'a> {
    /// Name on screen.
    pub name: &'a str,
    /// The run.
    pub run: &'a Run,
}

/// A finished run with its evaluations and its probe at the last step, where it has them.
pub(super) struct Reached<'a> {
    pub(super) name: &'a str,
    pub(super) run: &'a Run,
    pub(super) started: &'a Started,
    val: Option<&'a Eval>,
    pub(super) test: Option<&'a Eval>,
    /// The probe at the last step, in the measure in which all runs of the comparison are shown.
    pub(super) probe: Option<&'a Probe>,
}

impl<'a> Reached<'a> {
    /// The finished run of a member; `None` where the member's run is not finished.
    pub(super) fn of(member: Member<'a>) -> Option<Self> {
        let run = member.run;
        let Some(Ending::Finished(end)) = &run.ending else {
            return None;
        };
        let eval = |split| {
            run.evals_of(split)
                .next_back()
                .filter(|x| x.step == end.step)
        };
        Some(Self {
            name: member.name,
            run,
            started: run.started.as_ref()?,
            val: eval(Split::Val),
            test: eval(Split::Test),
            probe: run.probes.last().filter(|probe| probe.step == end.step),
        })
    }

    /// Takes the probe from what the run recorded with batch norm frozen: another run of the comparison is shown so.
    pub(super) fn freeze(&mut self) {
        let step = self.probe.map(|probe| probe.step);
        let recorded = self.run.recorded().last();
        if self.run.batch_norm() != BatchNorm::Frozen {
            self.probe = recorded.filter(|probe| Some(probe.step) == step);
        }
    }

    pub(super) fn seed(&self) -> u64 {
        self.started.seed()
    }

    pub(super) fn eval(&self, split: Split) -> Option<&'a Eval> {
        match split {
            Split::Test => self.test,
            Split::Val => self.val,
            Split::Train => None,
        }
    }
}

/// A copy of a run with all that a comparison and its curves read, but little else, so that the copy is cheap to keep.
pub fn excerpt(run: &Run) -> Run {
    let last = run.last_step();
    // From evaluations and probes before the last step, curves show only the overall numbers.
    let overall = |summaries: &Summaries| Summaries {
        layers: Vec::new(),
        ..summaries.clone()
    };
    let probe = |probe: &Probe| Probe {
        layers: Vec::new(),
        file: probe.file.clone(),
        backbone: probe.backbone.clone(),
        classifier: probe.classifier.clone(),
        training: probe.training.as_ref().map(overall),
        ..*probe
    };
    let evals = run.evals.iter().map(|x| {
        if x.step == last {
            x.clone()
        } else {
            x.overall()
        }
    });
    let probes = run.recorded().iter();
    let probes = probes.map(|x| if x.step == last { x.clone() } else { probe(x) });
    run.excerpt(Vec::new(), evals.collect(), probes.collect())
}
