//! One parquet file: its rows of image and label.

use std::fs::File;
use std::path::{Path, PathBuf};

use parquet::column::reader::ColumnReader;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use serde_json::Value;

use super::super::super::error::DataError;
use super::super::item::{Image, problem};
use super::columns::{Columns, columns};
use super::values::{Label, bytes, labels};
use crate::config::RunConfig;
use crate::text::one_line;

/// One file, and which of its columns hold images and labels.
pub(super) struct Shard {
    pub(super) path: PathBuf,
    reader: SerializedFileReader<File>,
    columns: Columns,
    /// Class names; empty where the metadata has none.
    pub(super) names: Vec<String>,
    /// Sentences about what was chosen.
    pub(super) notes: Vec<String>,
}

/// A row of a shard.
pub(super) struct Row {
    pub(super) label: Option<Label>,
    /// The image; none where there is none, or only labels were asked for.
    pub(super) image: Option<Image>,
}

impl Shard {
    pub(super) fn open(path: &Path, config: &RunConfig) -> Result<Self, DataError> {
        let file = File::open(path).map_err(|error| DataError::Io {
            path: path.to_owned(),
            error,
        })?;
        let reader = SerializedFileReader::new(file).map_err(|error| damaged(path, &error))?;
        let metadata = reader.metadata().file_metadata();
        let features = metadata.key_value_metadata().and_then(|pairs| {
            let pair = pairs.iter().find(|pair| pair.key == "huggingface")?;
            let value: Value = serde_json::from_str(pair.value.as_deref()?).ok()?;
            Some(value["info"]["features"].clone())
        });
        let features = features.unwrap_or_default();
        let asked = (
            config.image_column.as_deref(),
            config.label_column.as_deref(),
        );
        let mut columns = columns(metadata.schema_descr(), &features, asked)
            .map_err(|reason| problem(path, reason))?;
        let names = names(&features[&columns.label_name]["names"]);
        Ok(Self {
            path: path.to_owned(),
            notes: std::mem::take(&mut columns.notes),
            reader,
            columns,
            names,
        })
    }

    /// All rows, with the images only where they are wanted.
    pub(super) fn rows(&self, with_images: bool) -> Result<Vec<Row>, DataError> {
        let (mut rows, mut path, mut has_images) = (Vec::new(), None, false);
        for group in 0..self.reader.num_row_groups() {
            let labels = self
                .read(group, self.columns.label, labels)?
                .unwrap_or_default();
            let images = match with_images {
                true => self
                    .read(group, self.columns.image, bytes)?
                    .unwrap_or_default(),
                false => Vec::new(),
            };
            has_images |= images.iter().any(Option::is_some);
            if with_images && !has_images && path.is_none() {
                path = self.first_path(group)?;
            }
            let mut images = images.into_iter();
            rows.extend(labels.into_iter().map(|label| Row {
                label,
                image: images.next().flatten().map(Image::Encoded),
            }));
        }
        match path {
            Some(path) if !has_images => Err(problem(
                &self.path,
                format!(
                    "it holds only the paths of its images (such as `{path}`), not the images; get a version of the data set \
                     with the images in it"
                ),
            )),
            _ => Ok(rows),
        }
    }

    /// The first path in the column of paths of images.
    fn first_path(&self, group: usize) -> Result<Option<String>, DataError> {
        let Some(column) = self.columns.path else {
            return Ok(None);
        };
        let paths = self.read(group, column, bytes)?.unwrap_or_default();
        Ok(paths
            .into_iter()
            .flatten()
            .next()
            .map(|path| String::from_utf8_lossy(&path).into_owned()))
    }

    /// The values of a column in a row group, which `values` takes from its reader.
    fn read<T>(
        &self,
        group: usize,
        column: usize,
        values: impl Fn(ColumnReader, i16) -> Result<T, ParquetError>,
    ) -> Result<T, DataError> {
        // The definition level of a null value is lower than this one.
        let schema = self.reader.metadata().file_metadata().schema_descr();
        let most = schema.column(column).max_def_level();
        let group = self.reader.get_row_group(group);
        let reader = group.and_then(|group| group.get_column_reader(column));
        reader
            .and_then(|reader| values(reader, most))
            .map_err(|error| damaged(&self.path, &error))
    }
}

/// Class names of a feature: a list, or an object with the names by number.
fn names(names: &Value) -> Vec<String> {
    let text = |name: &Value| {
        name.as_str()
            .map_or_else(|| name.to_string(), str::to_owned)
    };
    if let Some(names) = names.as_array() {
        return names.iter().map(text).collect();
    }
    let Some(names) = names.as_object() else {
        return Vec::new();
    };
    let by_number = (0..names.len()).map(|number| names.get(&number.to_string()).map(text));
    by_number.collect::<Option<_>>().unwrap_or_default()
}

fn damaged(path: &Path, error: &ParquetError) -> DataError {
    problem(path, reason(&error.to_string()))
}

/// What an error of the parquet library means, and what to do.
pub(super) fn reason(error: &str) -> String {
    let error = one_line(error);
    let codec = error.split("at compile time: ").nth(1).or_else(|| {
        let rest = error.split("codec type ").nth(1)?;
        rest.split(' ').next()
    });
    match codec {
        Some(codec) => format!(
            "it is compressed with {codec}, which this program cannot unpack; write it anew with Zstandard or Snappy"
        ),
        None => format!("it cannot be read ({error}); get it again"),
    }
}
