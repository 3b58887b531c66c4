//! Finding runs in folders.

use std::path::{Path, PathBuf};

use super::paths::events_path;

/// The run directories directly in `dir`, ordered by name. The words `none` and `baseline` do not count in the order of
/// names, so that a baseline precedes the runs that are compared with it.
pub fn runs_in(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let is_run = |path: &PathBuf| events_path(path).is_file();
    let mut runs: Vec<_> = entries.map(|entry| entry.path()).filter(is_run).collect();
    runs.sort_by_key(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.replace("none", "").replace("baseline", "")
    });
    runs
}

/// The run directories in `dir` and in its folders, down to `depth` levels below it, ordered by path. Hidden folders
/// and the folders of a run are not searched, nor are symbolic links followed; of a very large tree, the first ten
/// thousand folders are searched.
pub fn runs_under(dir: &Path, depth: usize) -> Vec<PathBuf> {
    const FOLDERS: usize = 10_000;
    let (mut runs, mut folders) = (Vec::new(), vec![(dir.to_owned(), depth)]);
    let mut next = 0;
    while let Some((folder, depth)) = folders.get(next).cloned() {
        next += 1;
        if events_path(&folder).is_file() {
            runs.push(folder);
            continue;
        }
        if depth == 0 || folders.len() >= FOLDERS {
            continue;
        }
        let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        let is_seen = |entry: &std::fs::DirEntry| {
            // Symbolic links are not followed, since they may lead back up.
            entry.file_type().is_ok_and(|kind| kind.is_dir())
                && !entry.file_name().to_string_lossy().starts_with('.')
        };
        let below = entries
            .filter(is_seen)
            .map(|entry| (entry.path(), depth - 1));
        folders.extend(below);
    }
    runs.sort();
    runs
}
