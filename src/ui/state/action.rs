//! Actions: collected while the window is drawn, done afterwards.

use std::path::PathBuf;

use crate::config::RunConfig;
use crate::figure::{Kind, Pick, TimeAxis};
use crate::findings::{Evidence, Setting};
use crate::run::notes::Notes;
use crate::ui::state::place::Page;
use crate::ui::state::runs::RunId;

/// A change of files, threads, runs or the view that the user asked for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Action {
    /// Train the experiment as set up.
    Start,
    /// Train the experiment as set up, without the images that cannot be decoded.
    SkipAndTrain,
    /// Let training wait at the next step.
    Pause,
    /// Go on after a pause.
    Resume,
    /// End training at the next step, with a checkpoint.
    Stop,
    /// Continue the training of a stopped or interrupted run.
    Continue(RunId),
    /// Continue the training of a stopped or interrupted run that need not be open.
    ContinueDir(PathBuf),
    /// Go on from a checkpoint of the run in a directory, in a new run with this configuration: from the latest at or before
    /// a step, or else from the latest at which the network had not diverged.
    Fork(PathBuf, Box<RunConfig>, Option<u64>),
    /// Set the experiment up with the configuration of a run and these settings in place of its own.
    SetUp(RunId, Vec<Setting>),
    /// Train the jobs that wait.
    GoOn,
    /// Move a job that waits, named by its id, up (-1) or down (1).
    ShiftJob(u64, isize),
    /// Take a job that waits, named by its id, out of the queue.
    CancelJob(u64),
    /// Open what a path leads to: a run directory, a folder of runs, or an exported figure.
    Open(PathBuf),
    /// Open those of these run directories that are not open yet.
    OpenAll(Vec<PathBuf>),
    /// Open those runs of a group that are not open yet, and compare the group to the baseline.
    CompareAll(Vec<PathBuf>),
    /// Open a run directory if it is not open yet, and show its run: on the right (`true`) or on the left.
    ShowDir(PathBuf, bool),
    /// Add a folder to those that are looked through for runs.
    AddFolder(PathBuf),
    /// Take a folder off those that are looked through for runs.
    ForgetFolder(PathBuf),
    /// Write a run's name and notes.
    SaveNotes(PathBuf, Notes),
    /// Show a run's folder in the file manager.
    Reveal(PathBuf),
    /// Ask whether a run is to be moved to the trash.
    AskTrash(PathBuf),
    /// Move a run to the trash.
    Trash(PathBuf),
    /// Take a run off the list; its files stay.
    Remove(RunId),
    /// Show a run on the left.
    ShowLeft(RunId),
    /// Show a run on the right, beside the left one.
    ShowRight(RunId),
    /// Show two runs side by side (`true`), or one.
    SideBySide(bool),
    /// Go back to the previous place.
    Back,
    /// Go forward to the place that the user last went back from.
    Forward,
    /// Open or close the list of commands.
    TogglePalette,
    /// Measure time in this unit in every figure.
    SetTime(TimeAxis),
    /// Turn to a page.
    Show(Page),
    /// Make the group of this run the baseline that others are compared to.
    CompareTo(RunId),
    /// Compare the group of this run to the baseline.
    Compare(RunId),
    /// Turn to the page, the class, the part of the network and the moment of a run that a finding is about.
    ShowEvidence(RunId, Page, Evidence),
    /// A click in a figure.
    Pick(Pick),
    /// Order the classes so that those stand beside each other whose gradients agree in this part of the network at
    /// this moment.
    OrderBySimilarity,
    /// Keep the scales of all charts as they are (`true`), or fit each scale to its data again.
    LockScales(bool),
    /// Move the cursor to a step; `None` follows the newest one.
    GoTo(Option<u64>),
    /// Move the cursor by this many moments.
    StepBy(isize),
    /// Use light or dark colours, or those of the system.
    SetTheme(egui::ThemePreference),
    /// Open a file dialog; the path is where it starts.
    Choose(Purpose, PathBuf),
    /// Ask how to export a figure of a run. The list holds the figures of its page with their sizes on screen, in
    /// points.
    AskExport(Kind, RunId, Vec<(Kind, egui::Vec2)>),
    /// Write the figure, or all figures of the page, as chosen in the export dialog.
    Export,
    /// Put the figure of the export dialog on the clipboard.
    CopyFigure,
    /// Close the export dialog.
    CancelExport,
    /// Hide the images of the selected cell of the confusion matrix.
    HideImages,
    /// Select no class.
    NoClass,
    /// Select no class, no pair and no cell, and mark no pairs.
    ClearSelection,
    /// Show all curves that were switched off.
    ShowCurves,
    /// Open the explanation of how to read a figure; `None` closes it.
    ExplainFigure(Option<Kind>),
    /// Open or close the list of keys.
    ToggleKeyboard,
    /// Put the card for new users away.
    EndFirstRun,
    /// Clear the notice.
    Dismiss,
}

/// The purpose of a file dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The folder that holds the images.
    ImageFolder,
    /// A run to open.
    RunFolder,
    /// An exported figure to go back to the view of.
    ExportedFigure,
    /// The folder where the images of a run are on this machine.
    ImagesOf(RunId),
    /// A folder to look through for runs.
    FolderOfRuns,
    /// A sweep to run.
    Sweep,
    /// The file that an exported figure is written to.
    ExportFile,
    /// The folder that all figures of a page are written to.
    ExportFolder,
}
