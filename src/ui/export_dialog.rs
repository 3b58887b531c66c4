//! Asks for size, colours and place of an exported figure.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::action::Action;
use super::app::ViewState;
use super::background::Purpose;
use super::figures_panel::words;
use super::runs::{RunId, Runs};
use super::shim::figure::{Scales, figure_png};
use super::widgets::{labelled_ui, problem_ui};
use crate::figure::{Kind, Subject, View};
use crate::run::Run;
use crate::run::probe_file::ProbeTensors;

/// Sides of an exported figure, in points.
const SIDE_POINTS: std::ops::RangeInclusive<u32> = 100..=4000;

/// Draws a figure off-screen and gives the bytes of its file.
pub(crate) type Render = Box<dyn FnOnce() -> Result<Vec<u8>, String> + Send>;

/// The export being asked about.
pub(crate) struct ExportDraft {
    kind: Kind,
    run: RunId,
    width: u32,
    height: u32,
    /// Pixels per point.
    scale: u32,
    theme: egui::Theme,
    pub(crate) path: String,
}

impl ExportDraft {
    /// Starts from what the panel shows: its size in points and its colours.
    pub(crate) fn new(
        kind: Kind,
        run: RunId,
        run_name: &str,
        size: egui::Vec2,
        theme: egui::Theme,
    ) -> Self {
        let side =
            |points: f32| (points.round() as u32).clamp(*SIDE_POINTS.start(), *SIDE_POINTS.end());
        let title = words(kind).0.to_lowercase().replace(' ', "-");
        Self {
            kind,
            run,
            width: side(size.x),
            height: side(size.y),
            scale: 2,
            theme,
            path: format!("{run_name}-{title}.png"),
        }
    }

    /// What to do in the background: where to write, and how to draw it. Takes copies, so that the run may go on.
    ///
    /// # Errors
    /// Where the run is no longer on the list.
    pub(crate) fn job(&self, runs: &Runs, view: &ViewState) -> Result<(PathBuf, Render), String> {
        let shown = view.shown();
        let entry = runs
            .get(self.run)
            .ok_or("the run was taken off the list; open it again")?;
        // The panel's scales are those of all runs shown.
        let others = shown.iter().filter(|&&id| id != self.run);
        let copies: Vec<Copy> = std::iter::once(entry)
            .chain(others.filter_map(|&id| runs.get(id)))
            .map(|entry| Copy {
                name: entry.name.clone(),
                run: entry.run.clone(),
                probes: entry.probes.clone(),
            })
            .collect();
        let (kind, view, theme) = (self.kind, view.figure.clone(), self.theme);
        let (size, scale) = ([self.width, self.height], self.scale);
        let render = move || render(&copies, kind, &view, size, scale, theme);
        Ok((PathBuf::from(self.path.trim()), Box::new(render)))
    }
}

/// What a figure needs of a run.
struct Copy {
    name: String,
    run: Run,
    probes: BTreeMap<u64, Arc<ProbeTensors>>,
}

impl Copy {
    fn subject(&self) -> Subject<'_> {
        Subject {
            name: &self.name,
            run: &self.run,
            probes: &self.probes,
        }
    }
}

fn render(
    copies: &[Copy],
    kind: Kind,
    view: &View,
    size: [u32; 2],
    scale: u32,
    theme: egui::Theme,
) -> Result<Vec<u8>, String> {
    let subjects: Vec<_> = copies.iter().map(Copy::subject).collect();
    let first = *subjects.first().ok_or("there is no run to draw")?;
    let scales = Scales::of(kind, &subjects, view);
    figure_png(kind, first, view, &scales, size, scale, theme)
}

pub(crate) fn export_ui(ctx: &egui::Context, export: &mut ExportDraft, actions: &mut Vec<Action>) {
    let modal = egui::Modal::new(egui::Id::unique("export")).show(ctx, |ui| {
        ui.set_width(420.0);
        ui.label(egui::RichText::new("Export PNG").heading());
        ui.label(egui::RichText::new(words(export.kind).0).weak());
        ui.add_space(6.0);
        size_ui(ui, export);
        let help = "Colours of the figure, whatever the window uses";
        labelled_ui(ui, "Colours", help, None, |ui| {
            ui.selectable_value(&mut export.theme, egui::Theme::Light, "Light");
            ui.selectable_value(&mut export.theme, egui::Theme::Dark, "Dark")
        });
        path_ui(ui, export, actions);
        ui.add_space(8.0);
        buttons_ui(ui, export, actions);
    });
    if modal.should_close() {
        actions.push(Action::CancelExport);
    }
}

fn size_ui(ui: &mut egui::Ui, export: &mut ExportDraft) {
    for (label, value) in [("Width", &mut export.width), ("Height", &mut export.height)] {
        let help = "Size of the figure in points, as on screen; the image has this many times the scale in pixels";
        labelled_ui(ui, label, help, None, |ui| {
            ui.add(egui::DragValue::new(value).range(SIDE_POINTS).suffix(" pt"))
        });
    }
    let help = "Pixels per point: 1 for a screen, 2 or 3 for print and sharp displays";
    labelled_ui(ui, "Scale", help, None, |ui| {
        let mut last = None;
        for scale in 1..=3 {
            last = Some(ui.selectable_value(&mut export.scale, scale, format!("{scale}×")));
        }
        let (width, height) = (export.width * export.scale, export.height * export.scale);
        ui.label(egui::RichText::new(format!("{width} × {height} pixels")).weak());
        last.unwrap_or_else(|| ui.label(""))
    });
}

fn path_ui(ui: &mut egui::Ui, export: &mut ExportDraft, actions: &mut Vec<Action>) {
    let help = "Where the image is written; an existing file is replaced";
    labelled_ui(ui, "File", help, None, |ui| {
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let choose = ui
                .button("Choose…")
                .on_hover_text("Pick the place in a dialog; or type it beside");
            if choose.clicked() {
                let start = PathBuf::from(export.path.trim());
                actions.push(Action::Choose(Purpose::ExportFile, start));
            }
            ui.add(egui::TextEdit::singleline(&mut export.path).desired_width(f32::INFINITY))
        })
        .inner
    });
    problem_ui(ui, export.problem());
}

impl ExportDraft {
    fn problem(&self) -> Option<&'static str> {
        let path = self.path.trim();
        if path.is_empty() {
            Some("name a file")
        } else if !path.to_lowercase().ends_with(".png") {
            Some("the name must end in .png")
        } else {
            None
        }
    }
}

fn buttons_ui(ui: &mut egui::Ui, export: &ExportDraft, actions: &mut Vec<Action>) {
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
        let problem = export.problem();
        let write = ui
            .add_enabled(problem.is_none(), egui::Button::new("Export"))
            .on_disabled_hover_text(problem.unwrap_or_default());
        if write.clicked() {
            actions.push(Action::Export);
        }
        if ui.button("Cancel").clicked() {
            actions.push(Action::CancelExport);
        }
    });
}
