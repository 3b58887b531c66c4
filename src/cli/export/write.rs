//! Writes the chosen figures to files.

use std::path::Path;

use crate::cli::output::{Usage, say};
use crate::figure::export::{
    self, ExportError, Figure, Format, Settings, Sheet, SheetSize, Unit, page_file_name,
};
use crate::figure::pages::Page;

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
    let out = files.out;
    let mut formats = files.formats.to_vec();
    let by_name = Format::of(out);
    let is_folder = is_some || figures.len() > 1 || formats.len() > 1 || out.is_dir();
    if formats.is_empty() {
        let unknown = "say with --format what to write: png, svg, pdf or csv";
        let format = by_name.or(is_folder.then_some(Format::Png));
        formats.push(format.ok_or_else(|| Usage(unknown.to_owned()))?);
    }
    if is_folder && by_name.is_some() && !out.is_dir() {
        let file = out.display();
        return Err(Usage(format!(
            "there are several files to write, so --out must be a folder; it is {file}"
        ))
        .into());
    }
    for format in formats {
        let settings = (files.settings)(format)?;
        for figure in figures {
            let path = if is_folder {
                out.join(figure.file_name(format))
            } else {
                out.to_owned()
            };
            export::write(figure, &settings, &path)?;
            say(format!("wrote {}", path.display()));
        }
    }
    Ok(())
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
    let out = files.out;
    let mut formats = files.formats.to_vec();
    let is_folder = formats.len() > 1 || out.is_dir();
    if formats.is_empty() {
        let unknown = "say with --format what to write: png, svg or pdf";
        let format = Format::of(out).or(is_folder.then_some(Format::Png));
        formats.push(format.ok_or_else(|| Usage(unknown.to_owned()))?);
    }
    for format in formats {
        let settings = (files.settings)(format)?;
        // What is out of its limits is said before anything is written.
        let settings = sheet.settings(&settings).map_err(usage)?;
        let path = if is_folder {
            out.join(page_file_name(run, page, format))
        } else {
            out.to_owned()
        };
        sheet.write(&settings, &path)?;
        say(format!("wrote {}", path.display()));
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
