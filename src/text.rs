//! Functions on text that several parts of the program share: search words, text on one line, numbers and counts on
//! screen, and a hash of names.
//!
//! Plain functions; imports nothing of the crate.

use std::borrow::Cow;
use std::path::Path;

/// The words of a search, in lower case; empty where the query has none.
pub fn words(query: &str) -> Vec<String> {
    let query = query.to_lowercase();
    query.split_whitespace().map(str::to_owned).collect()
}

/// Whether every one of `words` ([`words`]) occurs in a text, in any order and whatever the case of the text.
pub fn has_words(text: &str, words: &[String]) -> bool {
    let text = text.to_lowercase();
    words.iter().all(|word| text.contains(word))
}

/// A text on one line: every run of white space, line breaks among them, becomes one space.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a terminal obeys a character instead of showing it, or turns the text around it: control characters, and those
/// that change the direction of writing.
pub fn is_hidden(c: char) -> bool {
    let turns =
        matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || turns
}

/// A text whose control characters, and those that change the direction of writing, are written as Rust escapes them
/// (`\u{1b}`), so that no terminal obeys them.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut seen = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match is_hidden(c) {
            true => seen.extend(c.escape_default()),
            false => seen.push(c),
        }
    }
    Cow::Owned(seen)
}

/// Whether a spreadsheet computes a text as a formula instead of showing it.
pub fn is_formula(text: &str) -> bool {
    let text = text.trim();
    text.starts_with(['=', '+', '-', '@']) && text.parse::<f64>().is_err()
}

/// A path on one line, in a sentence: as [`visible`], since the names of files and folders may hold anything.
pub fn shown(path: &Path) -> String {
    visible(&path.display().to_string()).into_owned()
}

/// A count with its noun, for nouns whose plural ends in s: `1 seed`, `3 seeds`.
pub fn counted(number: usize, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        number => format!("{number} {noun}s"),
    }
}

/// A count with what it counts: `1 class`, `1,200 classes`.
pub fn one_or_more(count: usize, one: &str, more: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        count => format!("{} {more}", grouped(count as u64)),
    }
}

/// A whole number in groups of three: `12,345`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number with `decimals` decimals and a real minus sign: `−0.43`, `0.05`. A number that rounds to zero has no sign.
pub fn decimals(value: f64, decimals: usize) -> String {
    let size = format!("{:.decimals$}", value.abs());
    if value < 0.0 && !is_zero(&size) {
        format!("−{size}")
    } else {
        size
    }
}

/// As [`decimals`], but with a plus sign for numbers above zero: `−0.43`, `+0.05`, `0.00`.
pub fn signed(value: f64, digits: usize) -> String {
    let text = decimals(value, digits);
    if value < 0.0 || is_zero(&text) {
        text
    } else {
        format!("+{text}")
    }
}

fn is_zero(digits: &str) -> bool {
    digits.chars().all(|c| matches!(c, '0' | '.'))
}

/// The text of a number without a `.0` at its end: `12`, `4.8`.
pub fn without_zero(number: &str) -> &str {
    number.strip_suffix(".0").unwrap_or(number)
}

/// First state of [`fnv1a`].
pub const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
/// Factor of [`fnv1a`].
pub const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

/// The 64-bit hash FNV-1a of a text (Fowler, Noll & Vo): not cryptographic, and the same on every machine and in every
/// version of the program.
pub fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(FNV_OFFSET, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_match_in_any_order_and_case() {
        let text = "Part of the network: branch2.conv1";
        let has = |query: &str| has_words(text, &words(query));
        assert!(has("conv1 network") && has(" BRANCH2 ") && has(""));
        assert!(!has("branch2 conv2"));
    }

    #[test]
    fn lines_and_gaps_become_single_spaces() {
        assert_eq!(
            one_line(" expected a\n  number,\tfound "),
            "expected a number, found"
        );
    }

    #[test]
    fn control_characters_are_made_visible() {
        assert!(matches!(visible("café 猫 🐈"), Cow::Borrowed("café 猫 🐈")));
        assert_eq!(
            visible("a\u{1b}[31mb\nc\u{9b}\u{7f}"),
            "a\\u{1b}[31mb\\nc\\u{9b}\\u{7f}"
        );
        assert_eq!(visible("\u{202e}cba"), "\\u{202e}cba");
    }

    #[test]
    fn formulas_are_no_numbers() {
        for formula in ["=1+1", "+A1", "-cmd|'/C calc'!A0", "@SUM(A1)", " =x"] {
            assert!(is_formula(formula), "{formula}");
        }
        for text in ["-1", "+3.5e2", "cat", "a=b", "", "1-2"] {
            assert!(!is_formula(text), "{text}");
        }
    }

    #[test]
    fn one_thing_is_singular() {
        let seeds = [0, 1, 2].map(|number| counted(number, "seed"));
        assert_eq!(seeds, ["0 seeds", "1 seed", "2 seeds"]);
    }

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(grouped(7), "7");
        assert_eq!(grouped(1_234), "1,234");
        assert_eq!(grouped(12_345_678), "12,345,678");
    }

    #[test]
    fn numbers_have_a_real_minus_and_zero_has_no_sign() {
        let shown = [-0.43, -0.001, 0.0, 0.001, 0.05].map(|x| decimals(x, 2));
        assert_eq!(shown, ["−0.43", "0.00", "0.00", "0.00", "0.05"]);
        let shown = [-0.43, -0.001, 0.0, 0.001, 0.05].map(|x| signed(x, 2));
        assert_eq!(shown, ["−0.43", "0.00", "0.00", "0.00", "+0.05"]);
        assert_eq!(["12.0", "4.8", "10"].map(without_zero), ["12", "4.8", "10"]);
    }

    /// Test vectors of the authors (draft-eastlake-fnv, appendix on 64-bit FNV-1a).
    #[test]
    fn the_hash_is_fnv_1a() {
        assert_eq!(fnv1a(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a("foobar"), 0x8594_4171_f739_67e8);
    }
}
