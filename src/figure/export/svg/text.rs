//! Runs of glyphs that share a colour and a font.

use std::fmt::Write as _;

use egui::epaint::TextShape;
use egui::epaint::text::{Glyph, PlacedRow, TextFormat};
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
    pub(super) fn new(look: (Color32, &'a FontId), glyph: &Glyph) -> Self {
        let mut run = Self {
            look,
            baseline: glyph.pos.y,
            pieces: Vec::new(),
        };
        run.push(glyph);
        run
    }

    pub(super) fn push(&mut self, glyph: &Glyph) {
        if turns_text(glyph.chr) {
            return;
        }
        let is_space = glyph.chr.is_whitespace();
        let is_fallback = is_fallback(glyph);
        match self.pieces.last_mut() {
            Some(piece) if is_space || piece.is_fallback == is_fallback => {
                piece.text.push(glyph.chr);
                if !is_space {
                    piece.to = glyph.max_x();
                }
            }
            // Space before the first letter is dropped: the position of that letter accounts for it.
            None if is_space => {}
            _ => self.pieces.push(Piece {
                is_fallback,
                text: glyph.chr.to_string(),
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

/// Whether a letter is written from right to left: Hebrew, Arabic and their neighbours.
pub(super) fn is_right_to_left(c: char) -> bool {
    matches!(
        c,
        '\u{590}'..='\u{8ff}'
            | '\u{fb1d}'..='\u{fdff}'
            | '\u{fe70}'..='\u{fefc}'
            | '\u{10800}'..='\u{10fff}'
            | '\u{1e800}'..='\u{1efff}'
    )
}

/// A row with letters that are written from right to left. Its glyphs stand in the order in which they are seen, and several
/// letters may be one glyph, so that the text is written as it is, for the reader of the file to shape.
pub(super) fn right_to_left(shape: &TextShape, row: &PlacedRow, pos: Pos2) -> String {
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
    for section in &job.sections {
        let (color, font) = look(shape, &section.format);
        let range = section.byte_range.start.0..section.byte_range.end.0;
        let words = job.text.get(range).unwrap_or_default();
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "<tspan font-size=\"{}\"{}{}>{}</tspan>",
            number(font.size),
            fill(color),
            family(font, true),
            escaped(&words.replace(turns_text, ""))
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
