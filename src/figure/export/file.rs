//! A figure as the bytes of a file, for the window and the command line alike.

use std::path::Path;

use crate::figure::export::draw::{ExportError, shapes};
use crate::figure::export::figure::Figure;
use crate::figure::export::pdf;
use crate::figure::export::png::encode;
use crate::figure::export::record::record;
use crate::figure::export::settings::{Format, Settings};
use crate::figure::export::svg;
use crate::figure::registry::caption;
use crate::run::log::write_whole;

impl Figure<'_> {
    /// The bytes of a file, the same from the same input.
    ///
    /// # Errors
    /// Where the size, the text or the resolution is out of its limits, or the image or the PDF cannot be encoded.
    pub fn bytes(&self, settings: &Settings) -> Result<Vec<u8>, ExportError> {
        settings.validate()?;
        match settings.format {
            Format::Png => {
                let encoded = encode(&self.image(settings), settings.dpi, &record(self));
                encoded.map_err(|error| ExportError::Chunks(error.to_string()))
            }
            Format::Svg | Format::Pdf => {
                let drawing = shapes(&settings.options(), settings.transparent, &mut |ui| {
                    self.page_ui(ui);
                });
                let about = svg::About {
                    title: self.kind.title(),
                    description: &caption(self.kind, self.subject, self.view),
                    mm_per_point: settings.mm_per_point(),
                    record: &record(self),
                };
                if settings.format == Format::Pdf {
                    return pdf::pdf(&drawing, &about);
                }
                Ok(svg::svg(&drawing, &about).into_bytes())
            }
            Format::Csv => Ok(self.table().to_csv().into_bytes()),
        }
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
