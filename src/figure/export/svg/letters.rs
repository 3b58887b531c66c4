//! Which characters of a text the glyphs of its rows stand for.
//!
//! All glyphs of a letter with its marks have the first character of that letter, and glyphs of Hebrew and Arabic stand in the
//! order in which they are seen. So the characters come from the text itself.

use std::ops::Range;

use egui::Galley;
use egui::epaint::text::Glyph;

/// What is written for a row of a text.
pub(super) enum Letters {
    /// A character for every glyph, with its place in the text, in bytes; `None` where the text has no further character. The
    /// ellipsis in place of cut text has the place of the character before it.
    Each(Vec<Option<(usize, char)>>),
    /// Parts of the text for the row as a whole, in bytes, in the order of reading, and the ellipsis behind them.
    Parts(Vec<Range<usize>>, Option<char>),
}

/// What is written for every row of a text.
pub(super) fn rows_of(galley: &Galley) -> Vec<Letters> {
    let text = &galley.job.text;
    let is_reversed = text.contains(is_right_to_left);
    if let [row] = &galley.rows[..]
        && !galley.elided
        && (is_reversed || row.row.glyphs.len() != text.chars().count())
    {
        let whole = std::iter::once(0..text.len()).collect();
        return vec![Letters::Parts(whole, None)];
    }
    if is_reversed {
        parts(galley)
    } else {
        one_each(galley)
    }
}

/// Whether a letter is written from right to left: Hebrew, Arabic and their neighbours.
fn is_right_to_left(c: char) -> bool {
    matches!(
        c,
        '\u{590}'..='\u{8ff}'
            | '\u{fb1d}'..='\u{fdff}'
            | '\u{fe70}'..='\u{fefc}'
            | '\u{10800}'..='\u{10fff}'
            | '\u{1e800}'..='\u{1efff}'
    )
}

/// Glyphs of a row that stand for the text, and the ellipsis behind them in place of cut text.
fn split(galley: &Galley, at: usize) -> (&[Glyph], Option<char>) {
    let glyphs = galley.rows.get(at).map_or(&[][..], |row| &row.row.glyphs);
    let is_cut = galley.elided && at + 1 == galley.rows.len();
    match glyphs.split_last() {
        Some((last, rest)) if is_cut && galley.job.wrap.overflow_character == Some(last.chr) => {
            (rest, Some(last.chr))
        }
        _ => (glyphs, None),
    }
}

/// Every glyph stands for the next character: a letter with marks has as many glyphs as characters, where need be ones
/// without width.
fn one_each(galley: &Galley) -> Vec<Letters> {
    let mut chars = galley.job.text.char_indices().peekable();
    let mut before = 0;
    let mut rows = Vec::new();
    for (at, row) in galley.rows.iter().enumerate() {
        let (glyphs, ellipsis) = split(galley, at);
        let mut letters: Vec<_> = glyphs.iter().map(|_| chars.next()).collect();
        if let Some((byte, _)) = letters.iter().flatten().next_back() {
            before = *byte;
        }
        letters.extend(ellipsis.map(|ellipsis| Some((before, ellipsis))));
        rows.push(Letters::Each(letters));
        if row.ends_with_newline {
            // The end of a line has no glyph.
            let _ = chars.next_if(|(_, chr)| *chr == '\n');
        }
    }
    rows
}

/// The parts of a text with words from right to left that each row shows. The glyphs of such a word come from its end, so that
/// a row that breaks it, or cuts it, has its last letters.
fn parts(galley: &Galley) -> Vec<Letters> {
    let text: Vec<(usize, char)> = galley.job.text.char_indices().collect();
    let byte = |at: usize| text.get(at).map_or(galley.job.text.len(), |x| x.0);
    let is_reversed = |at: usize| text.get(at).is_some_and(|x| is_right_to_left(x.1));
    // The next character and, before it, what is not yet shown of a word from right to left.
    let mut next = 0;
    let mut word: Range<usize> = 0..0;
    let mut rows = Vec::new();
    for (at, row) in galley.rows.iter().enumerate() {
        let (glyphs, ellipsis) = split(galley, at);
        let mut parts: Vec<Range<usize>> = Vec::new();
        for glyph in glyphs {
            // Marks come with their letter, and after a word there are glyphs without width for its letters again.
            if glyph.advance_width <= 0.0 && is_right_to_left(glyph.chr) {
                continue;
            }
            if word.is_empty() && is_reversed(next) {
                let end = (next..text.len()).find(|at| !is_reversed(*at));
                word = next..end.unwrap_or(text.len());
                next = word.end;
            }
            let unseen = text.get(word.clone()).unwrap_or_default();
            let found = unseen.iter().rposition(|(_, chr)| *chr == glyph.chr);
            let part = if let Some(letter) = found {
                let part = word.start + letter..word.end;
                word.end = part.start;
                part
            } else {
                // A word that does not come from its end is read from its beginning.
                let start = if word.is_empty() { next } else { word.start };
                word = 0..0;
                next = (start + 1).min(text.len());
                start..next
            };
            add(&mut parts, part);
        }
        let parts = parts.iter().map(|part| byte(part.start)..byte(part.end));
        rows.push(Letters::Parts(parts.collect(), ellipsis));
        if row.ends_with_newline && text.get(next).is_some_and(|x| x.1 == '\n') {
            next += 1;
        }
    }
    rows
}

/// Adds a part of a text, as one with the part before it where the two are neighbours.
fn add(parts: &mut Vec<Range<usize>>, part: Range<usize>) {
    match parts.last_mut() {
        Some(last) if last.end == part.start => last.end = part.end,
        Some(last) if last.start == part.end => last.start = part.start,
        _ => parts.push(part),
    }
}
