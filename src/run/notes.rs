//! What a person writes about a run: `<run>/notes.json`, beside the log, which it leaves alone.
//!
//! ```json
//! {"name": "CSBA, long tail", "notes": "Warm-up was too short."}
//! ```

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

    /// Writes the file whole.
    ///
    /// # Errors
    /// Where it cannot be written, or there is no run.
    pub fn save(&self, run: &Path) -> Result<(), RunError> {
        if !super::log::events_path(run).is_file() {
            // Not to bring back a directory that was moved away.
            return Err(RunError::NotARun {
                path: run.to_owned(),
            });
        }
        let path = notes_path(run);
        let text = serde_json::to_vec_pretty(self).map_err(|e| RunError::damaged(&path, e))?;
        write_whole(&path, &text)
    }
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
}
