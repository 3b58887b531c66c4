//! The run directory: created, locked and appended to by one writer; read by anyone ([`read`](super::read)).

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use safetensors::tensor::{Dtype, TensorView};
use serde::{Deserialize, Serialize};

use super::event::{Event, FORMAT, Split};
pub use super::read::{
    Followed, Loaded, News, Position, follow, is_being_written, load, runs_in, runs_under,
};
use crate::config::{DataSource, RunConfig};

/// What can go wrong with a run directory. Each message names the thing, the remedy, and the path last.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A file could not be read or written.
    #[error("cannot {action}: {error}: {}", path.display())]
    Io {
        /// What was attempted.
        action: String,
        /// The file or directory.
        path: PathBuf,
        /// The system's reason.
        error: std::io::Error,
    },
    /// A file is not what it should be.
    #[error("damaged file ({reason}); restore it from a copy or train again: {}", path.display())]
    Damaged {
        /// What is wrong with it.
        reason: String,
        /// The file.
        path: PathBuf,
    },
    /// Written by a newer version of the program.
    #[error("the run has format {found}, this version reads up to {FORMAT}; update Crosscurrent to open it: {}", path.display())]
    Newer {
        /// The format found.
        found: u32,
        /// The run directory.
        path: PathBuf,
    },
    /// Another process is writing the run.
    #[error("another process is writing this run; stop it first, or choose another directory: {}", path.display())]
    Busy {
        /// The run directory.
        path: PathBuf,
    },
    /// The directory holds a run already.
    #[error("there is a run here already; resume it, or choose another directory: {}", path.display())]
    Exists {
        /// The run directory.
        path: PathBuf,
    },
    /// There is no such directory.
    #[error("there is no such directory; check the path: {}", path.display())]
    Missing {
        /// The directory.
        path: PathBuf,
    },
    /// The directory holds no run.
    #[error("this is not a run (it has no events.jsonl); name a directory that `crosscurrent train` wrote: {}", path.display())]
    NotARun {
        /// The directory.
        path: PathBuf,
    },
}

impl RunError {
    pub(crate) fn io(action: &str, path: &Path, error: std::io::Error) -> Self {
        Self::Io {
            action: action.to_owned(),
            path: path.to_owned(),
            error,
        }
    }

    /// Why there is no run to be read.
    pub(crate) fn not_a_run(path: &Path) -> Self {
        let path = path.to_owned();
        if path.exists() {
            Self::NotARun { path }
        } else {
            Self::Missing { path }
        }
    }

    pub(crate) fn damaged(path: &Path, reason: impl ToString) -> Self {
        Self::Damaged {
            reason: reason.to_string(),
            path: path.to_owned(),
        }
    }
}

/// `run.toml`: the configuration as run, readable and editable by a person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunFile {
    /// Version of the directory's layout.
    pub format: u32,
    /// Version of the program that wrote it.
    pub code_version: String,
    /// Instruction set and device.
    pub instruction_set: String,
    /// The configuration.
    pub config: RunConfig,
}

/// A directory under `parent` for a new run, named after its data and attention, that does not exist yet and is none of
/// those `taken`.
pub fn new_run_dir(parent: &Path, config: &RunConfig, taken: &[PathBuf]) -> PathBuf {
    let data = match &config.data {
        DataSource::Solar => "solar".to_owned(),
        DataSource::Folder(path) => match path.file_name() {
            Some(name) => name.to_string_lossy().into_owned(),
            None => "folder".to_owned(),
        },
    };
    let name = format!("{data}-{}", config.attention);
    let candidates =
        std::iter::once(name.clone()).chain((2..).map(|number| format!("{name}-{number}")));
    let free = candidates
        .map(|name| parent.join(name))
        .find(|path| !path.exists() && !taken.contains(path));
    free.unwrap_or_else(|| parent.join(name))
}

/// Path of a run's configuration.
pub fn config_path(run: &Path) -> PathBuf {
    run.join("run.toml")
}

