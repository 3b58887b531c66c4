//! Numbers as text: with a minus sign (U+2212), in as many figures as are meaningful.

/// A number in three figures, with its power of ten where it is far from 1, and a minus sign (U+2212): 0.0654, −12.3,
/// 4.56·10⁻⁷.
pub(in crate::figure) fn three_figures(value: f64) -> String {
    // Rounded first: 9.996 is 10.0.
    let rounded = format!("{value:.2e}");
    let parts = rounded.split_once('e');
    let Some((digits, power)) = parts.and_then(|(x, power)| Some((x, power.parse::<i32>().ok()?)))
    else {
        return rounded;
    };
    let text = match power {
        _ if value == 0.0 => "0".to_owned(),
        -3..=3 => format!("{value:.*}", (2 - power).max(0) as usize),
        _ => format!("{digits}·{}", power_of_ten(f64::from(power))),
    };
    text.replace('-', "−")
}

/// 10ⁿ with n in superscript figures.
pub(in crate::figure) fn power_of_ten(exponent: f64) -> String {
    let superscript = |c: char| match c {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        digit => char::from_u32(u32::from('⁰') + digit.to_digit(10).unwrap_or(0)).unwrap_or(digit),
    };
    let exponent = format!("{exponent:.0}");
    format!(
        "10{}",
        exponent.chars().map(superscript).collect::<String>()
    )
}

/// Two decimals, with a minus sign (U+2212) for negative values; a value that rounds to 0 has no sign.
pub(in crate::figure) fn signed(value: f64) -> String {
    let text = format!("{:.2}", value.abs());
    match text.as_str() {
        "0.00" => text,
        _ if value < 0.0 => format!("−{text}"),
        _ => text,
    }
}

/// Two decimals, rounded half away from 0, with a minus sign (U+2212) for negative values.
pub(in crate::figure) fn decimal(value: f64) -> String {
    format!("{:.2}", (value * 100.0).round() / 100.0 + 0.0).replace('-', "−")
}

/// The least of 1, 2 and 5 times a power of ten at or above `value`, which makes a short end of a scale; 0 for 0, and
/// `None` for a negative value or NaN.
pub(in crate::figure) fn round_up(value: f64) -> Option<f64> {
    let power = 10_f64.powf(value.log10().floor());
    let ends = [1.0, 2.0, 5.0, 10.0].map(|x| x * power);
    ends.into_iter().find(|end| *end >= value)
}

#[cfg(test)]
mod tests;
