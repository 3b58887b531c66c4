//! Figures as files: drawn in a private [`egui::Context`], without a window, the same bytes from the same input.

mod file;
mod record;
mod settings;
mod svg;

use std::path::{Path, PathBuf};

use egui::Color32;
use egui::epaint::ClippedShape;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{EncodableLayout, ImageBuffer, ImageError, PixelWithColorType, RgbaImage};

use super::raster::Rasteriser;
use super::style;
use crate::run::log::{RunError, write_whole};

pub use file::{Figure, file_name, file_stem, write};
pub use record::{Restored, RunRef, read_view, record};
pub(crate) use settings::TEXT;
pub use settings::{Format, PRESETS, Preset, Settings, SheetSize, Unit};

/// Smallest side of an exported figure, in points.
const MIN_SIDE_POINTS: f32 = 16.0;

/// Largest side of an exported image, in pixels: at most 100 million pixels in all.
const MAX_SIDE_PX: f32 = 10_000.0;

/// Pixels per point that text can be drawn at.
const SCALES: std::ops::RangeInclusive<f32> = 0.5..=8.0;

/// Space around the figure, in points.
const MARGIN: i8 = 8;

/// egui learns sizes in the first pass, lays out in the second, and is at rest in the third.
const PASSES: usize = 3;

/// Why a figure was not exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The image would be too small or too large.
    #[error("{0}")]
    Limits(String),
    /// The image cannot be encoded.
    #[error("cannot encode the image as PNG: {source}: {}", path.display())]
    Encode {
        /// The file to be written.
        path: PathBuf,
        /// The encoder's reason.
        source: ImageError,
    },
    /// The image cannot be encoded with its resolution and record.
    #[error("cannot encode the image as PNG: {0}")]
    Chunks(String),
    /// The file cannot be written.
    #[error(transparent)]
    Write(#[from] RunError),
}

/// How a figure is exported.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Width and height in points: what the figure would have on a screen.
    pub size: [f32; 2],
    /// Pixels per point.
    pub scale: f32,
    /// Dark or light colours.
    pub dark: bool,
}

impl Options {
    /// Whether the image can be made.
    ///
    /// # Errors
    /// Where a side or the scale is out of its limits; the message says which.
    pub fn validate(&self) -> Result<(), ExportError> {
        if !SCALES.contains(&self.scale) {
            return Err(ExportError::Limits(format!(
                "the scale must be from {} to {} pixels per point; it is {}",
                SCALES.start(),
                SCALES.end(),
                self.scale
            )));
        }
        let largest = (MAX_SIDE_PX / self.scale).floor();
        for (name, points) in ["width", "height"].into_iter().zip(self.size) {
            if !(MIN_SIDE_POINTS..=largest).contains(&points) {
                return Err(ExportError::Limits(format!(
                    "at a scale of {} the {name} must be from {MIN_SIDE_POINTS} to {largest} points; it is {points}",
                    self.scale
                )));
            }
        }
        Ok(())
    }

    /// Width and height of the image, in pixels, and its scale. What is out of the limits is brought to them.
    fn pixels(&self) -> ([usize; 2], f32) {
        // max and min, unlike clamp, also make a number of NaN.
        let scale = self.scale.max(*SCALES.start()).min(*SCALES.end());
        let side = |points: f32| {
            let points = points.max(MIN_SIDE_POINTS);
            (points * scale).round().min(MAX_SIDE_PX) as usize
        };
        (self.size.map(side), scale)
    }
}

/// What was drawn, before it becomes pixels or vectors.
struct Drawing {
    /// Where it was drawn; knows the theme, the fonts, and how to tessellate the shapes.
    context: egui::Context,
    /// The shapes, from back to front, in points.
    shapes: Vec<ClippedShape>,
    /// Has the textures that the shapes use.
    rasteriser: Rasteriser,
    /// Width and height in pixels.
    size_px: [usize; 2],
    /// What it lies on; [`Color32::TRANSPARENT`] for nothing.
    background: Color32,
}

impl Drawing {
    /// Width and height in points.
    fn size(&self) -> egui::Vec2 {
        let [width, height] = self.size_px.map(|side| side as f32);
        egui::vec2(width, height) / self.context.pixels_per_point()
    }

    /// The pixels, with straight alpha.
    fn pixels(&self) -> RgbaImage {
        self.pixels_of(self.shapes.clone(), self.background)
    }

    /// The pixels of some of its shapes, over a background.
    fn pixels_of(&self, shapes: Vec<ClippedShape>, background: Color32) -> RgbaImage {
        let scale = self.context.pixels_per_point();
        let primitives = self.context.tessellate(shapes, scale);
        let mut image = self
            .rasteriser
            .paint(self.size_px, scale, &primitives, background);
        if !background.is_opaque() {
            for pixel in image.pixels_mut() {
                let [r, g, b, a] = pixel.0;
                pixel.0 = Color32::from_rgba_premultiplied(r, g, b, a).to_srgba_unmultiplied();
            }
        }
        image
    }
}

/// Draws off-screen with a small margin, on the colour of the window's cards or on nothing.
fn shapes(options: &Options, transparent: bool, draw: &mut dyn FnMut(&mut egui::Ui)) -> Drawing {
    let (size_px, scale) = options.pixels();
    let context = egui::Context::default();
    style::apply(&context, options.dark);
    context.data_mut(|data| data.insert_temp(exporting(), true));
    // On screen figures lie on cards: an image is one of them.
    context.global_style_mut(|style| style.visuals.panel_fill = style.visuals.faint_bg_color);
    let mut drawing = Drawing {
        context,
        shapes: Vec::new(),
        rasteriser: Rasteriser::new(),
        size_px,
        background: Color32::TRANSPARENT,
    };
    if !transparent {
        drawing.background = drawing.context.global_style().visuals.panel_fill;
    }
    for pass in 0..PASSES {
        let input = input(size_px, scale, pass);
        let mut output = drawing.context.run_ui(input, |ui| {
            let mut frame = egui::Frame::central_panel(ui.style()).inner_margin(MARGIN);
            if transparent {
                frame.fill = Color32::TRANSPARENT;
            }
            egui::CentralPanel::default_margins()
                .frame(frame)
                .show(ui, |ui| draw(ui));
        });
        drawing.rasteriser.apply(&mut output.textures_delta);
        drawing.shapes = output.shapes;
    }
    drawing
}

/// Whether what is drawn becomes an image: there, nothing can be set.
pub(super) fn is_exporting(context: &egui::Context) -> bool {
    context
        .data(|data| data.get_temp(exporting()))
        .unwrap_or(false)
}

fn exporting() -> egui::Id {
    egui::Id::unique("exporting")
}

/// The passes are a second apart, so that animations are over by the last one.
fn input(size_px: [usize; 2], scale: f32, pass: usize) -> egui::RawInput {
    let [width, height] = size_px.map(|side| side as f32 / scale);
    let mut input = egui::RawInput {
        screen_rect: Some(egui::Rect::from_min_size(
            egui::Pos2::ZERO,
            egui::vec2(width, height),
        )),
        max_texture_side: Some(4096),
        time: Some(pass as f64),
        focused: false,
        ..Default::default()
    };
    for viewport in input.viewports.values_mut() {
        viewport.native_pixels_per_point = Some(scale);
    }
    input
}

/// Draws off-screen and gives the pixels. Options out of their limits are brought to them; to refuse them instead,
/// [`Options::validate`] first.
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

#[cfg(test)]
pub(super) mod sample;
#[cfg(test)]
mod tests;
