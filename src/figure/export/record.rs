//! What an exported PNG knows of itself: which run, figure and view it shows, and at what resolution.

use std::borrow::Cow;
use std::io::Cursor;

use image::RgbaImage;
use png::{BitDepth, ColorType, PixelDimensions, Unit};
use serde::{Deserialize, Serialize};

use super::Figure;
use crate::figure::{Kind, Subject, View};

/// Key of the text chunk.
const KEY: &str = "crosscurrent";

/// Version of what the chunk holds.
const FORMAT: u32 = 1;

/// Inches to a metre.
const INCHES_PER_METRE: f64 = 1.0 / 0.0254;

/// Names a run, wherever its directory is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRef {
    /// From the run's header; empty where it had none.
    pub id: String,
    /// Name on screen.
    pub name: String,
}

impl RunRef {
    fn of(subject: &Subject<'_>) -> Self {
        let started = subject.run.started.as_ref();
        Self {
            id: started.map_or_else(String::new, |started| started.id.clone()),
            name: subject.name.to_owned(),
        }
    }
}

/// What an exported figure shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Restored {
    /// Version of this record.
    pub format: u32,
    /// The run shown.
    pub run: RunRef,
    /// All runs that were on screen, in their order: differences are from the first.
    #[serde(default)]
    pub shown: Vec<RunRef>,
    /// Which figure.
    pub figure: Kind,
    /// Least and largest value of the colour scale, where it has one.
    #[serde(default)]
    pub colour_range: Option<[f64; 2]>,
    /// The cursor and what was selected.
    pub view: View,
}

/// What a figure is to remember of itself, as JSON.
pub fn record(figure: &Figure<'_>) -> String {
    let record = Restored {
        format: FORMAT,
        run: RunRef::of(&figure.subject),
        shown: figure.shown.iter().map(RunRef::of).collect(),
        figure: figure.kind,
        colour_range: figure.colour_range(),
        view: figure.view.clone(),
    };
    // It holds nothing that JSON cannot: keys are strings, and numbers that are not finite become null.
    serde_json::to_string(&record).unwrap_or_default()
}

/// What an exported PNG shows; `bytes` is the whole file.
///
/// # Errors
/// A sentence, where the file is no PNG, was not exported by this program, or by a newer version of it.
pub fn read_view(bytes: &[u8]) -> Result<Restored, String> {
    let reader = png::Decoder::new(Cursor::new(bytes))
        .read_info()
        .map_err(|error| format!("This is no PNG image that can be read: {error}."))?;
    let chunks = &reader.info().utf8_text;
    let chunk = chunks.iter().find(|chunk| chunk.keyword == KEY);
    let text = chunk
        .ok_or("This image was not exported by Crosscurrent, so it has no view to go back to.")?
        .get_text()
        .map_err(|error| format!("The view in this image is damaged: {error}."))?;
    let newer =
        "This image was exported by a newer version; update Crosscurrent to go back to its view.";
    // The version first: the rest of a newer record may look different.
    let value: serde_json::Value = serde_json::from_str(&text)
        .map_err(|error| format!("The view in this image is damaged: {error}."))?;
    if value["format"]
        .as_u64()
        .is_some_and(|format| format > FORMAT.into())
    {
        return Err(newer.to_owned());
    }
    serde_json::from_value(value)
        .map_err(|error| format!("The view in this image is damaged: {error}."))
}

/// A PNG file with its resolution and its record.
pub(super) fn encode(
    image: &RgbaImage,
    dpi: f64,
    record: &str,
) -> Result<Vec<u8>, png::EncodingError> {
    let opaque = image.pixels().all(|pixel| pixel[3] == 255);
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, image.width(), image.height());
    encoder.set_depth(BitDepth::Eight);
    // A sheet without holes needs no alpha: a quarter less to compress, and printers ask for it.
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
