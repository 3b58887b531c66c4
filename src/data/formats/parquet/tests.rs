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

#[test]
fn labels_may_be_texts_and_truth_values() -> Result<()> {
    let cases: [(Column, &str, &[u16]); 4] = [
        (
            Column::Texts(vec![
                Some("dog"),
                Some("cat"),
                Some("dog"),
                Some("cafe\u{301}"),
            ]),
            "caf\u{e9} cat dog",
            &[2, 1, 2, 0],
        ),
        (
            Column::Truths(vec![true, false, true, true]),
            "false true",
            &[1, 0, 1, 1],
        ),
        (Column::Small(vec![1, 0, 1, 1]), "0 1", &[1, 0, 1, 1]),
        (
            Column::Bytes(vec![
                Some(b"b".to_vec()),
                Some(b"a".to_vec()),
                Some(b"b".to_vec()),
                Some(b"a".to_vec()),
            ]),
            "a b",
            &[1, 0, 1, 0],
        ),
    ];
    for (labels, classes, expected) in cases {
        let root = tempfile::tempdir()?;
        shard(
            &root.path().join("train.parquet"),
            &[image(4), ("label", labels)],
        )?;
        let loaded = read(&config(root.path()))?;
        assert_eq!(
            (
                loaded.dataset.classes.join(" ").as_str(),
                loaded.dataset.labels.as_slice()
            ),
            (classes, expected)
        );
    }
    Ok(())
}

#[test]
fn the_column_of_labels_is_asked_for_where_it_is_not_clear() -> Result<()> {
    let two = || {
        [
            image(4),
            ("breed", numbers(4)),
            ("colour", Column::Small(vec![0, 1, 2, 2])),
        ]
    };
    let features = r#"{"breed": {"_type": "ClassLabel", "names": ["a", "b"]},
        "colour": {"_type": "ClassLabel", "names": ["c", "d", "e"]}}"#;
    refused(
        &two(),
        Some(features),
        &["`breed`, `colour` may all hold labels", "--label-column"],
    )?;
    refused(
        &two(),
        None,
        &["`breed`, `colour` may all hold labels", "--label-column"],
    )?;
    let root = tempfile::tempdir()?;
    let at = root.path();
    write(
        &at.join("train.parquet"),
        &two(),
        Some(features),
        Compression::SNAPPY,
    )?;
    let mut config = config(at);
    config.label_column = Some("colour".to_owned());
    assert_eq!(read(&config)?.dataset.classes, ["c", "d", "e"]);
    config.label_column = Some("shape".to_owned());
    let said = read(&config).unwrap_err().to_string();
    assert!(
        said.contains("`shape`") && said.contains("`image`, `breed`, `colour`"),
        "{said}"
    );
    // A column with a usual name is taken, and that is said.
    let other = tempfile::tempdir()?;
    shard(
        &other.path().join("train.parquet"),
        &[image(4), ("label", numbers(4)), ("class", numbers(4))],
    )?;
    has(
        &read(&self::config(other.path()))?.notes,
        &["labels are read from the column `label` and not from `class`"],
    );
    // So is the only column that labels can be in.
    let other = tempfile::tempdir()?;
    shard(
        &other.path().join("train.parquet"),
        &[image(4), ("digit", numbers(4))],
    )?;
    has(
        &read(&self::config(other.path()))?.notes,
        &["labels are read from the column `digit`"],
    );
    Ok(())
}

#[test]
fn the_column_of_images_is_asked_for_where_it_is_not_clear() -> Result<()> {
    let two = || {
        let masks = Column::Image(pictures(4, 100), None);
        [
            ("photo_a", Column::Image(pictures(4, 0), None)),
            ("mask", masks),
            ("label", numbers(4)),
        ]
    };
    refused(
        &two(),
        None,
        &["`photo_a`, `mask` may all hold images", "--image-column"],
    )?;
    let root = tempfile::tempdir()?;
    shard(&root.path().join("train.parquet"), &two())?;
    let mut config = config(root.path());
    config.image_column = Some("mask".to_owned());
    assert_eq!(read(&config)?.dataset.image(0)[0], 100);
    // Images may be plain bytes.
    for name in ["img", "content"] {
        let root = tempfile::tempdir()?;
        shard(
            &root.path().join("train.parquet"),
            &[(name, Column::Bytes(pictures(4, 0))), ("label", numbers(4))],
        )?;
        assert_eq!(read(&self::config(root.path()))?.dataset.labels.len(), 4);
    }
    Ok(())
}

