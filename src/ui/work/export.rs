//! Draws figures off-screen, and writes them to files or hands them back for the clipboard.

use std::path::PathBuf;
use std::sync::Arc;

use egui::ColorImage;

use crate::compare::contrast::excerpt;
use crate::figure::difference::compared;
use crate::figure::export::{self, Figure, Format, Settings, Sheet, SheetSize};
use crate::figure::pages::{kind_shown, of_two};
use crate::figure::{Kind, Subject, View, read_probes};
use crate::run::probes::Probes;
use crate::run::{BatchNorm, Run, common_batch_norm};
use crate::ui::state::export_draft::{ExportDraft, What};
use crate::ui::state::place::{Page, Place};
use crate::ui::state::runs::{RunEntry, Runs};

/// A piece of work that draws figures off-screen, and writes them to files or hands them back for the clipboard.
pub(crate) type Export = Box<dyn FnOnce() -> Result<Exported, String> + Send>;

/// The outcome of an export.
pub(crate) struct Exported {
    pub(crate) made: Made,
    /// How many files were there before, and are replaced.
    pub(crate) replaced: usize,
    /// Why cells of a table are empty: probes that cannot be read.
    pub(crate) unread: Option<String>,
}

/// What an export made.
pub(crate) enum Made {
    /// A file was written.
    File(PathBuf),
    /// This number of files was written to a folder.
    Folder(PathBuf, usize),
    /// An image for the clipboard.
    Image(ColorImage),
    /// A table for the clipboard.
    Table(String),
}

/// The work that writes the figures as chosen in the dialog. It has copies of the runs, so that training can go on
/// meanwhile.
///
/// # Errors
/// Fails if a run that the figures show is no longer on the list.
pub(crate) fn write_job(draft: &ExportDraft, runs: &Runs, view: &Place) -> Result<Export, String> {
    let job = Job::new(draft, runs, view)?;
    let settings = draft.settings;
    let file = |file: &str| PathBuf::from(file.trim());
    Ok(match draft.what() {
        What::Figure => {
            let path = file(&draft.file);
            Box::new(move || job.read().write(&settings, path))
        }
        What::Each => {
            let (formats, folder) = (draft.formats.clone(), file(&draft.folder));
            Box::new(move || job.read().write_all(settings, &formats, folder))
        }
        What::AsOne => {
            let path = file(&draft.page_file);
            Box::new(move || job.read().write_as_one(&settings, path))
        }
    })
}

/// Like [`write_job`], but gives an image for the clipboard, or a table if the chosen format is a table.
///
/// # Errors
/// Fails if a run that the figure shows is no longer on the list.
pub(crate) fn copy_job(draft: &ExportDraft, runs: &Runs, view: &Place) -> Result<Export, String> {
    let job = Job::new(draft, runs, view)?;
    let settings = draft.settings;
    Ok(Box::new(move || job.read().copy(&settings)))
}

/// The figures to export, and the runs they show.
struct Job {
    runs: Vec<Copy>,
    view: View,
    figures: Vec<Wanted>,
    page: Page,
    /// Why probes that the figures need cannot be read.
    unread: Option<String>,
}