/// Path of a run's log.
pub fn events_path(run: &Path) -> PathBuf {
    run.join("events.jsonl")
}

/// Path of a probe's tensors, relative to the run directory.
pub fn probe_file(step: u64) -> String {
    format!("probes/{step:08}.safetensors")
}

/// Path of a checkpoint; `which` is `last` or `best`.
pub fn checkpoint_path(run: &Path, which: &str) -> PathBuf {
    run.join("checkpoints").join(format!("{which}.safetensors"))
}

/// Path of a run's labels and split indices.
pub fn data_path(run: &Path) -> PathBuf {
    run.join("data.safetensors")
}

/// Path of the predictions of an evaluation, relative to the run directory.
pub fn predictions_file(step: u64, split: Split) -> String {
    let split = match split {
        Split::Train => "train",
        Split::Val => "val",
        Split::Test => "test",
    };
    format!("predictions/{step:08}-{split}.safetensors")
}

/// Writes labels u16 `[N]` and split indices u32 with their metadata.
///
/// # Errors
/// Where the file cannot be written.
pub fn write_data(
    path: &Path,
    labels: &[u16],
    splits: &[(&str, &Vec<u32>)],
    metadata: HashMap<String, String>,
) -> Result<(), RunError> {
    let bytes = |values: &[u32]| {
        values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect::<Vec<u8>>()
    };
    let mut tensors = vec![(
        "labels",
        Dtype::U16,
        labels.len(),
        labels.iter().flat_map(|x| x.to_le_bytes()).collect(),
    )];
    tensors.extend(
        splits
            .iter()
            .map(|(name, values)| (*name, Dtype::U32, values.len(), bytes(values))),
    );
    let tensors: Vec<_> = tensors
        .into_iter()
        .map(|(name, dtype, len, bytes)| (name, dtype, vec![len], bytes))
        .collect();
    write_tensors(path, &tensors, Some(metadata))
}

/// Writes predicted classes u16 `[N]` and confidences f32 `[N]`, and where given logits f32 `[N, K]`.
///
/// # Errors
/// Where the file cannot be written.
pub fn write_predictions(
    path: &Path,
    class: &[u16],
    confidence: &[f32],
    logits: Option<&[f32]>,
) -> Result<(), RunError> {
    let bytes = |values: &[f32]| {
        values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect::<Vec<u8>>()
    };
    let n = class.len();
    let classes = class.iter().flat_map(|class| class.to_le_bytes()).collect();
    let mut tensors = vec![
        ("class", Dtype::U16, vec![n], classes),
        ("confidence", Dtype::F32, vec![n], bytes(confidence)),
    ];
    if let Some(logits) = logits {
        tensors.push((
            "logits",
            Dtype::F32,
            vec![n, logits.len() / n.max(1)],
            bytes(logits),
        ));
    }
    write_tensors(path, &tensors, None)
}

/// Writes named tensors (little-endian bytes) as one safetensors file, whole.
///
/// # Errors
/// Where the file cannot be written.
pub fn write_tensors<N: AsRef<str>>(
    path: &Path,
    tensors: &[(N, Dtype, Vec<usize>, Vec<u8>)],
    metadata: Option<HashMap<String, String>>,
) -> Result<(), RunError> {
    let mut views = Vec::with_capacity(tensors.len());
    for (name, dtype, shape, bytes) in tensors {
        let view = TensorView::new(*dtype, shape.clone(), bytes)
            .map_err(|e| RunError::damaged(path, e))?;
        views.push((name.as_ref(), view));
    }
    let file = safetensors::serialize(views, metadata).map_err(|e| RunError::damaged(path, e))?;
    write_whole(path, &file)
}

