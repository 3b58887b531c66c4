//! PNG files.

use std::borrow::Cow;
use std::path::Path;

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{EncodableLayout, ImageBuffer, ImageError, PixelWithColorType, RgbaImage};
use png::{BitDepth, ColorType, PixelDimensions, Unit};

use crate::figure::export::draw::{ExportError, Options, shapes};
use crate::figure::look::kind::Kind;
use crate::figure::look::subject::Subject;
use crate::figure::look::view::View;
use crate::figure::registry::page_ui;
use crate::run::log::write_whole;

/// Draws off-screen and returns the pixels. Options outside their limits are clamped to them; to refuse such options
/// instead, call [`Options::validate`] first.
pub fn png(options: &Options, mut draw: impl FnMut(&mut egui::Ui)) -> RgbaImage {
    shapes(options, false, &mut draw).pixels()
}

/// The bytes of a PNG file.
///
/// # Errors
/// Where the encoder refuses the image, as it does one without pixels.
pub fn encode_png<P>(image: &ImageBuffer<P, Vec<P::Subpixel>>) -> Result<Vec<u8>, ImageError>
where
    P: PixelWithColorType,
    [P::Subpixel]: EncodableLayout,
{
    let mut bytes = Vec::new();
    let encoder =
        PngEncoder::new_with_quality(&mut bytes, CompressionType::Default, FilterType::Adaptive);
    image.write_with_encoder(encoder)?;
    Ok(bytes)
}

/// Writes an image as a PNG file, whole or not at all. An existing file is replaced.
///
/// # Errors
/// Where the image has no pixels or the file cannot be written.
pub fn write_png<P>(
    path: &Path,
    image: &ImageBuffer<P, Vec<P::Subpixel>>,
) -> Result<(), ExportError>
where
    P: PixelWithColorType,
    [P::Subpixel]: EncodableLayout,
{
    let bytes = encode_png(image).map_err(|source| ExportError::Encode {
        path: path.to_owned(),
        source,
    })?;
    write_whole(path, &bytes)?;
    Ok(())
}

/// The bytes of a PNG file that holds its resolution and its record.
pub(in crate::figure) fn encode(
    image: &RgbaImage,
    dpi: f64,
    record: &str,
) -> Result<Vec<u8>, png::EncodingError> {
    let opaque = image.pixels().all(|pixel| pixel[3] == 255);
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, image.width(), image.height());
    encoder.set_depth(BitDepth::Eight);
    // An opaque image needs no alpha channel: without it there is a quarter less to compress, and printers ask for it.
    let data: Cow<'_, [u8]> = if opaque {
        encoder.set_color(ColorType::Rgb);
        let pixels = image.pixels();
        pixels
            .flat_map(|pixel| [pixel[0], pixel[1], pixel[2]])
            .collect::<Vec<u8>>()
            .into()
    } else {
        encoder.set_color(ColorType::Rgba);
        image.as_raw().as_slice().into()
    };
    encoder.set_compression(png::Compression::Balanced);
    encoder.set_filter(png::Filter::Adaptive);
    let per_metre = (dpi * INCHES_PER_METRE).round() as u32;
    encoder.set_pixel_dims(Some(PixelDimensions {
        xppu: per_metre,
        yppu: per_metre,
        unit: Unit::Meter,
    }));
    encoder.add_itxt_chunk(KEY.to_owned(), record.to_owned())?;
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&data)?;
    writer.finish()?;
    Ok(bytes)
}

/// Inches to a metre.
pub(in crate::figure) const INCHES_PER_METRE: f64 = 1.0 / 0.0254;

/// Key of the text chunk that holds the record.
pub(in crate::figure) const KEY: &str = "crosscurrent";

/// The figure as an image with its heading: what the command line writes.
pub fn figure_png(kind: Kind, subject: Subject<'_>, view: &View, options: &Options) -> RgbaImage {
    figure_png_among(kind, subject, &[subject], view, options)
}

/// As [`figure_png`], with the scales of all runs in `shown`: what the window exports.
pub fn figure_png_among(
    kind: Kind,
    subject: Subject<'_>,
    shown: &[Subject<'_>],
    view: &View,
    options: &Options,
) -> RgbaImage {
    png(options, |ui| page_ui(ui, kind, subject, shown, view))
}