#[test]
fn columns_that_hold_something_else_are_refused_with_the_reason() -> Result<()> {
    let texts = || Column::Texts(vec![Some("a.png"), Some("b.png")]);
    refused(
        &[("image", texts()), ("label", numbers(2))],
        None,
        &["`image` holds texts, such as paths"],
    )?;
    refused(
        &[
            ("image", Column::Lists(vec![1, 2, 3, 4], 2)),
            ("label", numbers(2)),
        ],
        None,
        &["lists of numbers"],
    )?;
    refused(
        &[
            ("image", Column::Decimals(vec![0.0; 2])),
            ("label", numbers(2)),
        ],
        None,
        &["no encoded images"],
    )?;
    refused(
        &[("text", texts()), ("label", numbers(2))],
        None,
        &["`text`, `label`", "--image-column"],
    )?;
    let paths = Column::Image(vec![None, None], Some("cat/1.png"));
    refused(
        &[("image", paths), ("label", numbers(2))],
        None,
        &["only the paths of its images (such as `cat/1.png`)"],
    )?;
    refused(
        &[image(2), ("label", Column::Decimals(vec![0.0, 1.0]))],
        None,
        &["numbers with decimals"],
    )?;
    refused(
        &[image(2), ("label", Column::Lists(vec![1, 2, 3, 4], 2))],
        None,
        &["several labels for an image"],
    )?;
    refused(
        &[image(2)],
        None,
        &["none of its columns `image` holds labels"],
    )
}

#[test]
fn rows_that_cannot_be_used_are_named_or_left_out() -> Result<()> {
    let root = tempfile::tempdir()?;
    let at = root.path();
    let mut images = pictures(8, 0);
    images[3] = None;
    let labels = [
        Some(0),
        Some(1),
        None,
        Some(0),
        Some(-1),
        Some(5),
        Some(0),
        Some(1),
    ];
    let features = r#"{"label": {"_type": "ClassLabel", "names": ["cat", "dog"]}}"#;
    let columns = [
        ("image", Column::Image(images, None)),
        ("label", Column::Integers(labels.to_vec())),
    ];
    write(
        &at.join("train.parquet"),
        &columns,
        Some(features),
        Compression::SNAPPY,
    )?;
    let mut config = config(at);
    let said = read(&config).unwrap_err().to_string();
    assert!(
        said.contains("row 2 has no label") && said.contains("Skip unreadable"),
        "{said}"
    );
    config.skip_unreadable = true;
    let loaded = load(&config, &|_, _| true)?;
    assert_eq!(
        loaded.dataset.files.as_ref().unwrap().last().unwrap(),
        "train.parquet#7"
    );
    assert_eq!(seen(&loaded).1, [0, 1, 0, 1]);
    has(
        &loaded.unreadable,
        &[
            "#2: the row has no label",
            "#3: the row has no image",
            "#4: the row has the label -1",
            "#5: the row has the label 5, and 2",
        ],
    );
    has(
        &loaded.sentences(),
        &["4 files could not be decoded and are left out"],
    );
    assert!(
        !loaded.sentences().join("").contains("Skip unreadable"),
        "no advice that was followed already"
    );
    Ok(())
}

#[test]
fn a_split_whose_labels_are_kept_back_is_left_out() -> Result<()> {
    for hidden in [
        Column::Integers(vec![Some(-1); 2]),
        Column::Integers(vec![None; 2]),
    ] {
        let root = tempfile::tempdir()?;
        let at = root.path();
        shard(
            &at.join("data/train-00000-of-00001.parquet"),
            &[image(10), ("label", numbers(10))],
        )?;
        shard(
            &at.join("data/test-00000-of-00001.parquet"),
            &[image(2), ("label", hidden)],
        )?;
        let loaded = read(&config(at))?;
        assert_eq!(
            seen(&loaded).2,
            [8, 0, 2],
            "a test split is taken from the training images"
        );
        has(
            &loaded.notes,
            &["the test split has no labels and is left out"],
        );
    }
    Ok(())
}

#[test]
fn splits_of_shards_are_recognised_in_their_usual_spellings() -> Result<()> {
    for (train, val, test) in [
        (
            "data/train-00000-of-00001.parquet",
            "data/validation-00000-of-00001.parquet",
            "data/test-00000-of-00001.parquet",
        ),
        ("training-0.parquet", "dev-0.parquet", "testing-0.parquet"),
        (
            "default/train/0000.parquet",
            "default/validation/0000.parquet",
            "default/test/0000.parquet",
        ),
        (
            "default/partial-train/0000.parquet",
            "default/val/0000.parquet",
            "default/test/0000.parquet",
        ),
        ("Train.parquet", "eval.parquet", "holdout.parquet"),
        (
            "train-00000-of-00001-ab12cd34.parquet",
            "valid-00000-of-00001-9f.parquet",
            "test-00000-of-00001-77.parquet",
        ),
        (
            "train/part-0.parquet",
            "val/part-0.parquet",
            "test/part-0.parquet",
        ),
    ] {
        let root = tempfile::tempdir()?;
        for (path, n) in [(train, 6), (val, 4), (test, 2)] {
            shard(&root.path().join(path), &[image(n), ("label", numbers(n))])?;
        }
        let config = RunConfig {
            val: None,
            ..config(root.path())
        };
        assert_eq!(seen(&read(&config)?).2, [6, 4, 2], "{train}");
    }
    Ok(())
}

