//! One line of a log, as programs, editors and disks leave it: a mark at the beginning of the file, line ends of
//! Windows, blanks, and the tokens that Python writes for numbers that are not finite.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::error::Category;

use crate::run::event::{Event, NEWEST_FORMAT, Started};

/// What some editors put before the first character of a file in UTF-8 (a byte order mark).
const MARK: &[u8] = b"\xef\xbb\xbf";
/// The same in UTF-16, which is not read.
const MARKS_OF_UTF_16: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];
/// Tokens that stand for numbers that are not finite. JSON has none; these are what Python's `json` writes.
const NOT_FINITE: [&[u8]; 3] = [b"NaN", b"-Infinity", b"Infinity"];

/// The text of a line without what surrounds it: a mark before the first character of a file, blanks, the line's end.
pub(in crate::run) fn content(line: &[u8], is_first: bool) -> &[u8] {
    let line = match is_first {
        true => line.strip_prefix(MARK).unwrap_or(line),
        false => line,
    };
    line.trim_ascii()
}

/// Whether the text is a whole JSON object. A line that is still being written, or was cut short, never is: its last
/// brace is missing.
pub(in crate::run) fn is_whole(text: &[u8]) -> bool {
    text.ends_with(b"}") && serde_json::from_slice::<IgnoredAny>(&with_nulls(text)).is_ok()
}

/// Whether a text without a line's end holds more than one event, as where the lines end in a way that is not known.
pub(in crate::run) fn is_many(text: &[u8]) -> bool {
    let name = br#""event""#;
    text.windows(name.len()).filter(|part| part == name).count() > 1
}

/// The name of the event on a line of the log.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow, default)]
    event: Cow<'a, str>,
}

/// The event on one line of the log; `None` for an event that this version does not know, or a header of a newer
/// format. The error says what is wrong with the line, and with which of its fields.
///
/// The name of the event is read first and then the line as that event: deserialising the tagged `Event` would buffer
/// every number of the line in between, and a long log would take seconds.
pub(in crate::run) fn parse(line: &[u8]) -> Result<Option<Event>, String> {
    #[derive(Deserialize)]
    struct Resumed {
        step: u64,
    }
    let text = line.trim_ascii();
    let nulled;
    let head: Head<'_> = match serde_json::from_slice(text) {
        Ok(head) => head,
        Err(_) => {
            nulled = with_nulls(text);
            read(text, &nulled)?
        }
    };
    Ok(Some(match head.event.as_ref() {
        "started" if format_of(text).is_some_and(|format| format <= NEWEST_FORMAT) => {
            let started: Box<Started> = typed(text)?;
            match started.fault() {
                Some(fault) => return Err(fault.to_owned()),
                None => Event::Started(started),
            }
        }
        "step" => Event::Step(typed(text)?),
        "eval" => Event::Eval(typed(text)?),
        "probe" => Event::Probe(typed(text)?),
        "resumed" => {
            let Resumed { step } = typed(text)?;
            Event::Resumed { step }
        }
        "finished" => Event::Finished(typed(text)?),
        "stopped" => Event::Stopped(typed(text)?),
        "failed" => Event::Failed(typed(text)?),
        _ => return Ok(None),
    }))
}

/// The format that a header says it has; `None` where it says none.
pub(in crate::run) fn format_of(line: &[u8]) -> Option<u32> {
    #[derive(Deserialize)]
    struct Format {
        format: u32,
    }
    let format: Format = serde_json::from_slice(&with_nulls(line)).ok()?;
    Some(format.format)
}

/// A line as the value it should hold.
fn typed<T: DeserializeOwned>(text: &[u8]) -> Result<T, String> {
    serde_json::from_slice(text).or_else(|_| read(text, &with_nulls(text)))
}

/// Reads a value once more from a line in which nulls stand for numbers that are not finite. The error names the field.
fn read<'a, T: Deserialize<'a>>(text: &[u8], with_nulls: &'a [u8]) -> Result<T, String> {
    let mut reader = serde_json::Deserializer::from_slice(with_nulls);
    let error = match serde_path_to_error::deserialize(&mut reader) {
        Ok(value) => match reader.end() {
            Ok(()) => return Ok(value),
            Err(_) if is_many(with_nulls) => {
                return Err("holds more than one event; write each on a line of its own".to_owned());
            }
            Err(error) => return Err(fault(text, None, &error)),
        },
        Err(error) => error,
    };
    let path = error.path().to_string();
    let field = (error.path().iter().next().is_some()).then_some(path.as_str());
    Err(fault(text, field, error.inner()))
}

/// What is wrong with a line: with its bytes, its JSON, or a field.
fn fault(text: &[u8], field: Option<&str>, error: &serde_json::Error) -> String {
    if MARKS_OF_UTF_16.iter().any(|mark| text.starts_with(mark)) {
        return "is UTF-16; save the file as UTF-8".to_owned();
    }
    if let Some(at) = text.iter().position(|&byte| byte == 0) {
        return format!(
            "holds zero bytes from byte {} on, as a disk leaves that lost power",
            at + 1
        );
    }
    if let Err(error) = std::str::from_utf8(text) {
        return format!("is not UTF-8 at byte {}", error.valid_up_to() + 1);
    }
    let said = error.to_string();
    // The line is one of many: its number is not that of the parser.
    let said = said
        .rsplit_once(" at line ")
        .map_or(said.as_str(), |(said, _)| said);
    match (error.classify(), field) {
        (Category::Data, Some(field)) if is_no_number(said) => {
            format!("`{field}` must be a finite number")
        }
        (Category::Data, Some(field)) => format!("`{field}`: {said}"),
        (Category::Data, None) => said.to_owned(),
        (Category::Io | Category::Syntax | Category::Eof, _) => {
            format!("is not JSON at byte {}: {said}", error.column())
        }
    }
}

