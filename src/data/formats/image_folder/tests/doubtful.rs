//! Folders that can be read in two ways, and images that may not be meant as such.

use super::*;

#[test]
fn data_sets_that_have_splits_of_their_own_are_refused() -> Result<()> {
    for sets in [["fold1", "fold2"], ["CT", "XRay"]] {
        let root = tempfile::tempdir()?;
        for set in sets {
            for split in ["train", "val"] {
                let names = ["cat", "dog"].map(|class| format!("{set}/{split}/{class}*3"));
                images(root.path(), &[names[0].as_str(), names[1].as_str()])?;
            }
        }
        let said = error(root.path());
        for word in ["data sets or classes", "--data folder:", "--splits none"] {
            assert!(said.contains(word), "{sets:?}: {said}");
        }
    }
    Ok(())
}

#[test]
fn data_sets_within_the_folders_of_splits_are_refused() -> Result<()> {
    let root = tempfile::tempdir()?;
    let at = root.path();
    images(
        at,
        &[
            "train/raw/cat*3",
            "train/raw/dog*3",
            "train/crop/cat*3",
            "train/crop/dog*3",
            "test/raw/cat*1",
            "test/raw/dog*1",
            "test/crop/cat*1",
            "test/crop/dog*1",
        ],
    )?;
    let said = error(at);
    let (set, classes) = ("train=train/crop,test=test/crop", "train=train,test=test");
    let wanted = format!(
        "the folders `train/crop` and `train/raw` hold folders of the same names, so they may be data sets or classes; write \
         `--splits {set}` for one of the data sets, `--splits {classes}` for the classes"
    );
    assert!(said.contains(&wanted), "{said}");
    // What the sentence says to write is what it says to be.
    let loaded = read(at, Some(set))?;
    assert_eq!(seen(&loaded), ("cat dog".to_owned(), [6, 0, 2]));
    let loaded = read(at, Some(classes))?;
    assert_eq!(seen(&loaded), ("crop raw".to_owned(), [12, 0, 4]));
    Ok(())
}

#[test]
fn classes_with_folders_of_different_names_are_no_data_sets() -> Result<()> {
    for (names, counts) in [
        (
            &[
                "cat/train/a*6",
                "cat/train/b*6",
                "cat/test*2",
                "dog/train/c*6",
                "dog/train/d*6",
                "dog/test*2",
            ][..],
            [24, 0, 4],
        ),
        (
            &[
                "train/cat/a*3",
                "train/cat/b*3",
                "train/dog/a*3",
                "test/cat*2",
                "test/dog*2",
            ],
            [9, 0, 4],
        ),
    ] {
        let root = tempfile::tempdir()?;
        images(root.path(), names)?;
        let loaded = read(root.path(), None)?;
        assert_eq!(seen(&loaded), ("cat dog".to_owned(), counts), "{names:?}");
    }
    Ok(())
}

#[test]
fn images_that_are_named_like_masks_are_read_and_said() -> Result<()> {
    let root = tempfile::tempdir()?;
    let at = root.path();
    images(
        at,
        &[
            "benign/a (1).png",
            "benign/a (1)_mask.png",
            "benign/a (1)_mask_1.png",
            "benign/b.png",
            "benign/b-seg.png",
            "normal*4",
            // There is no image of these names without the word.
            "normal/x_mask.png",
            "normal/label_1.png",
        ],
    )?;
    let loaded = read(at, None)?;
    assert_eq!(loaded.dataset.labels.len(), 11);
    has(
        &loaded.notes,
        &[
            "3 images are named like masks of other images, such as `benign/a (1)_mask.png`, and are read",
        ],
    );
    for (names, splits, count) in [
        (
            &[
                "Trout/Trout*3",
                "Trout/Trout GT*3",
                "Perch/Perch*3",
                "Perch/Perch GT*2",
            ][..],
            None,
            5,
        ),
        (
            &[
                "Train/A/images*3",
                "Train/A/lung masks*3",
                "Train/B/images*3",
                "Train/B/lung masks*3",
                "Test/A/images*1",
                "Test/B/images*1",
            ],
            Some("train=Train,test=Test"),
            6,
        ),
    ] {
        let root = tempfile::tempdir()?;
        images(root.path(), names)?;
        let said = format!("{count} images are named like masks");
        has(&read(root.path(), splits)?.notes, &[said.as_str()]);
    }
    // Classes may be called so: people with and without masks.
    let root = tempfile::tempdir()?;
    images(root.path(), &["mask*5", "without_mask*5"])?;
    let notes = read(root.path(), None)?.notes.join("\n");
    assert!(!notes.contains("named like"), "{notes}");
    Ok(())
}

#[cfg(unix)]
#[test]
fn a_split_that_is_a_link_does_not_take_the_images_of_the_other() -> Result<()> {
    use std::os::unix::fs::symlink;
    let root = tempfile::tempdir()?;
    let at = root.path();
    images(
        at,
        &["train/cat*5", "train/dog*5", "test/cat*2", "test/dog*2"],
    )?;
    symlink("test", at.join("val"))?;
    let loaded = read(at, None)?;
    assert_eq!(seen(&loaded), ("cat dog".to_owned(), [10, 0, 4]));
    has(
        &loaded.notes,
        &["2 links to folders that are read already, such as `val/cat`"],
    );

    // Of two links, that of the training images is followed.
    let root = tempfile::tempdir()?;
    let at = root.path();
    images(at, &["all/cat*5", "all/dog*5"])?;
    symlink("all", at.join("test"))?;
    symlink("all", at.join("train"))?;
    let loaded = read(at, None)?;
    assert_eq!(seen(&loaded), ("cat dog".to_owned(), [8, 0, 2]));

    // An empty class behind a link is as empty as elsewhere.
    fs::create_dir(at.join("all/eel"))?;
    assert!(error(at).contains("its folder is empty"));
    Ok(())
}
