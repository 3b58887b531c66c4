mod named;

use std::fs;
use std::io::{Cursor, Write as _};
use std::path::Path;
use std::sync::Arc;

use ::parquet::basic::Compression;
use ::parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use ::parquet::file::metadata::KeyValue;
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::parser::parse_message_type;
use anyhow::Result;
use flate2::Compression as Level;
use flate2::write::GzEncoder;
use image::{ImageFormat, Rgb, RgbImage};

use super::format_of;
use crate::config::{DataSource, RunConfig};
use crate::data::{Loaded, Reader, load, scan};

fn config(root: &Path) -> RunConfig {
    RunConfig {
        data: DataSource::Folder(root.to_owned()),
        val: Some(0),
        ..RunConfig::default()
    }
}

fn read(root: &Path) -> Result<Loaded> {
    let config = config(root);
    let loaded = load(&config, &|_, _| true)?;
    // The plan that a scan gives has the counts of the images that are read.
    let plan = scan(&config)?.plan(&config);
    let data = &loaded.dataset;
    assert_eq!(plan.train, data.counts(&data.train));
    assert_eq!(plan.test, data.counts(&data.test));
    // A reader of single images gives the pixels of the data set.
    let shape = [data.height, data.width, data.channels];
    let files = data.files.as_ref().unwrap();
    for index in [0, data.labels.len() - 1] {
        let reader = Reader::open(&config)?;
        let pixels = reader.pixels(index as u32, Some(&files[index]), shape)?;
        assert_eq!(pixels, data.image(index as u32));
    }
    Ok(loaded)
}

fn fails(root: &Path, words: &[&str]) {
    let error = load(&config(root), &|_, _| true).map(|_| ());
    let said = error.unwrap_err().to_string();
    for word in words {
        assert!(said.contains(word), "{word}: {said}");
    }
}

/// A folder is read as the first format that recognises the names in it; other folders are read as image folders.
#[test]
fn a_folder_is_recognised_by_the_names_in_it() -> Result<()> {
    for (names, format) in [
        (&["data_batch_1.bin"][..], "CIFAR-10"),
        (&["cifar-10-batches-bin/data_batch_1.bin"], "CIFAR-10"),
        (&["train.bin"], "CIFAR-100"),
        (&["cifar-100-binary/train.bin"], "CIFAR-100"),
        (&["train-images-idx3-ubyte.gz"], "IDX"),
        (&["train-images.idx3-ubyte", "data_batch_1.bin"], "CIFAR-10"),
        (&["t10k-images-idx3-ubyte"], "IDX"),
        (&["MNIST/raw/train-images-idx3-ubyte"], "IDX"),
        (&["default/train/0000.parquet"], "Hugging Face parquet"),
        (&["train-00000-of-00001.parquet"], "Hugging Face parquet"),
        (&["data/test-0.parquet", "train-images-idx3-ubyte"], "IDX"),
        (&["cat/1.png", "dog/1.png"], "image folder"),
        (&[], "image folder"),
    ] {
        let root = tempfile::tempdir()?;
        for name in names {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap())?;
            fs::write(path, "")?;
        }
        assert_eq!(format_of(root.path()), format, "{names:?}");
    }
    assert_eq!(format_of(Path::new("/no/such/folder")), "image folder");
    Ok(())
}

/// A record of CIFAR whose planes are 1, 2 and 3 plus the number, but for the second pixel of the first row.
fn record(labels: &[u8], number: u8) -> Vec<u8> {
    let mut record = labels.to_vec();
    for plane in 1..=3 {
        let mut pixels = vec![plane + number; 1024];
        pixels[1] = 200 + plane;
        record.extend(pixels);
    }
    record
}

fn cifar10(dir: &Path) -> Result<()> {
    fs::create_dir_all(dir)?;
    for batch in 1..=5_u8 {
        let records: Vec<u8> = (0..4)
            .flat_map(|i| record(&[(batch + i) % 10], i))
            .collect();
        fs::write(dir.join(format!("data_batch_{batch}.bin")), records)?;
    }
    let records: Vec<u8> = (0..10).flat_map(|i| record(&[i], i)).collect();
    fs::write(dir.join("test_batch.bin"), records)?;
    Ok(())
}

