//! Everything the window must not wait for: reading runs and probe files, looking through data, file dialogs, export.
//! Each piece of work has its own short-lived thread and answers with exactly one reply.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, unbounded};

use super::export_dialog::{Export, Exported};
use super::findings_panel::{self, Key, Source};
use super::runs::RunId;
use super::waker::Waker;
use super::worker::panic_sentence;
use crate::config::RunConfig;
use crate::data::{self, Summary};
use crate::figure::export::{Restored, read_view};
use crate::findings::Finding;
use crate::run::log::{self, Followed, Loaded, Position};
use crate::run::probe_file::ProbeTensors;

/// What a file dialog was opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The folder that holds the images.
    ImageFolder,
    /// A run to open.
    RunFolder,
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
}

/// A probe file that was read, or why it could not be.
pub(crate) struct ProbeReply {
    pub(crate) run: RunId,
    pub(crate) step: u64,
    pub(crate) tensors: Result<Arc<ProbeTensors>, String>,
}

/// What was dropped on the window.
pub(crate) enum Dropped {
    /// A run directory.
    Run(PathBuf),
    /// A folder of run directories.
    Runs(Vec<PathBuf>),
    /// An exported figure, with what it shows.
    Figure(Box<Restored>),
    /// Any other folder: images to train on.
    Images(PathBuf),
    /// Anything else, with a sentence that says so.
    Nothing(String),
}

/// Looks at what was dropped.
fn look_at(path: PathBuf) -> Dropped {
    if log::events_path(&path).is_file() {
        return Dropped::Run(path);
    }
    let runs = log::runs_in(&path);
    if !runs.is_empty() {
        return Dropped::Runs(runs);
    }
    if path.is_dir() {
        return Dropped::Images(path);
    }
    let is_png = path
        .extension()
        .is_some_and(|end| end.eq_ignore_ascii_case("png"));
    if !is_png {
        return Dropped::Nothing(format!(
            "Only a run folder, a folder of runs, an image folder or an exported figure can be dropped here: {}",
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
    Run(RunId, Result<Box<Loaded>, String>),
    /// A run was read on.
    Followed(RunId, Result<Followed, String>),
    /// Probe files were read.
    Probes(Vec<ProbeReply>),
    /// The data of this configuration was looked through.
    Scanned(Box<RunConfig>, Result<Arc<Summary>, String>),
    /// A dialog was closed; none where it was cancelled or there is no dialog service.
    Chosen(Purpose, Option<PathBuf>),
    /// Runs were looked through for what stands out.
    Found(Key, Vec<Finding>),
    /// What was dropped on the window, where it can be used.
    Dropped(Dropped),
    /// Figures were written, or made for the clipboard.
    Exported(Result<Exported, String>),
    /// The work panicked.
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
        self.spawn(move || {
            let loaded = log::load(&dir).map(Box::new);
            Reply::Run(id, loaded.map_err(|error| error.to_string()))
        });
    }

    /// Reads a run on from `position`, from its beginning where there is none.
    pub(crate) fn follow(&mut self, id: RunId, dir: PathBuf, position: Option<Position>) {
        self.spawn(move || {
            let followed = match position {
                Some(position) => log::follow(&dir, &position),
                None => log::load(&dir).map(|loaded| Followed::Anew(Box::new(loaded))),
            };
            Reply::Followed(id, followed.map_err(|error| error.to_string()))
        });
    }

    /// Looks at what was dropped on the window.
    pub(crate) fn take_dropped(&mut self, path: PathBuf) {
        self.spawn(move || Reply::Dropped(look_at(path)));
    }

    /// Reads probe files; the window redraws at once where someone waits for them.
    pub(crate) fn read_probes(&mut self, requests: Vec<ProbeRequest>, at_once: bool) {
        let wake = if at_once {
            Waker::wake
        } else {
            Waker::wake_soon
        };
        self.spawn_and(wake, move || {
            let read = |request: ProbeRequest| ProbeReply {
                run: request.run,
                step: request.step,
                tensors: ProbeTensors::load(&request.path, request.classes)
                    .map(Arc::new)
                    .map_err(|error| error.to_string()),
            };
            Reply::Probes(requests.into_iter().map(read).collect())
        });
    }

    pub(crate) fn scan(&mut self, config: RunConfig) {
        self.spawn(move || {
            let summary = data::scan(&config).map(Arc::new);
            Reply::Scanned(Box::new(config), summary.map_err(|error| error.to_string()))
        });
    }

    /// Opens a file dialog. `start` is the path already in the field beside the button.
    pub(crate) fn choose(&mut self, purpose: Purpose, start: &Path) {
        let start = start.to_owned();
        self.spawn(move || Reply::Chosen(purpose, dialog(purpose, &start)));
    }

    /// Draws figures, and writes them or hands them back.
    pub(crate) fn export(&mut self, export: Export) {
        self.spawn(move || Reply::Exported(export()));
    }

    /// Looks through runs for what stands out.
    pub(crate) fn find(&mut self, key: Key, sources: Vec<Source>) {
        self.spawn_and(Waker::wake_soon, move || {
            let found = findings_panel::find(sources);
            Reply::Found(key, found)
        });
    }

    fn spawn(&mut self, work: impl FnOnce() -> Reply + Send + 'static) {
        self.spawn_and(Waker::wake, work);
    }

    fn spawn_and(&mut self, wake: fn(&Waker), work: impl FnOnce() -> Reply + Send + 'static) {
        let (sender, waker) = (self.sender.clone(), self.waker.clone());
        let spawned = std::thread::Builder::new()
            .name("background".to_owned())
            .spawn(move || {
                let reply = catch_unwind(AssertUnwindSafe(work))
                    .unwrap_or_else(|panic| Reply::Failed(panic_sentence(panic.as_ref())));
                // Sending fails only where the window is gone and nobody waits.
                let _ = sender.send(reply);
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
