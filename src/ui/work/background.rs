//! Work that the window must not wait for: reading runs and probe files, looking through data, file dialogs, exports.
//! Each piece of work has its own short-lived thread and answers with exactly one reply.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, unbounded};

use super::dialog::dialog;
use super::discard::{Discard, reveal};
use super::dropped::{Dropped, look_at, look_for_run};
use super::export::Export;
use super::panics::panic_sentence;
use super::reading::{Source, find, locate, look_through, read_images, read_probe, read_samples};
use super::remotes::{News, Remotes};
use super::reply::{Opened, Reply};
use super::waker::Waker;
use crate::config::RunConfig;
use crate::data::{self, Duplicates};
use crate::figure::Order;
use crate::remote::Ssh;
use crate::run::event::Started;
use crate::run::log::{self, Followed, Position};
use crate::run::mirrored;
use crate::run::notes::Notes;
use crate::ui::state::action::Purpose;
use crate::ui::state::draft::Checked;
use crate::ui::state::run_table::Found;
use crate::ui::state::runs::{ProbeReply, ProbeRequest, RunId};
use crate::ui::state::settings::Settings;
use crate::ui::state::{findings, images, samples};

/// Starts work and collects the replies.
pub(crate) struct Background {
    sender: Sender<Reply>,
    replies: Receiver<Reply>,
    /// What nobody asked for.
    news: Receiver<News>,
    remotes: Remotes,
    waker: Waker,
    under_way: usize,
}

impl Background {
    pub(crate) fn new(waker: Waker, ssh: Ssh) -> Self {
        let (sender, replies) = unbounded();
        let (teller, news) = unbounded();
        Self {
            sender,
            replies,
            news,
            remotes: Remotes::new(ssh, teller, waker.clone()),
            waker,
            under_way: 0,
        }
    }

    /// The next reply, if a thread has sent one.
    pub(crate) fn next_reply(&mut self) -> Option<Reply> {
        let Ok(reply) = self.replies.try_recv() else {
            return self.news.try_recv().ok().map(|news| match news {
                News::Connection(result) => Reply::Connection(result),
                News::Problem(sentence) => Reply::Failed(sentence),
            });
        };
        self.under_way -= 1;
        Some(reply)
    }

    /// Whether any work is under way, or a reply has not been taken yet.
    pub(crate) fn is_busy(&self) -> bool {
        self.under_way > 0
    }

    /// Takes in that a run is open no longer.
    pub(crate) fn closed(&self, dir: &Path) {
        self.remotes.closed(dir);
    }

    pub(crate) fn read_run(&mut self, id: RunId, dir: PathBuf) {
        let remotes = self.remotes.clone();
        let work = move || {
            remotes.prepare(&dir);
            Opened::read(&dir).map(Box::new)
        };
        self.spawn(work, move |read| Reply::Run(id, read));
    }

    /// Reads the log of a run from `position` on, or from its beginning if that is `None`.
    pub(crate) fn follow(&mut self, id: RunId, dir: PathBuf, position: Option<Position>) {
        let work = move || {
            let followed = match position {
                Some(position) => log::follow(&dir, &position),
                None => log::load(&dir).map(|loaded| Followed::Anew(Box::new(loaded))),
            };
            followed.map_err(|error| error.to_string())
        };
        self.spawn(work, move |followed| Reply::Followed(id, followed));
    }

    /// Looks through folders for runs, each down to a depth. `before` holds the runs that the last search found, and
    /// `now` is in window seconds.
    pub(crate) fn look_for_runs(
        &mut self,
        places: Vec<(PathBuf, usize)>,
        before: Arc<Vec<Found>>,
        now: f64,
    ) {
        let remotes = self.remotes.clone();
        let work = move || {
            for (place, _) in &places {
                remotes.keep(place);
            }
            Ok(look_through(&places, &before, now))
        };
        self.spawn_and(Waker::wake_soon, work, Reply::RunsFound);
    }

    /// Writes a run's name and notes.
    pub(crate) fn save_notes(&mut self, dir: PathBuf, notes: Notes) {
        let of = dir.clone();
        let work = move || match notes.save(&dir) {
            Ok(()) => Ok(notes),
            Err(error) => Err(error.to_string()),
        };
        self.spawn(work, move |saved| Reply::NotesSaved(of, saved));
    }