#[test]
fn cifar_10_is_read_with_its_class_names() -> Result<()> {
    let root = tempfile::tempdir()?;
    let dir = root.path().join("cifar-10-batches-bin");
    cifar10(&dir)?;
    assert_eq!(format_of(root.path()), "CIFAR-10");
    // Labels 1 to 8 are among the training images.
    fails(root.path(), &["airplane", "no training image"]);
    let records: Vec<u8> = [0, 8, 9].iter().flat_map(|&k| record(&[k], 7)).collect();
    fs::write(dir.join("data_batch_5.bin"), records)?;
    let data = read(root.path())?.dataset;
    assert_eq!((data.train.len(), data.test.len()), (19, 10));
    assert_eq!([data.height, data.width, data.channels], [32, 32, 3]);
    assert_eq!(
        (data.classes[0].as_str(), data.classes[9].as_str()),
        ("airplane", "truck")
    );
    assert_eq!(data.image(0)[..6], [1, 2, 3, 201, 202, 203]);
    let first = "cifar-10-batches-bin/data_batch_1.bin#0";
    assert_eq!(data.files.as_ref().unwrap()[0], first);
    assert_eq!(data.labels[..4], [1, 2, 3, 4]);

    let names: Vec<_> = (0..10).map(|k| format!("name {k}\n")).collect();
    fs::write(dir.join("batches.meta.txt"), names.concat() + "\n")?;
    assert_eq!(read(root.path())?.dataset.classes[3], "name 3");
    fs::write(dir.join("batches.meta.txt"), "one\ntwo\n")?;
    fails(root.path(), &["names 2 classes", "batches.meta.txt"]);
    fs::remove_file(dir.join("batches.meta.txt"))?;

    let whole = fs::read(dir.join("test_batch.bin"))?;
    fs::write(dir.join("test_batch.bin"), &whole[..whole.len() - 1])?;
    fails(
        root.path(),
        &[
            "no whole number of records",
            "get it again",
            "test_batch.bin",
        ],
    );
    fs::write(dir.join("test_batch.bin"), record(&[10], 0))?;
    fails(root.path(), &["record 0 has label 10", "test_batch.bin"]);
    fs::remove_file(dir.join("test_batch.bin"))?;
    fails(root.path(), &["cannot read the images", "test_batch.bin"]);
    Ok(())
}

#[test]
fn cifar_100_has_fine_labels() -> Result<()> {
    let root = tempfile::tempdir()?;
    let records: Vec<u8> = (0..100).flat_map(|k| record(&[k / 5, k], k)).collect();
    fs::write(root.path().join("train.bin"), &records)?;
    fs::write(root.path().join("test.bin"), &records)?;
    let data = read(root.path())?.dataset;
    assert_eq!(data.classes.len(), 100);
    assert!(
        data.labels
            .iter()
            .enumerate()
            .all(|(i, &k)| usize::from(k) == i % 100)
    );
    assert_eq!(data.image(50)[..3], [51, 52, 53]);
    Ok(())
}

/// `n` images of 20 × 18 pixels whose values are their numbers; labels from `first`.
fn idx(root: &Path, split: &str, n: u32, first: u8, gz: bool) -> Result<()> {
    let mut images = Vec::new();
    for word in [0x0803, n, 18, 20] {
        images.extend(u32::to_be_bytes(word));
    }
    let mut labels = [u32::to_be_bytes(0x0801), n.to_be_bytes()].concat();
    for i in 0..n as u8 {
        images.extend([i; 360]);
        labels.push(first + i % 3);
    }
    for (kind, bytes) in [("images-idx3", images), ("labels-idx1", labels)] {
        let path = root.join(format!("{split}-{kind}-ubyte"));
        if gz {
            let mut file = GzEncoder::new(Vec::new(), Level::fast());
            file.write_all(&bytes)?;
            fs::write(path.with_extension("gz"), file.finish()?)?;
        } else {
            fs::write(path, bytes)?;
        }
    }
    Ok(())
}

