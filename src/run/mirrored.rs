//! Marks a run as a copy of one on another machine: `<run>/mirror.json` names where it was copied from. A copy is kept like
//! the original, so that whatever is written here would be lost: it is neither trained nor given notes.
//!
//! ```json
//! {"address": "ssh://server/runs", "run": "mine"}
//! ```

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::bytes::write_whole;
use super::error::RunError;
use crate::files;

/// Where a copy comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mirrored {
    /// Address of the run, or of the folder of runs that holds it.
    pub address: String,
    /// Directory of the run below that folder; empty where that folder is the run, or holds no run itself.
    pub run: String,
}

/// Most bytes of a mark.
const MOST_BYTES: u64 = 64 << 10;

fn path(dir: &Path) -> PathBuf {
    dir.join("mirror.json")
}

/// Where a run, or a folder of runs, was copied from; `None` for one of this machine.
pub fn of(dir: &Path) -> Option<Mirrored> {
    let text = files::read(&path(dir), MOST_BYTES).ok()?;
    serde_json::from_slice(&text).ok()
}

/// Refuses to change a copy.
///
/// # Errors
/// Where the directory is a copy.
pub fn refuse(dir: &Path) -> Result<(), RunError> {
    match of(dir) {
        None => Ok(()),
        Some(mark) => Err(RunError::Mirrored {
            original: mark.original(),
        }),
    }
}

impl Mirrored {
    /// Address of the run.
    pub fn original(&self) -> String {
        match self.run.as_str() {
            "" => self.address.clone(),
            run => format!("{}/{run}", self.address),
        }
    }

    /// Marks a directory as a copy.
    ///
    /// # Errors
    /// Where the mark cannot be written.
    pub fn mark(&self, dir: &Path) -> Result<(), RunError> {
        let path = path(dir);
        let text = serde_json::to_vec(self).map_err(|e| RunError::damaged(&path, e))?;
        write_whole(&path, &text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::log::Writer;
    use crate::run::notes::Notes;

    #[test]
    fn a_copy_is_neither_trained_nor_given_notes() -> anyhow::Result<()> {
        let dir = tempfile::tempdir()?;
        std::fs::write(dir.path().join("events.jsonl"), "log")?;
        assert_eq!(of(dir.path()), None);
        let mark = Mirrored {
            address: "ssh://h/runs".to_owned(),
            run: "a".to_owned(),
        };
        mark.mark(dir.path())?;
        assert_eq!(of(dir.path()), Some(mark));
        let said = Writer::append(dir.path())
            .err()
            .map(|error| error.to_string());
        assert!(said.is_some_and(|said| said.contains("ssh://h/runs/a")));
        assert!(Notes::default().save(dir.path()).is_err());
        Ok(())
    }
}
