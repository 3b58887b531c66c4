//! Pillow as a referee of what is read from image files: tests/peers/pillow_pixels.py makes files of every format in
//! their modes, compressions and orientations, and both read the same pixels. What is meant to differ is in the table
//! “Image formats” of assets/docs/data.md, which is compared with what happens here.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use crosscurrent::config::{DataSource, RunConfig};
use crosscurrent::data;
use serde::Deserialize;

use crate::python::python_with;

/// Levels of 256 by which a pixel may be off: decoders of lossy formats round differently.
const LEVELS: u8 = 2;

/// Levels by which pixels of JPEG files with colour at half the resolution may be off, apart from the last column and row.
const CHROMA: u8 = 4;

/// Levels by which their last column and row may be off: there the decoder interpolates with what the file holds beyond the
/// image, and 32 levels were seen.
const EDGE: u8 = 40;

#[derive(Deserialize)]
struct Made {
    version: String,
    cases: Vec<Case>,
    skipped: Vec<String>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    kind: String,
    width: usize,
    height: usize,
    /// Pillow's mode of the image.
    mode: String,
    /// Levels between the pixels that are meant and Pillow's, at most; none where Pillow has other ones.
    apart: Option<u8>,
}

/// Width, height and pixels of so many channels as training sees them; else the refusal.
fn read(folder: &Path, channels: usize) -> Result<(usize, usize, Vec<u8>), String> {
    let config = RunConfig {
        data: DataSource::Folder(folder.to_owned()),
        channels: Some(channels),
        ..RunConfig::default()
    };
    let data = data::load(&config, &|_, _| true).map_err(|error| error.to_string())?;
    let data = data.dataset;
    let pixels = data.height * data.width * channels;
    Ok((data.width, data.height, data.images[..pixels].to_vec()))
}

/// What becomes of the images of some kinds.
#[derive(Clone, Copy)]
enum Outcome {
    /// Pixels are Pillow's.
    Same,
    /// Pixels are Pillow's but for how colour at half the resolution is brought to the full one.
    Interpolated,
    /// Pixels are those that are meant, which are not Pillow's.
    Meant,
    /// Images are refused with these words.
    Refused(&'static str),
}
use Outcome::{Interpolated, Meant, Refused, Same};

/// The beginning of a row in the table “Image formats”, what its images are called in the script, by the beginnings of their
/// kinds, and what becomes of them. Of several beginnings that fit, the longest counts.
const ROWS: [(&str, &[&str], Outcome); 17] = [
    ("PNG of 1 to 8 bits", &["png"], Same),
    (
        "PNG of 16 bits in colour or with alpha",
        &["png 16 bit"],
        Same,
    ),
    (
        "PNG, TIFF and PGM of 16 bits",
        &["png 16 bit grey", "tiff 16 bit grey", "pnm 16 bit grey"],
        Meant,
    ),
    (
        "PNG of 16 bits in colour or with alpha",
        &["png 16 bit grey and alpha"],
        Same,
    ),
    ("JPEG, grey, CMYK", &["jpeg"], Same),
    (
        "JPEG with colour at half",
        &["jpeg 422", "jpeg 420"],
        Interpolated,
    ),
    ("WebP", &["webp"], Same),
    ("TIFF of 1 bit", &["tiff"], Same),
    (
        "TIFF with a palette",
        &["tiff P", "tiff LA"],
        Refused("of this kind"),
    ),
    (
        "TIFF with a palette",
        &["tiff floating point", "tiff YCbCr"],
        Refused("of this kind"),
    ),
    (
        "TIFF with a palette",
        &["tiff 1 group3", "tiff 1 tiff_ccitt"],
        Refused("of this kind"),
    ),
    ("BMP", &["bmp"], Same),
    ("GIF", &["gif"], Same),
    (
        "GIF whose first",
        &["gif with a first frame smaller"],
        Meant,
    ),
    ("PBM", &["pnm"], Same),
    ("an orientation in EXIF", &["orientation"], Meant),
    ("an orientation in a TIFF", &["orientation in tiff"], Same),
];

fn row_of(kind: &str) -> Result<&'static (&'static str, &'static [&'static str], Outcome)> {
    let length = |row: &&(&str, &'static [&'static str], Outcome)| {
        let fitting = row.1.iter().filter(|start| kind.starts_with(**start));
        fitting.map(|start| start.len()).max()
    };
    let row = ROWS.iter().max_by_key(length);
    let row = row.filter(|row| length(row).is_some());
    row.with_context(|| format!("no row is about {kind}"))
}

