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