/// Removes a run directory in which nothing was recorded; leaves any other alone.
pub fn remove_empty(run: &Path) {
    let path = events_path(run);
    if fs::metadata(&path).is_ok_and(|metadata| metadata.len() == 0)
        && fs::remove_file(&path).is_ok()
    {
        // Fails, as it should, where there is anything else in it.
        let _ = fs::remove_dir(run);
    }
}

/// Empties the log of a run that was cut before its first checkpoint, so that it can be trained anew.
///
/// # Errors
/// Where it cannot be written, is being written, or has a checkpoint by now.
pub fn clear(run: &Path) -> Result<(), RunError> {
    let writer = Writer::lock(run)?;
    if checkpoint_path(run, "last").is_file() {
        return Err(RunError::Exists {
            path: run.to_owned(),
        });
    }
    let emptied = writer.file.set_len(0);
    emptied.map_err(|e| RunError::io("empty the log", &events_path(run), e))
}

/// Writes a file so that it is there whole or not at all: temporary file, fsync, rename.
///
/// # Errors
/// Where the directory cannot be made or the file not written.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), RunError> {
    let write = || {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let mut temporary = path.as_os_str().to_owned();
        temporary.push(".tmp");
        let mut file = File::create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(temporary, path)
    };
    write().map_err(|e| RunError::io("write the file", path, e))
}

/// The one writer of a run. Dropping it releases the lock.
#[derive(Debug)]
pub struct Writer {
    file: File,
    run: PathBuf,
}

impl Writer {
    /// Makes the directory and its empty log, and locks it.
    ///
    /// # Errors
    /// Where the directory cannot be written, holds a run already, or is being written.
    pub fn create(run: &Path) -> Result<Self, RunError> {
        fs::create_dir_all(run).map_err(|e| RunError::io("make the run directory", run, e))?;
        let path = events_path(run);
        let exists = fs::metadata(&path).is_ok_and(|metadata| metadata.len() > 0);
        let writer = Self::lock(run)?;
        if exists {
            Err(RunError::Exists {
                path: run.to_owned(),
            })
        } else {
            Ok(writer)
        }
    }

    /// Opens the log of an existing run to append to it, and cuts a torn last line.
    ///
    /// # Errors
    /// Where there is no run, or it is being written.
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
        let path = events_path(run);
        let file = OpenOptions::new()
            .create(true)
            .read(true)
            .append(true)
            .open(&path)
            .map_err(|e| RunError::io("open the log", &path, e))?;
        // A reader that looks whether the run is being written holds the lock for an instant.
        for _ in 0..20 {
            match file.try_lock() {
                Ok(()) => {
                    return Ok(Self {
                        file,
                        run: run.to_owned(),
                    });
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(5)),
                Err(TryLockError::Error(e)) => return Err(RunError::io("lock the log", &path, e)),
            }
        }
        Err(RunError::Busy {
            path: run.to_owned(),
        })
    }

    fn cut_torn_line(&mut self) -> std::io::Result<()> {
        let mut bytes = Vec::new();
        self.file.seek(SeekFrom::Start(0))?;
        self.file.read_to_end(&mut bytes)?;
        let whole = bytes
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map_or(0, |newline| newline + 1);
        self.file.set_len(whole as u64)
    }

    /// Appends one event as one line, in one write.
    ///
    /// # Errors
    /// Where the log cannot be written.
    pub fn write(&mut self, event: &Event) -> Result<(), RunError> {
        let path = events_path(&self.run);
        let mut line = serde_json::to_vec(event).map_err(|e| RunError::damaged(&path, e))?;
        line.push(b'\n');
        self.file
            .write_all(&line)
            .map_err(|e| RunError::io("write the log", &path, e))
    }

    /// Flushes the log to the disk; before a checkpoint, so that a checkpoint never outruns the log.
    ///
    /// # Errors
    /// Where the log cannot be written.
    pub fn sync(&self) -> Result<(), RunError> {
        self.file
            .sync_data()
            .map_err(|e| RunError::io("flush the log", &events_path(&self.run), e))
    }
}
