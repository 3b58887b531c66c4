//! Asks for size, colours and place of an exported figure.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::action::Action;
use super::background::Purpose;
use super::navigation::Place;
use super::runs::{RunEntry, RunId, Runs};
use super::widgets::{labelled_ui, problem_ui};
use crate::figure::export::{Options, write_png};
use crate::figure::{Kind, Subject, figure_png_among};
use crate::run::Run;
use crate::run::probe_file::ProbeTensors;

/// Margins and heading that the image has around what the panel shows, in points.
const AROUND: egui::Vec2 = egui::vec2(16.0, 64.0);

/// Draws a figure off-screen and writes it.
pub(crate) type Export = Box<dyn FnOnce() -> Result<PathBuf, String> + Send>;

/// The export being asked about.
pub(crate) struct ExportDraft {
    kind: Kind,
    run: RunId,
    options: Options,
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
        let size = (size + AROUND).round();
        Self {
            kind,
            run,
            options: Options {
                size: [size.x, size.y],
                scale: 2.0,
                dark: theme == egui::Theme::Dark,
            },
            path: format!("{run_name}-{}.png", kind.name()),
        }
    }

    /// What to do in the background. Takes copies, so that the run may go on meanwhile.
    ///
    /// # Errors
    /// Where the run is no longer on the list.
    pub(crate) fn job(&self, runs: &Runs, view: &Place) -> Result<Export, String> {
        let entry = runs
            .get(self.run)
            .ok_or("the run was taken off the list; open it again")?;
        let copy = Copy::of(entry);
        // The panel's scales are those of all runs shown.
        let shown = view.shown().into_iter().filter_map(|id| runs.get(id));
        let shown: Vec<_> = shown.map(Copy::of).collect();
        let (kind, view, options) = (self.kind, view.figure.clone(), self.options);
        let path = PathBuf::from(self.path.trim());
        Ok(Box::new(move || {
            let shown: Vec<_> = shown.iter().map(Copy::subject).collect();
            let image = figure_png_among(kind, copy.subject(), &shown, &view, &options);
            write_png(&path, &image).map_err(|error| error.to_string())?;
            Ok(path)
        }))
    }

    /// Why it cannot be written like this.
    fn problem(&self) -> Option<String> {
        let path = self.path.trim();
        if path.is_empty() {
            return Some("name a file".to_owned());
        }
        if !path.to_lowercase().ends_with(".png") {
            return Some("the name must end in .png".to_owned());
        }
        self.options.validate().err().map(|error| error.to_string())
    }
}

/// What a figure needs of a run.
struct Copy {
    name: String,
    run: Run,
    probes: BTreeMap<u64, Arc<ProbeTensors>>,
}

impl Copy {
    fn of(entry: &RunEntry) -> Self {
        Self {
            name: entry.name.clone(),
            run: entry.run.clone(),
            probes: entry.probes.clone(),
        }
    }

    fn subject(&self) -> Subject<'_> {
        Subject {
            name: &self.name,
            run: &self.run,
            probes: &self.probes,
        }
    }
}

pub(crate) fn export_ui(ctx: &egui::Context, export: &mut ExportDraft, actions: &mut Vec<Action>) {
    let frame = egui::Frame::popup(&ctx.global_style()).inner_margin(16);
    let modal = egui::Modal::new(egui::Id::unique("export")).frame(frame);
    let modal = modal.show(ctx, |ui| {
        ui.set_width(440.0);
        ui.label(egui::RichText::new("Export PNG").heading());
        ui.label(egui::RichText::new(export.kind.title()).weak());
        ui.add_space(6.0);
        size_ui(ui, &mut export.options);
        let help = "Colours of the figure, whatever the window uses";
        labelled_ui(ui, "Colours", help, None, |ui| {
            ui.selectable_value(&mut export.options.dark, false, "Light");
            ui.selectable_value(&mut export.options.dark, true, "Dark")
        });
        path_ui(ui, &mut export.path, actions);
        let problem = export.problem();
        problem_ui(ui, problem.as_deref());
        ui.add_space(8.0);
        buttons_ui(ui, problem, actions);
    });
    if modal.should_close() {
        actions.push(Action::CancelExport);
    }
}

fn size_ui(ui: &mut egui::Ui, options: &mut Options) {
    let [width, height] = &mut options.size;
    for (label, value) in [("Width", width), ("Height", height)] {
        let help = "Size of the image in points, as on screen; times the scale it is in pixels";
        labelled_ui(ui, label, help, None, |ui| {
            ui.add(egui::DragValue::new(value).max_decimals(0).suffix(" pt"))
        });
    }
    let help = "Pixels per point: 1 for a screen, 2 or 3 for print and sharp displays";
    labelled_ui(ui, "Scale", help, None, |ui| {
        ui.selectable_value(&mut options.scale, 1.0, "1×");
        ui.selectable_value(&mut options.scale, 2.0, "2×");
        let last = ui.selectable_value(&mut options.scale, 3.0, "3×");
        let [width, height] = options.size.map(|side| side * options.scale);
        let pixels = format!("{width:.0} × {height:.0} pixels");
        ui.label(egui::RichText::new(pixels).weak());
        last
    });
}

fn path_ui(ui: &mut egui::Ui, path: &mut String, actions: &mut Vec<Action>) {
    let help = "Where the image is written; an existing file is replaced";
    labelled_ui(ui, "File", help, None, |ui| {
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let choose = ui
                .button("Choose…")
                .on_hover_text("Pick the place in a dialog; or type it beside");
            if choose.clicked() {
                let start = PathBuf::from(path.trim());
                actions.push(Action::Choose(Purpose::ExportFile, start));
            }
            ui.add(egui::TextEdit::singleline(path).desired_width(f32::INFINITY))
        })
        .inner
    });
}

fn buttons_ui(ui: &mut egui::Ui, problem: Option<String>, actions: &mut Vec<Action>) {
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
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
