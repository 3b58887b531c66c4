//! Image data sets of Hugging Face: parquet shards with a column of encoded images and a column of class numbers. The
//! metadata of the schema holds the class names.

use std::fs::File;
use std::path::{Path, PathBuf};

use parquet::basic::Type;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::schema::types::SchemaDescriptor;
use rayon::prelude::*;
use serde_json::Value;

use super::super::error::DataError;
use super::format::{Content, Format};
use super::item::{Image, Item, Items, name, problem};
use super::listing::{children, split_named};

/// Parquet shards of Hugging Face.
pub(super) const FORMAT: Format = Format {
    name: "Hugging Face parquet",
    recognises: |root| !shards(root).is_empty(),
    content: Content::Packed(read),
};

/// Rows that are read in one go.
const ROWS: usize = 1024;
/// Names that a column of labels may have where the metadata does not say which it is, the likeliest first.
const LABELS: [&str; 5] = ["label", "labels", "fine_label", "class", "target"];

/// Shards in a folder or its sub-folders with their splits, sorted by path. Shards of other splits are left out.
fn shards(root: &Path) -> Vec<(PathBuf, usize)> {
    let mut found = Vec::new();
    for path in children(root).unwrap_or_default() {
        let inside = if path.is_dir() {
            children(&path).unwrap_or_default()
        } else {
            vec![path]
        };
        found.extend(
            inside
                .into_iter()
                .filter(|path| path.extension().is_some_and(|end| end == "parquet")),
        );
    }
    let splits: Vec<Option<usize>> = found.iter().map(|path| split_of(path)).collect();
    // Where no name says a split, all shards are for training.
    let unsaid = splits.iter().all(Option::is_none);
    let shards = found.into_iter().zip(splits);
    shards
        .filter_map(|(path, split)| Some((path, if unsaid { 0 } else { split? })))
        .collect()
}

/// The split that the name of a shard (`train-00000-of-00002.parquet`) or of its folder begins with.
fn split_of(path: &Path) -> Option<usize> {
    let words = [path.file_stem(), path.parent().and_then(Path::file_name)];
    words.into_iter().flatten().find_map(|word| {
        let word = word.to_string_lossy();
        let first = word.split(['-', '_', '.']).next().unwrap_or_default();
        split_named(first)
    })
}

fn read(root: &Path, with_images: bool) -> Result<(Vec<String>, Items), DataError> {
    let shards = shards(root);
    let read = |(path, split): &(PathBuf, usize)| {
        let shard = Shard::open(path)?;
        Ok((*split, shard.items(root, with_images)?, shard.names))
    };
    let read: Vec<(usize, Vec<Item>, Vec<String>)> =
        shards.par_iter().map(read).collect::<Result<_, _>>()?;
    let mut items: Items = Default::default();
    let mut names: Vec<String> = Vec::new();
    for ((path, _), (split, own, own_names)) in shards.iter().zip(read) {
        if !names.is_empty() && !own_names.is_empty() && names != own_names {
            let reason =
                "it names other classes than the shards before it; keep one data set in a folder";
            return Err(problem(path, reason.to_owned()));
        }
        if names.is_empty() {
            names = own_names;
        }
        items[split].extend(own);
    }
    let most = items
        .iter()
        .flatten()
        .map(|item| item.label)
        .max()
        .unwrap_or(0);
    if names.is_empty() {
        names = (0..=most).map(|label| label.to_string()).collect();
    }
    if most >= names.len() {
        let reason = format!(
            "there is a label {most}, and {} classes are named; get it again",
            names.len()
        );
        return Err(problem(root, reason));
    }
    Ok((names, items))
}

/// One file, and which of its columns hold images and class numbers.
struct Shard {
    path: PathBuf,
    reader: SerializedFileReader<File>,
    image: usize,
    label: usize,
    /// Class names; empty where the metadata has none.
    names: Vec<String>,
}

impl Shard {
    fn open(path: &Path) -> Result<Self, DataError> {
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
        let schema = metadata.schema_descr();
        let image = image_column(schema, &features).ok_or_else(|| {
            problem(path, "it has no column of images (such as `image` with `bytes`); choose an image data set".to_owned())
        })?;
        let label = label_column(schema, &features).ok_or_else(|| {
            problem(path, "it has no column of class numbers (such as `label`); choose a data set for classification".to_owned())
        })?;
        let names = &features[schema.column(label).path().string()]["names"];
        let names = names.as_array().into_iter().flatten();
        let names = names
            .map(|name| name.as_str().unwrap_or_default().to_owned())
            .collect();
        Ok(Self {
            path: path.to_owned(),
            reader,
            image,
            label,
            names,
        })
    }