/// A figure to be exported.
#[derive(Clone, Copy)]
struct Wanted {
    kind: Kind,
    /// The index of the figure's run among the runs of the job.
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
        // The run may have been replaced on screen while the dialog was open; the figure then shows it alone.
        let at = at.unwrap_or_else(|| {
            ids = vec![draft.run];
            0
        });
        let copy = if of_groups { Copy::of_last } else { Copy::of };
        let copies = ids.iter().filter_map(|&id| runs.get(id)).map(copy);
        let mut copies: Vec<_> = copies.collect();
        if copies.len() < ids.len() {
            return Err("the run was taken off the list; open it again".to_owned());
        }
        // While the dialog was open, another page may have shown some of the runs in another way than the others.
        agree(&mut copies, of_groups, view.figure.batch_norm);
        let wanted = |kind, at| Wanted {
            kind,
            at,
            size: draft.size_of(kind),
        };
        let both = view.page.of_figures().and_then(of_two);
        let both = both.filter(|_| ids.len() == 2);
        let chosen_for = View {
            // Two runs together have their differences beside them.
            difference: view.figure.difference && both.is_none(),
            ..view.figure.clone()
        };
        let is_page = draft.what() != What::Figure;
        let figures = if is_page {
            let of_run = |at: usize| {
                let kinds = both.map_or(view.page.kinds(), |both| both[at]).iter();
                let view = &chosen_for;
                kinds.map(move |&kind| wanted(kind_shown(kind, view, at), at))
            };
            let of_all = if of_groups { at..at + 1 } else { 0..ids.len() };
            of_all.flat_map(of_run).collect()
        } else {
            vec![wanted(draft.kind, at)]
        };
        let shown = copies.iter().map(|copy| &*copy.run).filter(|_| !of_groups);
        let page = view.page;
        let view = View {
            overlaid: both.is_some(),
            ..view.figure.together(shown)
        };
        Ok(Self {
            view,
            runs: copies,
            figures,
            page,
            unread: None,
        })
    }

    /// Reads the probe files that the figures need and that are not in memory. A figure whose file cannot be read says
    /// so itself where it is drawn.
    fn read(mut self) -> Self {
        // Runs side by side share their scales, so that every figure needs the probes of all of them.
        let kinds: Vec<Kind> = self.figures.iter().map(|wanted| wanted.kind).collect();
        for copy in &mut self.runs {
            let read = read_probes(&copy.dir, &copy.run, &kinds, &self.view, &mut copy.probes);
            self.unread = self.unread.or(read.err().map(|error| error.to_string()));
        }
        self
    }

    /// The outcome of an export in these formats. A figure says itself that probes cannot be read; a table cannot.
    fn exported(&self, made: Made, formats: &[Format], replaced: usize) -> Exported {
        let has_table = formats.contains(&Format::Csv);
        Exported {
            made,
            replaced,
            unread: self.unread.clone().filter(|_| has_table),
        }
    }

    /// Calls `run` with every figure and the size to draw it in.
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
        let replaced = usize::from(path.exists());
        self.each(|figure, _| export::write(&figure, settings, &path))?;
        Ok(self.exported(Made::File(path), &[settings.format], replaced))
    }

    fn write_all(
        &self,
        mut settings: Settings,
        formats: &[Format],
        folder: PathBuf,
    ) -> Result<Exported, String> {
        let (mut count, mut replaced) = (0, 0);
        self.each(|figure, size| {
            if !figure.has_content() {
                return Ok(());
            }
            settings.size = size;
            for &format in formats {
                settings.format = format;
                let path = folder.join(figure.file_name(format));
                replaced += usize::from(path.exists());
                export::write(&figure, &settings, &path)?;
                count += 1;
            }
            Ok(())
        })?;
        Ok(self.exported(Made::Folder(folder, count), formats, replaced))
    }

    fn write_as_one(&self, settings: &Settings, path: PathBuf) -> Result<Exported, String> {
        let page = self.page.of_figures();
        let page = page.ok_or_else(|| "this page has no figures of runs".to_owned())?;
        let shown: Vec<_> = self.runs.iter().map(Copy::subject).collect();
        let figures = self.figures.iter().map(|&Wanted { kind, at, .. }| Figure {
            kind,
            subject: shown[at],
            shown: &shown,
            view: &self.view,
        });
        let replaced = usize::from(path.exists());
        let sheet = Sheet::new(page, figures.filter(Figure::has_content));
        let written = sheet.and_then(|sheet| sheet.write(settings, &path));
        written.map_err(|error| error.to_string())?;
        Ok(self.exported(Made::File(path), &[settings.format], replaced))
    }

    fn copy(&self, settings: &Settings) -> Result<Exported, String> {
        let mut copied = None;
        self.each(|figure, _| {
            settings.validate()?;
            copied = Some(if settings.format == Format::Csv {
                Made::Table(figure.table().to_tabs())
            } else {
                let image = figure.image(settings);
                let size = [image.width() as usize, image.height() as usize];
                Made::Image(ColorImage::from_rgba_unmultiplied(size, image.as_raw()))
            });
            Ok(())
        })?;
        let made = copied.ok_or_else(|| "there is no figure to copy".to_owned())?;
        Ok(self.exported(made, &[settings.format], 0))
    }
}

/// Shows runs in the one way of treating batch norm that all of them have; of runs that are `compared`, all that take
/// part in the comparison.
fn agree(copies: &mut [Copy], are_compared: bool, asked: BatchNorm) {
    let subjects: Vec<_> = copies.iter().map(Copy::subject).collect();
    let found = are_compared.then(|| compared(&subjects).ok()).flatten();
    let takes_part = |x: &&Copy| {
        let found = found.as_ref();
        found.is_none_or(|found| found.group_of(&x.name).is_some())
    };
    let runs = copies.iter().filter(takes_part);
    let runs = runs.map(|copy| (copy.name.as_str(), &*copy.run));
    let agreed = common_batch_norm(runs, asked).batch_norm;
    for copy in copies {
        if copy.run.asked() != agreed && Arc::make_mut(&mut copy.run).show(agreed) {
            copy.probes = Probes::new();
        }
    }
}

/// A copy of everything that figures need from a run.
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

    /// A copy of the parts of a run that a comparison needs: an excerpt of its log, and the last probe.
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
