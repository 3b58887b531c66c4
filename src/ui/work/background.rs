//! Everything the window must not wait for: reading runs and probe files, looking through data, file dialogs, export.
//! Each piece of work has its own short-lived thread and answers with exactly one reply.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, unbounded};

use crate::config::RunConfig;
use crate::data::samples::Samples;
use crate::data::{self, Summary};
use crate::figure::Order;
use crate::figure::export::{Restored, read_view};
use crate::findings::Finding;
use crate::run::class_rows::ClassRows;
use crate::run::log::{self, Followed, Loaded, Position, RunError};
use crate::run::notes::Notes;
use crate::run::probe_file::ProbeTensors;
use crate::sweep::{State, Sweep, SweepError};
use crate::ui::overlays::export_dialog::{Export, Exported};
use crate::ui::pages::data as data_panel;
use crate::ui::pages::mistakes as images_panel;
use crate::ui::pages::overview::{self as findings_panel, Key, Source};
use crate::ui::panels::queue::count;
use crate::ui::state::run_table as browser;
use crate::ui::state::runs::RunId;
use crate::ui::state::settings::Settings;
use crate::ui::work::waker::Waker;
use crate::ui::work::worker::{Job, panic_sentence};

/// What a file dialog was opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The folder that holds the images.
    ImageFolder,
    /// A run to open.
    RunFolder,
    /// A folder to look through for runs.
    FolderOfRuns,
    /// A sweep to run.
    Sweep,
    /// Where an exported figure goes.
    ExportFile,
    /// Where all figures of a page go.
    ExportFolder,
}

/// A probe file to read.
pub(crate) struct ProbeRequest {
    pub(crate) run: RunId,
    pub(crate) step: u64,
    pub(crate) path: PathBuf,
    pub(crate) classes: usize,
    /// The classes whose rows are read; empty for the whole.
    pub(crate) rows: Vec<usize>,
}

/// A probe file that was read, or why it could not be.
pub(crate) struct ProbeReply {
    pub(crate) run: RunId,
    pub(crate) step: u64,
    pub(crate) read: Result<ProbeRead, String>,
}

/// What was read of a probe file.
pub(crate) enum ProbeRead {
    Whole(Arc<ProbeTensors>),
    Rows(Vec<ClassRows>),
}

impl ProbeRequest {
    fn read(self) -> ProbeReply {
        let read = if self.rows.is_empty() {
            ProbeTensors::load(&self.path, self.classes)
                .map(|tensors| ProbeRead::Whole(Arc::new(tensors)))
        } else {
            ClassRows::load(&self.path, self.classes, &self.rows).map(ProbeRead::Rows)
        };
        ProbeReply {
            run: self.run,
            step: self.step,
            read: read.map_err(|error| error.to_string()),
        }
    }
}

/// What was found at a path that was dropped on the window or given as that of a run.
pub(crate) enum Dropped {
    /// A run directory.
    Run(PathBuf),
    /// A folder with these run directories in it or below.
    Runs(PathBuf, Vec<PathBuf>),
    /// An exported figure, with what it shows.
    Figure(Box<Restored>),
    /// A sweep: what is left to train, and what there is to say.
    Sweep(Vec<Job>, String),
    /// Any other folder: images to train on.
    Images(PathBuf),
    /// Anything else, with a sentence that says so.
    Nothing(String),
}

/// What is left to train of a sweep, and what there is to say; its runs go to a folder of its name in `output`.
fn sweep_jobs(path: &Path, output: &Path) -> Result<(Vec<Job>, String), SweepError> {
    let sweep = Sweep::read(path)?;
    let folder = output.join(&sweep.name);
    let (mut jobs, mut there) = (Vec::new(), 0);
    for run in sweep.runs {
        let dir = folder.join(&run.name);
        let state = run.state(&folder)?;
        if state == State::Anew {
            log::clear(&dir)?;
        }
        match state {
            State::New | State::Anew => jobs.push(Job::Train {
                dir,
                config: Box::new(run.config),
            }),
            State::Cut => jobs.push(Job::Resume { dir }),
            State::Busy | State::Finished => there += 1,
        }
    }
    let mut said = format!("{}: {} to train", sweep.name, count(jobs.len()));
    if there > 0 {
        said += &format!(", {} there already", count(there));
    }
    Ok((jobs, said + "."))
}

