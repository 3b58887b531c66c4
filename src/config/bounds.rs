//! The numbers that a field may hold, and the sentences about them.

use std::fmt;

/// The numbers that a field may hold. Infinity and NaN are outside all variants except [`Bounds::Any`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bounds {
    /// Any value.
    Any,
    /// From the first number to the second, both included.
    Between(f64, f64),
    /// From the first number, included, to the second, excluded.
    Below(f64, f64),
    /// Any finite number from this one on.
    AtLeast(f64),
    /// Any finite number above 0.
    Positive,
    /// Only these numbers, each with its meaning.
    OneOf(&'static [(f64, &'static str)]),
}

impl Bounds {
    /// Whether a field may hold `number`.
    pub fn hold(self, number: f64) -> bool {
        match self {
            Self::Any => true,
            Self::Between(low, high) => (low..=high).contains(&number),
            Self::Below(low, high) => (low..high).contains(&number),
            Self::AtLeast(low) => number.is_finite() && number >= low,
            Self::Positive => number.is_finite() && number > 0.0,
            Self::OneOf(numbers) => numbers.iter().any(|(one, _)| number.total_cmp(one).is_eq()),
        }
    }

    /// The text after "must be", without the unit. `low_means` explains the lowest number; it may be empty.
    pub(super) fn demand(self, low_means: &str) -> String {
        let note = match low_means {
            "" => String::new(),
            meaning => format!(" ({meaning})"),
        };
        match self {
            Self::Any => "a number".to_owned(),
            Self::Between(low, high) => format!("between {low}{note} and {high}"),
            Self::Below(low, high) => format!("at least {low}{note} and below {high}"),
            Self::AtLeast(low) => format!("at least {low}{note}"),
            Self::Positive => "a positive number".to_owned(),
            Self::OneOf(numbers) => joined(numbers, " or "),
        }
    }

    /// The last number of [`Self::demand`], which the unit follows.
    pub(super) fn last(self) -> f64 {
        match self {
            Self::Between(_, high) | Self::Below(_, high) => high,
            Self::AtLeast(low) => low,
            Self::Any | Self::Positive | Self::OneOf(_) => f64::NAN,
        }
    }
}

/// The range in words, without the unit: `1 to 100000`; empty for [`Bounds::Any`].
impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => Ok(()),
            Self::Between(low, high) => write!(f, "{low} to {high}"),
            Self::Below(low, high) => write!(f, "{low} to below {high}"),
            Self::AtLeast(low) => write!(f, "{low} or more"),
            Self::Positive => f.write_str("above 0"),
            Self::OneOf(numbers) => f.write_str(&joined(numbers, " or ")),
        }
    }
}

fn joined(numbers: &[(f64, &str)], between: &str) -> String {
    let each = numbers
        .iter()
        .map(|(number, meaning)| format!("{number} ({meaning})"));
    each.collect::<Vec<_>>().join(between)
}

/// The unit of a field's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A number without a unit, or a value that is not a number.
    Plain,
    /// A count of things, named in the plural: `images`.
    Of(&'static str),
    /// A share, from 0 to 1, of these things.
    ShareOf(&'static str),
}

impl Unit {
    /// The text that follows `number` in a sentence: ` images`, ` step` after a 1, `, the share of the epochs`.
    pub(super) fn after(self, number: f64) -> String {
        match self {
            Self::Plain => String::new(),
            Self::Of(things) if number.total_cmp(&1.0).is_eq() => {
                format!(" {}", things.strip_suffix('s').unwrap_or(things))
            }
            Self::Of(things) => format!(" {things}"),
            Self::ShareOf(whole) => format!(", the share of {whole}"),
        }
    }
}

/// The unit as the heading of a column: `images`, `share of the epochs`.
impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain => Ok(()),
            Self::Of(things) => f.write_str(things),
            Self::ShareOf(whole) => write!(f, "share of {whole}"),
        }
    }
}
