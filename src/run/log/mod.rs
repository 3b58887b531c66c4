//! Writing a run directory: one writer at a time creates it, locks it and appends events to its log.
//!
//! The paths, the errors and the reading of a run (`reader`) are re-exported here, so that users of
//! a run directory need one module.

pub(super) mod line;
pub(super) mod reader;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::RunConfig;
pub use crate::run::bytes::{read_tensors, write_tensors, write_whole, write_whole_by};
pub use crate::run::error::RunError;
use crate::run::event::Event;
pub use crate::run::find::{runs_in, runs_under};
use crate::run::mirrored;
pub use crate::run::paths::{
    checkpoint_path, config_path, data_path, events_path, new_fork_dir, new_run_dir,
    predictions_file, probe_file, refuse_links, verification_file,
};
use crate::run::reducer::Ending;
pub use crate::run::tensors::predictions::write_predictions;
pub use crate::run::tensors::recorded_data::write_data;
use line::{content, is_many, is_whole, parse};
use reader::Log;
pub use reader::{Followed, Loaded, News, Position, follow, is_being_written, load};

/// The contents of `run.toml`: the configuration that a run was trained with, for a person to read and to copy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunFile {
    /// Version of the directory's layout.
    pub format: u32,
    /// Version of the program that wrote it.
    pub code_version: String,
    /// Instruction set of the processor, and device.
    pub instruction_set: String,
    /// The configuration.
    pub config: RunConfig,
}

/// Removes the log of a run in which nothing was recorded, and its directory where that holds nothing else; does
/// nothing to any other run.
pub fn remove_empty(run: &Path) {
    let path = events_path(run);
    if fs::metadata(&path).is_ok_and(|metadata| metadata.len() == 0)
        && fs::remove_file(&path).is_ok()
    {
        // This fails where the directory holds anything else, as it should.
        let _ = fs::remove_dir(run);
    }
}

/// The checkpoint that training goes on from, `last` or `best`, and its file: the last one or, where that is missing, as after
/// a copy of a part of the folder, the one with the best macro-F1. `None` if there is neither.
pub fn checkpoint_to_resume(run: &Path) -> Option<(&'static str, PathBuf)> {
    let all = ["last", "best"].map(|which| (which, checkpoint_path(run, which)));
    all.into_iter().find(|(_, path)| path.exists())
}

/// Whether little is lost by training a run anew: it has no checkpoint and was cut, or failed, within its first epoch.
/// A run that came further has lost its checkpoints, and what it recorded is worth keeping. A fork never begins anew: its
/// configuration holds only from the checkpoint of the other run on.
///
/// # Errors
/// Where the run cannot be read.
pub fn begins_anew(run: &Path) -> Result<bool, RunError> {
    Ok(!is_being_written(run) && is_early(run)?)
}

/// [`begins_anew`], whoever is writing the run.
fn is_early(run: &Path) -> Result<bool, RunError> {
    if checkpoint_to_resume(run).is_some() {
        return Ok(false);
    }
    if holds_nothing(run)? {
        return Ok(true);
    }
    let run = load(run)?.run;
    let started = run.started.as_ref();
    let is_fork = started.is_some_and(|started| started.parent.is_some());
    let is_open = !matches!(run.ending, Some(Ending::Finished(_) | Ending::Stopped(_)));
    let epoch = started.map_or(0, |x| x.steps_per_epoch);
    Ok(!is_fork && is_open && run.last_step() <= epoch)
}

/// Whether not even the header of a run was recorded whole.
///
/// # Errors
/// Where the log cannot be read.
pub fn holds_nothing(run: &Path) -> Result<bool, RunError> {
    let mut log = Log::open(run)?;
    Ok(log.header_line()?.is_none() && !is_many(&log.first_line()?))
}

/// Whether another program wrote the log, such as the recorder, so that what its probes tell is read from their files. False
/// where the header cannot be read.
pub fn is_recorded(run: &Path) -> bool {
    let header = Log::open(run).and_then(|mut log| log.header_line());
    let Some(header) = header.ok().flatten() else {
        return false;
    };
    let started = parse(&header.text).ok().flatten();
    matches!(started, Some(Event::Started(started)) if started.recorder.is_some())
}

/// Empties the log of a run that was cut before its first checkpoint, so that the run can be trained anew. Gives what the log
/// held, for [`restore`].
///
/// # Errors
/// Where the log cannot be written, another process is writing it, the run has a checkpoint by now, or what it recorded
/// is worth keeping.
pub fn clear(run: &Path) -> Result<Vec<u8>, RunError> {
    let writer = Writer::lock(run)?;
    let last = checkpoint_path(run, "last");
    if last.is_file() {
        return Err(RunError::Exists {
            path: run.to_owned(),
        });
    }
    if !is_early(run)? {
        return Err(RunError::NoCheckpoint { path: last });
    }
    let path = events_path(run);
    let held = fs::read(&path).map_err(|e| RunError::io("read the log", &path, e))?;
    let emptied = writer.file.set_len(0);
    emptied.map_err(|e| RunError::io("empty the log", &path, e))?;
    Ok(held)
}

/// Writes back what the log of a run held before it was emptied, where nothing was recorded since: otherwise a run whose
/// images cannot be read for now would be lost.
pub fn restore(run: &Path, held: &[u8]) {
    let path = events_path(run);
    if !fs::metadata(&path).is_ok_and(|log| log.len() > 0) {
        // The error to report is the one for which nothing was recorded.
        let _ = fs::create_dir_all(run);
        let _ = write_whole(&path, held);
    }
}

/// How often a log is opened again that is not at its path after it was locked; then it is taken as it is, since there are
/// file systems on which files cannot be told apart.
const REOPENED: usize = 5;