#[test]
fn idx_files_are_read_plain_and_gzipped() -> Result<()> {
    for gz in [false, true] {
        let root = tempfile::tempdir()?;
        let at = root.path();
        idx(at, "train", 12, 1, gz)?;
        idx(at, "t10k", 6, 1, gz)?;
        let data = read(at)?.dataset;
        assert_eq!([data.height, data.width, data.channels], [18, 20, 1]);
        // No image is of class 0.
        assert_eq!(data.classes, ["1", "2", "3"]);
        assert_eq!((data.train.len(), data.test.len()), (12, 6));
        assert_eq!((data.labels[4], data.image(4)[7]), (1, 4));
    }
    Ok(())
}

/// Zeros behind compressed content, as tapes and disks leave them, do no harm; a file in several parts is whole.
#[test]
fn gzip_files_may_be_padded_and_have_parts() -> Result<()> {
    let root = tempfile::tempdir()?;
    let at = root.path();
    idx(at, "train", 12, 0, false)?;
    let path = at.join("train-images-idx3-ubyte");
    let whole = fs::read(&path)?;
    fs::remove_file(&path)?;
    let path = at.join("train-images-idx3-ubyte.gz");
    let packed = |bytes: &[u8]| -> Result<Vec<u8>> {
        let mut file = GzEncoder::new(Vec::new(), Level::fast());
        file.write_all(bytes)?;
        Ok(file.finish()?)
    };
    let parts = [packed(&whole[..100])?, packed(&whole[100..])?].concat();
    for bytes in [
        [packed(&whole)?, vec![0; 1000]].concat(),
        parts.clone(),
        [parts, vec![0; 3]].concat(),
    ] {
        fs::write(&path, bytes)?;
        assert_eq!(read(at)?.dataset.labels.len(), 12);
    }
    fs::write(&path, [packed(&whole)?, b"more".to_vec()].concat())?;
    fails(at, &["other bytes follow", "train-images"]);
    Ok(())
}

/// Files are found in the only folder of a folder, as torchvision keeps them, and in folders of their own names.
#[test]
fn idx_files_are_found_in_folders() -> Result<()> {
    let root = tempfile::tempdir()?;
    let raw = root.path().join("MNIST/raw");
    fs::create_dir_all(&raw)?;
    idx(&raw, "train", 12, 0, true)?;
    let loaded = read(root.path())?;
    assert!(
        loaded.notes[0].contains("`MNIST/raw` is entered"),
        "{:?}",
        loaded.notes
    );
    assert_eq!(
        loaded.dataset.files.as_ref().unwrap()[0],
        "MNIST/raw/train-images-idx3-ubyte.gz#0"
    );

    let root = tempfile::tempdir()?;
    let at = root.path();
    idx(at, "train", 12, 0, false)?;
    for name in ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"] {
        fs::rename(at.join(name), at.join("moved"))?;
        fs::create_dir(at.join(name))?;
        fs::rename(at.join("moved"), at.join(name).join(name))?;
    }
    assert_eq!(read(at)?.dataset.labels.len(), 12);

    let root = tempfile::tempdir()?;
    let at = root.path();
    idx(at, "train", 12, 0, false)?;
    idx(at, "emnist-train", 12, 0, false)?;
    fails(at, &["several files of images"]);
    let root = tempfile::tempdir()?;
    idx(root.path(), "t10k", 12, 0, false)?;
    fails(root.path(), &["no training images"]);
    Ok(())
}

#[test]
fn fields_that_a_format_has_no_use_for_are_said() -> Result<()> {
    let root = tempfile::tempdir()?;
    idx(root.path(), "train", 12, 0, false)?;
    let config = RunConfig {
        splits: Some("none".parse().unwrap()),
        label_column: Some("label".to_owned()),
        ..config(root.path())
    };
    let notes = load(&config, &|_, _| true)?.notes.join("\n");
    assert!(
        notes.contains("`splits` has no effect on the format IDX"),
        "{notes}"
    );
    assert!(
        notes.contains("`label_column` has no effect on the format IDX"),
        "{notes}"
    );
    Ok(())
}

