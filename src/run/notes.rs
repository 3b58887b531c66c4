//! The notes that a person takes about a run: `<run>/notes.json`, beside the log. Writing notes never changes the log.
//!
//! ```json
//! {"name": "CSBA, long tail", "notes": "Warm-up was too short."}
//! ```

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::bytes::write_whole;
use super::error::RunError;
use super::mirrored;
use super::paths::events_path;
use crate::files;

/// A display name and free text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Notes {
    /// Name of the run on screen; where it is empty, the run is called by its directory.
    pub name: String,
    /// Free text.
    pub notes: String,
}

/// Most bytes of notes that are read.
const MOST_BYTES: u64 = 16 << 20;

/// Path of a run's notes.
pub fn notes_path(run: &Path) -> PathBuf {
    run.join("notes.json")
}

impl Notes {
    /// The notes of a run; empty where it has no notes file.
    ///
    /// # Errors
    /// Where the file cannot be read or is damaged.
    pub fn load(run: &Path) -> Result<Self, RunError> {
        let path = notes_path(run);
        match files::read(&path, MOST_BYTES) {
            Ok(text) => serde_json::from_slice(&text).map_err(|e| RunError::damaged(&path, e)),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(e) => Err(RunError::io("read the notes", &path, e)),
        }
    }

    /// The name of the run in `dir` on screen: the name in the notes, or else the name of the directory.
    pub fn name_of(&self, dir: &Path) -> String {
        match self.name.trim() {
            "" => last_part(dir),
            name => name.to_owned(),
        }
    }

    /// Writes the file whole.
    ///
    /// # Errors
    /// Where it cannot be written, there is no run, or it is a copy of one on another machine.
    pub fn save(&self, run: &Path) -> Result<(), RunError> {
        if !events_path(run).is_file() {
            // Without this check, saving would create a directory again that was moved away.
            return Err(RunError::not_a_run(run));
        }
        mirrored::refuse(run)?;
        let path = notes_path(run);
        let text = serde_json::to_vec_pretty(self).map_err(|e| RunError::damaged(&path, e))?;
        write_whole(&path, &text)
    }
}

/// The last part of a directory's path, also where the path ends in `.` or `..`.
fn last_part(dir: &Path) -> String {
    let name = |path: &Path| Some(path.file_name()?.to_string_lossy().into_owned());
    let absolute = std::path::absolute(dir).ok();
    let resolved = || name(&dir.canonicalize().ok()?);
    let found = absolute.and_then(|path| name(&path)).or_else(resolved);
    found.unwrap_or_else(|| dir.display().to_string())
}

/// The names, each made different from all before it: a name that is taken gets a number, `name (2)`. Names that differ
/// only in case count as equal, since some file systems do not distinguish case.
pub fn distinct(names: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let free = |name: String| {
        let others = (2..).map(|number| format!("{name} ({number})"));
        let mut names = std::iter::once(name.clone()).chain(others);
        let found = names.find(|name| taken.insert(name.to_lowercase()));
        found.unwrap_or(name)
    };
    names.into_iter().map(free).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_saved_beside_a_log_and_read_back() -> anyhow::Result<()> {
        let dir = tempfile::tempdir()?;
        let notes = Notes {
            name: "mine".to_owned(),
            notes: "two\nlines".to_owned(),
        };
        assert_eq!(Notes::load(dir.path())?, Notes::default());
        assert!(notes.save(dir.path()).is_err(), "no run is here");
        std::fs::write(dir.path().join("events.jsonl"), "log")?;
        notes.save(dir.path())?;
        assert_eq!(Notes::load(dir.path())?, notes);
        assert_eq!(
            std::fs::read_to_string(dir.path().join("events.jsonl"))?,
            "log"
        );
        std::fs::write(notes_path(dir.path()), "{")?;
        assert!(Notes::load(dir.path()).is_err());
        Ok(())
    }

    #[test]
    fn a_run_is_called_by_its_notes_or_else_by_its_directory() -> anyhow::Result<()> {
        let name = |notes: &str, dir: &Path| {
            let notes = Notes {
                name: notes.to_owned(),
                ..Notes::default()
            };
            notes.name_of(dir)
        };
        assert_eq!(name(" mine ", Path::new("runs/a")), "mine");
        assert_eq!(name(" ", Path::new("runs/a/.")), "a");
        let dir = tempfile::tempdir()?;
        let (outer, inner) = (dir.path().join("outer"), dir.path().join("outer/inner"));
        std::fs::create_dir_all(&inner)?;
        assert_eq!(name("", &inner.join("..")), "outer");
        assert_eq!(name("", &outer), "outer");
        Ok(())
    }

    #[test]
    fn distinct_names_differ_in_more_than_case() {
        let names = ["x", "y", "x", "X", "x (2)"].map(str::to_owned);
        let wanted = ["x", "y", "x (2)", "X (3)", "x (2) (2)"];
        assert_eq!(distinct(names), wanted);
    }
}