    /// Writes the window's settings.
    pub(crate) fn save_settings(&mut self, settings: Settings, path: PathBuf) {
        self.spawn(move || settings.save(&path), Reply::SettingsSaved);
    }

    /// Waits until settings are written, at most for `patience`. Other replies that arrive meanwhile are lost, which is
    /// harmless since the window closes.
    pub(crate) fn wait_for_settings(&mut self, patience: Duration) {
        let deadline = Instant::now() + patience;
        while let Ok(reply) = self.replies.recv_deadline(deadline) {
            self.under_way -= 1;
            if matches!(reply, Reply::SettingsSaved(_)) {
                return;
            }
        }
    }

    /// Shows a folder in the file manager.
    pub(crate) fn reveal(&mut self, dir: PathBuf) {
        self.spawn(move || reveal(&dir), Reply::Revealed);
    }

    /// Moves a run to the trash by means of `discard`, unless it is being written.
    pub(crate) fn discard(&mut self, dir: PathBuf, discard: Discard) {
        let of = dir.clone();
        let work = move || {
            mirrored::refuse(&dir).map_err(|error| error.to_string())?;
            if log::is_being_written(&dir) {
                Err("the run is being written; stop it first".to_owned())
            } else {
                discard(&dir)
            }
        };
        self.spawn(work, move |moved| Reply::Discarded(of, moved));
    }

    /// Looks for a run, or a folder of runs, at a path or an address.
    pub(crate) fn look_for_run(&mut self, path: PathBuf) {
        let remotes = self.remotes.clone();
        self.spawn(
            move || Ok(look_for_run(path, &remotes)),
            |found| Reply::Dropped(found.unwrap_or_else(Dropped::Nothing)),
        );
    }

    /// Finds out what kind of file or folder was dropped on the window.
    pub(crate) fn take_dropped(&mut self, path: PathBuf, output: PathBuf) {
        let work = move || Ok(look_at(path, &output));
        self.spawn(work, |dropped| {
            Reply::Dropped(dropped.unwrap_or_else(Dropped::Nothing))
        });
    }

    /// Reads probe files. With `at_once`, for files that the user waits for, the window redraws as soon as they are
    /// read.
    pub(crate) fn read_probes(&mut self, requests: Vec<ProbeRequest>, at_once: bool) {
        let wake = if at_once {
            Waker::wake
        } else {
            Waker::wake_soon
        };
        let asked: Vec<_> = requests
            .iter()
            .map(|x| (x.run, x.step, x.batch_norm))
            .collect();
        let work = move || Ok(requests.into_iter().map(read_probe).collect());
        let none = move |sentence: String| {
            let reply = |(run, step, batch_norm)| ProbeReply {
                run,
                step,
                batch_norm,
                read: Err(sentence.clone()),
            };
            asked.into_iter().map(reply).collect()
        };
        self.spawn_and(wake, work, |read: Result<Vec<_>, _>| {
            Reply::Probes(read.unwrap_or_else(none))
        });
    }

    pub(crate) fn scan(&mut self, config: RunConfig) {
        let of = Box::new(config.clone());
        let work = move || {
            let summary = data::scan(&config).map(Arc::new);
            summary.map_err(|error| error.to_string())
        };
        self.spawn(work, move |summary| Reply::Scanned(of, summary));
    }

    /// Decodes the images of a configuration, to find those that cannot be decoded or are there more than once.
    pub(crate) fn check(&mut self, config: RunConfig, is_cancelled: Arc<AtomicBool>) {
        let of = Box::new(config.clone());
        let work = move || {
            let config = RunConfig {
                skip_unreadable: true,
                ..config
            };
            let goes_on = |_, _| !is_cancelled.load(Ordering::Relaxed);
            let loaded = data::load(&config, &goes_on).map_err(|error| error.to_string())?;
            let Duplicates {
                mut pairs,
                sentences: repeated,
            } = loaded.duplicates;
            pairs.truncate(Checked::PAIRS);
            let mut notes = loaded.notes;
            notes.retain(|note| !repeated.contains(note));
            Ok(Checked {
                notes,
                repeated,
                unreadable: loaded.unreadable,
                pairs,
            })
        };
        self.spawn_and(Waker::wake_soon, work, move |found| {
            Reply::Checked(of, found)
        });
    }

