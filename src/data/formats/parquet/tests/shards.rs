//! Files and their splits.

use super::*;

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
        // Numbers before the words do not hide them.
        ("01_train.parquet", "02_val.parquet", "03_test.parquet"),
        (
            "32x32-train-00000-of-00001.parquet",
            "32x32-validation-00000-of-00001.parquet",
            "32x32-test-00000-of-00001.parquet",
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

#[test]
fn of_two_names_that_fit_a_shard_the_longer_is_meant() -> Result<()> {
    let root = tempfile::tempdir()?;
    for (name, n) in [("train-0.parquet", 6), ("train-val-0.parquet", 4)] {
        shard(&root.path().join(name), &[image(n), ("label", numbers(n))])?;
    }
    let splits: Result<Splits, String> = "train=train,val=train-val".parse();
    let config = RunConfig {
        splits: splits.ok(),
        val: None,
        ..config(root.path())
    };
    let [train, val, test] = seen(&read(&config)?).2;
    assert_eq!((train + test, val), (6, 4));
    Ok(())
}

/// A number and a hash say nothing of a split: the shard is as one that is called by its number alone.
#[test]
fn a_hash_behind_a_number_is_no_name() -> Result<()> {
    let root = tempfile::tempdir()?;
    let path = root.path().join("0000-ab12cd34.parquet");
    shard(&path, &[image(6), ("label", numbers(6))])?;
    let loaded = read(&config(root.path()))?;
    assert_eq!(seen(&loaded).2[0] + seen(&loaded).2[2], 6);
    let notes = loaded.notes.join("\n");
    assert!(!notes.contains("no shard's name says a split"), "{notes}");
    Ok(())
}

#[test]
fn shards_that_are_counted_and_not_there_are_said() -> Result<()> {
    for (names, said) in [
        (
            &[
                "data/train-00000-of-00004.parquet",
                "data/train-00001-of-00004.parquet",
                "data/train-00003-of-00004.parquet",
                "data/test-00000-of-00001.parquet",
            ][..],
            "1 of 4 shards of `train` is not there; get it to read all images",
        ),
        (
            &["train/00001-of-00003.parquet", "test/0.parquet"],
            "2 of 3 shards of `train` are not there; get them to read all images",
        ),
        (
            // What is left out may have gaps.
            &[
                "train-00000-of-00002-ab12.parquet",
                "train-00001-of-00002-cd34.parquet",
                "extra-00000-of-00009.parquet",
            ],
            "",
        ),
    ] {
        let root = tempfile::tempdir()?;
        for name in names {
            shard(&root.path().join(name), &[image(4), ("label", numbers(4))])?;
        }
        let notes = read(&config(root.path()))?.notes;
        has(&notes, &[said]);
        let is_said = notes.iter().any(|note| note.contains("not there"));
        assert_eq!(is_said, !said.is_empty(), "{notes:?}");
    }
    Ok(())
}
