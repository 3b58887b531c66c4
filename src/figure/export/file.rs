//! A figure as the bytes of a file, for the window and the command line alike.

use std::path::Path;

use egui::Ui;

use crate::figure::export::draw::{ExportError, shapes};
use crate::figure::export::figure::Figure;
use crate::figure::export::pdf;
use crate::figure::export::png::encode;
use crate::figure::export::record::record;
use crate::figure::export::settings::{Format, Settings};
use crate::figure::export::svg;
use crate::figure::registry::caption;
use crate::run::log::write_whole;

/// What a file says beside the drawing.
pub(super) struct Words<'a> {
    pub(super) title: &'a str,
    pub(super) description: &'a str,
    /// Run, figure and view, as JSON.
    pub(super) record: &'a str,
}

/// What is drawn, as the bytes of a file in the format of the settings.
///
/// # Errors
/// Where the size, the text or the resolution is out of its limits, the format is a table, or the image or the PDF
/// cannot be encoded.
pub(super) fn drawn(
    settings: &Settings,
    words: &Words<'_>,
    draw: &mut dyn FnMut(&mut Ui),
) -> Result<Vec<u8>, ExportError> {
    settings.validate()?;
    let drawing = shapes(&settings.options(), settings.transparent, draw);
    let about = svg::About {
        title: words.title,
        description: words.description,
        mm_per_point: settings.mm_per_point(),
        record: words.record,
    };
    match settings.format {
        Format::Png => {
            let encoded = encode(&drawing.pixels(), settings.dpi, words.record);
            encoded.map_err(|error| ExportError::Chunks(error.to_string()))
        }
        Format::Svg => Ok(svg::svg(&drawing, &about).into_bytes()),
        Format::Pdf => pdf::pdf(&drawing, &about),
        Format::Csv => Err(ExportError::Limits("a table is not drawn".to_owned())),
    }
}

impl Figure<'_> {
    /// The bytes of a file, the same from the same input.
    ///
    /// # Errors
    /// Where the size, the text or the resolution is out of its limits, or the image or the PDF cannot be encoded.
    pub fn bytes(&self, settings: &Settings) -> Result<Vec<u8>, ExportError> {
        if settings.format == Format::Csv {
            return Ok(self.table().to_csv().into_bytes());
        }
        let words = Words {
            title: self.kind.title(),
            description: &caption(self.kind, self.subject, self.view),
            record: &record(self),
        };
        drawn(settings, &words, &mut |ui| self.page_ui(ui))
    }
}

/// Writes a figure, whole or not at all. An existing file is replaced.
///
/// # Errors
/// Where the size, the text or the resolution is out of its limits, or the file cannot be written.
pub fn write(figure: &Figure<'_>, settings: &Settings, path: &Path) -> Result<(), ExportError> {
    Ok(write_whole(path, &figure.bytes(settings)?)?)
}

#[cfg(test)]
mod tests;
