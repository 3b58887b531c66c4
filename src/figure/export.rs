//! Figures as images: drawn in a private [`egui::Context`], without a window, the same bytes from the same input.

use std::path::{Path, PathBuf};

use egui::epaint::ClippedShape;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{EncodableLayout, ImageBuffer, ImageError, PixelWithColorType, RgbaImage};

use super::raster::Rasteriser;
use super::style;
use crate::run::log::{RunError, write_whole};

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

/// What was drawn, before it becomes pixels.
pub struct Drawing {
    /// Where it was drawn; knows the theme, the fonts, and how to tessellate the shapes.
    pub context: egui::Context,
    /// The shapes, from back to front, in points.
    pub shapes: Vec<ClippedShape>,
    /// Has the textures that the shapes use.
    pub rasteriser: Rasteriser,
    /// Width and height in pixels.
    pub size_px: [usize; 2],
}

/// Draws off-screen: on the theme's panel colour, with a small margin.
pub fn shapes(options: &Options, draw: &mut dyn FnMut(&mut egui::Ui)) -> Drawing {
    let (size_px, scale) = options.pixels();
    let context = egui::Context::default();
    style::apply(&context, options.dark);
    context.data_mut(|data| data.insert_temp(exporting(), true));
    let mut drawing = Drawing {
        context,
        shapes: Vec::new(),
        rasteriser: Rasteriser::new(),
        size_px,
    };
    for pass in 0..PASSES {
        let input = input(size_px, scale, pass);
        let mut output = drawing.context.run_ui(input, |ui| {
            let frame = egui::Frame::central_panel(ui.style()).inner_margin(MARGIN);
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
    let drawing = shapes(options, &mut draw);
    let scale = drawing.context.pixels_per_point();
    let primitives = drawing.context.tessellate(drawing.shapes, scale);
    let background = drawing.context.global_style().visuals.panel_fill;
    drawing
        .rasteriser
        .paint(drawing.size_px, scale, &primitives, background)
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
mod tests {
    use egui::Color32;
    use image::{Rgb, RgbImage};

    use super::*;

    fn options(scale: f32, dark: bool) -> Options {
        Options {
            size: [420.0, 320.0],
            scale,
            dark,
        }
    }

    const CURVE: Color32 = Color32::from_rgb(0xd5, 0x5e, 0x00);

    /// A label, buttons, a table and a plot: what figures are made of.
    fn scene_ui(ui: &mut egui::Ui) {
        ui.heading("How classes pull against each other");
        ui.label("‖∇‖ of Dusty → 3.2 × 10⁻³, cosine −0.41");
        ui.horizontal(|ui| {
            let _ = ui.button("Pause");
            ui.checkbox(&mut true, "raw values");
            ui.weak("never smoothed");
        });
        egui::Grid::new("table").striped(true).show(ui, |ui| {
            for (class, support, f1) in [("Clean", "1933", "0.94"), ("Bird-drop", "190", "0.61")] {
                ui.label(class);
                ui.monospace(support);
                ui.monospace(f1);
                ui.end_row();
            }
        });
        let curve = |x: f64| [x, (x * 0.4).sin()];
        let points: Vec<_> = (0..100).map(|i| curve(f64::from(i) * 0.2)).collect();
        egui_plot::Plot::new("plot")
            .legend(egui_plot::Legend::default())
            .show(ui, |plot| {
                plot.line(
                    egui_plot::Line::new("Dusty", points)
                        .color(CURVE)
                        .width(1.5),
                );
            });
    }

    fn count(image: &RgbaImage, wanted: impl Fn([u8; 3]) -> bool) -> usize {
        image
            .pixels()
            .filter(|pixel| wanted([pixel[0], pixel[1], pixel[2]]))
            .count()
    }

    #[test]
    fn a_plot_shows_its_line_in_its_colour() {
        for dark in [false, true] {
            let image = png(&options(2.0, dark), scene_ui);
            let pixels = count(&image, |pixel| pixel == [CURVE.r(), CURVE.g(), CURVE.b()]);
            assert!(pixels > 500, "{pixels} pixels of the line");
            assert!(image.pixels().all(|pixel| pixel[3] == 255));
        }
    }

    #[test]
    fn themes_differ_and_cover_the_corners() {
        for (dark, gray) in [(false, 243), (true, 24)] {
            let image = png(&options(1.0, dark), scene_ui);
            let (right, bottom) = (image.width() - 1, image.height() - 1);
            for (x, y) in [(0, 0), (right, 0), (0, bottom), (right, bottom)] {
                assert_eq!(image.get_pixel(x, y).0, [gray, gray, gray, 255]);
            }
        }
    }

    #[test]
    fn text_is_dark_on_light() {
        let label = |text: &'static str| {
            png(&options(1.0, false), move |ui| {
                ui.label(text);
            })
        };
        let dark = |image: &RgbaImage| count(image, |[r, g, b]| r < 100 && g < 100 && b < 100);
        assert_eq!(dark(&label("")), 0);
        let (short, long) = (dark(&label("Dusty")), dark(&label("Dusty Dusty Dusty")));
        assert!(short > 20, "{short}");
        assert!((3 * short).abs_diff(long) < short / 2, "{short} and {long}");
    }

    #[test]
    fn signs_of_the_figures_have_glyphs() {
        let sign = |sign: char| {
            png(&options(2.0, false), |ui| {
                ui.label(sign.to_string());
            })
        };
        let missing = sign('\u{e123}');
        for wanted in "∇‖→−×⁻³·≥½–…".chars() {
            assert!(sign(wanted) != missing, "{wanted} has no glyph");
        }
    }

    #[test]
    fn the_same_drawing_gives_the_same_bytes() -> anyhow::Result<()> {
        let bytes = || encode_png(&png(&options(2.0, true), scene_ui));
        assert!(bytes()? == bytes()?);
        Ok(())
    }

    #[test]
    fn scale_multiplies_the_pixels_and_keeps_the_layout() {
        let draw = |scale| {
            let mut width = 0.0;
            let image = png(&options(scale, false), |ui| {
                width = ui.available_width();
                scene_ui(ui);
            });
            (image.dimensions(), width)
        };
        assert_eq!(draw(1.0), ((420, 320), 404.0));
        assert_eq!(draw(2.0), ((840, 640), 404.0));
    }

    #[test]
    fn options_out_of_their_limits_are_refused_with_the_limit() {
        let message = |size, scale| {
            let options = Options {
                size,
                scale,
                dark: false,
            };
            options.validate().map_err(|error| error.to_string())
        };
        assert_eq!(message([10_000.0; 2], 1.0), Ok(()));
        assert_eq!(
            message([800.0, 5001.0], 2.0),
            Err("at a scale of 2 the height must be from 16 to 5000 points; it is 5001".to_owned())
        );
        assert_eq!(
            message([800.0, 600.0], 9.0),
            Err("the scale must be from 0.5 to 8 pixels per point; it is 9".to_owned())
        );
        assert!(message([f32::NAN, 600.0], 1.0).is_err());
        assert!(message([800.0, 600.0], f32::NAN).is_err());
    }

    #[test]
    fn options_out_of_their_limits_are_drawn_at_them() {
        let options = Options {
            size: [f32::NAN, -3.0],
            scale: f32::NAN,
            dark: false,
        };
        assert_eq!(png(&options, scene_ui).dimensions(), (8, 8));
    }

    #[test]
    fn a_file_written_reads_back() -> anyhow::Result<()> {
        let dir = tempfile::tempdir()?;
        let (figure, sheet) = (
            dir.path().join("new/figure.png"),
            dir.path().join("sheet.png"),
        );
        let rgba = png(&options(1.0, false), scene_ui);
        let rgb = RgbImage::from_pixel(3, 2, Rgb([9, 8, 7]));
        write_png(&figure, &rgba)?;
        write_png(&sheet, &rgb)?;
        assert!(image::open(&figure)?.into_rgba8() == rgba);
        assert_eq!(image::open(&sheet)?.into_rgb8(), rgb);
        Ok(())
    }

    #[test]
    fn a_file_that_cannot_be_written_is_named() -> anyhow::Result<()> {
        let dir = tempfile::tempdir()?;
        let path = dir.path().join("file/figure.png");
        std::fs::write(dir.path().join("file"), "in the way")?;
        let message = match write_png(&path, &RgbImage::new(1, 1)) {
            Ok(()) => anyhow::bail!("written"),
            Err(error) => error.to_string(),
        };
        assert!(message.starts_with("cannot write the file"), "{message}");
        assert!(message.ends_with("figure.png"), "{message}");
        Ok(())
    }
}
