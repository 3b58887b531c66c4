//! Runs of glyphs that share a colour and a font.

use std::fmt::Write as _;
use std::ops::Range;

use egui::epaint::TextShape;
use egui::epaint::text::{Glyph, LayoutJob, PlacedRow, TextFormat};
use egui::{Color32, FontFamily, FontId, Pos2};

use super::words::{escaped, fill, number, rotation};

/// Neighbouring glyphs of one colour and font.
pub(super) struct Run<'a> {
    pub(super) look: (Color32, &'a FontId),
    /// Baseline of the row, in points from its top.
    pub(super) baseline: f32,
    pub(super) pieces: Vec<Piece>,
}

impl<'a> Run<'a> {
    pub(super) fn new(look: (Color32, &'a FontId), glyph: &Glyph, chr: char) -> Self {
        let mut run = Self {
            look,
            baseline: glyph.pos.y,
            pieces: Vec::new(),
        };
        run.push(glyph, chr);
        run
    }

    /// Adds a glyph and the character that it stands for.
    pub(super) fn push(&mut self, glyph: &Glyph, chr: char) {
        if turns_text(chr) {
            return;
        }
        let is_space = chr.is_whitespace();
        let is_fallback = is_fallback(glyph);
        // The mark of a letter has no width, and is written with the letter.
        let is_mark = glyph.advance_width <= 0.0;
        match self.pieces.last_mut() {
            Some(piece) if is_space || is_mark || piece.is_fallback == is_fallback => {
                piece.text.push(chr);
                if !is_space {
                    piece.to = piece.to.max(glyph.max_x());
                }
            }
            // Space before the first letter is dropped: the position of that letter accounts for it.
            None if is_space => {}
            _ => self.pieces.push(Piece {
                is_fallback,
                text: chr.to_string(),
                from: glyph.pos.x,
                to: glyph.max_x(),
            }),
        }
    }
}

/// Colour and font of a section of a text.
pub(super) fn look<'a>(shape: &TextShape, format: &'a TextFormat) -> (Color32, &'a FontId) {
    let color = match (shape.override_text_color, format.color) {
        (Some(color), _) => color,
        (None, Color32::PLACEHOLDER) => shape.fallback_color,
        (None, color) => color,
    };
    (color.gamma_multiply(shape.opacity_factor), &format.font_id)
}

/// Whether a character turns the direction of the text after it, which figures on screen do not obey: a name could be made to
/// look like another.
fn turns_text(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The format of the section that a place in a text lies in, in bytes.
pub(super) fn format_at(job: &LayoutJob, byte: usize) -> Option<&TextFormat> {
    let sections = job.sections.iter();
    let until = sections.take_while(|section| section.byte_range.start.0 <= byte);
    let section = job.sections.get(until.count().saturating_sub(1));
    section.map(|section| &section.format)
}

/// A row as these parts of the text, with the ellipsis behind them where it is cut. Glyphs of Hebrew and Arabic stand in the
/// order in which they are seen, and several letters may be one glyph, so that the text is written as it is, for the reader of
/// the file to shape.
pub(super) fn as_it_is(
    shape: &TextShape,
    row: &PlacedRow,
    (parts, ellipsis): (&[Range<usize>], Option<char>),
    pos: Pos2,
) -> String {
    let job = &shape.galley.job;
    let glyphs = || {
        row.row
            .glyphs
            .iter()
            .filter(|glyph| glyph.advance_width > 0.0)
    };
    let from = glyphs()
        .map(|glyph| glyph.pos.x)
        .fold(f32::INFINITY, f32::min);
    let to = glyphs().map(Glyph::max_x).fold(0.0, f32::max);
    let baseline = glyphs().next().map_or(0.0, |glyph| glyph.pos.y);
    if from >= to {
        return String::new();
    }
    let at = pos + row.pos.to_vec2();
    let mut text = format!(
        "<text x=\"{}\" y=\"{}\" textLength=\"{}\" lengthAdjust=\"spacingAndGlyphs\"{}>",
        number(at.x + from),
        number(at.y + baseline),
        number(to - from),
        rotation(shape.angle, pos)
    );
    let mut spans: Vec<(&TextFormat, String)> = Vec::new();
    for part in parts {
        for section in &job.sections {
            let start = part.start.max(section.byte_range.start.0);
            let end = part.end.min(section.byte_range.end.0);
            if let Some(words) = job.text.get(start..end).filter(|words| !words.is_empty()) {
                spans.push((&section.format, words.replace(turns_text, "")));
            }
        }
    }
    if let (Some((_, words)), Some(ellipsis)) = (spans.last_mut(), ellipsis) {
        words.push(ellipsis);
    }
    for (format, words) in spans {
        let (color, font) = look(shape, format);
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "<tspan font-size=\"{}\"{}{}>{}</tspan>",
            number(font.size),
            fill(color),
            family(font, true),
            escaped(&words)
        );
    }
    text + "</text>"
}

/// Glyphs from one file of a font.
pub(super) struct Piece {
    pub(super) is_fallback: bool,
    pub(super) text: String,
    /// Left end of the first glyph, in the row.
    pub(super) from: f32,
    /// Right end of the last glyph that is no space.
    pub(super) to: f32,
}

/// Whether a glyph comes from a fallback of its font.
fn is_fallback(glyph: &Glyph) -> bool {
    (glyph.font_face_ascent - glyph.font_ascent).abs() > 0.01
        || (glyph.font_face_height - glyph.font_height).abs() > 0.01
}

/// The fonts that the figure was drawn with, followed by similar fonts of other machines.
pub(super) fn family(font: &FontId, is_fallback: bool) -> &'static str {
    match (&font.family, is_fallback) {
        (FontFamily::Monospace, false) | (_, true) => {
            " font-family=\"Hack, 'DejaVu Sans Mono', Menlo, Consolas, monospace\""
        }
        _ => {
            " font-family=\"Ubuntu, 'Segoe UI', 'Helvetica Neue', 'DejaVu Sans', sans-serif\" font-weight=\"300\""
        }
    }
}
