//! Settings that a person chooses for an exported figure: format, size, resolution, background.

use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::figure::export::draw::{ExportError, MAX_SIDE_PX, MIN_SIDE_POINTS, Options, SCALES};
use std::fmt;

/// Points (the window's unit) to an inch, as in CSS: text of 13 points is 3.4 mm high.
const POINTS_PER_INCH: f64 = 96.0;
const MM_PER_INCH: f64 = 25.4;

/// Allowed sizes of text, relative to those on screen.
pub(crate) const TEXT: std::ops::RangeInclusive<f64> = 0.5..=2.0;

/// Format of an exported file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Format {
    /// Pixels.
    #[default]
    Png,
    /// Vectors, with text as text.
    Svg,
    /// Vectors on a page of paper, with text as text and its fonts inside.
    Pdf,
    /// The numbers behind the figure.
    Csv,
}

impl Format {
    /// Every format, in the order it is offered.
    pub const ALL: [Self; 4] = [Self::Png, Self::Svg, Self::Pdf, Self::Csv];

    /// Ending of a file's name, and name on the command line.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Svg => "svg",
            Self::Pdf => "pdf",
            Self::Csv => "csv",
        }
    }

    /// The format that the extension of a file's name stands for; `None` where there is none, or an unknown one.
    pub fn of(path: &Path) -> Option<Self> {
        path.extension()?.to_str()?.parse().ok()
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.to_lowercase();
        let found = Self::ALL
            .into_iter()
            .find(|format| format.extension() == text);
        found.ok_or_else(|| format!("`{text}` is no format; there are png, svg, pdf, csv"))
    }
}

/// The unit of a size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unit {
    /// Millimetres on paper.
    Mm,
    /// Pixels of the image.
    Px,
    /// Points, as the window measures: 96 to an inch.
    Pt,
}

impl Unit {
    /// Every unit, in the order it is offered.
    pub const ALL: [Self; 3] = [Self::Mm, Self::Px, Self::Pt];

    /// Abbreviation of the unit.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Mm => "mm",
            Self::Px => "px",
            Self::Pt => "pt",
        }
    }

    fn per_inch(self, dpi: f64) -> f64 {
        match self {
            Self::Mm => MM_PER_INCH,
            Self::Px => dpi,
            Self::Pt => POINTS_PER_INCH,
        }
    }
}

/// Width and height. As text: `85mmx60mm`, `1004x709px`, or `800x600` in points.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SheetSize {
    /// From left to right.
    pub width: f64,
    /// From top to bottom.
    pub height: f64,
    /// Unit of both.
    pub unit: Unit,
}

impl SheetSize {
    /// The same size in another unit, rounded to what a person would write.
    pub fn to(self, unit: Unit, dpi: f64) -> Self {
        let factor = unit.per_inch(dpi) / self.unit.per_inch(dpi);
        let digits = if unit == Unit::Mm { 10.0 } else { 1.0 };
        let side = |length: f64| (length * factor * digits).round() / digits;
        Self {
            width: side(self.width),
            height: side(self.height),
            unit,
        }
    }
}

impl fmt::Display for SheetSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = self.unit.sign();
        write!(f, "{}{sign}x{}{sign}", self.width, self.height)
    }
}

impl FromStr for SheetSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let (width, first, rest) = length(text)?;
            let (height, second, rest) = length(rest.strip_prefix(['x', '×'])?)?;
            if !rest.is_empty() || (first.is_some() && second.is_some() && first != second) {
                return None;
            }
            Some(Self {
                width,
                height,
                unit: first.or(second).unwrap_or(Unit::Pt),
            })
        };
        parse().ok_or_else(|| {
            format!("`{text}` is no size; write such as 85mmx60mm, 1200x800px or 800x600 (points)")
        })
    }
}

/// Parses a number above 0 and the unit after it, if any; the last value is the rest of the text.
fn length(text: &str) -> Option<(f64, Option<Unit>, &str)> {
    let text = text.trim_start();
    let is_number = |c: char| c.is_ascii_digit() || c == '.';
    let (number, rest) = text.split_at(text.find(|c| !is_number(c)).unwrap_or(text.len()));
    let number: f64 = number.parse().ok()?;
    let rest = rest.trim_start();
    let with_unit = |unit: Unit| Some((Some(unit), rest.strip_prefix(unit.sign())?));
    let (unit, rest) = Unit::ALL
        .into_iter()
        .find_map(with_unit)
        .unwrap_or((None, rest));
    (number.is_finite() && number > 0.0).then_some((number, unit, rest.trim_start()))
}