#[test]
fn damaged_idx_files_are_named() -> Result<()> {
    let root = tempfile::tempdir()?;
    let at = root.path();
    idx(at, "train", 12, 0, false)?;
    let images = at.join("train-images-idx3-ubyte");
    let labels = at.join("train-labels-idx1-ubyte");
    let whole = fs::read(&images)?;
    fs::write(&images, &whole[..whole.len() - 3])?;
    fails(at, &["cut short", "train-images"]);
    fs::write(&images, &whole[..10])?;
    fails(at, &["cut short", "train-images"]);
    fs::write(&images, b"not an idx file at all")?;
    fails(at, &["0x0803", "train-images"]);
    for (third, fourth, words) in [
        (0x0d, 3, "32-bit floating-point numbers"),
        (0x0c, 3, "32-bit integers"),
        (0x08, 4, "4 dimensions instead of 3"),
        (0x07, 3, "0x07"),
    ] {
        let mut other = whole.clone();
        (other[2], other[3]) = (third, fourth);
        fs::write(&images, other)?;
        fails(at, &[words, "train-images"]);
    }
    fs::write(&images, [whole.as_slice(), &[0; 3]].concat())?;
    fails(at, &["too long", "train-images"]);
    fs::write(&images, [0x1f, 0x8b, 8, 0, 0])?;
    fails(at, &["cannot be unpacked", "train-images"]);
    fs::write(&images, &whole)?;
    let mut other = [u32::to_be_bytes(0x0801), 11_u32.to_be_bytes()].concat();
    other.extend([0; 11]);
    fs::write(&labels, other)?;
    fails(at, &["11 labels for 12 images", "train-labels"]);
    fs::remove_file(&labels)?;
    fails(at, &["labels of these images", "train-images"]);
    Ok(())
}

fn png(level: u8) -> Result<Vec<u8>> {
    let mut bytes = Cursor::new(Vec::new());
    let image = RgbImage::from_pixel(16, 16, Rgb([level, 2 * level, 9]));
    image.write_to(&mut bytes, ImageFormat::Png)?;
    Ok(bytes.into_inner())
}

const FEATURES: &str = r#"{"info": {"features": {
    "img": {"_type": "Image"},
    "coarse_label": {"names": ["animal"], "_type": "ClassLabel"},
    "fine_label": {"names": ["cat", "dog", "emu"], "_type": "ClassLabel"}}}}"#;

/// A shard with these rows of image and class number; an image `None` is written as null.
fn shard(path: &Path, rows: &[(Option<Vec<u8>>, i64)], features: Option<&str>) -> Result<()> {
    let schema = "message schema {
        OPTIONAL GROUP img { OPTIONAL BYTE_ARRAY bytes; OPTIONAL BYTE_ARRAY path (UTF8); }
        OPTIONAL INT64 coarse_label;
        REQUIRED INT64 fine_label; }";
    let metadata =
        features.map(|text| vec![KeyValue::new("huggingface".to_owned(), text.to_owned())]);
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_key_value_metadata(metadata)
        .build();
    let schema = Arc::new(parse_message_type(schema)?);
    fs::create_dir_all(path.parent().unwrap())?;
    let mut writer =
        SerializedFileWriter::new(fs::File::create(path)?, schema, Arc::new(properties))?;
    // Two row groups, of which the second may be empty.
    let (one, two) = rows.split_at(rows.len().div_ceil(2));
    for rows in [one, two] {
        let mut group = writer.next_row_group()?;
        let levels: Vec<i16> = rows
            .iter()
            .map(|(image, _)| if image.is_some() { 2 } else { 1 })
            .collect();
        let images: Vec<_> = rows
            .iter()
            .filter_map(|(image, _)| image.clone())
            .map(ByteArray::from)
            .collect();
        let mut column = group.next_column()?.unwrap();
        column
            .typed::<ByteArrayType>()
            .write_batch(&images, Some(&levels), None)?;
        column.close()?;
        let mut column = group.next_column()?.unwrap();
        column
            .typed::<ByteArrayType>()
            .write_batch(&[], Some(&vec![0; rows.len()]), None)?;
        column.close()?;
        let mut column = group.next_column()?.unwrap();
        let zeros = vec![0_i64; rows.len()];
        column
            .typed::<Int64Type>()
            .write_batch(&zeros, Some(&vec![1; rows.len()]), None)?;
        column.close()?;
        let mut column = group.next_column()?.unwrap();
        let labels: Vec<i64> = rows.iter().map(|(_, label)| *label).collect();
        column
            .typed::<Int64Type>()
            .write_batch(&labels, None, None)?;
        column.close()?;
        group.close()?;
    }
    writer.close()?;
    Ok(())
}

