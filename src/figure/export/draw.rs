//! Draws a figure off-screen, first as shapes, then as pixels.

use std::path::PathBuf;

use egui::Color32;
use egui::epaint::ClippedShape;
use image::{ImageError, RgbaImage};

use crate::figure::export::raster::Rasteriser;
use crate::figure::kit::memo::exporting;
use crate::figure::kit::style;
use crate::run::log::RunError;

/// Smallest side of an exported figure, in points.
pub(in crate::figure::export) const MIN_SIDE_POINTS: f32 = 16.0;

/// Largest side of an exported image, in pixels: at most 100 million pixels in all.
pub(in crate::figure::export) const MAX_SIDE_PX: f32 = 10_000.0;

/// Pixels per point that text can be drawn at.
pub(in crate::figure::export) const SCALES: std::ops::RangeInclusive<f32> = 0.5..=8.0;

/// Space around the figure, in points.
pub(in crate::figure::export) const MARGIN: i8 = 8;

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
    /// The drawing cannot be written as PDF.
    #[error("cannot write the figure as PDF: {0}")]
    Pdf(String),
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

    /// Width and height of the image, in pixels, and its scale. Values outside the limits are clamped to them.
    pub(in crate::figure::export) fn pixels(&self) -> ([usize; 2], f32) {
        // max and min, unlike clamp, turn NaN into a number.
        let scale = self.scale.max(*SCALES.start()).min(*SCALES.end());
        let side = |points: f32| {
            let points = points.max(MIN_SIDE_POINTS);
            (points * scale).round().min(MAX_SIDE_PX) as usize
        };
        (self.size.map(side), scale)
    }
}

/// A figure as shapes, before it becomes pixels (PNG) or vectors (SVG, PDF).
pub(in crate::figure) struct Drawing {
    /// The context that the figure was drawn in: it holds the theme and the fonts, and tessellates the shapes.
    pub(in crate::figure::export) context: egui::Context,
    /// The shapes, from back to front, in points.
    pub(in crate::figure::export) shapes: Vec<ClippedShape>,
    /// Holds the textures that the shapes use.
    pub(in crate::figure::export) rasteriser: Rasteriser,
    /// Width and height in pixels.
    pub(in crate::figure::export) size_px: [usize; 2],
    /// Colour of the background; [`Color32::TRANSPARENT`] for none.
    pub(in crate::figure::export) background: Color32,
}

impl Drawing {
    /// Width and height in points.
    pub(in crate::figure::export) fn size(&self) -> egui::Vec2 {
        let [width, height] = self.size_px.map(|side| side as f32);
        egui::vec2(width, height) / self.context.pixels_per_point()
    }

    /// The pixels, with straight alpha.
    pub(in crate::figure::export) fn pixels(&self) -> RgbaImage {
        self.pixels_of(self.shapes.clone(), self.background)
    }

    /// The pixels of some shapes of the drawing over a background, with straight alpha.
    pub(in crate::figure::export) fn pixels_of(
        &self,
        shapes: Vec<ClippedShape>,
        background: Color32,
    ) -> RgbaImage {
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

/// Draws off-screen with a small margin, on the colour of the window's cards or, where `transparent`, on no
/// background.
pub(in crate::figure) fn shapes(
    options: &Options,
    transparent: bool,
    draw: &mut dyn FnMut(&mut egui::Ui),
) -> Drawing {
    let (size_px, scale) = options.pixels();
    let context = egui::Context::default();
    style::apply(&context, options.dark);
    context.data_mut(|data| data.insert_temp(exporting(), true));
    // On screen, figures lie on cards: an image has the background of a card.
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

/// The input of one pass. Passes are a second apart, so that animations are over by the last one.
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
