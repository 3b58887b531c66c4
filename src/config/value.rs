//! The types of fields: how each is read from text, written as text, and entered on screen.

/// One of the values that a field can take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The name on the command line, in TOML and in the log.
    pub name: &'static str,
    /// The name on screen.
    pub label: &'static str,
    /// The meaning, a sentence without its full stop.
    pub help: &'static str,
}

/// How a value is entered on the command line and on screen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// A real number.
    Number,
    /// A whole number, 0 or more.
    Whole,
    /// `true` or `false`.
    Flag,
    /// One of a few values, each with a name.
    Choice(&'static [Choice]),
    /// Width × height in pixels.
    Size,
    /// The source of images.
    Source,
    /// The folders of the splits.
    Splits,
    /// Shares from 0 to 1, with commas between them.
    Shares,
    /// How frequent the classes are.
    Prior,
    /// Whole numbers, with commas between them.
    Wholes,
    /// The name of something in the data, such as a column.
    Name,
}

/// A type that a field can have. `parse(print(x))` is `x`.
pub(super) trait FieldValue: Sized {
    /// How a value is entered.
    const KIND: Kind;
    /// Whether the program can choose the value.
    const IS_OPTIONAL: bool = false;

    /// Reads a value.
    ///
    /// # Errors
    /// A sentence about what should be written instead.
    fn parse(text: &str) -> Result<Self, String>;

    /// The value as it is written on the command line; empty where the program chooses it.
    fn print(&self) -> String;

    /// Whether files leave the value out: the program chooses it, or it is what all networks had before there was the
    /// field.
    fn is_left_out(&self) -> bool {
        false
    }

    /// The numbers to which bounds apply.
    fn numbers(&self) -> Vec<f64> {
        Vec::new()
    }

    /// A fault of the value other than being out of bounds; `None` for a sound value.
    fn fault(&self) -> Option<&'static str> {
        None
    }
}

macro_rules! whole_numbers {
    ($($type:ty),+) => { $(
        impl FieldValue for $type {
            const KIND: Kind = Kind::Whole;

            fn parse(text: &str) -> Result<Self, String> {
                text.parse()
                    .map_err(|_| "write a whole number, such as 10".to_owned())
            }

            fn print(&self) -> String {
                self.to_string()
            }

            fn numbers(&self) -> Vec<f64> {
                vec![*self as f64]
            }
        }
    )+ };
}
whole_numbers!(u32, u64, usize);

impl FieldValue for f64 {
    const KIND: Kind = Kind::Number;

    fn parse(text: &str) -> Result<Self, String> {
        text.parse()
            .map_err(|_| "write a number, such as 0.1".to_owned())
    }

    /// The shortest text that is read as the same number, as in the log; whole numbers have no decimal point.
    fn print(&self) -> String {
        match serde_json::to_string(self) {
            Ok(text) if self.is_finite() => {
                let whole = text.strip_suffix(".0").map(str::to_owned);
                whole.unwrap_or(text)
            }
            _ => self.to_string(),
        }
    }

    fn numbers(&self) -> Vec<f64> {
        vec![*self]
    }
}

impl FieldValue for String {
    const KIND: Kind = Kind::Name;

    fn parse(text: &str) -> Result<Self, String> {
        Ok(text.to_owned())
    }

    fn print(&self) -> String {
        self.clone()
    }
}

impl FieldValue for bool {
    const KIND: Kind = Kind::Flag;

    fn parse(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| "write true or false".to_owned())
    }

    fn print(&self) -> String {
        self.to_string()
    }
}

/// `None` is written as the empty text: the program chooses the value.
impl<T: FieldValue> FieldValue for Option<T> {
    const KIND: Kind = T::KIND;
    const IS_OPTIONAL: bool = true;

    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(None);
        }
        T::parse(text).map(Some)
    }

    fn print(&self) -> String {
        self.as_ref().map(T::print).unwrap_or_default()
    }

    fn is_left_out(&self) -> bool {
        self.is_none()
    }

    fn numbers(&self) -> Vec<f64> {
        self.as_ref().map(T::numbers).unwrap_or_default()
    }

    fn fault(&self) -> Option<&'static str> {
        self.as_ref().and_then(T::fault)
    }
}

/// A documentation comment of one sentence as text on screen: without the space before it and the full stop after it.
pub(super) const fn sentence(comment: &'static str) -> &'static str {
    let text = comment.trim_ascii();
    match text.as_bytes() {
        [.., b'.'] => text.split_at(text.len() - 1).0,
        _ => text,
    }
}

/// Serialises through `Display` and `FromStr`, so that TOML, JSON and the command line share one spelling.
macro_rules! text_serde {
    ($type:ty) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <String as serde::Deserialize>::deserialize(deserializer)?
                    .parse()
                    .map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(super) use text_serde;
