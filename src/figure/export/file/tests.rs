//! PNG files with their resolution and record, and sizes.

use anyhow::{Context as _, Result, ensure};

use super::*;
use crate::figure::export::{PRESETS, Restored, SheetSize, Unit, read_view};
use crate::figure::look::kind::Kind;
use crate::figure::look::view::View;
use crate::figure::testing::{recorded, view};
use crate::figure::{Order, Quantity, Surgery, TimeAxis, WhatIf};
use crate::run::BatchNorm;
use image::RgbaImage;

fn size(text: &str) -> Result<SheetSize> {
    text.parse().map_err(anyhow::Error::msg)
}

/// The chunks of a PNG file, by the layout of the PNG specification (section 5.3): length, type, data, checksum.
fn chunks(png: &[u8]) -> Result<Vec<(String, Vec<u8>)>> {
    let mut rest = png
        .strip_prefix(b"\x89PNG\r\n\x1a\n")
        .context("no signature")?;
    let mut chunks = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let length = u32::from_be_bytes(*length) as usize;
        let name = String::from_utf8(after[..4].to_vec())?;
        chunks.push((name, after[4..4 + length].to_vec()));
        rest = &after[4 + length + 4..];
    }
    Ok(chunks)
}

fn png(settings: &Settings, view: &View) -> Result<Vec<u8>> {
    let run = recorded("solar-branch")?;
    let figure = Figure {
        kind: Kind::ConflictMatrix,
        subject: run.subject(),
        shown: &[run.subject()],
        view,
    };
    Ok(figure.bytes(settings)?)
}

/// 85 mm at 300 dpi are 85/25.4·300 = 1003.9 pixels; 300 dpi are 300/0.0254 = 11811 pixels to a metre.
#[test]
fn a_png_has_the_size_and_the_resolution_asked_for() -> Result<()> {
    let settings = Settings {
        size: size("85mmx60mm")?,
        dpi: 300.0,
        ..Settings::default()
    };
    assert_eq!(settings.pixels(), [1004, 709]);
    let bytes = png(&settings, &view())?;
    let image = image::load_from_memory(&bytes)?;
    assert_eq!((image.width(), image.height()), (1004, 709));
    let chunks = chunks(&bytes)?;
    let (_, data) = chunks
        .iter()
        .find(|(name, _)| name == "pHYs")
        .context("no pHYs")?;
    let mut wanted = 11811_u32.to_be_bytes().repeat(2);
    wanted.push(1);
    assert_eq!(*data, wanted);
    assert!(
        png(&settings, &view())? == bytes,
        "the same bytes each time"
    );
    Ok(())
}

#[test]
fn a_png_leads_back_to_its_view() -> Result<()> {
    let view = View {
        confused: Some((1, 2)),
        hidden: ["Dusty".to_owned()].into(),
        time: TimeAxis::WallTime,
        order: Order::Similarity(vec!["Dusty".to_owned(), "Clean".to_owned()]),
        quantity: Quantity::TailShare,
        what_if: WhatIf {
            weights: vec![0.1, 1.0, 1.0, 1.0, 1.0 / 3.0, 2.5],
            surgery: Surgery::PcGrad,
        },
        ..view()
    };
    for transparent in [false, true] {
        let settings = Settings {
            transparent,
            ..Settings::default()
        };
        let Restored {
            run,
            shown,
            figure,
            colour_range,
            view: restored,
            step: recorded_step,
            layer,
            ..
        } = read_view(&png(&settings, &view)?).map_err(anyhow::Error::msg)?;
        let recorded = recorded("solar-branch")?;
        let id = recorded
            .run
            .started
            .as_ref()
            .map(|started| started.id.clone());
        assert_eq!(
            (Some(run.id.clone()), run.name.as_str()),
            (id, "solar-branch")
        );
        assert_eq!((shown, figure), (vec![run], Kind::ConflictMatrix));
        // The probe shown for a step at which there was none.
        let step = Some(288);
        let shown = View {
            step,
            // The run has no other measure.
            batch_norm: BatchNorm::Frozen,
            ..view.clone()
        };
        assert_eq!((colour_range, restored), (Some([-1.0, 1.0]), shown));
        assert_eq!((recorded_step, layer.as_str()), (step, "branch2.conv2"));
    }
    Ok(())
}

