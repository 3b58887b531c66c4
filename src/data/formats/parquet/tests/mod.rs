//! Shards as people publish them, written by the tests.

mod rows;
mod shards;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use ::parquet::basic::Compression;
use ::parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int32Type, Int64Type};
use ::parquet::file::metadata::KeyValue;
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::parser::parse_message_type;
use anyhow::Result;
use image::{ImageFormat, Rgb, RgbImage};

use crate::config::{DataSource, RunConfig, Splits};
use crate::data::{Loaded, load, scan};

/// A column of a shard with its values; a value that is none is null.
enum Column {
    Bytes(Vec<Option<Vec<u8>>>),
    Texts(Vec<Option<&'static str>>),
    Integers(Vec<Option<i64>>),
    Small(Vec<i32>),
    Truths(Vec<bool>),
    Decimals(Vec<f64>),
    /// A list of integers a row, all of one length.
    Lists(Vec<i64>, usize),
    /// An image in the way of Hugging Face: bytes and path.
    Image(Vec<Option<Vec<u8>>>, Option<&'static str>),
}

impl Column {
    fn schema(&self, name: &str) -> String {
        match self {
            Self::Bytes(_) => format!("OPTIONAL BYTE_ARRAY {name};"),
            Self::Texts(_) => format!("OPTIONAL BYTE_ARRAY {name} (UTF8);"),
            Self::Integers(_) => format!("OPTIONAL INT64 {name};"),
            Self::Small(_) => format!("REQUIRED INT32 {name};"),
            Self::Truths(_) => format!("REQUIRED BOOLEAN {name};"),
            Self::Decimals(_) => format!("REQUIRED DOUBLE {name};"),
            Self::Lists(..) => format!(
                "OPTIONAL GROUP {name} (LIST) {{ REPEATED GROUP list {{ OPTIONAL INT64 element; }} }}"
            ),
            Self::Image(..) => format!(
                "OPTIONAL GROUP {name} {{ OPTIONAL BYTE_ARRAY bytes; OPTIONAL BYTE_ARRAY path (UTF8); }}"
            ),
        }
    }

    fn rows(&self) -> usize {
        match self {
            Self::Bytes(values) | Self::Image(values, _) => values.len(),
            Self::Texts(values) => values.len(),
            Self::Integers(values) => values.len(),
            Self::Small(values) => values.len(),
            Self::Truths(values) => values.len(),
            Self::Decimals(values) => values.len(),
            Self::Lists(values, length) => values.len() / length,
        }
    }
}

fn write(
    path: &Path,
    columns: &[(&str, Column)],
    features: Option<&str>,
    compression: Compression,
) -> Result<()> {
    let fields: String = columns
        .iter()
        .map(|(name, column)| column.schema(name))
        .collect();
    let schema = Arc::new(parse_message_type(&format!(
        "message schema {{ {fields} }}"
    ))?);
    let metadata = features.map(|text| {
        let text = format!("{{\"info\": {{\"features\": {text}}}}}");
        vec![KeyValue::new("huggingface".to_owned(), text)]
    });
    let properties = WriterProperties::builder()
        .set_compression(compression)
        .set_key_value_metadata(metadata)
        .build();
    fs::create_dir_all(path.parent().unwrap())?;
    let mut writer =
        SerializedFileWriter::new(fs::File::create(path)?, schema, Arc::new(properties))?;
    let mut group = writer.next_row_group()?;
    for (_, column) in columns {
        let bytes = |values: Vec<Option<Vec<u8>>>| {
            values
                .into_iter()
                .flatten()
                .map(ByteArray::from)
                .collect::<Vec<_>>()
        };
        let levels = |values: &[bool], most: i16| {
            values
                .iter()
                .map(|there| most - i16::from(!there))
                .collect::<Vec<_>>()
        };
        let mut next = group.next_column()?.unwrap();
        match column {
            Column::Bytes(values) => {
                let there: Vec<_> = values.iter().map(Option::is_some).collect();
                next.typed::<ByteArrayType>().write_batch(
                    &bytes(values.clone()),
                    Some(&levels(&there, 1)),
                    None,
                )?;
            }
            Column::Texts(values) => {
                let there: Vec<_> = values.iter().map(Option::is_some).collect();
                let values = values
                    .iter()
                    .map(|text| text.map(|text| text.as_bytes().to_vec()))
                    .collect();
                next.typed::<ByteArrayType>().write_batch(
                    &bytes(values),
                    Some(&levels(&there, 1)),
                    None,
                )?;
            }
            Column::Integers(values) => {
                let there: Vec<_> = values.iter().map(Option::is_some).collect();
                let values: Vec<i64> = values.iter().copied().flatten().collect();
                next.typed::<Int64Type>()
                    .write_batch(&values, Some(&levels(&there, 1)), None)?;
            }
            Column::Small(values) => {
                next.typed::<Int32Type>().write_batch(values, None, None)?;
            }
            Column::Truths(values) => {
                next.typed::<BoolType>().write_batch(values, None, None)?;
            }
            Column::Decimals(values) => {
                next.typed::<DoubleType>().write_batch(values, None, None)?;
            }
            Column::Lists(values, length) => {
                let repeats: Vec<i16> = (0..values.len())
                    .map(|i| i16::from(i % length > 0))
                    .collect();
                next.typed::<Int64Type>().write_batch(
                    values,
                    Some(&vec![3; values.len()]),
                    Some(&repeats),
                )?;
            }
            Column::Image(values, path) => {
                let there: Vec<_> = values.iter().map(Option::is_some).collect();
                next.typed::<ByteArrayType>().write_batch(
                    &bytes(values.clone()),
                    Some(&levels(&there, 2)),
                    None,
                )?;
                next.close()?;
                next = group.next_column()?.unwrap();
                let paths = path.map(|path| vec![ByteArray::from(path); values.len()]);
                let paths = paths.unwrap_or_default();
                let level = if path.is_some() { 2 } else { 1 };
                next.typed::<ByteArrayType>().write_batch(
                    &paths,
                    Some(&vec![level; values.len()]),
                    None,
                )?;
            }
        }
        next.close()?;
    }
    group.close()?;
    writer.close()?;
    Ok(())
}

/// `n` different PNG images, 16×16, as file contents.
fn pictures(n: usize, first: u8) -> Vec<Option<Vec<u8>>> {
    let picture = |i: usize| {
        let mut bytes = std::io::Cursor::new(Vec::new());
        let image = RgbImage::from_pixel(16, 16, Rgb([first + i as u8, 9, 200]));
        image.write_to(&mut bytes, ImageFormat::Png).unwrap();
        Some(bytes.into_inner())
    };
    (0..n).map(picture).collect()
}

fn image(n: usize) -> (&'static str, Column) {
    ("image", Column::Image(pictures(n, 0), Some("x.png")))
}

/// Labels 0, 1, 0, 1, …
fn numbers(n: usize) -> Column {
    Column::Integers((0..n as i64).map(|i| Some(i % 2)).collect())
}

fn shard(path: &Path, columns: &[(&str, Column)]) -> Result<()> {
    assert!(
        columns
            .windows(2)
            .all(|two| two[0].1.rows() == two[1].1.rows())
    );
    write(path, columns, None, Compression::SNAPPY)
}

fn config(root: &Path) -> RunConfig {
    RunConfig {
        data: DataSource::Folder(root.to_owned()),
        val: Some(0),
        ..RunConfig::default()
    }
}

fn read(config: &RunConfig) -> Result<Loaded> {
    let loaded = load(config, &|_, _| true)?;
    let plan = scan(config)?.plan(config);
    assert_eq!(plan.train, loaded.dataset.counts(&loaded.dataset.train));
    Ok(loaded)
}

/// Classes, labels, and numbers of training, validation and test images.
fn seen(loaded: &Loaded) -> (String, Vec<u16>, [usize; 3]) {
    let data = &loaded.dataset;
    (
        data.classes.join(" "),
        data.labels.clone(),
        [data.train.len(), data.val.len(), data.test.len()],
    )
}

/// A shard with these columns is refused for this reason.
fn refused(columns: &[(&str, Column)], features: Option<&str>, words: &[&str]) -> Result<()> {
    let root = tempfile::tempdir()?;
    write(
        &root.path().join("train.parquet"),
        columns,
        features,
        Compression::SNAPPY,
    )?;
    let said = read(&config(root.path()))
        .map(|loaded| seen(&loaded))
        .unwrap_err()
        .to_string();
    for word in words.iter().chain(&["train.parquet"]) {
        assert!(said.contains(word), "{word}: {said}");
    }
    Ok(())
}

fn has(notes: &[String], words: &[&str]) {
    let all = notes.join("\n");
    for word in words {
        assert!(all.contains(word), "`{word}` is not in: {all}");
    }
}
