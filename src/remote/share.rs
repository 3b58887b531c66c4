//! The server's end: answers what the other end asks on stdin, on stdout. It reads runs and writes nothing.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, UNIX_EPOCH};

use super::protocol::{
    Answer, FILES, FOLDERS, GREETING, ListedFile, ListedRun, MOST_FILES, MOST_RUNS, PROTOCOL,
    Request, directory, is_file_of_run,
};
use crate::files;
use crate::run::log::{events_path, is_being_written, runs_under};
use crate::text::shown;

/// Most bytes of a request.
const LONGEST_REQUEST: u64 = 64 << 10;

/// How deep folders are searched for runs.
const DEPTH: usize = 4;

/// How long the runs that were found in the folder stand for those that are there.
const SEARCH_EVERY: Duration = Duration::from_secs(10);

/// Answers requests until there are no more.
///
/// # Errors
/// Where the other end has gone, or a file cannot be read to its end.
pub fn share(input: impl Read, output: impl Write) -> io::Result<()> {
    let mut input = BufReader::new(input);
    let mut output = io::BufWriter::new(output);
    let version = env!("CARGO_PKG_VERSION");
    writeln!(output, "{GREETING}{PROTOCOL} {version}")?;
    let mut share = Share::default();
    loop {
        output.flush()?;
        let mut line = Vec::new();
        if (&mut input)
            .take(LONGEST_REQUEST)
            .read_until(b'\n', &mut line)?
            == 0
        {
            return Ok(());
        }
        match serde_json::from_slice(&line) {
            Ok(Request::Read {
                run,
                file,
                from,
                most,
            }) => {
                share.read(&mut output, (&run, &file), from, most)?;
            }
            Ok(Request::Open { folder }) => answer(&mut output, &share.open(&folder))?,
            Ok(Request::Runs) => answer(&mut output, &share.runs())?,
            Ok(Request::Files { run }) => answer(&mut output, &share.files(&run))?,
            Err(error) => answer(
                &mut output,
                &Answer::Error(format!("no such request: {error}")),
            )?,
        }
    }
}

fn answer(output: &mut impl Write, answer: &Answer) -> io::Result<()> {
    serde_json::to_writer(&mut *output, answer)?;
    output.write_all(b"\n")
}

#[derive(Default)]
struct Share {
    folder: PathBuf,
    /// The directories of the runs, and when they were looked for.
    found: Option<(Instant, Vec<PathBuf>)>,
}

impl Share {
    fn open(&mut self, folder: &str) -> Answer {
        let below = match folder {
            "~" => Some(""),
            folder => folder.strip_prefix("~/"),
        };
        let folder = match (below, dirs::home_dir()) {
            (None, _) => PathBuf::from(folder),
            (Some(below), Some(home)) => home.join(below),
            (Some(_), None) => return Answer::Error("the user has no home there".to_owned()),
        };
        match fs::read_dir(&folder) {
            Err(error) => Answer::Error(format!(
                "cannot read the folder: {error}: {}",
                shown(&folder)
            )),
            Ok(_) => {
                (self.folder, self.found) = (folder, None);
                Answer::Opened
            }
        }
    }

    fn runs(&mut self) -> Answer {
        let is_new = |(at, _): &&(Instant, Vec<PathBuf>)| at.elapsed() < SEARCH_EVERY;
        let dirs = match self.found.as_ref().filter(is_new) {
            Some((_, dirs)) => dirs.clone(),
            None => {
                let mut dirs = runs_under(&self.folder, DEPTH);
                dirs.truncate(MOST_RUNS);
                self.found = Some((Instant::now(), dirs.clone()));
                dirs
            }
        };
        let listed = |dir: &PathBuf| {
            let path = dir.strip_prefix(&self.folder).ok()?.to_str()?.to_owned();
            // Asked before the length, so that a run that has ended is listed with its whole log.
            let running = is_being_written(dir);
            let log = fs::metadata(events_path(dir)).ok()?.len();
            Some(ListedRun { path, log, running })
        };
        Answer::Runs(dirs.iter().filter_map(listed).collect())
    }

    fn files(&self, run: &str) -> Answer {
        let Some(dir) = directory(run).map(|run| self.folder.join(run)) else {
            return no_such_file(run);
        };
        let inside = FOLDERS.iter().flat_map(|folder| {
            let entries = fs::read_dir(dir.join(folder))
                .into_iter()
                .flatten()
                .flatten();
            entries
                .filter_map(move |entry| Some(format!("{folder}/{}", entry.file_name().to_str()?)))
        });
        let paths = FILES.iter().map(|name| (*name).to_owned()).chain(inside);
        let listed = |path: String| {
            let metadata = fs::metadata(dir.join(&path))
                .ok()
                .filter(fs::Metadata::is_file)?;
            let (bytes, changed) = (metadata.len(), changed(&metadata));
            Some(ListedFile {
                path,
                bytes,
                changed,
            })
        };
        let files = paths.filter(|path| is_file_of_run(path)).filter_map(listed);
        Answer::Files(files.take(MOST_FILES).collect())
    }

    fn read(
        &self,
        output: &mut impl Write,
        (run, file): (&str, &str),
        from: u64,
        most: u64,
    ) -> io::Result<()> {
        let path = directory(run).filter(|_| is_file_of_run(file));
        let Some(path) = path.map(|run| self.folder.join(run).join(file)) else {
            return answer(output, &no_such_file(file));
        };
        let opened = open(&path, from);
        let (file, length, changed) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                let said = format!("cannot read a file: {error}: {}", shown(&path));
                return answer(output, &Answer::Error(said));
            }
        };
        let length = length.saturating_sub(from).min(most);
        answer(output, &Answer::Bytes { length, changed })?;
        match io::copy(&mut file.take(length), output)? == length {
            true => Ok(()),
            // The length has been said already.
            false => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

fn no_such_file(name: &str) -> Answer {
    Answer::Error(format!("a run has no such file: {name}"))
}

/// A file from a byte on, its length, and when it was changed.
fn open(path: &Path, from: u64) -> io::Result<(fs::File, u64, u64)> {
    let mut file = files::open(path)?;
    let metadata = file.metadata()?;
    file.seek(SeekFrom::Start(from))?;
    Ok((file, metadata.len(), changed(&metadata)))
}

fn changed(metadata: &fs::Metadata) -> u64 {
    let since = metadata
        .modified()
        .ok()
        .and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(0))
}
