//! The numbers of a figure, as a table.

/// A table with a name for every column.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Names of the columns, with their unit where there is one, such as `wall_secs`.
    pub columns: Vec<String>,
    /// Rows, each as long as `columns`.
    pub rows: Vec<Vec<Value>>,
}

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