    /// Opens a file dialog. `start` is the path already in the field beside the button.
    pub(crate) fn choose(&mut self, purpose: Purpose, start: &Path) {
        let start = start.to_owned();
        let work = move || Ok(dialog(purpose, &start));
        self.spawn(work, move |path| match path {
            Ok(path) => Reply::Chosen(purpose, path),
            Err(sentence) => Reply::Failed(sentence),
        });
    }

    /// Draws figures, and writes them to files or hands them back for the clipboard.
    pub(crate) fn export(&mut self, export: Export) {
        self.spawn(export, Reply::Exported);
    }

    /// Reads the images of a cell of the confusion matrix.
    pub(crate) fn read_images(&mut self, wanted: images::Wanted) {
        let key = wanted.key.clone();
        let work = move || read_images(&wanted);
        self.spawn(work, move |read| Reply::Images(key, read));
    }

    /// Looks whether a folder holds the images that a run was trained on.
    pub(crate) fn locate(&mut self, started: Started, folder: PathBuf) {
        let fingerprint = started.data_fingerprint.clone();
        let work = move || locate(&started, folder);
        self.spawn(work, move |found| Reply::Located(fingerprint, found));
    }

    /// Reads samples of the data.
    pub(crate) fn read_samples(&mut self, key: samples::Key) {
        let of = Box::new(key.clone());
        let work = move || read_samples(&key);
        self.spawn(work, move |read| Reply::Samples(of, read));
    }

    /// Finds an order of classes.
    pub(crate) fn order(&mut self, find: impl FnOnce() -> Option<Order> + Send + 'static) {
        self.spawn(
            move || find().ok_or("the probe lacks the layer".to_owned()),
            Reply::Ordered,
        );
    }

    /// Looks through runs for findings.
    pub(crate) fn find(&mut self, key: findings::Key, sources: Vec<Source>) {
        let work = move || Ok(find(sources));
        self.spawn_and(Waker::wake_soon, work, move |found| {
            Reply::Found(key, found)
        });
    }

    fn spawn<T: 'static>(
        &mut self,
        work: impl FnOnce() -> Result<T, String> + Send + 'static,
        reply: impl FnOnce(Result<T, String>) -> Reply + Send + 'static,
    ) {
        self.spawn_and(Waker::wake, work, reply);
    }

    /// Runs `work` on a thread of its own. A panic there becomes the error of the reply, so that the part of the window
    /// that waits for the reply can go on.
    fn spawn_and<T: 'static>(
        &mut self,
        wake: fn(&Waker),
        work: impl FnOnce() -> Result<T, String> + Send + 'static,
        reply: impl FnOnce(Result<T, String>) -> Reply + Send + 'static,
    ) {
        let (sender, waker) = (self.sender.clone(), self.waker.clone());
        let spawned = std::thread::Builder::new()
            .name("background".to_owned())
            .spawn(move || {
                let result = catch_unwind(AssertUnwindSafe(work))
                    .unwrap_or_else(|panic| Err(panic_sentence(panic.as_ref())));
                // Sending fails only if the window is gone, in which case nothing waits for the reply.
                let _ = sender.send(reply(result));
                wake(&waker);
            });
        if let Err(error) = spawned {
            let _ = self.sender.send(Reply::Failed(format!(
                "the system gives no thread for this: {error}"
            )));
        }
        self.under_way += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::Finding;

    /// A panic of a piece of work arrives as the error of its reply.
    #[test]
    fn a_panic_is_the_error_of_the_reply() -> anyhow::Result<()> {
        let mut background = Background::new(Waker::default(), Ssh::default());
        let work = || -> Result<Vec<Finding>, String> {
            // `panic!` would print a report that looks like a failed test.
            std::panic::resume_unwind(Box::new("off by one"))
        };
        background.spawn(work, |found| Reply::Found(findings::Key::new(), found));
        let reply = background.replies.recv()?;
        let Reply::Found(_, Err(sentence)) = reply else {
            anyhow::bail!("another reply");
        };
        assert!(sentence.contains("off by one"), "{sentence}");
        Ok(())
    }
}
