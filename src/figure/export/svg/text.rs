//! Runs of glyphs that share a colour and a font.

use egui::epaint::text::Glyph;
use egui::{Color32, FontFamily, FontId};

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
