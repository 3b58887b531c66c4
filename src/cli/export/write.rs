//! Writes the chosen figures to files.

use std::path::Path;

use crate::cli::output::{Usage, say, say_aside};
use crate::figure::export::{
    ExportError, Figure, Format, Settings, Sheet, SheetSize, Unit, page_file_name,
};
use crate::figure::pages::{Page, lacks};
use crate::run::log::write_whole;

/// Where figures are written, and how.
pub(super) struct Files<'a> {
    /// The file, or the folder where there are several.
    pub(super) out: &'a Path,
    /// The formats that were asked for by name.
    pub(super) formats: &'a [Format],
    pub(super) settings: &'a dyn Fn(Format) -> anyhow::Result<Settings>,
}

/// Writes a single file, or several files into a folder.
pub(super) fn write_all(
    files: &Files<'_>,
    figures: &[Figure<'_>],
    is_some: bool,
) -> anyhow::Result<()> {
    let known = "png, svg, pdf or csv";
    let (formats, is_folder) = files.formats(is_some || figures.len() > 1, known)?;
    // What is wrong with any format is said before anything is written.
    let settings = formats.iter().map(|format| (files.settings)(*format));
    let settings = settings.collect::<anyhow::Result<Vec<_>>>()?;
    for settings in settings {
        for figure in figures {
            let path = if is_folder {
                files.out.join(figure.file_name(settings.format))
            } else {
                files.out.to_owned()
            };
            let is_there = path.exists();
            let bytes = figure.bytes(&settings)?;
            write_whole(&path, &bytes)?;
            say_written(&path, is_there);
            if settings.format == Format::Csv && has_no_rows(&bytes) {
                say_no_rows(figure, &path);
            }
        }
    }
    Ok(())
}

/// Whether a table is its header alone.
fn has_no_rows(csv: &[u8]) -> bool {
    String::from_utf8_lossy(csv).lines().nth(1).is_none()
}

/// Says that a table is empty, which a drawn figure would say itself.
fn say_no_rows(figure: &Figure<'_>, path: &Path) {
    let reason = lacks(figure.kind, figure.subject);
    let reason = reason.map(|reason| format!(" ({})", reason.trim_end_matches('.')));
    say_aside(format!(
        "note: this table has no rows{}: {}",
        reason.unwrap_or_default(),
        path.display()
    ));
}

impl Files<'_> {
    /// The formats to write, `known` of which there are, and whether `out` is a folder for several files: it is where they
    /// are several, or there are several formats.
    fn formats(&self, are_several: bool, known: &str) -> Result<(Vec<Format>, bool), Usage> {
        let (out, by_name) = (self.out, Format::of(self.out));
        let mut formats = self.formats.to_vec();
        let is_folder = are_several || formats.len() > 1 || out.is_dir();
        if formats.is_empty() {
            let format = by_name.or(is_folder.then_some(Format::Png));
            let unknown = || Usage(format!("say with --format what to write: {known}"));
            formats.push(format.ok_or_else(unknown)?);
        }
        let file = out.display();
        if is_folder && by_name.is_some() && !out.is_dir() {
            return Err(Usage(format!(
                "there are several files to write, so --out must be a folder; it is {file}"
            )));
        }
        if let (false, [format], Some(ending)) = (is_folder, &formats[..], by_name)
            && *format != ending
        {
            let (format, ending) = (format.extension(), ending.extension());
            return Err(Usage(format!(
                "--format is {format}, and --out ends in .{ending}: it is {file}"
            )));
        }
        Ok((formats, is_folder))
    }
}

/// Says that a file was written; one that was there before is lost.
pub(super) fn say_written(path: &Path, was_there: bool) {
    let verb = if was_there { "replaced" } else { "wrote" };
    say(format!("{verb} {}", path.display()));
}

/// Settings that are out of their limits are a mistake in the arguments.
pub(super) fn usage(error: ExportError) -> anyhow::Error {
    match error {
        ExportError::Limits(sentence) => Usage(sentence).into(),
        error @ ExportError::Encode { .. }
        | error @ ExportError::Chunks(_)
        | error @ ExportError::Pdf(_)
        | error @ ExportError::Write(_) => error.into(),
    }
}

/// Writes the figures of a page as one figure: a file or, in several formats, files in a folder.
pub(super) fn write_page(
    files: &Files<'_>,
    page: Option<Page>,
    figures: &[Figure<'_>],
) -> anyhow::Result<()> {
    let page = page.ok_or_else(|| Usage("--as-one needs a --page".to_owned()))?;
    let sheet = Sheet::new(page, figures.iter().copied())?;
    let run = figures.first().map_or("run", |figure| figure.subject.name);
    let (formats, is_folder) = files.formats(false, "png, svg or pdf")?;
    // What is out of its limits is said before anything is written.
    let settings = formats.iter().map(|format| {
        let settings = (files.settings)(*format)?;
        sheet.settings(&settings).map_err(usage)
    });
    let settings = settings.collect::<anyhow::Result<Vec<_>>>()?;
    for settings in settings {
        let path = if is_folder {
            files.out.join(page_file_name(run, page, settings.format))
        } else {
            files.out.to_owned()
        };
        let is_there = path.exists();
        sheet.write(&settings, &path)?;
        say_written(&path, is_there);
    }
    Ok(())
}

/// The width of a page as one figure; its height is not used.
#[derive(Clone, Copy, Debug)]
pub(super) struct Width(pub(super) SheetSize);

impl Width {
    /// The full width of a paper.
    pub(super) const PAPER: Self = Self(SheetSize {
        width: 180.0,
        height: 180.0,
        unit: Unit::Mm,
    });

    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let size = format!("{text}x{text}").parse().map(Self);
        size.map_err(|_| {
            format!("`{text}` is no width; write such as 180mm, 1200px or 800 (points)")
        })
    }
}
