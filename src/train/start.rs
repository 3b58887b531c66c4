//! Starting a run, or going on with one, on threads of its own.

use std::path::Path;
use std::sync::Arc;

use crate::config::RunConfig;
use crate::data::{self, DataError, Loaded};
use crate::run::event::Started;
use crate::run::log::{self, RunError, Writer};
use crate::run::{Ending, Run, mirrored};

use super::control::{Control, Emit, Message};
use super::error::TrainError;
use super::fork::{Facts, Plan, same_again};
use super::trainer::{Trainer, is_data_of, new_id};
use super::{checkpoint, device};

/// Trains a new run in the directory `dir`, which is made if need be. Returns when the run has finished or was stopped;
/// every event is on disk before `emit` hears of it.
///
/// # Errors
/// Where the configuration, the data, the device or the directory cannot be used, or the loss diverges. Everything
/// recorded until then is kept.
pub fn run(
    dir: &Path,
    config: &RunConfig,
    control: &Control,
    emit: &mut (dyn FnMut(Message) + Send),
) -> Result<(), TrainError> {
    let config = &config.settled();
    on_threads(config.threads, || start(dir, config, control, emit))
}

/// Goes on with a run that was stopped or killed, from its last checkpoint. The results are bit-exactly those of a run
/// without the interruption. A run that was cut before its first checkpoint begins anew.
///
/// # Errors
/// As [`run`]; also where the run has finished, is being written, or its data have changed.
pub fn resume(
    dir: &Path,
    control: &Control,
    emit: &mut (dyn FnMut(Message) + Send),
) -> Result<(), TrainError> {
    let (started, is_early) = read_header(dir)?;
    let config = started.config;
    if is_early {
        let held = log::clear(dir)?;
        let text = "The run was cut before its first checkpoint and begins anew.";
        emit(Message::Notice(text.to_owned()));
        return run(dir, &config, control, emit).inspect_err(|_| log::restore(dir, &held));
    }
    on_threads(config.threads, || go_on(dir, &config, control, emit))
}

/// Trains a new run in the directory `dir` that begins with what the run in `parent` recorded up to a checkpoint, and
/// goes on from there with `config`: from the latest checkpoint at or before the step `at` whose numbers are finite, or,
/// without a step, the latest at which the network had not diverged. With the parent's configuration the results are
/// bit-exactly those of [`resume`]. `emit` hears all events of the new run, beginning with its header.
///
/// # Errors
/// As [`run`]; also where the parent is being written, is trained on before its checkpoint is copied, or has no such
/// checkpoint, its data have changed, or `config` changes what a fork may not ([`may_change`](super::may_change)).
pub fn fork(
    parent: &Path,
    dir: &Path,
    config: &RunConfig,
    at: Option<u64>,
    control: &Control,
    emit: &mut (dyn FnMut(Message) + Send),
) -> Result<(), TrainError> {
    let config = &config.settled();
    let plan = Plan::new(parent, config, at)?;
    on_threads(config.threads, || {
        branch_off(plan, dir, config, control, emit)
    })
}

/// Does all work of a run on a thread pool of its own: a thread outside the pool would go to sleep and be woken at
/// every parallel loop, and a step has a hundred of them.
pub(super) fn on_threads<T: Send>(
    threads: Option<usize>,
    work: impl FnOnce() -> Result<T, TrainError> + Send,
) -> Result<T, TrainError> {
    let threads = threads.unwrap_or_else(rayon::current_num_threads);
    let pool = crate::threads::pool().num_threads(threads).build();
    pool.map_err(|error| TrainError::Device(format!("cannot start {threads} threads: {error}")))?
        .install(work)
}

/// The header of a run, and whether it is trained anew ([`log::begins_anew`]).
fn read_header(dir: &Path) -> Result<(Started, bool), TrainError> {
    // The log's header says first whether the run can be read at all.
    let loaded = log::load(dir)?;
    mirrored::refuse(dir)?;
    loaded.refuse_recorded(dir, "go on with it")?;
    let Some(started) = loaded.run.started else {
        return Err(RunError::not_a_run(dir).into());
    };
    Ok((started, log::begins_anew(dir)?))
}

/// Trains a new run.
fn start(
    dir: &Path,
    config: &RunConfig,
    control: &Control,
    emit: Emit<'_>,
) -> Result<(), TrainError> {
    if let Some(error) = config.validate().into_iter().next() {
        return Err(error.into());
    }
    let device = device::open(config.device, config.tf32)
        .map_err(|reason| TrainError::Device(format!("{reason}; choose the device `cpu`")))?;
    // The directory is made before the images are read, so that a directory that cannot be written is known at once.
    let writer = Writer::create(dir)?;
    note_lock(&writer, emit);
    let data = load_data(config, control, emit)
        .and_then(|loaded| match loaded.plan.refusal(config) {
            Some(reason) => Err(DataError::Settings(reason).into()),
            None => {
                if let Some(note) = loaded.plan.batch_advice(config) {
                    emit(Message::Notice(note));
                }
                Ok(Arc::new(loaded.dataset))
            }
        })
        .inspect_err(|_| log::remove_empty(dir))?;
    let mut trainer = Trainer::new(dir, config, data, device, writer, control, emit)
        .inspect_err(|_| log::remove_empty(dir))?;
    let result = trainer.begin().and_then(|()| trainer.train());
    trainer.close(result)
}

