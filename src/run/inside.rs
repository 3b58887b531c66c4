//! Whether the paths that a run's files name stay where they belong.

use std::path::{Component, Path};

/// Whether a path that a file of a run names, relative to a folder, stays in that folder: runs come from strangers, and a
/// path that is absolute or leads up would make the program read or show any file of the machine.
pub(crate) fn stays_inside(path: &str) -> bool {
    let mut parts = Path::new(path).components();
    !path.is_empty() && parts.all(|part| matches!(part, Component::Normal(_)))
}
