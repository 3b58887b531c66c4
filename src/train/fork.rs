//! Forks: new runs that begin with what another run recorded up to one of its checkpoints, and go on from there with
//! other settings.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::class_balance::weighted_from;
use crate::config::{Field, Group, RunConfig, Sampler, differences};
use crate::run::event::{Change, Event, Parent, Split, Started};
use crate::run::log::{self, RunError, RunFile, Writer};
use crate::run::{Ending, Run, mirrored};
use crate::text::shown;

use super::checkpoint::{self, Progress};
use super::error::TrainError;

/// Fields that a fork may change: they change neither the network nor the images, nor how what was recorded is read; the
/// epochs only where nothing goes by them ([`refusal`]).
const MAY_CHANGE: [&str; 20] = [
    "epochs",
    "lr",
    "momentum",
    "adam_beta1",
    "adam_beta2",
    "weight_decay",
    "gate_decay",
    "schedule",
    "milestones",
    "step_factor",
    "warmup",
    "cutout",
    "crop_padding",
    "flip",
    "eval_every",
    "probe_every",
    "probe_share",
    "device",
    "tf32",
    "threads",
];

/// A checkpoint with a loss of more than this many times that at the start of the run is one of a network that has
/// diverged already, although its numbers are finite: overfitting and unlucky steps stay far below.
const DIVERGED: f64 = 10.0;

/// Whether a fork may change a field.
pub fn may_change(field: &Field) -> bool {
    MAY_CHANGE.contains(&field.name)
}

/// A checkpoint that training can go on from.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Saved {
    /// `last` or `best`.
    which: &'static str,
    progress: Progress,
    /// Whether the network had diverged by then ([`DIVERGED`]).
    has_diverged: bool,
}

/// A fork that can be made: the run that it is made of, and the checkpoint that it goes on from.
pub(super) struct Plan {
    parent: PathBuf,
    started: Started,
    /// What the parent recorded up to the checkpoint.
    run: Run,
    from: Saved,
    /// All checkpoints, in the order of their steps.
    all: Vec<Saved>,
}

impl Plan {
    /// A fork of the run in the directory `parent` with the configuration `config`, from the latest checkpoint at or
    /// before the step `at` whose numbers are finite; with `None` from the latest whose network has not diverged.
    ///
    /// # Errors
    /// Where the run is being written or cannot be read, has no such checkpoint, or `config` changes what a fork may
    /// not.
    pub(super) fn new(
        parent: &Path,
        config: &RunConfig,
        at: Option<u64>,
    ) -> Result<Self, TrainError> {
        let loaded = log::load(parent)?;
        mirrored::refuse(parent)?;
        loaded.refuse_recorded(parent, "go on with it")?;
        if loaded.running {
            let path = parent.to_owned();
            return Err(RunError::Busy { path }.into());
        }
        let Some(started) = loaded.run.started.clone() else {
            return Err(RunError::not_a_run(parent).into());
        };
        if let Some(reason) = refusal(&started.config, config) {
            return Err(TrainError::Fork(reason));
        }
        if let Some(error) = config.validate().into_iter().next() {
            return Err(error.into());
        }
        let all = saved(parent, &loaded.run)?;
        let from = choose(&all, at)?;
        let total = started.steps_per_epoch * u64::from(config.epochs);
        if from.progress.step >= total {
            return Err(TrainError::Fork(format!(
                "at step {} nothing is left to train of {} epochs; name an earlier step, or more `epochs`",
                from.progress.step, config.epochs
            )));
        }
        let run = loaded.run;
        Ok(Self {
            parent: parent.to_owned(),
            started: Started {
                parent: Some(Parent::of(
                    &started.id,
                    started.parent.as_ref(),
                    from.progress.step,
                    changes(&started.config, config),
                )),
                config: config.clone(),
                total_steps: total,
                ..started
            },
            run,
            from,
            all,
        })
    }

    /// The header of the fork, with the images of the parent.
    pub(super) fn started(&self) -> &Started {
        &self.started
    }

    /// Says from where the fork goes on, and which other checkpoints there are.
    pub(super) fn sentence(&self) -> String {
        let of = |saved: &Saved| {
            let step = format!("step {} ({})", saved.progress.step, saved.which);
            match saved.has_diverged {
                true => format!("{step}, with a loss more than {DIVERGED} times that at the start"),
                false => step,
            }
        };
        let others = self.all.iter().filter(|saved| **saved != self.from);
        let others: Vec<String> = others.map(of).collect();
        let others = match others.as_slice() {
            [] => "it is the only checkpoint".to_owned(),
            others => format!("there is also that of {}", others.join(" and ")),
        };
        format!(
            "This run goes on from the checkpoint of {}; {others}.",
            of(&self.from)
        )
    }