#[test]
fn files_without_a_record_give_a_reason() -> Result<()> {
    let message = |bytes: &[u8]| read_view(bytes).err().context("read");
    assert!(message(b"no image")?.contains("no PNG"));
    assert!(message(&[])?.contains("no PNG"));
    let foreign = super::super::encode_png(&RgbaImage::new(2, 2))?;
    assert!(message(&foreign)?.contains("not exported by Crosscurrent"));
    let with = |record: &str| encode(&RgbaImage::new(2, 2), 96.0, record);
    assert!(message(&with("{\"format\": 2}")?)?.contains("newer version"));
    assert!(message(&with("{\"format\": 1, \"run\": 3}")?)?.contains("damaged"));
    assert!(message(&with("not json")?)?.contains("damaged"));
    let whole = png(&Settings::default(), &view())?;
    // A file cut short within its pixels still has its view; a file cut short before them is no image.
    assert!(read_view(&whole[..whole.len() / 2]).is_ok());
    assert!(read_view(&whole[..40]).is_err());
    // The error quotes a text with a line break, and stays one line.
    let quoted = with("{\"format\":1,\"run\":{\"id\":\"\",\"name\":\"\"},\"figure\":\"a\\nb\"}")?;
    let sentence = message(&quoted)?;
    assert!(
        sentence.contains("`a b`") && !sentence.contains('\n'),
        "{sentence}"
    );
    Ok(())
}

#[test]
fn without_a_background_corners_are_empty_and_text_is_as_dark_as_with_one() -> Result<()> {
    let over = |transparent| -> Result<RgbaImage> {
        let settings = Settings {
            transparent,
            ..Settings::default()
        };
        Ok(image::load_from_memory(&png(&settings, &view())?)?.into_rgba8())
    };
    let (opaque, clear) = (over(false)?, over(true)?);
    assert_eq!(clear.get_pixel(0, 0)[3], 0);
    // Laid over the background of the opaque image, the transparent image equals it.
    let background = opaque.get_pixel(0, 0);
    let mut worst = 0;
    for (wanted, pixel) in opaque.pixels().zip(clear.pixels()) {
        let alpha = f64::from(pixel[3]) / 255.0;
        for i in 0..3 {
            let mixed = alpha * f64::from(pixel[i]) + (1.0 - alpha) * f64::from(background[i]);
            worst = worst.max((mixed.round() as i32 - i32::from(wanted[i])).abs());
        }
    }
    ensure!(worst <= 3, "off by {worst}");
    Ok(())
}

#[test]
fn sizes_are_read_and_written() -> Result<()> {
    let sheet = |width, height, unit| SheetSize {
        width,
        height,
        unit,
    };
    for (text, wanted) in [
        ("85mmx60mm", sheet(85.0, 60.0, Unit::Mm)),
        ("85x60mm", sheet(85.0, 60.0, Unit::Mm)),
        ("85.5 mm × 60 mm", sheet(85.5, 60.0, Unit::Mm)),
        ("1004pxx709px", sheet(1004.0, 709.0, Unit::Px)),
        ("1004x709px", sheet(1004.0, 709.0, Unit::Px)),
        ("800x600", sheet(800.0, 600.0, Unit::Pt)),
        ("800ptx600pt", sheet(800.0, 600.0, Unit::Pt)),
    ] {
        assert_eq!(size(text)?, wanted, "{text}");
        assert_eq!(size(&wanted.to_string())?, wanted, "{wanted}");
    }
    for text in [
        "",
        "85mm",
        "85mmx",
        "85mmx60px",
        "-3x4",
        "0x4",
        "axb",
        "85cmx60cm",
        "3x4x5",
    ] {
        assert!(size(text).is_err(), "{text}");
    }
    Ok(())
}

/// 25.4 mm are an inch, 96 points, and as many pixels as the resolution says.
#[test]
fn a_size_stays_the_same_in_another_unit() -> Result<()> {
    let inch = size("25.4mmx50.8mm")?;
    let sides = |sheet: SheetSize| [sheet.width, sheet.height];
    assert_eq!(sides(inch.to(Unit::Pt, 300.0)), [96.0, 192.0]);
    assert_eq!(sides(inch.to(Unit::Px, 300.0)), [300.0, 600.0]);
    assert_eq!(
        sides(inch.to(Unit::Px, 300.0).to(Unit::Mm, 300.0)),
        [25.4, 50.8]
    );
    for preset in PRESETS {
        let settings = Settings {
            size: preset.size,
            dpi: preset.dpi,
            ..Settings::default()
        };
        settings.validate().context(preset.name)?;
    }
    Ok(())
}

#[test]
fn settings_out_of_their_limits_are_refused_with_the_limit() -> Result<()> {
    let message = |text: &str, dpi| -> Result<String> {
        let settings = Settings {
            size: size(text)?,
            dpi,
            ..Settings::default()
        };
        Ok(settings
            .validate()
            .err()
            .map_or_else(String::new, |error| error.to_string()))
    };
    assert_eq!(message("85mmx60mm", 300.0)?, "");
    assert_eq!(
        message("900mmx60mm", 300.0)?,
        "at 300 dpi the width must be from 4.3 to 846 mm; it is 900"
    );
    assert_eq!(message("846mmx846mm", 300.0)?, "");
    assert!(message("85mmx60mm", 1200.0)?.contains("from 48 to 768 dpi; it is 1200"));
    assert!(message("85mmx60mm", f64::NAN)?.contains("dpi"));
    Ok(())
}
