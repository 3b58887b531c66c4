//! Removes copies of runs at which nobody has looked for long, so that they do not fill the disk.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::run::mirrored;

/// How long a copy is kept after it was last asked for.
const KEPT_FOR: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The file beside a copy that one process at a time locks, and whose time tells when the copy was last asked for.
pub(super) fn lock_path(dir: &Path) -> PathBuf {
    dir.with_extension("lock")
}

/// Takes note of when a copy was asked for, also where its server cannot be reached. A copy that is not there yet is none.
pub(super) fn mark_as_used(dir: &Path, now: SystemTime) {
    let file = OpenOptions::new().append(true).open(lock_path(dir));
    if let Ok(file) = file {
        // Without the mark the copy is removed earlier, and made anew when it is asked for.
        let _ = file.set_modified(now);
    }
}

/// Removes the copies below the folder for all copies that were not asked for within 30 days before `now`. What cannot be
/// removed, or is being copied at the moment, is left to the next time.
pub(super) fn remove_unused(copies: &Path, now: SystemTime) {
    for host in folders(copies) {
        for place in folders(&host) {
            // Each address has a folder of its own, which holds its copy and the lock.
            for copy in folders(&place) {
                let _ = remove_if_unused(&place, &copy, now);
            }
        }
        // Fails where the host has other copies, as it should.
        let _ = fs::remove_dir(&host);
    }
}

fn remove_if_unused(place: &Path, copy: &Path, now: SystemTime) -> std::io::Result<()> {
    let lock = lock_path(copy);
    if mirrored::of(copy).is_none() {
        return Ok(());
    }
    let file = File::open(&lock)?;
    let used = file.metadata()?.modified()?;
    // A time that lies ahead is that of a clock that was wrong.
    let is_unused = now.duration_since(used).is_ok_and(|since| since > KEPT_FOR);
    if is_unused && file.try_lock().is_ok() {
        fs::remove_dir_all(copy)?;
        fs::remove_file(&lock)?;
        fs::remove_dir(place)?;
    }
    Ok(())
}

/// The folders in a folder; links are none.
fn folders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let is_folder = |entry: &fs::DirEntry| entry.file_type().is_ok_and(|kind| kind.is_dir());
    entries
        .filter(is_folder)
        .map(|entry| entry.path())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::mirrored::Mirrored;

    #[test]
    fn copies_are_removed_that_nobody_asked_for_in_30_days() -> anyhow::Result<()> {
        let root = tempfile::tempdir()?;
        let now = SystemTime::now();
        let days = |days: u64| now - Duration::from_secs(days * 24 * 60 * 60);
        let make = |place: &str, asked_for: SystemTime, is_copy: bool| -> anyhow::Result<PathBuf> {
            let copy = root.path().join(place);
            fs::create_dir_all(copy.join("run/probes"))?;
            fs::write(copy.join("run/events.jsonl"), "log")?;
            if is_copy {
                let mark = Mirrored {
                    address: "ssh://h/runs".to_owned(),
                    run: String::new(),
                };
                mark.mark(&copy)?;
            }
            File::create(lock_path(&copy))?.set_modified(asked_for)?;
            Ok(copy)
        };
        let old = make("far/1/runs", days(31), true)?;
        let recent = make("far/2/runs", days(29), true)?;
        let asked_again = make("near/3/runs.v2", days(90), true)?;
        let ahead = make("near/4/runs", now + Duration::from_secs(60), true)?;
        let other = make("near/5/thesis", days(900), false)?;
        let busy = make("near/6/runs", days(900), true)?;
        let alone = make("gone/7/runs", days(31), true)?;
        let held = File::open(lock_path(&busy))?;
        held.lock()?;
        mark_as_used(&asked_again, now);
        // Nothing is there, and nothing is made.
        mark_as_used(&root.path().join("far/8/runs"), now);
        remove_unused(root.path(), now);
        for gone in [&old, &alone] {
            assert!(!gone.exists() && !lock_path(gone).exists());
        }
        assert!(!root.path().join("gone").exists() && !root.path().join("far/8").exists());
        for kept in [&recent, &asked_again, &ahead, &other, &busy] {
            assert!(kept.join("run/events.jsonl").exists(), "{}", kept.display());
        }
        drop(held);
        remove_unused(root.path(), now);
        assert!(!busy.exists());
        // A folder for copies that was never made.
        remove_unused(&root.path().join("nowhere"), now);
        Ok(())
    }
}