/// Looks at a path that was given as that of a run, or of a folder of runs.
fn look_for_run(path: PathBuf) -> Dropped {
    match look_for_runs(path) {
        Ok(found) => found,
        Err(path) => Dropped::Nothing(RunError::not_a_run(&path).to_string()),
    }
}

/// A run, or the runs in a folder; the path again where there is none.
fn look_for_runs(path: PathBuf) -> Result<Dropped, PathBuf> {
    if log::events_path(&path).is_file() {
        return Ok(Dropped::Run(path));
    }
    let mut runs = log::runs_in(&path);
    if runs.is_empty() {
        runs = log::runs_under(&path, browser::DEPTH);
    }
    if runs.is_empty() {
        return Err(path);
    }
    Ok(Dropped::Runs(path, runs))
}

/// Looks at what was dropped; the runs of a sweep go to a folder in `output`.
fn look_at(path: PathBuf, output: &Path) -> Dropped {
    let path = match look_for_runs(path) {
        Ok(found) => return found,
        Err(path) => path,
    };
    if path.is_dir() {
        return Dropped::Images(path);
    }
    let ends_in = |ending: &str| {
        path.extension()
            .is_some_and(|end| end.eq_ignore_ascii_case(ending))
    };
    if ends_in("toml") {
        return match sweep_jobs(&path, output) {
            Ok((jobs, said)) => Dropped::Sweep(jobs, said),
            Err(error) => Dropped::Nothing(error.to_string()),
        };
    }
    if !ends_in("png") {
        return Dropped::Nothing(format!(
            "Only a run folder, a folder of runs, an image folder, a sweep or an exported figure can be dropped here: {}",
            path.display()
        ));
    }
    let bytes = std::fs::read(&path).map_err(|error| error.to_string());
    match bytes.and_then(|bytes| read_view(&bytes)) {
        Ok(restored) => Dropped::Figure(Box::new(restored)),
        Err(sentence) => Dropped::Nothing(format!("{sentence}: {}", path.display())),
    }
}

/// What came of a piece of work.
pub(crate) enum Reply {
    /// A run was read.
    Run(RunId, Result<Box<(Loaded, Notes)>, String>),
    /// A run was read on.
    Followed(RunId, Result<Followed, String>),
    /// Probe files were read.
    Probes(Vec<ProbeReply>),
    /// The data of this configuration was looked through.
    Scanned(Box<RunConfig>, Result<Arc<Summary>, String>),
    /// A dialog was closed; none where it was cancelled or there is no dialog service.
    Chosen(Purpose, Option<PathBuf>),
    /// An order of classes was found, or why not.
    Ordered(Result<Order, String>),
    /// Runs were looked through for what stands out, or why not.
    Found(Key, Result<Vec<Finding>, String>),
    /// Images of a cell of the confusion matrix were read, or why not.
    Images(images_panel::Key, Result<images_panel::Read, String>),
    /// Samples of the data were read, or why not.
    Samples(Box<data_panel::Key>, Result<Samples, String>),
    /// Folders were looked through for runs, or why not.
    RunsFound(Result<Vec<browser::Found>, String>),
    /// A run's name and notes were written, or why not.
    NotesSaved(PathBuf, Result<Notes, String>),
    /// The window's settings were written, or why not.
    SettingsSaved(Result<(), String>),
    /// A folder was shown in the file manager, or why not.
    Revealed(Result<(), String>),
    /// A run was moved to the trash, or why not.
    Discarded(PathBuf, Result<(), String>),
    /// What was dropped on the window, where it can be used.
    Dropped(Dropped),
    /// Figures were written, or made for the clipboard.
    Exported(Result<Exported, String>),
    /// Nothing came of it that anybody waits for; why.
    Failed(String),
}

