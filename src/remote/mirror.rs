//! A copy of the runs of another machine, in the user's folder for caches.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::RemoteError;
use super::address::Address;
use super::connection::Connection;
use super::protocol::{LOG, ListedFile, ListedRun, MOST_BYTES, directory, is_file_of_run};
use super::ssh::Ssh;
use super::unused::{lock_path, mark_as_used, remove_unused};
use crate::run::log::{events_path, runs_under};
use crate::run::mirrored::{self, Mirrored};
use crate::text::{one_line, visible};

/// Bytes at the end of a log that are read again: where they differ, the log was replaced.
const OVERLAP: u64 = 4096;

/// How deep a copy is searched for runs that are gone; runs are copied no deeper.
const DEPTH: usize = 8;

/// A copy of the runs at an address. While it exists, runs that are being trained on the server count as being trained here,
/// too: it holds the locks of their logs.
pub struct Mirror {
    address: Address,
    dir: PathBuf,
    connection: Connection,
    held: BTreeMap<PathBuf, File>,
}

/// What a round of copying has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// The directories of the copies, ordered.
    pub runs: Vec<PathBuf>,
    /// Sentences about what could not be copied.
    pub problems: Vec<String>,
}

impl Mirror {
    /// Connects to a server. Nothing is copied yet, and copies that nobody has asked for in 30 days are removed.
    ///
    /// # Errors
    /// Where the server, the program or the folder there cannot be reached.
    pub fn open(address: &Address, ssh: &Ssh) -> Result<Self, RemoteError> {
        let copies = ssh.copies.as_ref().ok_or(RemoteError::NoCache)?;
        let (dir, now) = (address.place_in(copies), SystemTime::now());
        mark_as_used(&dir, now);
        remove_unused(copies, now);
        Ok(Self {
            address: address.clone(),
            dir,
            connection: Connection::open(address, ssh)?,
            held: BTreeMap::new(),
        })
    }

    /// The folder of the copies; where the address is that of a run, its copy.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Copies what has changed since it was copied last: of every run the log, the configuration and the notes, and of those
    /// that `is_whole` names by the directories of their copies, everything but checkpoints. A log is copied up to where it
    /// was before the other files were copied, so that it names no file that is missing. Copies of runs that are gone are
    /// removed.
    ///
    /// # Errors
    /// Where the connection ends, or the copies cannot be written.
    pub fn update(&mut self, is_whole: &dyn Fn(&Path) -> bool) -> Result<Round, RemoteError> {
        let made = fs::create_dir_all(&self.dir);
        made.map_err(|e| RemoteError::copy("make", &self.dir, e))?;
        self.mark(&self.dir, "")?;
        let _round = self.one_at_a_time()?;
        let mut round = Round::default();
        let mut running = BTreeSet::new();
        for listed in self.connection.runs()? {
            let Some(below) = directory(&listed.path) else {
                round.problems.push(self.left_out(&listed.path));
                continue;
            };
            let dir = self.dir.join(below);
            if listed.log > MOST_BYTES {
                round.problems.push(format!(
                    "{}: the log of this run is longer than the {MOST_BYTES} bytes that are copied: {}",
                    self.address.host,
                    visible(&listed.path)
                ));
                continue;
            }
            match self.update_run(&dir, &listed, is_whole(&dir), &mut round.problems) {
                // The server could not read it; what was copied before stays.
                Err(error @ RemoteError::Said { .. }) => round.problems.push(error.to_string()),
                updated => updated?,
            }
            if listed.running {
                running.insert(dir.clone());
            }
            round.runs.push(dir);
        }
        self.remove_others(&round.runs)?;
        self.hold(&running);
        round.runs.sort();
        Ok(round)
    }

    /// Keeps other processes, and other threads, from copying to the same place until the file is dropped.
    fn one_at_a_time(&self) -> Result<File, RemoteError> {
        let path = lock_path(&self.dir);
        let lock = || {
            let file = OpenOptions::new().create(true).append(true).open(&path)?;
            file.lock()?;
            file.set_modified(SystemTime::now())?;
            Ok(file)
        };
        lock().map_err(|e| RemoteError::copy("lock", &path, e))
    }

    fn mark(&self, dir: &Path, run: &str) -> Result<(), RemoteError> {
        let mark = Mirrored {
            address: self.address.to_string(),
            run: run.to_owned(),
        };
        if mirrored::of(dir).as_ref() == Some(&mark) {
            return Ok(());
        }
        let marked = mark.mark(dir);
        marked.map_err(|e| RemoteError::copy("mark", dir, io::Error::other(e)))
    }

    fn update_run(
        &mut self,
        dir: &Path,
        listed: &ListedRun,
        is_whole: bool,
        problems: &mut Vec<String>,
    ) -> Result<(), RemoteError> {
        self.mark(dir, &listed.path)?;
        let is_new = |log: u64| fs::metadata(events_path(dir)).map_or(true, |had| had.len() != log);
        if is_whole || is_new(listed.log) {
            for file in self.connection.files(&listed.path)? {
                if !is_file_of_run(&file.path) || file.path == LOG {
                    problems.push(self.left_out(&file.path));
                    continue;
                }
                let is_small = file.path == "run.toml" || file.path == "notes.json";
                if !(is_whole || is_small) || is_there(&dir.join(&file.path), &file) {
                    continue;
                }
                match self.copy_file(dir, &listed.path, &file) {
                    Err(error @ RemoteError::Said { .. }) => problems.push(error.to_string()),
                    copied => copied?,
                }
            }
        }
        self.copy_log(dir, listed)
    }