/// Whether the parser found a null, or a token that stands for it, in place of a number.
fn is_no_number(said: &str) -> bool {
    let types = ["f64", "f32", "u64", "u32", "u16", "usize"];
    let wanted = said.strip_prefix("invalid type: null, expected ");
    wanted.is_some_and(|wanted| types.contains(&wanted))
}

/// The text with `null` in place of every token, outside of quotes, for a number that is not finite.
fn with_nulls(text: &[u8]) -> Cow<'_, [u8]> {
    let mut with: Vec<u8> = Vec::new();
    let (mut done, mut at, mut is_quoted) = (0, 0, false);
    while let Some(&byte) = text.get(at) {
        match (byte, is_quoted) {
            (b'"', _) => is_quoted = !is_quoted,
            // The character after it does not end the quotation.
            (b'\\', true) => at += 1,
            (b'N' | b'-' | b'I', false) => {
                let rest = text.get(at..).unwrap_or_default();
                if let Some(token) = NOT_FINITE.iter().find(|token| rest.starts_with(token)) {
                    with.extend_from_slice(text.get(done..at).unwrap_or_default());
                    with.extend_from_slice(b"null");
                    at += token.len();
                    done = at;
                    continue;
                }
            }
            _ => {}
        }
        at += 1;
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    with.extend_from_slice(text.get(done..).unwrap_or_default());
    Cow::Owned(with)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::event::End;

    #[test]
    fn tokens_outside_of_quotes_become_nulls() {
        let with =
            |text: &str| String::from_utf8(with_nulls(text.as_bytes()).into_owned()).unwrap();
        assert_eq!(
            with(r#"{"a":NaN,"b":[-Infinity, Infinity,-1]}"#),
            r#"{"a":null,"b":[null, null,-1]}"#
        );
        let quoted = r#"{"NaN":"Infinity \" NaN \\","x":1}"#;
        assert_eq!(with(quoted), quoted);
        assert_eq!(with(r#"{"x":"\\","y":NaN}"#), r#"{"x":"\\","y":null}"#);
    }

    #[test]
    fn a_number_that_is_not_finite_is_undefined_where_it_may_be() {
        let line = r#"{"event":"step","step":3,"epoch":0.5,"images":9,"wall_secs":1.5,"loss":NaN,"lr":0.1,"grad_norms":[1.0,Infinity]}"#;
        let Ok(Some(Event::Step(step))) = parse(line.as_bytes()) else {
            panic!("no step");
        };
        assert_eq!((step.loss, step.grad_norms), (None, vec![Some(1.0), None]));
        for (from, to, wanted) in [
            (
                "\"lr\":0.1",
                "\"lr\":-Infinity",
                "`lr` must be a finite number",
            ),
            (
                "\"images\":9",
                "\"images\":NaN",
                "`images` must be a finite number",
            ),
            (
                "\"images\":9",
                "\"images\":\"9\"",
                "`images`: invalid type: string",
            ),
            (
                ":[1.0,",
                ":[1.0,\"x\",",
                "`grad_norms[1]`: invalid type: string",
            ),
            ("\"lr\":0.1", "\"lr\":null", "`lr` must be a finite number"),
            ("\"lr\":0.1,", "", "missing field `lr`"),
            ("\"lr\":0.1", "\"lr\":", "is not JSON at byte"),
            (
                "\"lr\":0.1",
                "\"lr\":\u{0}",
                "holds zero bytes from byte 81 on",
            ),
        ] {
            let error = parse(line.replace(from, to).as_bytes()).unwrap_err();
            assert!(error.contains(wanted), "{error}");
            assert!(!error.contains("at line"), "{error}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_named() {
        let error = parse(b"{\"event\":\"finished\",\"step\":7,\"message\":\"\xff\"}").unwrap_err();
        assert_eq!(error, "is not UTF-8 at byte 41");
        let utf_16: Vec<u8> = "\u{feff}{}"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(
            parse(&utf_16).unwrap_err(),
            "is UTF-16; save the file as UTF-8"
        );
        let two = br#"{"event":"resumed","step":1}{"event":"resumed","step":2}"#;
        assert!(parse(two).unwrap_err().contains("more than one event"));
    }

    /// No part of a line that a reader may find while it is being written is taken for the whole line.
    #[test]
    fn no_beginning_of_a_line_is_whole() {
        let event = Event::Finished(End {
            step: 7,
            message: "braces } and \"}\" in a text".to_owned(),
        });
        let line = serde_json::to_vec(&event).unwrap();
        assert!(is_whole(&line));
        for length in 0..line.len() {
            assert!(!is_whole(&line[..length]), "{length}");
        }
        assert!(is_whole(br#"{"loss":NaN}"#) && !is_whole(br#"{"loss":NaN"#));
        assert!(!is_whole(b"12") && !is_whole(b"\0\0"));
    }
}
