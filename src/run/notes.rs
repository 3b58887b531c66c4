//! What a person writes about a run: `<run>/notes.json`, beside the log, which it leaves alone.
//!
//! ```json
//! {"name": "CSBA, long tail", "notes": "Warm-up was too short."}
//! ```

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::log::{RunError, write_whole};

/// A display name and free text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Notes {
    /// What the run is called on screen; empty: as its directory.
    pub name: String,
    /// Anything worth remembering.
    pub notes: String,
}

/// Path of a run's notes.
pub fn notes_path(run: &Path) -> PathBuf {
    run.join("notes.json")
}

impl Notes {
    /// The notes of a run; empty where there are none.
    ///
    /// # Errors
    /// Where the file cannot be read or is damaged.
    pub fn load(run: &Path) -> Result<Self, RunError> {
        let path = notes_path(run);
        match std::fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).map_err(|e| RunError::damaged(&path, e)),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(e) => Err(RunError::io("read the notes", &path, e)),
        }
    }

    /// What the run in `dir` is called on screen: as a person named it, or as its directory.
    pub fn name_of(&self, dir: &Path) -> String {
        match self.name.trim() {
            "" => last_part(dir),
            name => name.to_owned(),
        }
    }

    /// Writes the file whole.
    ///
    /// # Errors
    /// Where it cannot be written, or there is no run.
    pub fn save(&self, run: &Path) -> Result<(), RunError> {
        if !super::log::events_path(run).is_file() {
            // Not to bring back a directory that was moved away.
            return Err(RunError::not_a_run(run));
        }
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

/// Names as they are, with a number where one before has it, also where that differs in nothing but upper and lower
/// case: on some systems no two files can be called so.
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
    fn notes_lie_beside_the_log() -> anyhow::Result<()> {
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
    fn runs_are_called_as_they_were_named_or_as_their_directories() -> anyhow::Result<()> {
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
    fn no_two_names_are_the_same() {
        let names = ["x", "y", "x", "X", "x (2)"].map(str::to_owned);
        let wanted = ["x", "y", "x (2)", "X (3)", "x (2) (2)"];
        assert_eq!(distinct(names), wanted);
    }
}