#[test]
fn several_data_sets_and_other_splits_are_told_apart() -> Result<()> {
    let write = |root: &Path, names: &[&str]| -> Result<()> {
        names
            .iter()
            .try_for_each(|name| shard(&root.join(name), &[image(6), ("label", numbers(6))]))
    };
    for names in [
        &[
            "full/train-0.parquet",
            "full/test-0.parquet",
            "cropped/train-0.parquet",
            "cropped/test-0.parquet",
        ][..],
        &["full/train/0000.parquet", "cropped/train/0000.parquet"],
        &["full/0000.parquet", "cropped/0000.parquet"],
        &["data/train-0.parquet", "default/train/0000.parquet"],
    ] {
        let root = tempfile::tempdir()?;
        write(root.path(), names)?;
        let said = read(&config(root.path())).unwrap_err().to_string();
        assert!(
            said.contains("may be several data sets") && said.contains("--data folder:"),
            "{names:?}: {said}"
        );
    }
    let root = tempfile::tempdir()?;
    let at = root.path();
    write(
        at,
        &[
            "train-0.parquet",
            "test-0.parquet",
            "extra-0.parquet",
            "unlabelled-0.parquet",
        ],
    )?;
    let loaded = read(&config(at))?;
    assert_eq!(seen(&loaded).2, [6, 0, 6]);
    has(
        &loaded.notes,
        &["left out: 2 shards of other splits, such as `extra-0.parquet`"],
    );
    let by_hand = RunConfig {
        splits: Some("train=train,test=extra".parse::<Splits>().unwrap()),
        ..config(at)
    };
    has(
        &read(&by_hand)?.notes,
        &["2 shards of other splits, such as `test-0.parquet`"],
    );
    // Two names for one split.
    let root = tempfile::tempdir()?;
    write(
        root.path(),
        &["train-0.parquet", "dev-0.parquet", "validation-0.parquet"],
    )?;
    let said = read(&config(root.path())).unwrap_err().to_string();
    assert!(
        said.contains("`dev` and `validation`") && said.contains("--splits"),
        "{said}"
    );
    // No training rows.
    let root = tempfile::tempdir()?;
    write(root.path(), &["test-0.parquet"])?;
    let said = read(&config(root.path())).unwrap_err().to_string();
    assert!(said.contains("no shard holds training images"), "{said}");
    Ok(())
}

/// The classes of two shards are those of both; equal names of two numbers are said.
#[test]
fn names_of_classes_are_those_of_all_shards() -> Result<()> {
    let root = tempfile::tempdir()?;
    let texts = |texts: [&'static str; 2]| Column::Texts(texts.map(Some).to_vec());
    shard(
        &root.path().join("train-0.parquet"),
        &[image(2), ("label", texts(["b", "a"]))],
    )?;
    shard(
        &root.path().join("train-1.parquet"),
        &[image(2), ("label", texts(["c", "b"]))],
    )?;
    assert_eq!(
        seen(&read(&config(root.path()))?),
        ("a b c".to_owned(), vec![1, 0, 2, 1], [4, 0, 0])
    );
    let root = tempfile::tempdir()?;
    let features = r#"{"label": {"_type": "ClassLabel", "names": ["crane", "crane"]}}"#;
    write(
        &root.path().join("train.parquet"),
        &[image(4), ("label", numbers(4))],
        Some(features),
        Compression::SNAPPY,
    )?;
    has(
        &read(&config(root.path()))?.notes,
        &["the classes `crane` and `crane` have one name"],
    );
    Ok(())
}

#[test]
fn a_codec_that_is_not_built_in_is_named() {
    let error = super::shard::reason("Parquet error: Disabled feature at compile time: brotli");
    assert!(
        error.contains("compressed with brotli") && error.contains("Zstandard"),
        "{error}"
    );
    let error = super::shard::reason("NYI: The codec type LZO is not supported yet");
    assert!(error.contains("compressed with LZO"), "{error}");
    let error = super::shard::reason("EOF: something\nelse");
    assert_eq!(
        error,
        "it cannot be read (EOF: something else); get it again"
    );
}