    /// Writes the fork's directory, as if it had been trained up to the checkpoint: configuration, data file, the
    /// parent's files and events up to there, and last the checkpoint, without which the run is not one to go on with.
    /// Gives the events.
    ///
    /// # Errors
    /// Where a file cannot be read or written, or the parent was trained on since the fork was planned; in that case nothing
    /// is written.
    pub(super) fn write(
        mut self,
        dir: &Path,
        writer: &mut Writer,
        facts: Facts,
    ) -> Result<Vec<Event>, TrainError> {
        let step = self.from.progress.step;
        // Read before anything is written: where the parent was trained on meanwhile, no fork is made.
        let best = self.all.iter().find(|saved| saved.which == "best");
        let best = best.filter(|best| Some(best.progress.step) == self.from.progress.best_step);
        let best = best.map(|best| self.checkpoint(best)).transpose()?;
        let last = self.checkpoint(&self.from)?;
        self.started.id = facts.id;
        self.started.created_unix_secs = facts.created_unix_secs;
        self.started.instruction_set = facts.instruction_set;
        env!("CARGO_PKG_VERSION").clone_into(&mut self.started.code_version);
        let file = RunFile {
            format: self.started.format,
            code_version: self.started.code_version.clone(),
            instruction_set: self.started.instruction_set.clone(),
            config: self.started.config.clone(),
        };
        let path = log::config_path(dir);
        let text = toml::to_string(&file).map_err(|e| RunError::damaged(&path, e))?;
        log::write_whole(&path, text.as_bytes())?;
        copy(&log::data_path(&self.parent), &log::data_path(dir))?;
        let events = self.events(step);
        for name in files(&events) {
            let from = self.parent.join(&name);
            // A file that the parent lacks, the fork lacks as well.
            if from.is_file() {
                copy(&from, &dir.join(&name))?;
            }
        }
        for event in &events {
            writer.write(event)?;
        }
        writer.sync()?;
        if let Some(best) = best {
            log::write_whole(&log::checkpoint_path(dir, "best"), &best)?;
        }
        log::write_whole(&log::checkpoint_path(dir, "last"), &last)?;
        Ok(events)
    }

    /// The bytes of a checkpoint of the parent, if it still is the one that was planned with: while the images were read,
    /// another process may have trained the parent on.
    fn checkpoint(&self, planned: &Saved) -> Result<Vec<u8>, RunError> {
        let path = log::checkpoint_path(&self.parent, planned.which);
        let bytes = read(&path)?;
        if checkpoint::progress_of(&path, &bytes)? != planned.progress {
            let path = self.parent.clone();
            return Err(RunError::Busy { path });
        }
        Ok(bytes)
    }

    /// The header of the fork, and what the parent recorded up to a step, in order. Test scores are left out: only at its
    /// end is a run tested, and those of the parent would be taken for the fork's own.
    fn events(&self, step: u64) -> Vec<Event> {
        let steps = self.run.steps.iter().cloned().map(Event::Step);
        let evals = self
            .run
            .evals
            .iter()
            .filter(|eval| eval.split != Split::Test);
        let evals = evals.cloned().map(Event::Eval);
        let probes = self.run.recorded().iter().cloned().map(Event::Probe);
        let recorded = steps.chain(evals).chain(probes);
        let mut recorded: Vec<Event> = recorded.filter(|event| event.step() <= step).collect();
        // Stable: at one step, the training step comes first, and then what was measured after it.
        recorded.sort_by_key(Event::step);
        let header = Event::Started(Box::new(self.started.clone()));
        std::iter::once(header).chain(recorded).collect()
    }
}

/// What is new about a fork's header.
pub(super) struct Facts {
    pub(super) id: String,
    pub(super) created_unix_secs: u64,
    pub(super) instruction_set: String,
}

/// The first field that a fork changes and may not, in a sentence.
fn refusal(from: &RunConfig, to: &RunConfig) -> Option<String> {
    let changed = differences(&[from, to]);
    let is_weighted_late = [from, to].iter().any(|x| weighted_from(x) > 0);
    if from.epochs != to.epochs && (from.sampler == Sampler::Progressive || is_weighted_late) {
        return Some(
            "a fork of this run cannot change `epochs`, since its sampler or the beginning of its class weights goes by them, and \
             what the run has recorded is read by it; leave them as they are, or start a new run with `crosscurrent train`"
                .to_owned(),
        );
    }
    let field = changed
        .iter()
        .map(|x| x.field)
        .find(|field| !may_change(field))?;
    let because = match field.group {
        Group::Data => "the images stay those of the run",
        Group::Network => "the network stays that of the run",
        Group::RareClasses => "what the run has recorded is read by it",
        Group::Training | Group::Measurement | Group::Machine => {
            "the run goes on where it was, with the state of its optimiser and the same images in the same order"
        }
    };
    Some(format!(
        "a fork cannot change `{}`, since {because}; leave it as it is, or start a new run with `crosscurrent train`",
        field.name
    ))
}

