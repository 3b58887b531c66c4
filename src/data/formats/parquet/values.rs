//! The values of a column in a row group.

use std::collections::HashMap;

use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType};
use parquet::errors::ParquetError;

use super::super::names::class_name;

/// The classes that labels are looked up in.
pub(super) struct Classes {
    count: usize,
    /// Numbers by name; of equal names the first.
    by_name: HashMap<String, usize>,
}

impl Classes {
    pub(super) fn new(names: &[String]) -> Self {
        let numbered = names.iter().enumerate().rev();
        Self {
            count: names.len(),
            by_name: numbered.map(|(k, name)| (class_name(name), k)).collect(),
        }
    }
}

/// Rows that are read in one go.
const ROWS: usize = 1024;

/// The label of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Label {
    /// The number of a class.
    Number(i64),
    /// The name of a class.
    Text(String),
}

impl Label {
    pub(super) fn number(&self) -> Option<i64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(_) => None,
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Number(_) => None,
            Self::Text(text) => Some(text),
        }
    }

    /// The number of the class; else what is wrong with the label.
    pub(super) fn class(&self, classes: &Classes) -> Result<usize, String> {
        match self {
            Self::Number(number) => match usize::try_from(*number) {
                Err(_) => Err(format!("has the label {number}")),
                Ok(class) if class < classes.count => Ok(class),
                Ok(class) => Err(format!(
                    "has the label {class}, and {} classes are named",
                    classes.count
                )),
            },
            Self::Text(text) => {
                let class = classes.by_name.get(&class_name(text)).copied();
                class.ok_or_else(|| {
                    format!("has the label `{text}`, which is none of the named classes")
                })
            }
        }
    }
}

/// Labels of a column; none for a type that no label has.
pub(super) fn labels(
    reader: ColumnReader,
    most: i16,
) -> Result<Option<Vec<Option<Label>>>, ParquetError> {
    fn made<T>(values: Vec<Option<T>>, make: impl Fn(T) -> Label) -> Vec<Option<Label>> {
        values.into_iter().map(|value| value.map(&make)).collect()
    }
    Ok(Some(match reader {
        ColumnReader::Int64ColumnReader(reader) => made(values(reader, most)?, Label::Number),
        ColumnReader::Int32ColumnReader(reader) => {
            made(values(reader, most)?, |x| Label::Number(x.into()))
        }
        ColumnReader::BoolColumnReader(reader) => {
            made(values(reader, most)?, |x: bool| Label::Text(x.to_string()))
        }
        ColumnReader::ByteArrayColumnReader(reader) => {
            let text = |bytes: ByteArray| String::from_utf8_lossy(bytes.data()).into_owned();
            let texts = values(reader, most)?.into_iter();
            texts
                .map(|bytes| {
                    bytes
                        .map(text)
                        .filter(|text| !text.is_empty())
                        .map(Label::Text)
                })
                .collect()
        }
        ColumnReader::Int96ColumnReader(_)
        | ColumnReader::FloatColumnReader(_)
        | ColumnReader::DoubleColumnReader(_)
        | ColumnReader::FixedLenByteArrayColumnReader(_) => return Ok(None),
    }))
}

/// Bytes of a column of byte strings; none for another type.
pub(super) fn bytes(
    reader: ColumnReader,
    most: i16,
) -> Result<Option<Vec<Option<Vec<u8>>>>, ParquetError> {
    let ColumnReader::ByteArrayColumnReader(reader) = reader else {
        return Ok(None);
    };
    let values = values(reader, most)?.into_iter();
    Ok(Some(
        values
            .map(|value| value.map(|bytes| bytes.data().to_vec()))
            .collect(),
    ))
}

/// All values of a column in a row group; a null value is none.
fn values<T: DataType>(
    mut reader: ColumnReaderImpl<T>,
    most: i16,
) -> Result<Vec<Option<T::T>>, ParquetError> {
    let (mut all, mut levels, mut read) = (Vec::new(), Vec::new(), Vec::new());
    loop {
        levels.clear();
        read.clear();
        let (rows, _, _) = reader.read_records(ROWS, Some(&mut levels), None, &mut read)?;
        if rows == 0 {
            return Ok(all);
        }
        let mut present = read.drain(..);
        all.extend((0..rows).map(|row| {
            let is_there = levels.get(row).is_none_or(|&level| level == most);
            if is_there { present.next() } else { None }
        }));
    }
}
