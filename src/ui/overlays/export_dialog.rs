//! Asks for format, size, colours and place of exported figures.

use std::path::PathBuf;
use std::sync::Arc;

use egui::{ColorImage, RichText, vec2};
use serde::{Deserialize, Serialize};

use crate::compare::contrast::excerpt;
use crate::figure::export::{
    self, Figure, Format, PRESETS, Preset, Settings, SheetSize, TEXT, Unit, file_name, file_stem,
};
use crate::figure::pages::{card_of, kind_shown};
use crate::figure::{Kind, Subject, View, read_probes};
use crate::run::Run;
use crate::run::probes::Probes;
use crate::ui::state::action::Action;
use crate::ui::state::page::Page;
use crate::ui::state::place::Place;
use crate::ui::state::runs::{RunEntry, RunId, Runs};
use crate::ui::widgets::{labelled_ui, problem_ui};
use crate::ui::work::background::Purpose;

/// Margins and heading that the image has around what the panel shows, in points.
const AROUND: egui::Vec2 = egui::vec2(16.0, 64.0);

/// Draws figures off-screen, and writes them or hands them back.
pub(crate) type Export = Box<dyn FnOnce() -> Result<Exported, String> + Send>;

/// What came of an export.
pub(crate) enum Exported {
    /// A file was written.
    File(PathBuf),
    /// So many files were written to a folder.
    Folder(PathBuf, usize),
    /// An image for the clipboard.
    Image(ColorImage),
    /// A table for the clipboard.
    Table(String),
}

/// How figures were exported last, and will be next time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Habit {
    settings: Settings,
    /// In the size that they have on screen, whatever that is.
    is_as_on_screen: bool,
    /// In the colours of the window, whatever they are.
    has_window_colours: bool,
}

impl Default for Habit {
    fn default() -> Self {
        Self {
            settings: Settings::default(),
            is_as_on_screen: true,
            has_window_colours: true,
        }
    }
}

/// The export being asked about.
pub(crate) struct ExportDraft {
    kind: Kind,
    run: RunId,
    /// The page that was open.
    page: Page,
    settings: Settings,
    /// The runs that are compared, where the figure is of groups of runs.
    compared: Vec<RunId>,
    /// The figures of the page, in the sizes that they have on screen.
    cards: Vec<(Kind, SheetSize)>,
    /// All figures of the page, instead of one.
    whole_page: bool,
    /// Formats of the whole page.
    formats: Vec<Format>,
    /// File of the one figure.
    file: String,
    /// Folder of the whole page.
    folder: String,
}

impl ExportDraft {
    /// Of a figure on a page whose figures are shown in these sizes, in points.
    pub(crate) fn new(
        kind: Kind,
        (run, run_name): (RunId, &str),
        page: Page,
        sizes: &[(Kind, egui::Vec2)],
    ) -> Self {
        let sheet = |size: egui::Vec2| {
            let size = (size + AROUND).round();
            SheetSize {
                width: size.x.into(),
                height: size.y.into(),
                unit: Unit::Pt,
            }
        };
        let settings = Settings::default();
        Self {
            kind,
            run,
            page,
            settings,
            compared: Vec::new(),
            cards: sizes
                .iter()
                .map(|&(kind, size)| (kind, sheet(size)))
                .collect(),
            whole_page: false,
            formats: vec![settings.format],
            file: file_name(run_name, kind, settings.format),
            folder: format!("{}-figures", file_stem(run_name)),
        }
    }

    /// As figures were exported last.
    pub(crate) fn like(mut self, habit: &Habit, theme: egui::Theme) -> Self {
        self.settings = habit.settings;
        if habit.is_as_on_screen {
            self.settings.size = self.on_screen(self.kind);
        }
        if habit.has_window_colours {
            self.settings.dark = theme == egui::Theme::Dark;
        }
        self.formats = vec![habit.settings.format];
        self.set_format(habit.settings.format);
        self
    }

    /// What to remember of it for the next export.
    pub(crate) fn habit(&self, theme: egui::Theme) -> Habit {
        Habit {
            settings: self.settings,
            is_as_on_screen: self.is_as_on_screen(),
            has_window_colours: self.settings.dark == (theme == egui::Theme::Dark),
        }
    }

