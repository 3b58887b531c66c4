//! Off-screen drawing, and the files that come of it.

use egui::Color32;
use image::{Rgb, RgbImage};

use super::*;
use image::RgbaImage;

fn options(scale: f32, dark: bool) -> Options {
    Options {
        size: [420.0, 320.0],
        scale,
        dark,
    }
}

const CURVE: Color32 = Color32::from_rgb(0xd5, 0x5e, 0x00);

/// The elements that figures are made of: a label, buttons, a table and a plot.
fn scene_ui(ui: &mut egui::Ui) {
    ui.heading("Gradient Conflict Matrix");
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
    for (dark, gray) in [(false, 255), (true, 31)] {
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
