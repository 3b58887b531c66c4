//! Writes the run's directory: header, data file, events and checkpoints.

use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::random::Random;
use crate::run::event::{End, Event, FORMAT, ProbeSet, Started};
use crate::run::log::{self, RunError, RunFile};

use super::super::control::Message;
use super::super::error::TrainError;
use super::super::memory::Work;
use super::super::{checkpoint, device};
use super::training::Trainer;

impl Trainer<'_> {
    /// Writes what does not change during a run: configuration, data file, and the log's header.
    pub(super) fn record_start(&mut self) -> Result<(), TrainError> {
        let instruction_set = device::describe(&self.device);
        let file = RunFile {
            format: FORMAT,
            code_version: env!("CARGO_PKG_VERSION").to_owned(),
            instruction_set: instruction_set.clone(),
            config: self.config.clone(),
        };
        let path = log::config_path(self.dir);
        let text = toml::to_string(&file).map_err(|e| RunError::damaged(&path, e))?;
        log::write_whole(&path, text.as_bytes())?;
        self.write_data_file()?;
        let (id, created_unix_secs) = new_id();
        let classes = self.data.classes.len();
        let started = Started {
            format: FORMAT,
            id,
            parent: None,
            created_unix_secs,
            code_version: file.code_version,
            instruction_set,
            config: self.config.clone(),
            recorder: None,
            classes: self.data.classes.clone(),
            train_counts: self.train_counts.clone(),
            val_counts: self.data.counts(&self.data.val),
            test_counts: self.data.counts(&self.data.test),
            image: self.net.spec().image,
            normalise: self.normalise.clone(),
            layers: self.net.spec().layers(),
            probe: ProbeSet {
                pieces: self.pieces.len() / classes,
                counts: self
                    .pieces
                    .chunks(self.pieces.len() / classes)
                    .map(piece_lengths)
                    .collect(),
                training: self.measured.clone(),
            },
            steps_per_epoch: self.steps_per_epoch,
            total_steps: self.total_steps,
            data_fingerprint: self.data.fingerprint(),
        };
        self.emit(Event::Started(Box::new(started)))
    }

    /// Writes a checkpoint; the log goes to disk first, so that no checkpoint is ahead of it. Where a number in it is not
    /// finite, training has diverged, and the checkpoint before, from which it may go on otherwise, stays.
    pub(super) fn save(&self, which: &str) -> Result<(), TrainError> {
        self.writer.sync()?;
        if !checkpoint::is_finite(&self.net, &*self.optimiser)? {
            return Err(TrainError::Diverged {
                what: "a weight",
                step: self.progress.step,
                lr: self.progress.last_lr,
            });
        }
        checkpoint::save(
            &log::checkpoint_path(self.dir, which),
            &self.net,
            self.ema.as_ref(),
            &*self.optimiser,
            &self.progress,
        )
    }

    /// Makes sure that the checkpoint `best` is that of the best step so far, whose weights are evaluated at the end. A process
    /// that was killed between two checkpoints, or a copy of a part of the folder, may have left none, or another one. If the
    /// present state is the best one, it is written once more; otherwise its weights are gone, and the best step is forgotten.
    pub(super) fn keep_best(&mut self) -> Result<(), TrainError> {
        let Some(best) = self.progress.best_step else {
            return Ok(());
        };
        // A checkpoint that cannot be read is as good as none.
        let kept = checkpoint::progress_if_finite(&log::checkpoint_path(self.dir, "best"));
        if kept.is_ok_and(|kept| kept.is_some_and(|kept| kept.step == best)) {
            return Ok(());
        }
        if best == self.progress.step {
            return self.save("best");
        }
        self.progress.best_step = None;
        self.progress.best_macro_f1 = None;
        (self.watcher)(Message::Notice(format!(
            "The weights of step {best}, which has the best macro-F1 so far, are gone: the best of the evaluations that follow \
             is tested in its place."
        )));
        Ok(())
    }

    /// Writes an event to the log, then tells the watcher.
    pub(super) fn emit(&mut self, event: Event) -> Result<(), TrainError> {
        self.writer.write(&event)?;
        self.run.apply(&event);
        (self.watcher)(Message::Event(event));
        Ok(())
    }

    /// Ends a run with the given result, and records the error of a run that failed. Everything recorded before stays; a run
    /// that failed before its header leaves no log behind, since it could neither be read nor begin again.
    pub(in crate::train) fn close(
        mut self,
        result: Result<(), TrainError>,
    ) -> Result<(), TrainError> {
        let Err(error) = result else {
            return self.writer.sync().map_err(Into::into);
        };
        let error = self.explained(error, Work::Step, self.config.batch);
        let end = End {
            step: self.progress.step,
            message: error.to_string(),
        };
        if self.run.started.is_some() {
            // Where the log itself failed (a full disk), the first error is the one to report.
            let _ = self.emit(Event::Failed(end));
        } else {
            log::remove_empty(self.dir);
        }
        Err(error)
    }

    pub(super) fn explained(&self, error: TrainError, work: Work, images: usize) -> TrainError {
        error.explained(&self.device, (self.net.spec(), self.config), work, images)
    }

    /// Writes labels, files, splits and probe images.
    fn write_data_file(&self) -> Result<(), TrainError> {
        let data = &self.data;
        let probe: Vec<u32> = self.pieces.concat();
        let mut metadata = HashMap::from([("fingerprint".to_owned(), data.fingerprint())]);
        if let Some(files) = &data.files {
            let path = log::data_path(self.dir);
            metadata.insert(
                "files".to_owned(),
                serde_json::to_string(files).map_err(|e| RunError::damaged(&path, e))?,
            );
        }
        let splits = [
            ("train", &data.train),
            ("val", &data.val),
            ("test", &data.test),
            ("probe", &probe),
        ];
        Ok(log::write_data(
            &log::data_path(self.dir),
            &data.labels,
            &splits,
            metadata,
        )?)
    }
}

/// An id for a new run, made from the time, and that time in seconds since 1970.
pub(in crate::train) fn new_id() -> (String, u64) {
    let created = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let process = u64::from(std::process::id());
    let id = Random::new(created.as_nanos() as u64, "run", process, 0).next_u64();
    (format!("{id:016x}"), created.as_secs())
}

/// Number of images of each piece.
pub(super) fn piece_lengths(pieces: &[Vec<u32>]) -> Vec<usize> {
    pieces.iter().map(Vec::len).collect()
}