/// Says that nothing keeps a second process from writing the same run.
fn note_lock(writer: &Writer, emit: Emit<'_>) {
    if !writer.is_locked() {
        let text = "This file system has no locks, so that nothing keeps another process from writing this run, too; give each \
                    process runs of its own (of a sweep, by `--shard`).";
        emit(Message::Notice(text.to_owned()));
    }
}

/// Goes on with a run from its last checkpoint.
fn go_on(
    dir: &Path,
    config: &RunConfig,
    control: &Control,
    emit: Emit<'_>,
) -> Result<(), TrainError> {
    let writer = Writer::append(dir)?;
    note_lock(&writer, emit);
    let loaded = log::load(dir)?;
    if matches!(loaded.run.ending, Some(Ending::Finished(_))) {
        return Err(TrainError::Finished(dir.to_owned()));
    }
    let gone = || RunError::NoCheckpoint {
        path: log::checkpoint_path(dir, "last"),
    };
    let (which, checkpoint) = log::checkpoint_to_resume(dir).ok_or_else(gone)?;
    if which != "last" {
        let started = loaded.run.started.as_ref();
        // The configuration of a fork holds from the checkpoint on that it was made of, and not before.
        if let Some(parent) = started.and_then(|started| started.parent.as_ref())
            && checkpoint::progress_if_finite(&checkpoint)?.is_some_and(|x| x.step < parent.step)
        {
            return Err(gone().into());
        }
        let text = "The last checkpoint of this run is missing; it goes on from the one with the best macro-F1.";
        emit(Message::Notice(text.to_owned()));
    }
    let device = device::open(config.device, config.tf32).map_err(|reason| {
        TrainError::Device(format!(
            "{reason}, and this run was started on one; resume it where there is one"
        ))
    })?;
    if let Some(notice) = same_again(dir, loaded.run.ending.as_ref()) {
        emit(Message::Notice(notice));
    }
    let data = Arc::new(load_data(config, control, emit)?.dataset);
    let mut trainer = Trainer::new(dir, config, data, device, writer, control, emit)?;
    trainer.restore(loaded.run, &checkpoint)?;
    let result = trainer.go_on();
    trainer.close(result)
}

/// Makes a fork's directory and goes on from its checkpoint.
fn branch_off(
    plan: Plan,
    dir: &Path,
    config: &RunConfig,
    control: &Control,
    emit: Emit<'_>,
) -> Result<(), TrainError> {
    let device = device::open(config.device, config.tf32)
        .map_err(|reason| TrainError::Device(format!("{reason}; choose the device `cpu`")))?;
    let mut writer = Writer::create(dir)?;
    note_lock(&writer, emit);
    let data = load_data(config, control, emit);
    let data = data.and_then(|loaded| match is_data_of(&loaded.dataset, plan.started()) {
        true => Ok(Arc::new(loaded.dataset)),
        false => Err(TrainError::DataChanged(config.data.to_string())),
    });
    let data = data.inspect_err(|_| log::remove_empty(dir))?;
    emit(Message::Notice(plan.sentence()));
    let (id, created_unix_secs) = new_id();
    let instruction_set = device::describe(&device);
    let facts = Facts {
        id,
        created_unix_secs,
        instruction_set,
    };
    let events = plan
        .write(dir, &mut writer, facts)
        .inspect_err(|_| log::remove_empty(dir))?;
    for event in &events {
        emit(Message::Event(event.clone()));
    }
    let mut trainer = Trainer::new(dir, config, data, device, writer, control, emit)?;
    let checkpoint = log::checkpoint_path(dir, "last");
    trainer.restore(Run::replay(&events), &checkpoint)?;
    let result = trainer.go_on();
    trainer.close(result)
}

/// Reads the images on a thread of their own, and passes on the progress of reading.
pub(super) fn load_data(
    config: &RunConfig,
    control: &Control,
    emit: Emit<'_>,
) -> Result<Loaded, TrainError> {
    // Decoding threads report through a channel: `emit` belongs to this thread.
    let (sender, receiver) = crossbeam_channel::unbounded();
    let loaded = std::thread::scope(|scope| {
        let loader = scope.spawn(move || {
            data::load(config, &|done, total| {
                let _ = sender.send((done, total));
                !control.is_stopped()
            })
        });
        for (done, total) in receiver {
            emit(Message::Loading { done, total });
        }
        loader.join()
    });
    let loaded = match loaded {
        Ok(loaded) => loaded?,
        Err(panic) => std::panic::resume_unwind(panic),
    };
    for note in loaded.sentences() {
        emit(Message::Notice(note));
    }
    Ok(loaded)
}