#[test]
fn parquet_shards_are_read_with_their_splits_and_names() -> Result<()> {
    let root = tempfile::tempdir()?;
    let at = root.path();
    let row = |level: u8| Ok::<_, anyhow::Error>((Some(png(level)?), i64::from(level % 3)));
    let rows: Vec<_> = (0..12).map(row).collect::<Result<_>>()?;
    shard(
        &at.join("data/train-00000-of-00002.parquet"),
        &rows[..5],
        Some(FEATURES),
    )?;
    shard(
        &at.join("data/train-00001-of-00002.parquet"),
        &rows[5..],
        Some(FEATURES),
    )?;
    shard(
        &at.join("data/test-00000-of-00001.parquet"),
        &rows[..3],
        Some(FEATURES),
    )?;
    shard(
        &at.join("data/unlabelled-0.parquet"),
        &rows[..3],
        Some(FEATURES),
    )?;
    let data = read(at)?.dataset;
    assert_eq!(data.classes, ["cat", "dog", "emu"]);
    assert_eq!((data.train.len(), data.test.len()), (12, 3));
    assert_eq!([data.height, data.width, data.channels], [16, 16, 3]);
    for i in 0..12 {
        assert_eq!(data.image(i)[..3], [i as u8, 2 * i as u8, 9]);
        assert_eq!(u32::from(data.labels[i as usize]), i % 3);
    }
    assert_eq!(
        data.files.as_ref().unwrap()[5],
        "data/train-00001-of-00002.parquet#0"
    );

    // Without names, classes are called by their numbers; without a word of splits, all images are for training.
    let other = tempfile::tempdir()?;
    shard(&other.path().join("0000.parquet"), &rows, None)?;
    let data = load(&config(other.path()), &|_, _| true)?.dataset;
    assert_eq!(
        (data.classes.join(" ").as_str(), data.test.len()),
        ("0 1 2", 0)
    );
    Ok(())
}

#[test]
fn damaged_parquet_files_are_named() -> Result<()> {
    let root = tempfile::tempdir()?;
    let at = root.path();
    let path = at.join("train.parquet");
    let mut rows: Vec<_> = (0..6)
        .map(|i| Ok((Some(png(i)?), i64::from(i % 3))))
        .collect::<Result<_>>()?;
    rows[3].0 = None;
    rows[4].0 = Some(b"no image".to_vec());
    shard(&path, &rows, Some(FEATURES))?;
    fails(at, &["cannot decode this image", "train.parquet#3"]);
    let skipping = RunConfig {
        skip_unreadable: true,
        ..config(at)
    };
    let loaded = load(&skipping, &|_, _| true)?;
    assert_eq!(
        (loaded.unreadable.len(), loaded.dataset.labels.len()),
        (2, 4)
    );
    // An image keeps its name where others are left out.
    let files = loaded.dataset.files.as_ref().unwrap();
    let last = Reader::open(&skipping)?.pixels(3, Some(&files[3]), [16, 16, 3])?;
    assert_eq!(
        (files[3].as_str(), last.as_slice()),
        ("train.parquet#5", loaded.dataset.image(3))
    );

    rows[0].1 = 3;
    shard(&path, &rows, Some(FEATURES))?;
    fails(at, &["label 3", "3 classes are named"]);
    rows[0].1 = -1;
    shard(&path, &rows, Some(FEATURES))?;
    fails(at, &["row 0 has the label -1", "train.parquet"]);
    let whole = fs::read(&path)?;
    fs::write(&path, &whole[..whole.len() / 2])?;
    fails(at, &["cannot be read", "get it again", "train.parquet"]);
    Ok(())
}