/// Starts work and collects the replies.
pub(crate) struct Background {
    sender: Sender<Reply>,
    replies: Receiver<Reply>,
    waker: Waker,
    under_way: usize,
}

impl Background {
    pub(crate) fn new(waker: Waker) -> Self {
        let (sender, replies) = unbounded();
        Self {
            sender,
            replies,
            waker,
            under_way: 0,
        }
    }

    /// The next reply, if one is there.
    pub(crate) fn next_reply(&mut self) -> Option<Reply> {
        let reply = self.replies.try_recv().ok()?;
        self.under_way -= 1;
        Some(reply)
    }

    /// Whether any work is under way or any reply not yet taken.
    pub(crate) fn is_busy(&self) -> bool {
        self.under_way > 0
    }

    pub(crate) fn read_run(&mut self, id: RunId, dir: PathBuf) {
        let work = move || {
            let mut loaded = log::load(&dir).map_err(|error| error.to_string())?;
            let notes = Notes::load(&dir).unwrap_or_else(|error| {
                loaded.notes.push(error.to_string());
                Notes::default()
            });
            Ok(Box::new((loaded, notes)))
        };
        self.spawn(work, move |read| Reply::Run(id, read));
    }

    /// Reads a run on from `position`, from its beginning where there is none.
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

    /// Looks through folders for runs, each down to a depth; `before` is what was found last, `now`
    /// in window seconds.
    pub(crate) fn look_for_runs(
        &mut self,
        places: Vec<(PathBuf, usize)>,
        before: Arc<Vec<browser::Found>>,
        now: f64,
    ) {
        let work = move || Ok(browser::look_through(&places, &before, now));
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

    /// Waits until settings are written. Other replies meanwhile are lost: the window closes.
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
            if log::is_being_written(&dir) {
                Err("the run is being written; stop it first".to_owned())
            } else {
                discard(&dir)
            }
        };
        self.spawn(work, move |moved| Reply::Discarded(of, moved));
    }

    /// Looks for a run, or runs, at a path.
    pub(crate) fn look_for_run(&mut self, path: PathBuf) {
        self.spawn(
            move || Ok(look_for_run(path)),
            |found| Reply::Dropped(found.unwrap_or_else(Dropped::Nothing)),
        );
    }

    /// Looks at what was dropped on the window.
    pub(crate) fn take_dropped(&mut self, path: PathBuf, output: PathBuf) {
        let work = move || Ok(look_at(path, &output));
        self.spawn(work, |dropped| {
            Reply::Dropped(dropped.unwrap_or_else(Dropped::Nothing))
        });
    }

    /// Reads probe files; the window redraws at once where someone waits for them.
    pub(crate) fn read_probes(&mut self, requests: Vec<ProbeRequest>, at_once: bool) {
        let wake = if at_once {
            Waker::wake
        } else {
            Waker::wake_soon
        };
        let asked: Vec<_> = requests.iter().map(|x| (x.run, x.step)).collect();
        let work = move || Ok(requests.into_iter().map(ProbeRequest::read).collect());
        let none = move |sentence: String| {
            let reply = |(run, step)| ProbeReply {
                run,
                step,
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

    /// Opens a file dialog. `start` is the path already in the field beside the button.
    pub(crate) fn choose(&mut self, purpose: Purpose, start: &Path) {
        let start = start.to_owned();
        let work = move || Ok(dialog(purpose, &start));
        self.spawn(work, move |path| match path {
            Ok(path) => Reply::Chosen(purpose, path),
            Err(sentence) => Reply::Failed(sentence),
        });
    }

    /// Draws figures, and writes them or hands them back.
    pub(crate) fn export(&mut self, export: Export) {
        self.spawn(export, Reply::Exported);
    }

    /// Reads the images of a cell of the confusion matrix.
    pub(crate) fn read_images(&mut self, wanted: images_panel::Wanted) {
        let key = wanted.key.clone();
        let work = move || images_panel::read(&wanted);
        self.spawn(work, move |read| Reply::Images(key, read));
    }

    /// Reads samples of the data.
    pub(crate) fn read_samples(&mut self, key: data_panel::Key) {
        let of = Box::new(key.clone());
        let work = move || data_panel::read(&key);
        self.spawn(work, move |read| Reply::Samples(of, read));
    }

    /// Finds an order of classes.
    pub(crate) fn order(&mut self, find: impl FnOnce() -> Option<Order> + Send + 'static) {
        self.spawn(
            move || find().ok_or("the probe lacks the layer".to_owned()),
            Reply::Ordered,
        );
    }

    /// Looks through runs for what stands out.
    pub(crate) fn find(&mut self, key: Key, sources: Vec<Source>) {
        let work = move || Ok(findings_panel::find(sources));
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

    /// Works on a thread of its own. A panic there becomes the error of the reply, so that whoever waits for it goes on.
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
                // Sending fails only where the window is gone and nobody waits.
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

/// Moves a directory to the trash. An error is one sentence.
pub type Discard = Arc<dyn Fn(&Path) -> Result<(), String> + Send + Sync>;

/// The trash of the system.
pub fn trash() -> Discard {
    Arc::new(|dir| trash::delete(dir).map_err(|error| error.to_string()))
}

/// Asks the system's file manager to show a folder.
fn reveal(dir: &Path) -> Result<(), String> {
    if !dir.is_dir() {
        return Err(format!(
            "the folder is not there any more: {}",
            dir.display()
        ));
    }
    let program = if cfg!(target_os = "macos") {
        "open"
    } else if cfg!(windows) {
        "explorer"
    } else {
        "xdg-open"
    };
    let status = std::process::Command::new(program)
        .arg(dir)
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status();
    match status {
        // Explorer's status says nothing.
        Ok(status) if status.success() || cfg!(windows) => Ok(()),
        Ok(_) => Err(format!("no file manager took it: {}", dir.display())),
        Err(error) => Err(format!(
            "{program} cannot be run ({error}): {}",
            dir.display()
        )),
    }
}

fn dialog(purpose: Purpose, start: &Path) -> Option<PathBuf> {
    let folder = if start.is_dir() {
        Some(start)
    } else {
        start.parent().filter(|parent| parent.is_dir())
    };
    let mut dialog = rfd::FileDialog::new();
    if let Some(folder) = folder {
        dialog = dialog.set_directory(folder);
    }
    match purpose {
        Purpose::ImageFolder => dialog
            .set_title("Folder with one subfolder per class")
            .pick_folder(),
        Purpose::RunFolder => dialog.set_title("Run folder").pick_folder(),
        Purpose::FolderOfRuns => dialog.set_title("Folder of runs").pick_folder(),
        Purpose::Sweep => dialog
            .set_title("Sweep")
            .add_filter("TOML", &["toml"])
            .pick_file(),
        Purpose::ExportFolder => dialog.set_title("Folder for the figures").pick_folder(),
        Purpose::ExportFile => {
            let name = start.file_name().unwrap_or_default().to_string_lossy();
            let ending = start.extension().unwrap_or_default().to_string_lossy();
            dialog
                .set_title("Export figure")
                .add_filter(ending.to_uppercase(), &[ending])
                .set_file_name(name)
                .save_file()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever waits for a piece of work hears of its panic.
    #[test]
    fn a_panic_is_the_error_of_the_reply() -> anyhow::Result<()> {
        let mut background = Background::new(Waker::default());
        let work = || -> Result<Vec<Finding>, String> {
            // Not `panic!`, whose report would look like a failed test.
            std::panic::resume_unwind(Box::new("off by one"))
        };
        background.spawn(work, |found| Reply::Found(Key::new(), found));
        let reply = background.replies.recv()?;
        let Reply::Found(_, Err(sentence)) = reply else {
            anyhow::bail!("another reply");
        };
        assert!(sentence.contains("off by one"), "{sentence}");
        Ok(())
    }
}
