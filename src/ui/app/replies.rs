//! Takes in the answers of threads.

use std::path::{Path, PathBuf};

use super::App;
use crate::ui::state::notice::About;
use crate::ui::state::place::Page;
use crate::ui::state::queue::Job;
use crate::ui::state::training::Training;
use crate::ui::state::words::capitalised;
use crate::ui::work::{Dropped, Reply, drop_elsewhere};

/// If a dropped folder holds more runs than this, they are listed on the page of runs, and none of them is opened.
const OPENED_AT_ONCE: usize = 4;

impl App {
    pub(super) fn take_reply(&mut self, reply: Reply) {
        match reply {
            Reply::Run(id, Ok(read)) => {
                self.opened(id, *read);
            }
            Reply::Run(id, Err(sentence)) => {
                self.not_opened(id, &sentence);
                self.remove(id);
                self.tell(capitalised(&sentence), true);
            }
            Reply::Followed(id, result) => self.followed(id, result),
            Reply::Probes(replies) => {
                let (shown, view) = self.probes_looked_at();
                let forgotten = self.state.runs.take_probes(replies, &shown, &view);
                forgotten.into_iter().for_each(drop_elsewhere);
            }
            Reply::Scanned(config, result) => self.state.draft.scanned(&config, result),
            Reply::Checked(config, Ok(found)) => self.state.draft.checked(&config, found),
            Reply::Checked(config, Err(_)) => self.state.draft.not_checked(&config),
            Reply::Chosen(purpose, path) => self.chosen(purpose, path),
            Reply::Exported(Ok(exported)) => self.exported(exported),
            Reply::Exported(Err(sentence)) => self.tell(format!("Not exported: {sentence}"), true),
            Reply::Found(key, found) => {
                if let Err(sentence) = &found {
                    self.tell(
                        format!("Nothing is looked for that stands out: {sentence}"),
                        true,
                    );
                }
                self.state.findings.take(key, found.unwrap_or_default());
            }
            Reply::Ordered(order) => self.ordered(order.ok()),
            Reply::Samples(key, read) => self.state.data.take(*key, read),
            Reply::Images(key, read) => self.state.images.take(&key, read),
            Reply::Located(fingerprint, found) => self.located(fingerprint, found),
            Reply::Dropped(dropped) => self.take_dropped(dropped),
            Reply::RunsFound(Ok(found)) => self.runs_found(found),
            Reply::RunsFound(Err(sentence)) => {
                self.state.browser.is_looking = false;
                self.tell(format!("Folders are not looked through: {sentence}"), true);
            }
            Reply::NotesSaved(dir, Ok(notes)) => {
                self.is_well(About::Notes);
                self.notes_saved(&dir, &notes);
            }
            Reply::NotesSaved(_, Err(sentence)) => {
                let text = format!("The notes are not kept: {sentence}");
                self.complain(About::Notes, text);
            }
            Reply::SettingsSaved(result) => self.settings_saved(result),
            Reply::Revealed(Ok(())) => {}
            Reply::Revealed(Err(sentence)) => {
                self.tell(format!("Not shown in a file manager: {sentence}"), true);
            }
            Reply::Discarded(dir, Ok(())) => self.discarded(&dir),
            Reply::Discarded(_, Err(sentence)) => {
                self.tell(format!("Not moved to the trash: {sentence}"), true);
            }
            Reply::Connection(Ok(())) => self.is_well(About::Connection),
            Reply::Connection(Err(sentence)) => self.complain(About::Connection, sentence),
            Reply::Failed(sentence) => self.tell(sentence, true),
        }
    }

    /// Finds out on another thread what kind of file or folder was dropped or chosen.
    pub(super) fn look_at(&mut self, path: PathBuf) {
        let output = self.state.draft.output_dir();
        self.background.take_dropped(path, output);
    }

    /// Trains those of these runs that neither wait in the queue nor are being trained.
    fn queue_new(&mut self, mut jobs: Vec<Job>) {
        let waiting = self.state.queue.waiting();
        let current = self.state.training.as_ref().and_then(Training::current_dir);
        let known: Vec<&Path> = waiting.iter().map(|x| x.job.dir()).chain(current).collect();
        jobs.retain(|job| !known.contains(&job.dir()));
        if !jobs.is_empty() {
            self.train(jobs);
        }
    }

    fn take_dropped(&mut self, dropped: Dropped) {
        if !matches!(dropped, Dropped::Nothing(_)) {
            self.is_well(About::Opening);
        }
        match dropped {
            Dropped::Run(dir) => self.open(dir),
            Dropped::Runs(folder, dirs) => {
                self.add_folder(folder);
                if dirs.len() <= OPENED_AT_ONCE {
                    dirs.into_iter().for_each(|dir| self.open(dir));
                } else {
                    let before = self.state.view.clone();
                    self.state.view.page = Page::Runs;
                    self.state.history.moved(before, &self.state.view);
                }
            }
            Dropped::Images(dir) => {
                self.state.draft.folder = dir.display().to_string();
                self.state.draft.use_folder_anew();
                self.tell(
                    "The next experiment trains on the images of the folder that was dropped; \
                     see the left panel.",
                    false,
                );
            }
            Dropped::Figure(restored) => self.restore(*restored),
            Dropped::Sweep(jobs, said) => {
                self.queue_new(jobs);
                self.tell(said, false);
            }
            Dropped::Nothing(sentence) => {
                self.complain(About::Opening, capitalised(&sentence));
            }
        }
    }
}