/// Levels between pixels [H, W, 3] at most: of all, and without the last column and row.
fn off(case: &Case, ours: &[u8], wanted: &[u8]) -> (u8, u8) {
    let (mut all, mut within) = (0, 0);
    for (at, (a, b)) in ours.iter().zip(wanted).enumerate() {
        let (x, y) = (at / 3 % case.width, at / 3 / case.width);
        let off = a.abs_diff(*b);
        all = all.max(off);
        if x + 1 < case.width && y + 1 < case.height {
            within = within.max(off);
        }
    }
    (all, within)
}

/// What is wrong with a case; none where it is read as its row says.
fn fault(root: &Path, case: &Case, outcome: Outcome) -> Result<Option<String>> {
    let read = read(&root.join(&case.name), 3);
    let (width, height, ours) = match (read, outcome) {
        (Err(refusal), Refused(words)) if refusal.contains(words) => return Ok(None),
        (Err(refusal), _) => return Ok(Some(refusal)),
        (Ok(_), Refused(_)) => return Ok(Some("it is read".to_owned())),
        (Ok(read), _) => read,
    };
    if (width, height) != (case.width, case.height) {
        return Ok(Some(format!("it is {width}×{height}")));
    }
    let wanted = std::fs::read(root.join(format!("{}.rgb", case.name)))?;
    let (all, within) = off(case, &ours, &wanted);
    let is_apart = case.apart.is_none_or(|apart| apart > LEVELS);
    Ok(match outcome {
        Same | Meant if all > LEVELS => Some(format!("it is {all} levels off")),
        Same if is_apart => Some("what is meant is not what Pillow reads".to_owned()),
        // Orientation 1 changes nothing, and other versions of Pillow may scale 16 bits.
        Meant if !is_apart && !case.name.contains("_1_") && !case.kind.contains("16 bit") => {
            Some("Pillow reads what is meant".to_owned())
        }
        Interpolated if within > CHROMA => Some(format!("it is {within} levels off")),
        Interpolated if all > EDGE => Some(format!("its edge is {all} levels off")),
        Same | Meant | Interpolated | Refused(_) => None,
    })
}

#[test]
fn pillow_reads_the_same_pixels() -> Result<()> {
    let Some(python) = python_with("numpy, PIL") else {
        return Ok(());
    };
    let root = tempfile::tempdir()?;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/pillow_pixels.py");
    let output = Command::new(&python)
        .arg(script)
        .arg(root.path())
        .output()?;
    let failed = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{failed}");
    let made: Made = serde_json::from_slice(&std::fs::read(root.path().join("cases.json"))?)?;
    println!(
        "{} images, read by Pillow {}",
        made.cases.len(),
        made.version
    );
    for skipped in &made.skipped {
        println!("not made by this Pillow: {skipped}");
    }
    let page = include_str!("../../assets/docs/data.md");
    let (mut faults, mut seen) = (Vec::new(), BTreeSet::new());
    for case in &made.cases {
        let (row, _, outcome) = row_of(&case.kind)?;
        ensure!(
            page.contains(&format!("\n| {row}")),
            "the page has no row “{row}”"
        );
        seen.insert(*row);
        if let Some(fault) = fault(root.path(), case, *outcome)? {
            faults.push(format!(
                "{} ({}, {}): {fault}",
                case.name, case.kind, case.mode
            ));
        }
    }
    ensure!(faults.is_empty(), "{}", faults.join("\n"));
    let rows: BTreeSet<_> = ROWS.iter().map(|(row, ..)| *row).collect();
    ensure!(seen == rows, "some rows have no image: {:?}", &rows - &seen);
    // Grey is the luminance of Rec. 709, and not that of Rec. 601, which Pillow's mode L is.
    let case = made
        .cases
        .iter()
        .find(|case| case.kind == "png RGB")
        .context("a case")?;
    let (_, _, grey) = read(&root.path().join(&case.name), 1).map_err(anyhow::Error::msg)?;
    let colours = std::fs::read(root.path().join(format!("{}.rgb", case.name)))?;
    for (grey, colour) in grey.iter().zip(colours.chunks_exact(3)) {
        let [r, g, b] = [0, 1, 2].map(|channel| f64::from(colour[channel]));
        let luminance = 0.2126 * r + 0.7152 * g + 0.0722 * b;
        ensure!(
            (f64::from(*grey) - luminance).abs() <= 1.0,
            "{grey} of {colour:?}"
        );
    }
    Ok(())
}
