//! Ways in which files are damaged.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::Value;

/// One damage. Places are shares of a file's length, or of its beginning, where formats keep their lengths.
#[derive(Clone, Debug)]
pub(super) enum Damage {
    Flip(Place, u8),
    Set(Place, u8),
    Cut(Place, usize),
    Truncate(Place),
    Insert(Place, Vec<u8>),
    Duplicate(Place, usize),
    Repeat(Place, usize, usize),
    /// Bytes of another file over those of this one.
    Splice(Index, Place, Place, usize),
    /// A number of this many bytes, little- or big-endian, where a length may stand.
    Length(Place, usize, u64, bool),
    /// The next decimal number, as in JSON and TOML, replaced by this text.
    Number(Place, &'static str),
    /// The next text in quotes, replaced by this one.
    Text(Place, &'static str),
    /// A value within the next object of JSON, changed in this way; the object stays JSON.
    Json(Place, Index, Change),
}

/// How a value of JSON is changed.
#[derive(Clone, Debug)]
pub(super) enum Change {
    /// It is left out of its list or object.
    Out,
    /// It is in its list twice.
    Twice,
    /// Half of its list or text is left.
    Half,
    /// It becomes what this text says.
    Other(&'static str),
    /// It becomes this text.
    Named(&'static str),
    /// It becomes another value of the object.
    Copy(Index),
}

/// A place in a file.
#[derive(Clone, Debug)]
pub(super) struct Place {
    is_near: bool,
    at: Index,
}

impl Place {
    fn of(&self, length: usize) -> usize {
        let most = if self.is_near {
            length.min(256)
        } else {
            length
        };
        if most == 0 { 0 } else { self.at.index(most) }
    }
}

fn place() -> impl Strategy<Value = Place> {
    (any::<bool>(), any::<Index>()).prop_map(|(is_near, at)| Place { is_near, at })
}

const NUMBERS: [u64; 14] = [
    0,
    1,
    2,
    0x7f,
    0xff,
    0x7fff,
    0xffff,
    0x00ff_ffff,
    0x7fff_ffff,
    0xffff_ffff,
    1 << 40,
    0x7fff_ffff_ffff_ffff,
    u64::MAX - 1,
    u64::MAX,
];
const TEXTS: [&str; 17] = [
    "0",
    "-1",
    "1",
    "3.5",
    "1e308",
    "1e999",
    "-1e-400",
    "4294967296",
    "18446744073709551615",
    "18446744073709551616",
    "1000000000000",
    "null",
    "[]",
    "{}",
    "\"\"",
    "true",
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
];
const NAMES: [&str; 12] = [
    "",
    "../../../../etc/passwd",
    "/etc/passwd",
    "=cmd|' /C calc'!A0",
    "a\\nb",
    "\\u0000\\u001b[31m",
    "\\u202eabc",
    "\u{732b}\u{627}\u{1f408}",
    "<&>\\\"'",
    "branch",
    "none",
    "folder:/dev/zero",
];

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        Just(Change::Out),
        Just(Change::Twice),
        Just(Change::Half),
        prop::sample::select(&TEXTS[..]).prop_map(Change::Other),
        prop::sample::select(&NAMES[..]).prop_map(Change::Named),
        any::<Index>().prop_map(Change::Copy),
    ]
}

fn damage() -> impl Strategy<Value = Damage> {
    let length = || prop_oneof![4 => 1..9_usize, 2 => 1..200_usize, 1 => 1..20_000_usize];
    prop_oneof![
        3 => (place(), 0..8_u8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        3 => (place(), any::<u8>()).prop_map(|(at, byte)| Damage::Set(at, byte)),
        2 => (place(), length()).prop_map(|(at, length)| Damage::Cut(at, length)),
        1 => place().prop_map(Damage::Truncate),
        2 => (place(), vec(any::<u8>(), 1..24)).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        2 => (place(), length()).prop_map(|(at, length)| Damage::Duplicate(at, length)),
        1 => (place(), 1..64_usize, 2..3000_usize).prop_map(|(at, l, n)| Damage::Repeat(at, l, n)),
        2 => (any::<Index>(), place(), place(), length())
            .prop_map(|(other, from, to, length)| Damage::Splice(other, from, to, length)),
        4 => (place(), prop_oneof![Just(1_usize), Just(2), Just(4), Just(8)], prop::sample::select(&NUMBERS[..]), any::<bool>())
            .prop_map(|(at, width, value, is_big)| Damage::Length(at, width, value, is_big)),
        3 => (place(), prop::sample::select(&TEXTS[..])).prop_map(|(at, text)| Damage::Number(at, text)),
        2 => (place(), prop::sample::select(&NAMES[..])).prop_map(|(at, text)| Damage::Text(at, text)),
        12 => (place(), any::<Index>(), change()).prop_map(|(at, node, change)| Damage::Json(at, node, change)),
    ]
}

/// Which file is damaged, how, and whether its lengths and checksums are made good afterwards.
pub(super) fn damages() -> impl Strategy<Value = (Index, Vec<Damage>, bool)> {
    let some = prop_oneof![3 => vec(damage(), 1..2), 2 => vec(damage(), 2..6)];
    (any::<Index>(), some, prop::bool::weighted(0.7))
}

/// Longest file that damages make.
const LONGEST: usize = 8 << 20;

impl Damage {
    /// Damages `bytes`; `others` are all files, of which bytes may be taken.
    pub(super) fn apply(&self, bytes: &mut Vec<u8>, others: &[Vec<u8>]) {
        let length = bytes.len();
        let span = |place: &Place, wanted: usize| {
            let at = place.of(length);
            at..(at + wanted).min(length)
        };
        match self {
            Self::Flip(at, bit) => {
                if let Some(byte) = bytes.get_mut(at.of(length)) {
                    *byte ^= 1 << bit;
                }
            }
            Self::Set(at, value) => {
                if let Some(byte) = bytes.get_mut(at.of(length)) {
                    *byte = *value;
                }
            }
            Self::Cut(at, wanted) => drop(bytes.drain(span(at, *wanted))),
            Self::Truncate(at) => bytes.truncate(at.of(length)),
            Self::Insert(at, new) => put(bytes, at.of(length), 0, new),
            Self::Duplicate(at, wanted) => {
                let span = span(at, *wanted);
                let copy = bytes[span.clone()].to_vec();
                put(bytes, span.end, 0, &copy);
            }
            Self::Repeat(at, wanted, times) => {
                let span = span(at, *wanted);
                let copy = bytes[span.clone()].repeat(*times);
                if length + copy.len() <= LONGEST {
                    put(bytes, span.end, 0, &copy);
                }
            }
            Self::Splice(other, from, to, wanted) => {
                let other = other.get(others);
                let from = from.of(other.len());
                let part = &other[from..(from + wanted).min(other.len())];
                put(bytes, to.of(length), part.len(), part);
            }
            Self::Length(at, width, value, is_big) => {
                let number = match is_big {
                    true => value.to_be_bytes()[8 - width..].to_vec(),
                    false => value.to_le_bytes()[..*width].to_vec(),
                };
                put(bytes, at.of(length), *width, &number);
            }
            Self::Number(at, text) => {
                let at = at.of(length);
                let is_number = |byte: &u8| byte.is_ascii_digit() || *byte == b'-' || *byte == b'.';
                if let Some(from) = bytes[at..].iter().position(u8::is_ascii_digit) {
                    let from = at + from;
                    let digits = bytes[from..]
                        .iter()
                        .take_while(|byte| is_number(byte))
                        .count();
                    put(bytes, from, digits, text.as_bytes());
                }
            }
            Self::Text(at, text) => {
                let at = at.of(length);
                let quote =
                    |from: usize| Some(from + bytes.get(from..)?.iter().position(|b| *b == b'"')?);
                if let Some(first) = quote(at)
                    && let Some(last) = quote(first + 1)
                {
                    put(bytes, first + 1, last - first - 1, text.as_bytes());
                }
            }
            Self::Json(at, node, change) => {
                let line = bytes[..at.of(length)]
                    .iter()
                    .rposition(|byte| *byte == b'\n');
                let line = line.map_or(0, |line| line + 1);
                let Some(from) = bytes[line..].iter().position(|byte| *byte == b'{') else {
                    return;
                };
                let from = line + from;
                let mut values = serde_json::Deserializer::from_slice(&bytes[from..]).into_iter();
                if let Some(Ok(mut value)) = values.next() {
                    let old = values.byte_offset();
                    changed(&mut value, node, change);
                    put(bytes, from, old, value.to_string().as_bytes());
                }
            }
        }
    }
}

/// Changes one of the values within a value.
fn changed(value: &mut Value, node: &Index, change: &Change) {
    let count = count(value);
    let other = match change {
        Change::Copy(other) => nth(value, &mut other.index(count)).cloned(),
        Change::Named(text) => Some(Value::String((*text).to_owned())),
        Change::Other(text) => serde_json::from_str(text).ok(),
        Change::Out | Change::Twice | Change::Half => None,
    };
    let at = node.index(count);
    if let Change::Out | Change::Twice = change {
        within(value, &mut { at }, matches!(change, Change::Twice));
    } else if let Some(value) = nth(value, &mut { at }) {
        match (value, other) {
            (value, Some(other)) => *value = other,
            (Value::Array(list), None) => list.truncate(list.len() / 2),
            (Value::String(text), None) => *text = text.chars().take(text.len() / 2).collect(),
            (value, None) => *value = Value::Null,
        }
    }
}

/// Number of values in a value, itself included.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(list) => list.iter().map(count).sum(),
        Value::Object(map) => map.values().map(count).sum::<usize>(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// The value with this number within a value.
fn nth<'a>(value: &'a mut Value, at: &mut usize) -> Option<&'a mut Value> {
    if *at == 0 {
        return Some(value);
    }
    *at -= 1;
    match value {
        Value::Array(list) => list.iter_mut().find_map(|inner| nth(inner, at)),
        Value::Object(map) => map.values_mut().find_map(|inner| nth(inner, at)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

/// Leaves the value with this number out of its list or object, or puts it into its list twice.
fn within(value: &mut Value, at: &mut usize, twice: bool) -> bool {
    match value {
        Value::Array(list) => {
            for place in 0..list.len() {
                *at = at.wrapping_sub(1);
                if *at == 0 {
                    if twice {
                        list.insert(place, list[place].clone());
                    } else {
                        list.remove(place);
                    }
                    return true;
                }
                if within(&mut list[place], at, twice) {
                    return true;
                }
            }
        }
        Value::Object(map) => {
            let keys: Vec<String> = map.keys().cloned().collect();
            for key in keys {
                *at = at.wrapping_sub(1);
                if *at == 0 {
                    map.remove(&key);
                    return true;
                }
                if map
                    .get_mut(&key)
                    .is_some_and(|inner| within(inner, at, twice))
                {
                    return true;
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    false
}

/// Puts `new` in place of `old` bytes at a place.
fn put(bytes: &mut Vec<u8>, at: usize, old: usize, new: &[u8]) {
    let end = (at + old).min(bytes.len());
    bytes.splice(at.min(end)..end, new.iter().copied());
}
