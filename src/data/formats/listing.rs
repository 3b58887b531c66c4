//! Lists folders.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::error::DataError;
use super::names::is_of_system;

/// Folders in a folder by name, sorted; hidden ones and those of the system left out.
pub(super) fn directories(root: &Path) -> Result<Vec<(String, PathBuf)>, DataError> {
    let folders = children(root)?.into_iter().filter(|path| path.is_dir());
    let named = folders.map(|path| {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        (name, path)
    });
    Ok(named.collect())
}

/// Everything in a directory that is neither hidden nor of the system, sorted.
pub(super) fn children(directory: &Path) -> Result<Vec<PathBuf>, DataError> {
    let error = |error| DataError::Io {
        path: directory.to_owned(),
        error,
    };
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory).map_err(error)? {
        let entry = entry.map_err(error)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') && !is_of_system(&name) {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}
