//! Actions: collected while the window is drawn, done afterwards.

use std::path::PathBuf;

use crate::figure::{Kind, Pick, TimeAxis};
use crate::findings::Evidence;
use crate::run::notes::Notes;
use crate::ui::state::place::Page;
use crate::ui::state::runs::RunId;

/// A change of files, threads, runs or the view that the user asked for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Action {
    /// Train the experiment as set up.
    Start,
    /// Let training wait at the next step.
    Pause,
    /// Go on after a pause.
    Resume,
    /// End training at the next step, with a checkpoint.
    Stop,
    /// Go on with a stopped or interrupted run.
    Continue(RunId),
    /// Go on with a stopped or interrupted run that need not be open.
    ContinueDir(PathBuf),
    /// Train the jobs that wait.
    GoOn,
    /// Move a job that waits, named by its id, up (-1) or down (1).
    ShiftJob(u64, isize),
    /// Take a job that waits, named by its id, out of the queue.
    CancelJob(u64),
    /// Open a run directory.
    Open(PathBuf),
    /// Open run directories where they are not.
    OpenAll(Vec<PathBuf>),
    /// Open the runs of a group where they are not, and compare the group.
    CompareAll(Vec<PathBuf>),
    /// Open a run directory where it is not, and show it: right or left.
    ShowDir(PathBuf, bool),
    /// Look through a folder for runs.
    AddFolder(PathBuf),
    /// Look through a folder no longer.
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
    /// Show one run, or two side by side.
    SideBySide(bool),
    /// Go back to the place before.
    Back,
    /// Go forward to the place that one went back from.
    Forward,
    /// Open or close the list of commands.
    TogglePalette,
    /// Measure time in this unit, in every figure.
    SetTime(TimeAxis),
    /// Turn to a page.
    Show(Page),
    /// Compare groups of runs to that of this run.
    CompareTo(RunId),
    /// Compare the group of this run to the baseline.
    Compare(RunId),
    /// Turn to the page, the class, the part of the network and the moment of a run that a finding is about.
    ShowEvidence(RunId, Page, Evidence),
    /// A click in a figure.
    Pick(Pick),
    /// Put classes beside each other whose gradients agree here and now.
    OrderBySimilarity,
    /// Keep the scales of all charts as they are, or let them hold all there is.
    LockScales(bool),
    /// Look at a step; `None` follows the newest.
    GoTo(Option<u64>),
    /// Move by this many moments.
    StepBy(isize),
    /// Light or dark colours, or those of the system.
    SetTheme(egui::ThemePreference),
    /// Open a file dialog; the path is where it starts.
    Choose(Purpose, PathBuf),
    /// Ask how to export a figure of a run; with the figures of its page and the sizes they have, in points.
    AskExport(Kind, RunId, Vec<(Kind, egui::Vec2)>),
    /// Write the figure as asked, or all figures of the page.
    Export,
    /// Put the figure on the clipboard.
    CopyFigure,
    /// Close the export dialog.
    CancelExport,
    /// Take the images of a cell off the screen.
    HideImages,
    /// Select no class.
    NoClass,
    /// Select no class, no pair and no cell, and mark nothing.
    ClearSelection,
    /// Show all curves that were switched off.
    ShowCurves,
    /// Open how to read a figure, or close it.
    ExplainFigure(Option<Kind>),
    /// Open or close the list of keys.
    ToggleKeyboard,
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
    /// A folder to look through for runs.
    FolderOfRuns,
    /// A sweep to run.
    Sweep,
    /// Where an exported figure goes.
    ExportFile,
    /// Where all figures of a page go.
    ExportFolder,
}