    /// The size that a figure of the page has on screen.
    fn on_screen(&self, kind: Kind) -> SheetSize {
        let mut cards = self.cards.iter();
        let found = cards.find(|(card, _)| *card == card_of(kind));
        found.map_or(Settings::default().size, |(_, size)| *size)
    }

    fn is_as_on_screen(&self) -> bool {
        let Settings { size, dpi, .. } = self.settings;
        let usual = Settings::default().dpi;
        size == self.on_screen(self.kind) && dpi.to_bits() == usual.to_bits()
    }

    /// The size that a figure of the page is exported in.
    fn size_of(&self, kind: Kind) -> SheetSize {
        if self.is_as_on_screen() {
            self.on_screen(kind)
        } else {
            self.settings.size
        }
    }

    /// Of a figure that compares these runs to the group of the first.
    pub(crate) fn among(mut self, compared: Vec<RunId>) -> Self {
        self.compared = compared;
        self
    }

    /// The file or the folder was picked in a dialog.
    pub(crate) fn chosen(&mut self, path: PathBuf) {
        *self.path() = path.display().to_string();
    }

    fn path(&mut self) -> &mut String {
        if self.whole_page {
            &mut self.folder
        } else {
            &mut self.file
        }
    }

    /// Writes another kind of file, and calls it so.
    fn set_format(&mut self, format: Format) {
        self.settings.format = format;
        let path = PathBuf::from(self.file.trim());
        if Format::of(&path).is_some() {
            let path = path.with_extension(format.extension());
            self.file = path.display().to_string();
        }
    }

    /// Whether size and colours matter: a table has none.
    fn is_drawn(&self) -> bool {
        if self.whole_page {
            self.formats.iter().any(|format| *format != Format::Csv)
        } else {
            self.settings.format != Format::Csv
        }
    }

    /// What to do in the background. Takes copies, so that the runs may go on meanwhile.
    ///
    /// # Errors
    /// Where the run is no longer on the list.
    pub(crate) fn job(&self, runs: &Runs, view: &Place) -> Result<Export, String> {
        let job = Job::new(self, runs, view)?;
        let settings = self.settings;
        if !self.whole_page {
            let path = PathBuf::from(self.file.trim());
            return Ok(Box::new(move || job.read().write(&settings, path)));
        }
        let (formats, folder) = (self.formats.clone(), PathBuf::from(self.folder.trim()));
        Ok(Box::new(move || {
            job.read().write_all(settings, &formats, folder)
        }))
    }

    /// As [`Self::job`], for the clipboard: the image, or the table where that is what would be written.
    ///
    /// # Errors
    /// Where the run is no longer on the list.
    pub(crate) fn copy_job(&self, runs: &Runs, view: &Place) -> Result<Export, String> {
        let job = Job::new(self, runs, view)?;
        let settings = self.settings;
        Ok(Box::new(move || job.read().copy(&settings)))
    }

    /// Why it cannot be exported like this, wherever to.
    fn problem(&self) -> Option<String> {
        if self.whole_page && self.formats.is_empty() {
            return Some("choose a format".to_owned());
        }
        let settings = Settings {
            format: if self.is_drawn() {
                Format::Png
            } else {
                Format::Csv
            },
            ..self.settings
        };
        settings.validate().err().map(|error| error.to_string())
    }

    /// Why it cannot be written there.
    fn path_problem(&self) -> Option<String> {
        if self.whole_page {
            return self
                .folder
                .trim()
                .is_empty()
                .then(|| "name a folder".to_owned());
        }
        let path = self.file.trim();
        let ending = self.settings.format.extension();
        if path.is_empty() {
            return Some("name a file".to_owned());
        }
        let ends = path.to_lowercase().ends_with(&format!(".{ending}"));
        (!ends).then(|| format!("the name must end in .{ending}"))
    }
}

/// What is exported, apart from how.
struct Job {
    runs: Vec<Copy>,
    view: View,
    figures: Vec<Wanted>,
}

/// A figure to be exported.
#[derive(Clone, Copy)]
struct Wanted {
    kind: Kind,
    /// Of which of the runs.
    at: usize,
    size: SheetSize,
}

