//! Columns, labels and rows.

use super::*;

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

/// A column with class names that is not called as labels are may be the source or the view.
#[test]
fn a_column_called_label_is_preferred_to_other_class_names() -> Result<()> {
    let features = r#"{"source": {"_type": "ClassLabel", "names": ["a", "b"]}}"#;
    let texts = Column::Texts(vec![Some("cat"), Some("dog"), Some("dog"), Some("cat")]);
    let decimals = Column::Decimals(vec![0.5; 4]);
    for (label, classes, note) in [
        (
            texts,
            "cat dog",
            "labels are read from the column `label` and not from `source`",
        ),
        // Where it cannot hold labels, nothing is to be preferred.
        (decimals, "a b", ""),
    ] {
        let root = tempfile::tempdir()?;
        let columns = [image(4), ("label", label), ("source", numbers(4))];
        let path = root.path().join("train.parquet");
        write(&path, &columns, Some(features), Compression::SNAPPY)?;
        let loaded = read(&config(root.path()))?;
        assert_eq!(seen(&loaded).0, classes);
        has(&loaded.notes, &[note]);
    }
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
    let error =
        super::super::shard::reason("Parquet error: Disabled feature at compile time: brotli");
    assert!(
        error.contains("compressed with brotli") && error.contains("Zstandard"),
        "{error}"
    );
    let error = super::super::shard::reason("NYI: The codec type LZO is not supported yet");
    assert!(error.contains("compressed with LZO"), "{error}");
    let error = super::super::shard::reason("EOF: something\nelse");
    assert_eq!(
        error,
        "it cannot be read (EOF: something else); get it again"
    );
}