    /// Copies a file whole: to a temporary file, which takes its place.
    fn copy_file(&mut self, dir: &Path, run: &str, file: &ListedFile) -> Result<(), RemoteError> {
        let path = dir.join(&file.path);
        let (length, changed) = self.connection.read(run, &file.path, 0, MOST_BYTES)?;
        let changed = UNIX_EPOCH + Duration::from_millis(changed.min(u64::from(u32::MAX) * 1000));
        let mut temporary = path.clone().into_os_string();
        temporary.push(".tmp");
        let temporary = PathBuf::from(temporary);
        let make = || {
            fs::create_dir_all(path.parent().unwrap_or(dir))?;
            File::create(&temporary)
        };
        let mut into = make().map_err(|e| RemoteError::copy("write", &temporary, e))?;
        self.receive(&mut into, length, &temporary)?;
        let put = || {
            into.set_modified(changed)?;
            fs::rename(&temporary, &path)
        };
        put().map_err(|e| RemoteError::copy("write", &path, e))
    }

    /// Copies what a log has more than its copy, or all of it where it is no longer the log that was copied.
    fn copy_log(&mut self, dir: &Path, listed: &ListedRun) -> Result<(), RemoteError> {
        let path = events_path(dir);
        let had = fs::metadata(&path).map_or(0, |metadata| metadata.len());
        if had == listed.log && had > 0 && !listed.running {
            return Ok(());
        }
        let failed = |e| RemoteError::copy("write", &path, e);
        if had > 0 && had <= listed.log {
            let from = had.saturating_sub(OVERLAP);
            let mut known = Vec::new();
            let open = OpenOptions::new().read(true).append(true).open(&path);
            let mut file = open.map_err(failed)?;
            file.seek(SeekFrom::Start(from)).map_err(failed)?;
            file.read_to_end(&mut known).map_err(failed)?;
            let (length, _) = self
                .connection
                .read(&listed.path, LOG, from, listed.log - from)?;
            let mut again = Vec::new();
            let overlap = (known.len() as u64).min(length);
            self.receive(&mut again, overlap, &path)?;
            let rest = length - overlap;
            if again == known {
                return self.receive(&mut file, rest, &path);
            }
            self.receive(&mut io::sink(), rest, &path)?;
        }
        // A new file: readers that have the old one open go on reading that.
        self.held.remove(dir);
        let (length, _) = self.connection.read(&listed.path, LOG, 0, listed.log)?;
        let temporary = path.with_extension("jsonl.tmp");
        let mut file = File::create(&temporary).map_err(failed)?;
        self.receive(&mut file, length, &temporary)?;
        fs::rename(&temporary, &path).map_err(failed)
    }

    /// Takes a number of bytes from the connection.
    fn receive(
        &mut self,
        into: &mut impl io::Write,
        length: u64,
        path: &Path,
    ) -> Result<(), RemoteError> {
        let mut left = length;
        let mut bytes = vec![0; 64 << 10];
        while left > 0 {
            let most = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            let read = self
                .connection
                .bytes()
                .read(&mut bytes[..most])
                .unwrap_or(0);
            if read == 0 {
                return Err(self.connection.ended());
            }
            let written = into.write_all(&bytes[..read]);
            written.map_err(|e| RemoteError::copy("write", path, e))?;
            left -= read as u64;
        }
        Ok(())
    }

    /// Removes the copies of runs that are no longer there.
    fn remove_others(&mut self, runs: &[PathBuf]) -> Result<(), RemoteError> {
        for dir in runs_under(&self.dir, DEPTH) {
            if runs.contains(&dir) || mirrored::of(&dir).is_none() {
                continue;
            }
            self.held.remove(&dir);
            // The folder of all copies stays, with its mark.
            let removed = match dir == self.dir {
                true => fs::remove_file(events_path(&dir)),
                false => fs::remove_dir_all(&dir),
            };
            removed.map_err(|e| RemoteError::copy("remove", &dir, e))?;
        }
        Ok(())
    }

    /// Holds the locks of the runs that are being trained, by which readers tell that they are; another process that copies
    /// them may hold them already.
    fn hold(&mut self, running: &BTreeSet<PathBuf>) {
        self.held.retain(|dir, _| running.contains(dir));
        for dir in running {
            if self.held.contains_key(dir) {
                continue;
            }
            let file = OpenOptions::new().append(true).open(events_path(dir));
            if let Some(file) = file.ok().filter(|file| file.try_lock().is_ok()) {
                self.held.insert(dir.clone(), file);
            }
        }
    }

    fn left_out(&self, name: &str) -> String {
        let name: String = name.chars().take(100).collect();
        let name = visible(&one_line(&name)).into_owned();
        let host = &self.address.host;
        format!(
            "{host} names a file that is none of a run and could lead elsewhere; it is left out: {name}"
        )
    }
}

/// Whether a file was copied as it is.
fn is_there(path: &Path, listed: &ListedFile) -> bool {
    let Ok(metadata) = fs::metadata(path) else {
        return false;
    };
    let changed = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    let changed = changed
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis());
    metadata.len() == listed.bytes && changed == u128::from(listed.changed)
}