/// The fields that a fork changes.
fn changes(from: &RunConfig, to: &RunConfig) -> Vec<Change> {
    let changed = differences(&[from, to]).into_iter();
    let change = changed.filter_map(|x| {
        let [from, to] = <[String; 2]>::try_from(x.values).ok()?;
        let field = x.field.name.to_owned();
        Some(Change { field, from, to })
    });
    change.collect()
}

/// The checkpoints of a run whose numbers are finite, in the order of their steps.
fn saved(parent: &Path, run: &Run) -> Result<Vec<Saved>, TrainError> {
    let mut all = Vec::new();
    let mut faults = Vec::new();
    for which in ["best", "last"] {
        let path = log::checkpoint_path(parent, which);
        if !path.is_file() {
            continue;
        }
        match checkpoint::progress_if_finite(&path) {
            Ok(Some(progress)) => all.push(Saved {
                which,
                has_diverged: has_diverged(run, progress.step),
                progress,
            }),
            Ok(None) => {}
            Err(error) => faults.push(error),
        }
    }
    if all.is_empty() {
        return Err(faults.into_iter().next().unwrap_or_else(|| {
            TrainError::Fork(format!(
                "there is no checkpoint with finite weights to go on from; start a new run with `crosscurrent train`: {}",
                shown(parent)
            ))
        }));
    }
    all.sort_by_key(|saved: &Saved| saved.progress.step);
    Ok(all)
}

/// Whether the network had diverged at a step: by the loss on validation images, or by that of the training step where
/// there is no such evaluation of the trained weights. At the start it has not.
fn has_diverged(run: &Run, step: u64) -> bool {
    let mut evals = run.evals_of(Split::Val);
    // Where an average of the weights is evaluated, training goes on from the weights themselves.
    let config = run.started.as_ref().map(|started| &started.config);
    let is_average = config.is_some_and(|config| config.ema_decay.is_some());
    let at = run
        .evals_of(Split::Val)
        .find(|eval| eval.step == step && !is_average);
    let (first, now) = match at {
        Some(at) => (evals.next().map(|eval| eval.loss), Some(at.loss)),
        None => {
            let now = run.steps.iter().rfind(|x| x.step <= step);
            (run.steps.first().map(|x| x.loss), now.map(|x| x.loss))
        }
    };
    match (first.flatten(), now) {
        (Some(first), Some(Some(now))) => now > DIVERGED * first,
        // Recorded, and not finite.
        (_, Some(None)) => step > 0,
        (None, Some(Some(_))) | (_, None) => false,
    }
}

/// The latest checkpoint at or before a step, whatever its loss; without a step the latest that has not diverged, if any.
fn choose(all: &[Saved], at: Option<u64>) -> Result<Saved, TrainError> {
    let all_diverged = all.iter().all(|saved| saved.has_diverged);
    let fits = |saved: &&Saved| match at {
        Some(at) => saved.progress.step <= at,
        None => all_diverged || !saved.has_diverged,
    };
    all.iter().rfind(fits).cloned().ok_or_else(|| {
        let steps: BTreeSet<u64> = all.iter().map(|saved| saved.progress.step).collect();
        let steps: Vec<String> = steps.iter().map(u64::to_string).collect();
        TrainError::Fork(format!(
            "there is no checkpoint at or before step {}; there are those of step {}",
            at.unwrap_or_default(),
            steps.join(" and step ")
        ))
    })
}

/// Files that events name or belong to, relative to the run directory.
fn files(events: &[Event]) -> Vec<String> {
    let mut files = Vec::new();
    for event in events {
        match event {
            Event::Probe(probe) => files.push(log::probe_file(probe.step)),
            Event::Eval(eval) => files.push(log::predictions_file(eval.step, eval.split)),
            Event::Started(_)
            | Event::Step(_)
            | Event::Resumed { .. }
            | Event::Finished(_)
            | Event::Stopped(_)
            | Event::Failed(_) => {}
        }
    }
    files
}

/// Copies a file of a run, whole.
fn copy(from: &Path, to: &Path) -> Result<(), RunError> {
    log::write_whole(to, &read(from)?)
}

/// A file of a run, whole. None is longer than a file of tensors may be.
fn read(path: &Path) -> Result<Vec<u8>, RunError> {
    log::read_tensors(path).map_err(|e| RunError::io("read the file", path, e))
}

/// What a run that ended by numbers that are not finite is told when it is resumed: the same would happen again.
pub(super) fn same_again(dir: &Path, ending: Option<&Ending>) -> Option<String> {
    let Some(Ending::Failed(end)) = ending else {
        return None;
    };
    end.is_not_finite().then(|| {
        format!(
            "With the same settings this run ends as before, because {}; `crosscurrent fork {} --lr X` goes on from the \
             checkpoint with a smaller learning rate.",
            end.message.split(';').next().unwrap_or_default(),
            dir.display()
        )
    })
}

#[cfg(test)]
mod tests;