/// How a figure becomes a file.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Format of the file.
    pub format: Format,
    /// Width and height.
    pub size: SheetSize,
    /// Pixels to an inch: 192 are two pixels to a point.
    pub dpi: f64,
    /// Size of text and lines: 1 as on screen (text of 13 points is 3.4 mm high), less for small figures in print.
    pub text: f64,
    /// Whether the figure is light on dark; else it is dark on light.
    pub dark: bool,
    /// Whether the background is left out.
    pub transparent: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            format: Format::Png,
            size: SheetSize {
                width: 800.0,
                height: 600.0,
                unit: Unit::Pt,
            },
            dpi: 2.0 * POINTS_PER_INCH,
            text: 1.0,
            dark: false,
            transparent: false,
        }
    }
}

impl Settings {
    /// The options with which the figure is drawn.
    pub fn options(&self) -> Options {
        let points = POINTS_PER_INCH / self.text / self.size.unit.per_inch(self.dpi);
        Options {
            size: [self.size.width, self.size.height].map(|side| (side * points) as f32),
            scale: (self.dpi / POINTS_PER_INCH * self.text) as f32,
            dark: self.dark,
        }
    }

    /// Width and height of the image in pixels.
    pub fn pixels(&self) -> [usize; 2] {
        self.options().pixels().0
    }

    /// Millimetres to a point of the drawing.
    pub(in crate::figure) fn mm_per_point(&self) -> f64 {
        MM_PER_INCH / POINTS_PER_INCH * self.text
    }

    /// The resolution, in dpi, that gives a point `scale` pixels.
    pub fn dpi_of_scale(scale: f64) -> f64 {
        scale * POINTS_PER_INCH
    }

    /// Whether the file can be made.
    ///
    /// # Errors
    /// Where the size, the text or the resolution is out of its limits; the message says which.
    pub fn validate(&self) -> Result<(), ExportError> {
        if self.format == Format::Csv {
            return Ok(());
        }
        if !TEXT.contains(&self.text) {
            return Err(ExportError::Limits(format!(
                "the text must be from {} to {} % of its size on screen; it is {}",
                100.0 * TEXT.start(),
                100.0 * TEXT.end(),
                100.0 * self.text
            )));
        }
        let [least, most] =
            [SCALES.start(), SCALES.end()].map(|scale| Self::dpi_of_scale(f64::from(*scale)));
        // The limits hold for the resolution alone and for its product with the size of text, at which the figure is
        // drawn.
        let (least, most) = (least / self.text.min(1.0), most / self.text.max(1.0));
        if !(least..=most).contains(&self.dpi) {
            return Err(ExportError::Limits(format!(
                "the resolution must be from {least:.0} to {most:.0} dpi; it is {}",
                self.dpi
            )));
        }
        let per_unit = self.size.unit.per_inch(self.dpi);
        // Limits in the chosen unit, rounded inwards.
        let smallest = f64::from(MIN_SIDE_POINTS) * self.text / POINTS_PER_INCH * per_unit;
        let largest = f64::from(MAX_SIDE_PX) / self.dpi * per_unit;
        let (smallest, largest) = ((smallest * 10.0).ceil() / 10.0, largest.floor());
        let sides = [("width", self.size.width), ("height", self.size.height)];
        for (name, side) in sides {
            if !(smallest..=largest).contains(&side) {
                return Err(ExportError::Limits(format!(
                    "at {} dpi the {name} must be from {smallest} to {largest} {}; it is {side}",
                    self.dpi,
                    self.size.unit.sign()
                )));
            }
        }
        Ok(())
    }
}

/// A size that is often wanted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Preset {
    /// Name on its button.
    pub name: &'static str,
    /// What it is for.
    pub help: &'static str,
    /// The size.
    pub size: SheetSize,
    /// Pixels to an inch.
    pub dpi: f64,
    /// Size of text, relative to that on screen.
    pub text: f64,
}

/// The sizes that are offered beside the one on screen.
pub const PRESETS: [Preset; 3] = [
    Preset {
        name: "Single column",
        help: "One column of a paper: 85 mm wide at 300 dpi",
        size: SheetSize {
            width: 85.0,
            height: 64.0,
            unit: Unit::Mm,
        },
        dpi: 300.0,
        text: 0.75,
    },
    Preset {
        name: "Double column",
        help: "The full width of a paper: 178 mm at 300 dpi",
        size: SheetSize {
            width: 178.0,
            height: 100.0,
            unit: Unit::Mm,
        },
        dpi: 300.0,
        text: 0.75,
    },
    Preset {
        name: "Slide 16:9",
        help: "A slide of 1920 × 1080 pixels, with text large enough to read from afar",
        size: SheetSize {
            width: 1920.0,
            height: 1080.0,
            unit: Unit::Px,
        },
        dpi: 192.0,
        text: 1.0,
    },
];