impl Job {
    fn new(draft: &ExportDraft, runs: &Runs, view: &Place) -> Result<Self, String> {
        let of_groups = draft.kind.compares_groups();
        let mut ids = if of_groups {
            draft.compared.clone()
        } else {
            view.shown()
        };
        let at = ids.iter().position(|id| *id == draft.run);
        // It may have been replaced on screen while the dialog was open.
        let at = at.unwrap_or_else(|| {
            ids = vec![draft.run];
            0
        });
        let copy = if of_groups { Copy::of_last } else { Copy::of };
        let copies = ids.iter().filter_map(|&id| runs.get(id)).map(copy);
        let copies: Vec<_> = copies.collect();
        if copies.len() < ids.len() {
            return Err("the run was taken off the list; open it again".to_owned());
        }
        let wanted = |kind, at| Wanted {
            kind,
            at,
            size: draft.size_of(kind),
        };
        let figures = if draft.whole_page {
            let of_run = |at| {
                let kinds = view.page.kinds().iter();
                kinds.map(move |&kind| wanted(kind_shown(kind, &view.figure, at), at))
            };
            let of_all = if of_groups { at..at + 1 } else { 0..ids.len() };
            of_all.flat_map(of_run).collect()
        } else {
            vec![wanted(draft.kind, at)]
        };
        Ok(Self {
            runs: copies,
            view: view.figure.clone(),
            figures,
        })
    }

    /// Reads what the figures need of probe files that are not in memory. Where a file cannot be read, they say so.
    fn read(mut self) -> Self {
        // Runs side by side share their scales: every figure needs all of them.
        let kinds: Vec<Kind> = self.figures.iter().map(|wanted| wanted.kind).collect();
        for copy in &mut self.runs {
            let _ = read_probes(&copy.dir, &copy.run, &kinds, &self.view, &mut copy.probes);
        }
        self
    }

