//! Numbers, colours and text as SVG writes them.

use egui::{Color32, Pos2, Rect, Stroke};

/// A number with at most two decimals: a hundredth of a point is 3 µm.
pub(super) fn number(value: f32) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" {
        "0".to_owned()
    } else {
        text.to_owned()
    }
}

pub(super) fn pair(point: Pos2) -> String {
    format!("{},{}", number(point.x), number(point.y))
}

pub(super) fn place(rect: Rect) -> String {
    format!(
        "x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"",
        number(rect.left()),
        number(rect.top()),
        number(rect.width().max(0.0)),
        number(rect.height().max(0.0))
    )
}

pub(super) fn rect_path(rect: Rect) -> String {
    let (x, y) = (number(rect.left()), number(rect.top()));
    let (right, bottom) = (number(rect.right()), number(rect.bottom()));
    format!("M{x} {y}H{right}V{bottom}H{x}Z")
}

pub(super) fn polygon_path([a, b, c]: [Pos2; 3]) -> String {
    format!("M{}L{}L{}Z", pair(a), pair(b), pair(c))
}

pub(super) fn rotation(radians: f32, around: Pos2) -> String {
    if radians == 0.0 {
        return String::new();
    }
    let degrees = radians.to_degrees();
    format!(
        " transform=\"rotate({degrees:.3} {} {})\"",
        number(around.x),
        number(around.y)
    )
}

/// `#rrggbb`, and the opacity where it is not 1.
pub(super) fn hex(color: Color32) -> (String, Option<String>) {
    let [r, g, b, a] = color.to_srgba_unmultiplied();
    let opacity = (a < 255).then(|| format!("{:.3}", f32::from(a) / 255.0));
    (format!("#{r:02x}{g:02x}{b:02x}"), opacity)
}

pub(super) fn fill(color: Color32) -> String {
    if color == Color32::TRANSPARENT {
        return " fill=\"none\"".to_owned();
    }
    let (color, opacity) = hex(color);
    let opacity = opacity.map_or_else(String::new, |x| format!(" fill-opacity=\"{x}\""));
    format!(" fill=\"{color}\"{opacity}")
}

pub(super) fn stroke(stroke: Stroke) -> String {
    if stroke.is_empty() {
        return String::new();
    }
    let (color, opacity) = hex(stroke.color);
    let opacity = opacity.map_or_else(String::new, |x| format!(" stroke-opacity=\"{x}\""));
    format!(
        " stroke=\"{color}\"{opacity} stroke-width=\"{}\"",
        number(stroke.width)
    )
}

/// Text escaped for XML. Characters that XML 1.0 cannot hold become the replacement character.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\t' | '\n' | '\r' => escaped.push(' '),
            '\0'..' ' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

pub(super) fn base64(bytes: &[u8]) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word = (0..3).fold(0_u32, |word, i| {
            word << 8 | u32::from(*chunk.get(i).unwrap_or(&0))
        });
        for i in 0..4 {
            let sign = SIGNS[(word >> (18 - 6 * i)) as usize & 63];
            text.push(if i <= chunk.len() {
                char::from(sign)
            } else {
                '='
            });
        }
    }
    text
}
