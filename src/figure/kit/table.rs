//! The numbers of a figure, as a table.

use crate::text::is_formula;

/// A table with a name for every column.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Names of the columns, with their unit where there is one, such as `wall_secs`.
    pub columns: Vec<String>,
    /// Rows, each as long as `columns`.
    pub rows: Vec<Vec<Value>>,
}

impl Table {
    /// An empty table with these columns.
    pub fn new<const N: usize>(columns: [&str; N]) -> Self {
        Self {
            columns: columns.map(str::to_owned).to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    pub fn push<const N: usize>(&mut self, row: [Value; N]) {
        debug_assert_eq!(row.len(), self.columns.len());
        self.rows.push(row.to_vec());
    }

    /// Adds a column with the same word in every row.
    pub(in crate::figure) fn say_of_all(&mut self, column: &str, word: &str) {
        self.columns.push(column.to_owned());
        self.rows.iter_mut().for_each(|row| row.push(word.into()));
    }

    /// The table as CSV (RFC 4180, but lines end in a line feed alone): a header, then a line for every row. Numbers
    /// are written with as many digits as it takes to read the same number back; an undefined one is an empty cell.
    pub fn to_csv(&self) -> String {
        self.written(',', quoted)
    }

    /// The table with tabs between the cells, as spreadsheets take it from the clipboard. A name that a spreadsheet would
    /// compute as a formula, such as a class called `=1+1`, is marked as text in its way, by an apostrophe before it. In
    /// [`Self::to_csv`] names stay as they are: other programs would read the mark as a part of them.
    pub fn to_tabs(&self) -> String {
        self.written('\t', pasted)
    }

    fn written(&self, separator: char, word: impl Fn(&str) -> String) -> String {
        let cell = |value: &Value| match value {
            Value::None => String::new(),
            Value::Text(text) => word(text),
            Value::Number(number) if number.is_finite() => number_text(*number),
            // NumPy and pandas write and read this text.
            Value::Number(number) if number.is_nan() => "nan".to_owned(),
            Value::Number(number) => if *number > 0.0 { "inf" } else { "-inf" }.to_owned(),
        };
        let mut text = String::new();
        let mut line = |cells: Vec<String>| {
            let mut cells = cells.into_iter();
            text.extend(cells.next());
            for cell in cells {
                text.push(separator);
                text.push_str(&cell);
            }
            text.push('\n');
        };
        line(self.columns.iter().map(|name| word(name)).collect());
        for row in &self.rows {
            line(row.iter().map(cell).collect());
        }
        text
    }
}

/// The shortest text that reads back as the same number: whole ones without a point, tiny and huge ones with exponents.
fn number_text(number: f64) -> String {
    let plain = format!("{number}");
    let exponential = format!("{number:e}");
    if plain.len() <= exponential.len() + 4 {
        plain
    } else {
        exponential
    }
}

/// A cell for the clipboard.
fn pasted(text: &str) -> String {
    let text = text.replace(['\t', '\n', '\r'], " ");
    if is_formula(&text) {
        format!("'{text}")
    } else {
        text
    }
}

/// A cell of a CSV file, in quotes where the format asks for them.
fn quoted(text: &str) -> String {
    let is_special = |c: char| matches!(c, ',' | '"' | '\n' | '\r');
    if text.contains(is_special) || text.trim() != text {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// Up to here, `f64` holds every whole number.
const LARGEST_WHOLE: u64 = 1_u64 << f64::MANTISSA_DIGITS;

/// One cell of a table.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Undefined, or not known: an empty cell.
    None,
    /// Words.
    Text(String),
    /// A number.
    Number(f64),
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<u64> for Value {
    /// A whole number that `f64` may not hold, such as some seeds, is written out, so that no digit of it is rounded.
    fn from(value: u64) -> Self {
        if value <= LARGEST_WHOLE {
            Self::Number(value as f64)
        } else {
            Self::Text(value.to_string())
        }
    }
}

impl From<usize> for Value {
    fn from(value: usize) -> Self {
        Self::Number(value as f64)
    }
}

impl From<bool> for Value {
    /// 1 for yes, 0 for no.
    fn from(value: bool) -> Self {
        Self::Number(f64::from(u8::from(value)))
    }
}

impl From<Option<f64>> for Value {
    fn from(value: Option<f64>) -> Self {
        value.map_or(Self::None, Self::Number)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

#[cfg(test)]
mod tests;