    fn items(&self, root: &Path, with_images: bool) -> Result<Vec<Item>, DataError> {
        let mut items = Vec::new();
        for group in 0..self.reader.num_row_groups() {
            let labels = self.labels(group)?;
            let images = if with_images {
                self.images(group)?
            } else {
                Vec::new()
            };
            let mut images = images.into_iter();
            for label in labels {
                let number = items.len();
                let wrong = |what: String| {
                    problem(
                        &self.path,
                        format!("row {number} {what}; repair it or leave it out"),
                    )
                };
                let label = label.ok_or_else(|| wrong("has no label".to_owned()))?;
                let label =
                    usize::try_from(label).map_err(|_| wrong(format!("has the label {label}")))?;
                if label > usize::from(u16::MAX) {
                    return Err(wrong(format!(
                        "has the label {label}, and at most 65535 classes can be told apart"
                    )));
                }
                items.push(Item {
                    label,
                    name: name(root, &self.path, number),
                    // A row without an image becomes an image that cannot be decoded.
                    image: with_images
                        .then(|| Image::Encoded(images.next().flatten().unwrap_or_default())),
                });
            }
        }
        Ok(items)
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the reader of parquet has physical types that no label has"
    )]
    fn labels(&self, group: usize) -> Result<Vec<Option<i64>>, DataError> {
        let most = self.most(self.label);
        let labels = match self.column(group, self.label)? {
            ColumnReader::Int64ColumnReader(reader) => values(reader, most),
            ColumnReader::Int32ColumnReader(reader) => values(reader, most)
                .map(|labels| labels.into_iter().map(|x| x.map(i64::from)).collect()),
            _ => Ok(Vec::new()),
        };
        labels.map_err(|error| damaged(&self.path, &error))
    }

    fn images(&self, group: usize) -> Result<Vec<Option<Vec<u8>>>, DataError> {
        let ColumnReader::ByteArrayColumnReader(reader) = self.column(group, self.image)? else {
            return Ok(Vec::new());
        };
        let images = values(reader, self.most(self.image));
        let images = images.map_err(|error| damaged(&self.path, &error))?;
        let bytes = |image: Option<ByteArray>| image.map(|image| image.data().to_vec());
        Ok(images.into_iter().map(bytes).collect())
    }

    fn column(&self, group: usize, column: usize) -> Result<ColumnReader, DataError> {
        let group = self.reader.get_row_group(group);
        let column = group.and_then(|group| group.get_column_reader(column));
        column.map_err(|error| damaged(&self.path, &error))
    }

    /// Definition level of the column's values that are not null; the level of a null value is lower.
    fn most(&self, column: usize) -> i16 {
        let schema = self.reader.metadata().file_metadata().schema_descr();
        schema.column(column).max_def_level()
    }
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

/// The column of encoded images: the first column of bytes in a feature `Image`, or called `image` or `img`.
fn image_column(schema: &SchemaDescriptor, features: &Value) -> Option<usize> {
    let columns = || schema.columns().iter().enumerate();
    let is_bytes = |at: usize| schema.column(at).physical_type() == Type::BYTE_ARRAY;
    let mut named = columns().filter(|(at, column)| {
        let parts = column.path().parts();
        let first = parts.first().map_or("", String::as_str);
        let is_image = features[first]["_type"] == "Image" || first == "image" || first == "img";
        let is_content = parts.len() == 1 || parts.last().is_some_and(|last| last == "bytes");
        is_image && is_content && is_bytes(*at)
    });
    named.next().map(|(at, _)| at)
}

/// The column of class numbers: the only feature `ClassLabel`; of several, or of the integers where there is none, the
/// one with the likeliest name.
fn label_column(schema: &SchemaDescriptor, features: &Value) -> Option<usize> {
    let integers: Vec<(usize, String)> = (0..schema.num_columns())
        .map(|at| (at, schema.column(at).path().string()))
        .filter(|(at, _)| {
            matches!(
                schema.column(*at).physical_type(),
                Type::INT64 | Type::INT32
            )
        })
        .collect();
    let is_class = |name: &str| features[name]["_type"] == "ClassLabel";
    let classes: Vec<_> = integers.iter().filter(|(_, name)| is_class(name)).collect();
    let known = |among: &[&(usize, String)]| {
        let mut labels = LABELS.iter();
        labels.find_map(|label| {
            among
                .iter()
                .find(|(_, name)| name == label)
                .map(|(at, _)| *at)
        })
    };
    match classes.as_slice() {
        [] => known(&integers.iter().collect::<Vec<_>>()),
        [(only, _)] => Some(*only),
        several => known(several).or(Some(several[0].0)),
    }
}

fn damaged(path: &Path, error: &ParquetError) -> DataError {
    let error = error.to_string().replace('\n', " ");
    problem(path, format!("it cannot be read ({error}); get it again"))
}
