//! What the names of files and classes say.

use super::*;

#[test]
fn idx_files_are_of_the_split_that_their_names_say() -> Result<()> {
    let sizes = |at: &Path| -> Result<(Loaded, [usize; 3])> {
        let config = RunConfig {
            val: None,
            ..config(at)
        };
        let loaded = load(&config, &|_, _| true)?;
        let data = &loaded.dataset;
        let sizes = [data.train.len(), data.val.len(), data.test.len()];
        Ok((loaded, sizes))
    };
    for (train, val, test) in [
        ("train", "val", "t10k"),
        ("train", "validation", "test"),
        (
            "emnist-balanced-train",
            "emnist-balanced-valid",
            "emnist-balanced-test",
        ),
        ("Train", "dev", "qmnist-test"),
    ] {
        let root = tempfile::tempdir()?;
        let at = root.path();
        idx(at, train, 12, 0, false)?;
        idx(at, val, 3, 0, false)?;
        idx(at, test, 6, 0, false)?;
        let (loaded, sizes) = sizes(at)?;
        assert_eq!(sizes, [12, 3, 6], "{train} {val} {test}");
        let said = format!(
            "splits: training images from `{train}-images-idx3-ubyte`, validation images from \
             `{val}-images-idx3-ubyte`, test images from `{test}-images-idx3-ubyte`"
        );
        assert!(loaded.notes.contains(&said), "{:?}", loaded.notes);
    }
    let root = tempfile::tempdir()?;
    let at = root.path();
    idx(at, "train", 12, 0, false)?;
    idx(at, "t10k", 6, 0, false)?;
    idx(at, "valid", 3, 0, false)?;
    for kind in ["images-idx3-ubyte", "labels-idx1-ubyte"] {
        let (old, new) = (format!("valid-{kind}"), format!("valid_{kind}"));
        fs::rename(at.join(old), at.join(new))?;
    }
    assert_eq!(sizes(at)?.1, [12, 3, 6]);
    Ok(())
}

#[test]
fn idx_labels_without_their_images_are_refused() -> Result<()> {
    let root = tempfile::tempdir()?;
    let at = root.path();
    idx(at, "train", 12, 0, false)?;
    idx(at, "t10k", 6, 0, false)?;
    fs::remove_file(at.join("t10k-images-idx3-ubyte"))?;
    fails(
        at,
        &["images of these labels", "add the file", "t10k-labels"],
    );
    Ok(())
}

#[test]
fn cifar_100_beside_cifar_10_is_said() -> Result<()> {
    let root = tempfile::tempdir()?;
    let at = root.path();
    let dir = at.join("cifar-10-batches-bin");
    cifar10(&dir)?;
    let records: Vec<u8> = [0, 8, 9].iter().flat_map(|&k| record(&[k], 7)).collect();
    fs::write(dir.join("data_batch_5.bin"), records)?;
    let notes = read(at)?.notes.join("\n");
    assert!(!notes.contains("CIFAR-100"), "{notes}");
    fs::create_dir(at.join("cifar-100-binary"))?;
    fs::write(at.join("cifar-100-binary/train.bin"), "x")?;
    let notes = read(at)?.notes.join("\n");
    let other = at.join("cifar-100-binary");
    let said = format!("write `--data folder:{}` for it", other.display());
    assert!(
        notes.contains("CIFAR-10 is read; CIFAR-100") && notes.contains(&said),
        "{notes}"
    );
    Ok(())
}

#[test]
fn named_classes_without_an_image_are_said() -> Result<()> {
    let root = tempfile::tempdir()?;
    let at = root.path();
    cifar10(at)?;
    // No training image has label 0 or 9.
    let records: Vec<u8> = (1..9).flat_map(|k| record(&[k], k)).collect();
    fs::write(at.join("test_batch.bin"), records)?;
    let loaded = read(at)?;
    assert_eq!(loaded.dataset.classes.len(), 8);
    let said = "2 of 10 named classes have no image and are left out, such as `airplane`; classes are numbered without them";
    assert!(
        loaded.notes.iter().any(|note| note == said),
        "{:?}",
        loaded.notes
    );

    let row = |level: u8| Ok::<_, anyhow::Error>((Some(png(level)?), i64::from(level % 2)));
    let rows: Vec<_> = (0..12).map(row).collect::<Result<_>>()?;
    for (features, is_said) in [(Some(FEATURES), true), (None, false)] {
        let root = tempfile::tempdir()?;
        shard(&root.path().join("train.parquet"), &rows, features)?;
        let notes = load(&config(root.path()), &|_, _| true)?.notes.join("\n");
        let said = "1 of 3 named classes has no image and is left out: `emu`; classes are numbered without it";
        assert_eq!(notes.contains(said), is_said, "{notes}");
    }
    Ok(())
}