    /// Does something with every figure and the size it is to have.
    fn each(
        &self,
        mut run: impl FnMut(Figure<'_>, SheetSize) -> Result<(), export::ExportError>,
    ) -> Result<(), String> {
        let shown: Vec<_> = self.runs.iter().map(Copy::subject).collect();
        for &Wanted { kind, at, size } in &self.figures {
            let figure = Figure {
                kind,
                subject: shown[at],
                shown: &shown,
                view: &self.view,
            };
            run(figure, size).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    fn write(&self, settings: &Settings, path: PathBuf) -> Result<Exported, String> {
        self.each(|figure, _| export::write(&figure, settings, &path))?;
        Ok(Exported::File(path))
    }

    fn write_all(
        &self,
        mut settings: Settings,
        formats: &[Format],
        folder: PathBuf,
    ) -> Result<Exported, String> {
        let mut count = 0;
        self.each(|figure, size| {
            if !figure.has_subject() {
                return Ok(());
            }
            settings.size = size;
            for &format in formats {
                settings.format = format;
                let path = folder.join(figure.file_name(format));
                export::write(&figure, &settings, &path)?;
                count += 1;
            }
            Ok(())
        })?;
        Ok(Exported::Folder(folder, count))
    }

    fn copy(&self, settings: &Settings) -> Result<Exported, String> {
        let mut copied = None;
        self.each(|figure, _| {
            settings.validate()?;
            copied = Some(if settings.format == Format::Csv {
                Exported::Table(figure.table().to_tabs())
            } else {
                let image = figure.image(settings);
                let size = [image.width() as usize, image.height() as usize];
                Exported::Image(ColorImage::from_rgba_unmultiplied(size, image.as_raw()))
            });
            Ok(())
        })?;
        copied.ok_or_else(|| "there is no figure to copy".to_owned())
    }
}

/// What a figure needs of a run.
struct Copy {
    name: String,
    dir: PathBuf,
    run: Arc<Run>,
    probes: Probes,
}

impl Copy {
    fn of(entry: &RunEntry) -> Self {
        Self {
            name: entry.name.clone(),
            dir: entry.dir.clone(),
            run: entry.run.clone(),
            probes: entry.probes.clone(),
        }
    }

    /// What a comparison needs, which is little.
    fn of_last(entry: &RunEntry) -> Self {
        let last = entry.run.probes.last();
        let mut probes = Probes::new();
        if let Some((step, tensors)) = last.and_then(|x| entry.probes.whole.get_key_value(&x.step))
        {
            probes.insert(*step, tensors.clone());
        }
        Self {
            name: entry.name.clone(),
            dir: entry.dir.clone(),
            run: Arc::new(excerpt(&entry.run)),
            probes,
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
        ui.set_width(500.0);
        ui.label(RichText::new("Export a figure").heading());
        ui.add_space(6.0);
        what_ui(ui, export);
        format_ui(ui, export);
        let is_drawn = export.is_drawn();
        ui.add_enabled_ui(is_drawn, |ui| {
            size_ui(ui, export);
            colours_ui(ui, &mut export.settings);
        });
        path_ui(ui, export, actions);
        let (problem, path_problem) = (export.problem(), export.path_problem());
        problem_ui(ui, problem.as_deref().or(path_problem.as_deref()));
        ui.add_space(8.0);
        buttons_ui(ui, export, problem, path_problem, actions);
    });
    if modal.should_close() {
        actions.push(Action::CancelExport);
    }
}

fn what_ui(ui: &mut egui::Ui, export: &mut ExportDraft) {
    let help = "One figure, or every figure of the page for every run shown";
    labelled_ui(ui, "What", help, None, |ui| {
        let page = format!("All figures of “{}”", export.page.title());
        ui.selectable_value(&mut export.whole_page, false, export.kind.title());
        ui.selectable_value(&mut export.whole_page, true, page);
        ui.response()
    });
}

fn format_ui(ui: &mut egui::Ui, export: &mut ExportDraft) {
    let help = "PNG are pixels, for slides and the web. SVG are lines and text that stay sharp and can be edited. CSV \
                are the numbers behind the figure.";
    labelled_ui(ui, "Format", help, None, |ui| {
        for format in Format::ALL {
            let name = format.extension().to_uppercase();
            let chosen = if export.whole_page {
                export.formats.contains(&format)
            } else {
                export.settings.format == format
            };
            let response = ui.selectable_label(chosen, name);
            if response.clicked() && !export.whole_page {
                export.set_format(format);
            } else if response.clicked() && chosen {
                export.formats.retain(|other| *other != format);
            } else if response.clicked() {
                export.formats.push(format);
            }
        }
        if export.whole_page {
            ui.weak("one or several");
        }
        // Of several buttons none may take the label for its name.
        ui.response()
    });
}

fn size_ui(ui: &mut egui::Ui, export: &mut ExportDraft) {
    let help = "Sizes that are often wanted";
    let on_screen = Preset {
        name: "As on screen",
        help: "The size that the figure has in the window, at two pixels to a point",
        size: export.on_screen(export.kind),
        dpi: Settings::default().dpi,
        text: 1.0,
    };
    let settings = &mut export.settings;
    labelled_ui(ui, "Size", help, None, |ui| {
        for preset in std::iter::once(on_screen).chain(PRESETS) {
            let chosen =
                settings.size == preset.size && settings.dpi.to_bits() == preset.dpi.to_bits();
            let response = ui
                .selectable_label(chosen, preset.name)
                .on_hover_text(preset.help);
            if response.clicked() {
                (settings.size, settings.dpi) = (preset.size, preset.dpi);
                settings.text = preset.text;
            }
        }
        // Of several buttons none may take the label for its name.
        ui.response()
    });
    let help =
        "In millimetres on paper, in pixels, or in points as the window measures (96 to an inch)";
    labelled_ui(ui, "Width × height", help, None, |ui| {
        let decimals = usize::from(settings.size.unit == Unit::Mm);
        let drag = |value| {
            egui::DragValue::new(value)
                .range(1.0..=10_000.0)
                .max_decimals(decimals)
        };
        let width = ui.add(drag(&mut settings.size.width));
        ui.label("×");
        ui.add(drag(&mut settings.size.height))
            .on_hover_text("Height");
        for unit in Unit::ALL {
            let chosen = settings.size.unit == unit;
            if ui.selectable_label(chosen, unit.sign()).clicked() && !chosen {
                settings.size = settings.size.to(unit, settings.dpi);
            }
        }
        width
    });
    let help = "Pixels to an inch on paper: 300 for print, 192 for screens that show two pixels to a point. An SVG is \
                as sharp at any size.";
    labelled_ui(ui, "Resolution", help, None, |ui| {
        let dpi = egui::DragValue::new(&mut settings.dpi)
            .range(48.0..=768.0)
            .max_decimals(0);
        let response = ui.add(dpi.suffix(" dpi"));
        let [width, height] = settings.pixels();
        ui.weak(format!("{width} × {height} pixels"));
        response
    });
    let help = "Size of text and lines, in percent of that on screen (50 to 200): 75 makes text of 7 to 10 typographic \
                points, as papers use it. Smaller text leaves more room to the figure.";
    labelled_ui(ui, "Text size", help, None, |ui| {
        let mut percent = 100.0 * settings.text;
        let range = 100.0 * TEXT.start()..=100.0 * TEXT.end();
        let drag = egui::DragValue::new(&mut percent)
            .range(range)
            .max_decimals(0);
        let response = ui.add(drag.suffix(" %"));
        if response.changed() {
            settings.text = percent / 100.0;
        }
        response
    });
}

fn colours_ui(ui: &mut egui::Ui, settings: &mut Settings) {
    let help = "Colours of the figure, whatever the window uses";
    labelled_ui(ui, "Colours", help, None, |ui| {
        ui.selectable_value(&mut settings.dark, false, "Light");
        ui.selectable_value(&mut settings.dark, true, "Dark");
        ui.add_space(8.0);
        ui.checkbox(&mut settings.transparent, "No background")
            .on_hover_text("Leave out the background, so that the page shows through");
        ui.response()
    });
}

fn path_ui(ui: &mut egui::Ui, export: &mut ExportDraft, actions: &mut Vec<Action>) {
    let (label, purpose) = if export.whole_page {
        ("Folder", Purpose::ExportFolder)
    } else {
        ("File", Purpose::ExportFile)
    };
    let help = "Where it is written; existing files of that name are replaced";
    labelled_ui(ui, label, help, None, |ui| {
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let choose = ui
                .button("Choose…")
                .on_hover_text("Pick the place in a dialog; or type it beside");
            let path = export.path();
            if choose.clicked() {
                let start = PathBuf::from(path.trim());
                actions.push(Action::Choose(purpose, start));
            }
            ui.add(egui::TextEdit::singleline(path).desired_width(f32::INFINITY))
        })
        .inner
    });
}

fn buttons_ui(
    ui: &mut egui::Ui,
    export: &ExportDraft,
    problem: Option<String>,
    path_problem: Option<String>,
    actions: &mut Vec<Action>,
) {
    let line = vec2(ui.available_width(), ui.spacing().interact_size.y);
    let layout = egui::Layout::right_to_left(egui::Align::Center);
    ui.allocate_ui_with_layout(line, layout, |ui| {
        let why = problem.clone().or(path_problem);
        let write = ui
            .add_enabled(why.is_none(), egui::Button::new("Export"))
            .on_disabled_hover_text(why.unwrap_or_default());
        if write.clicked() {
            actions.push(Action::Export);
        }
        if ui.button("Cancel").clicked() {
            actions.push(Action::CancelExport);
        }
        if !export.whole_page {
            copy_ui(ui, export, problem, actions);
        }
    });
}

fn copy_ui(
    ui: &mut egui::Ui,
    export: &ExportDraft,
    problem: Option<String>,
    actions: &mut Vec<Action>,
) {
    let (text, help) = if export.is_drawn() {
        ("Copy image", "Put the figure on the clipboard, as pixels")
    } else {
        (
            "Copy table",
            "Put the numbers on the clipboard, to paste into a spreadsheet",
        )
    };
    ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
        let copy = ui
            .add_enabled(problem.is_none(), egui::Button::new(text))
            .on_hover_text(help)
            .on_disabled_hover_text(problem.unwrap_or_default());
        if copy.clicked() {
            actions.push(Action::CopyFigure);
        }
    });
}
