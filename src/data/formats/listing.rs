//! Lists folders, and says which split the name of a folder means.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::error::DataError;

/// Splits by the names their directories may have.
const SPLITS: [(&str, usize); 5] = [
    ("train", 0),
    ("val", 1),
    ("valid", 1),
    ("validation", 1),
    ("test", 2),
];

/// The split with the name `name`: 0 training, 1 validation, 2 test.
pub(super) fn split_named(name: &str) -> Option<usize> {
    SPLITS
        .iter()
        .find(|(split, _)| *split == name)
        .map(|(_, split)| *split)
}

/// Sub-directories by name, sorted, hidden ones left out.
pub(super) fn directories(root: &Path) -> Result<Vec<(String, PathBuf)>, DataError> {
    let mut found = Vec::new();
    for path in children(root)? {
        if path.is_dir() {
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .map(str::to_owned);
            let name = name.ok_or_else(|| DataError::Layout {
                problem: "a folder's name is not valid UTF-8; rename it".to_owned(),
                path: path.clone(),
            })?;
            found.push((name, path));
        }
    }
    Ok(found)
}

/// Everything in a directory that is not hidden, sorted.
pub(super) fn children(directory: &Path) -> Result<Vec<PathBuf>, DataError> {
    let error = |error| DataError::Io {
        path: directory.to_owned(),
        error,
    };
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory).map_err(error)? {
        let entry = entry.map_err(error)?;
        if !entry.file_name().to_string_lossy().starts_with('.') {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}
