//! The state of the window: the runs on the list, the place that the user looks at, the experiment being set up, the
//! training under way, and the data that threads have read.
//!
//! Nothing here draws, starts a thread, listens to a channel or touches the disk. Of egui it may use plain data alone,
//! such as sizes and textures. It may import the library (`figure`, `run`, `config`, `compare`, `findings`, `data`, and
//! of `train` the handle that steers a run), and no other folder of the window.

pub(crate) mod action;
pub(crate) mod choices;
pub(crate) mod command_palette;
pub(crate) mod draft;
pub(crate) mod export_draft;
pub(crate) mod findings;
pub(crate) mod images;
pub(crate) mod located;
pub(crate) mod notice;
pub(crate) mod place;
pub(crate) mod queue;
pub(crate) mod run_table;
pub(crate) mod runs;
pub(crate) mod samples;
pub(crate) mod settings;
pub(crate) mod training;
pub(crate) mod words;

use crate::figure::{Kind, View};
use crate::run::Agreement;
use command_palette::Palette;
use draft::Draft;
use export_draft::ExportDraft;
use findings::Findings;
use images::Images;
use located::Located;
use notice::Notice;
use place::Page;
use place::{History, Place};
use queue::Queue;
use run_table::Browser;
use runs::{RunEntry, RunId, Runs};
use samples::Data;
use training::Training;

/// Everything that the window shows, and every text that was typed into it.
pub(crate) struct State {
    /// The open runs.
    pub(crate) runs: Runs,
    /// Whether the card for new users is shown.
    pub(crate) is_first_run: bool,
    /// The run on the left for which a pair of classes was offered.
    pub(crate) offered: Option<RunId>,
    /// The place that the user looks at.
    pub(crate) view: Place,
    /// The places to which the user can go back and forward.
    pub(crate) history: History,
    /// The way of treating batch norm in which the runs on the page are shown.
    pub(crate) agreement: Agreement,
    /// The experiment being set up.
    pub(crate) draft: Draft,
    /// The training under way, if any.
    pub(crate) training: Option<Training>,
    /// The jobs that wait for their training.
    pub(crate) queue: Queue,
    /// Names of runs that failed, each with the reason, until the notice of them is dismissed.
    pub(crate) failed: Vec<(String, String)>,
    /// The sentence that is shown over the page.
    pub(crate) notice: Option<Notice>,
    /// The export that the open dialog asks about.
    pub(crate) export: Option<ExportDraft>,
    /// The findings in the runs shown.
    pub(crate) findings: Findings,
    /// The images of the selected cell of the confusion matrix.
    pub(crate) images: Images,
    /// Where the images of runs are on this machine.
    pub(crate) located: Located,
    /// The sample images on the page of data.
    pub(crate) data: Data,
    /// The table on the page of runs.
    pub(crate) browser: Browser,
    /// The path of a run to open, as typed.
    pub(crate) run_to_open: String,
    /// The list of commands, if it is open.
    pub(crate) palette: Option<Palette>,
    /// The figure whose explanation is open, if any.
    pub(crate) explained: Option<Kind>,
    /// Whether the list of keys is open.
    pub(crate) is_keyboard_open: bool,
}

impl State {
    /// The state before any run is open.
    pub(crate) fn new(runs: Runs, view: Place, draft: Draft) -> Self {
        Self {
            runs,
            is_first_run: false,
            offered: None,
            view,
            history: History::default(),
            agreement: Agreement::default(),
            draft,
            training: None,
            queue: Queue::default(),
            failed: Vec::new(),
            notice: None,
            export: None,
            findings: Findings::default(),
            images: Images::default(),
            located: Located::default(),
            data: Data::default(),
            browser: Browser::default(),
            run_to_open: String::new(),
            palette: None,
            explained: None,
            is_keyboard_open: false,
        }
    }

    /// Whether training is under way.
    pub(crate) fn is_training(&self) -> bool {
        self.training.is_some()
    }

    /// The run that is being trained, once it is on the list.
    pub(crate) fn run_in_training(&self) -> Option<&RunEntry> {
        let dir = self.training.as_ref()?.current_dir()?;
        self.runs.get(self.runs.at_dir(dir)?)
    }

    /// The view in which the figures of the runs shown are drawn.
    pub(crate) fn view_of_runs(&self) -> View {
        let shown = self.view.shown();
        let entries = shown.iter().filter_map(|&id| self.runs.get(id));
        self.view.figure.together(entries.map(|entry| &*entry.run))
    }

    /// The steps that the cursor can be on, in order: those of the probes of the runs shown, and on the page of
    /// mistakes also those of their evaluations, which are more frequent.
    pub(crate) fn steps(&self) -> Vec<u64> {
        let shown = self.view.shown();
        let mut steps = self.runs.probe_steps(&shown);
        if self.view.page == Page::Mistakes {
            let entries = shown.iter().filter_map(|&id| self.runs.get(id));
            steps.extend(entries.flat_map(|entry| entry.run.evals.iter().map(|eval| eval.step)));
            steps.sort_unstable();
            steps.dedup();
        }
        steps
    }
}