/// The one writer of a run. Dropping the writer releases the run's lock.
#[derive(Debug)]
pub struct Writer {
    file: File,
    run: PathBuf,
    is_locked: bool,
}

impl Writer {
    /// Whether other processes are kept from writing the run; some file systems have no locks.
    pub fn is_locked(&self) -> bool {
        self.is_locked
    }

    /// Makes the directory and its empty log, and locks the log.
    ///
    /// # Errors
    /// Where the directory cannot be written, holds a run already, or another process is writing it.
    pub fn create(run: &Path) -> Result<Self, RunError> {
        fs::create_dir_all(run).map_err(|e| RunError::io("make the run directory", run, e))?;
        let writer = Self::lock(run)?;
        // Known only now: while this process waited for the lock, another one may have written the log.
        let log = writer.file.metadata();
        let log = log.map_err(|e| RunError::io("open the log", &events_path(run), e))?;
        if log.len() > 0 {
            Err(RunError::Exists {
                path: run.to_owned(),
            })
        } else {
            Ok(writer)
        }
    }

    /// Opens and locks the log of an existing run to append to it, and cuts off a last line that is not whole. A last
    /// line that lacks its end alone gets it.
    ///
    /// # Errors
    /// Where there is no run, or another process is writing it.
    pub fn append(run: &Path) -> Result<Self, RunError> {
        if !events_path(run).is_file() {
            return Err(RunError::not_a_run(run));
        }
        let mut writer = Self::lock(run)?;
        writer
            .cut_torn_line()
            .map_err(|e| RunError::io("repair the log", &events_path(run), e))?;
        Ok(writer)
    }

    fn lock(run: &Path) -> Result<Self, RunError> {
        mirrored::refuse(run)?;
        refuse_links(run)?;
        Self::lock_once(run)?.at_its_path()
    }

    /// Opens and locks the log again as long as it is no longer the one in the run's directory: while this process waited
    /// for the lock, the one that held it may have removed its empty log, and with it the directory.
    fn at_its_path(mut self) -> Result<Self, RunError> {
        for _ in 0..REOPENED {
            if is_at(&self.file, &events_path(&self.run)) {
                break;
            }
            let Self { file, run, .. } = self;
            // Where this was the log at the path after all, its lock would keep the next one waiting.
            drop(file);
            fs::create_dir_all(&run)
                .map_err(|e| RunError::io("make the run directory", &run, e))?;
            self = Self::lock_once(&run)?;
        }
        Ok(self)
    }

    /// Opens the log, which is made if need be, and locks it.
    fn lock_once(run: &Path) -> Result<Self, RunError> {
        let path = events_path(run);
        let file = OpenOptions::new()
            .create(true)
            .read(true)
            .append(true)
            .open(&path)
            .map_err(|e| RunError::io("open the log", &path, e))?;
        // A reader that asks whether the run is being written holds the lock for an instant.
        for _ in 0..20 {
            match file.try_lock() {
                Ok(()) => {
                    return Ok(Self {
                        file,
                        run: run.to_owned(),
                        is_locked: true,
                    });
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(5)),
                // A file system without locks, such as some mounts of Lustre: nothing can keep other writers away.
                Err(TryLockError::Error(e)) if e.kind() == ErrorKind::Unsupported => {
                    return Ok(Self {
                        file,
                        run: run.to_owned(),
                        is_locked: false,
                    });
                }
                Err(TryLockError::Error(e)) => return Err(RunError::io("lock the log", &path, e)),
            }
        }
        Err(RunError::Busy {
            path: run.to_owned(),
        })
    }

    fn cut_torn_line(&mut self) -> io::Result<()> {
        let mut bytes = Vec::new();
        self.file.seek(SeekFrom::Start(0))?;
        self.file.read_to_end(&mut bytes)?;
        let whole = bytes
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map_or(0, |newline| newline + 1);
        let last = content(bytes.get(whole..).unwrap_or_default(), whole == 0);
        match is_whole(last) {
            true => self.file.write_all(b"\n"),
            false => self.file.set_len(whole as u64),
        }
    }

    /// Appends one event as one line, in a single write.
    ///
    /// # Errors
    /// Where the log cannot be written.
    pub fn write(&mut self, event: &Event) -> Result<(), RunError> {
        let path = events_path(&self.run);
        let mut line = serde_json::to_vec(event).map_err(|e| RunError::damaged(&path, e))?;
        line.push(b'\n');
        append_by(&mut self.file, |file| file.write_all(&line))
            .map_err(|e| RunError::io("write the log", &path, e))
    }

    /// Flushes the log to the disk. Called before a checkpoint is written, so that a checkpoint never outruns the log.
    ///
    /// # Errors
    /// Where the log cannot be written.
    pub fn sync(&self) -> Result<(), RunError> {
        self.file
            .sync_data()
            .map_err(|e| RunError::io("flush the log", &events_path(&self.run), e))
    }
}

/// Whether a path leads to an open file; taken for granted where the system does not tell.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let (Ok(open), Ok(found)) = (file.metadata(), fs::metadata(path)) else {
        return false;
    };
    (open.dev(), open.ino()) == (found.dev(), found.ino())
}

/// Whether a path leads to an open file; taken for granted where the system does not tell.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}

/// Writes to the end of a file. Where that fails, as on a full disk, what was written is taken back: the next line would be
/// glued to the half of this one.
fn append_by(file: &mut File, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let length = file.metadata()?.len();
    write(file).inspect_err(|_| {
        // The error to report is the first one. Half a line at the end of a log is known for what it is.
        let _ = file.set_len(length);
    })
}

#[cfg(test)]
mod tests;
