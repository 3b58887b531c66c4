//! Looks through folders for runs.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::run::glance::Glance;
use crate::run::log::{self, events_path};
use crate::run::mirrored;
use crate::run::notes::Notes;
use crate::ui::state::run_table::{Found, Stamp};
use crate::ui::state::runs::GROWS_FOR_SECS;

/// Looks for runs in folders, each down to a depth. `before` holds the runs that the last search found: a log that has
/// not changed since then is not read again. `now` is in window seconds.
pub(crate) fn look_through(places: &[(PathBuf, usize)], before: &[Found], now: f64) -> Vec<Found> {
    let mut dirs = BTreeSet::new();
    for (place, depth) in places {
        dirs.extend(log::runs_under(place, *depth));
    }
    let look = |dir: PathBuf| {
        let known = before.iter().find(|found| found.dir == dir);
        look_at(dir, known, now)
    };
    dirs.into_iter().map(look).collect()
}

fn look_at(dir: PathBuf, before: Option<&Found>, now: f64) -> Found {
    let path = events_path(&dir);
    let metadata = std::fs::metadata(&path).ok();
    let stamp = metadata.and_then(|metadata| Some((metadata.len(), metadata.modified().ok()?)));
    let grew_at = grew_at(stamp, before, now);
    let known = before.filter(|known| stamp.is_some() && known.stamp == stamp);
    let mut glance = match known.map(|known| &known.glance) {
        Some(Ok(glance)) => Ok(Glance {
            running: log::is_being_written(&dir),
            ..glance.clone()
        }),
        Some(Err(sentence)) => Err(sentence.clone()),
        None => Glance::read(&dir).map_err(|error| error.to_string()),
    };
    if let Ok(glance) = &mut glance {
        // On a network's file system the lock of the process that writes a log is not seen, but the log is seen to
        // grow.
        let grows = grew_at.is_some_and(|at| now - at < GROWS_FOR_SECS);
        glance.running |= grows && glance.ending.is_none();
    }
    let (notes, notes_error) = match Notes::load(&dir) {
        Ok(notes) => (notes, None),
        Err(error) => (Notes::default(), Some(error.to_string())),
    };
    let original = mirrored::of(&dir).map(|mark| mark.original());
    Found {
        dir,
        original,
        stamp,
        grew_at,
        glance,
        open_error: None,
        notes,
        notes_error,
    }
}

/// When a log was last seen to be longer than before.
fn grew_at(stamp: Option<Stamp>, before: Option<&Found>, now: f64) -> Option<f64> {
    let before = before?;
    let grew = before.stamp.zip(stamp).is_some_and(|(a, b)| b.0 > a.0);
    if grew { Some(now) } else { before.grew_at }
}
