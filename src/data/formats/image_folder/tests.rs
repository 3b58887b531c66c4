mod doubtful;

use std::fs;
use std::path::Path;

use anyhow::Result;
use image::{Rgb, RgbImage};

use crate::config::{DataSource, RunConfig, Splits};
use crate::data::{Loaded, load, scan};

/// Writes different images, 16×16, under these names; a name that ends in `*3` stands for three images.
fn images(root: &Path, names: &[&str]) -> Result<()> {
    let mut number = 0_u8;
    for name in names {
        let (name, count) = name.split_once('*').unwrap_or((name, "0"));
        let files: Vec<String> = match count.parse()? {
            0 => vec![name.to_owned()],
            count => (0..count)
                .map(|i: usize| format!("{name}/{i}.png"))
                .collect(),
        };
        for file in files {
            number += 1;
            let path = root.join(file);
            fs::create_dir_all(path.parent().unwrap())?;
            let image = RgbImage::from_pixel(16, 16, Rgb([number, 7, 255 - number]));
            image.save_with_format(path, image::ImageFormat::Png)?;
        }
    }
    Ok(())
}

fn touch(root: &Path, names: &[&str]) -> Result<()> {
    for name in names {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap())?;
        fs::write(path, "x")?;
    }
    Ok(())
}

fn config(root: &Path) -> RunConfig {
    RunConfig {
        data: DataSource::Folder(root.to_owned()),
        val: Some(0),
        ..RunConfig::default()
    }
}

fn read(root: &Path, splits: Option<&str>) -> Result<Loaded> {
    let config = RunConfig {
        splits: splits.map(|text| text.parse::<Splits>().unwrap()),
        ..config(root)
    };
    let loaded = load(&config, &|_, _| true)?;
    let plan = scan(&config)?.plan(&config);
    assert_eq!(plan.train, loaded.dataset.counts(&loaded.dataset.train));
    assert_eq!(plan.test, loaded.dataset.counts(&loaded.dataset.test));
    Ok(loaded)
}

/// Classes, and numbers of training, validation and test images.
fn seen(loaded: &Loaded) -> (String, [usize; 3]) {
    let data = &loaded.dataset;
    (
        data.classes.join(" "),
        [data.train.len(), data.val.len(), data.test.len()],
    )
}

fn error(root: &Path) -> String {
    read(root, None)
        .map(|loaded| seen(&loaded))
        .unwrap_err()
        .to_string()
}

fn has(notes: &[String], words: &[&str]) {
    let all = notes.join("\n");
    for word in words {
        assert!(all.contains(word), "`{word}` is not in: {all}");
    }
}

#[test]
fn splits_are_recognised_in_their_usual_spellings() -> Result<()> {
    for (train, val, test) in [
        ("train", "val", "test"),
        ("Training", "Validation", "Testing"),
        ("TRAIN", "VALID", "TEST"),
        ("train", "dev", "holdout"),
        ("training_set", "eval", "test_set"),
        ("seg_train", "seg_val", "seg_test"),
        ("Train", "evaluation", "hold-out"),
        ("train2017", "val2017", "test2017"),
        ("01_train", "02_val", "03_test"),
        ("cifar-train", "cifar-valid", "cifar-testing"),
        ("trainset", "valset", "testset"),
        ("images_train", "images_val", "images_test"),
    ] {
        let root = tempfile::tempdir()?;
        let at = root.path();
        let names: Vec<String> = [(train, 6), (val, 2), (test, 3)]
            .iter()
            .flat_map(|(split, n)| ["cat", "dog"].map(|class| format!("{split}/{class}*{n}")))
            .collect();
        images(at, &names.iter().map(String::as_str).collect::<Vec<_>>())?;
        let config = RunConfig {
            data: DataSource::Folder(at.to_owned()),
            ..RunConfig::default()
        };
        let loaded = load(&config, &|_, _| true)?;
        assert_eq!(seen(&loaded), ("cat dog".to_owned(), [12, 4, 6]), "{train}");
        has(
            &loaded.notes,
            &[
                "splits:",
                &format!("training images from `{train}`"),
                &format!("test images from `{test}`"),
            ],
        );
    }
    Ok(())
}

#[test]
fn folders_that_may_be_splits_or_classes_are_refused_with_both_readings() -> Result<()> {
    for names in [
        // No training split.
        &["val/cat*3", "val/dog*3", "test/cat*3", "test/dog*3"][..],
        &["test/cat*3", "test/dog*3"],
        // Two folders for one split.
        &["train/cat*3", "train/dog*3", "val/cat*1", "dev/cat*1"],
        // Spellings that are not understood.
        &["trainA*3", "trainB*3", "testA*3", "testB*3"],
        &["train_cat*3", "train_dog*3", "test_cat*3", "test_dog*3"],
        &["train/cat*3", "train/dog*3", "final/cat*3", "final/dog*3"],
        &["photos/cat*3", "photos/dog*3", "test/cat*3", "test/dog*3"],
        // A class of vehicles with folders of its own.
        &["bus*3", "car*3", "train/steam*3", "train/diesel*3"],
    ] {
        let root = tempfile::tempdir()?;
        images(root.path(), names)?;
        let said = error(root.path());
        for word in ["splits", "classes", "--splits train=", "--splits none"] {
            assert!(said.contains(word), "{names:?}: {said}");
        }
    }
    Ok(())
}

#[test]
fn splits_without_class_folders_are_refused() -> Result<()> {
    for names in [
        &["train*3", "test*3"][..],
        &["Training*3", "Testing*3"],
        &["train*3", "val*3", "test*3"],
    ] {
        let root = tempfile::tempdir()?;
        images(root.path(), names)?;
        let said = error(root.path());
        for word in ["named after splits", "no class folders", "--splits none"] {
            assert!(said.contains(word), "{names:?}: {said}");
        }
    }
    // Hugging Face's folders of images with a table of labels.
    let root = tempfile::tempdir()?;
    images(root.path(), &["train*3"])?;
    touch(root.path(), &["train/metadata.csv"])?;
    assert!(error(root.path()).contains("labels in a table, such as `metadata.csv`, are not read"));
    Ok(())
}

#[test]
fn splits_are_named_by_hand() -> Result<()> {
    let root = tempfile::tempdir()?;
    let at = root.path();
    images(
        at,
        &[
            "photos/a/cat*5",
            "photos/a/dog*5",
            "old/cat*2",
            "old/dog*2",
            "rest/cat*1",
        ],
    )?;
    let loaded = read(at, Some("train=photos/a,test=old"))?;
    assert_eq!(seen(&loaded), ("cat dog".to_owned(), [10, 0, 4]));
    let said = read(at, Some("train=photo,test=old"))
        .unwrap_err()
        .to_string();
    assert!(
        said.contains("`--splits` names the folder `photo`"),
        "{said}"
    );

    // Folders called after splits that are classes after all.
    let other = tempfile::tempdir()?;
    images(other.path(), &["train*6", "test*6"])?;
    let loaded = read(other.path(), Some("none"))?;
    assert_eq!(seen(&loaded).0, "test train");
    Ok(())
}

#[test]
fn classes_may_be_called_like_splits() -> Result<()> {
    for (names, classes) in [
        (&["bus*5", "car*5", "train*5"][..], "bus car train"),
        (&["valid*5", "invalid*5"], "invalid valid"),
        (
            &["test_positive*5", "test_negative*5"],
            "test_negative test_positive",
        ),
        (&["pass*5", "test*5"], "pass test"),
        (&["0*5", "1*5", "10*5"], "0 1 10"),
    ] {
        let root = tempfile::tempdir()?;
        images(root.path(), names)?;
        assert_eq!(seen(&read(root.path(), None)?).0, classes);
    }
    let root = tempfile::tempdir()?;
    images(root.path(), &["bus*5", "train*5"])?;
    has(&read(root.path(), None)?.notes, &["`train` is a class"]);
    Ok(())
}

#[test]
fn a_class_may_hold_its_own_splits() -> Result<()> {
    let root = tempfile::tempdir()?;
    let at = root.path();
    images(
        at,
        &["cat/train*6", "cat/test*2", "dog/Train*6", "dog/Test*2"],
    )?;
    let loaded = read(at, None)?;
    assert_eq!(seen(&loaded), ("cat dog".to_owned(), [12, 0, 4]));
    images(at, &["eel*3"])?;
    assert!(error(at).contains("some class folders hold folders named after splits"));
    Ok(())
}

#[test]
fn wrappers_are_entered_and_said() -> Result<()> {
    for (names, beside, counts) in [
        (
            &["archive/cat*5", "archive/dog*5"][..],
            &["__MACOSX/._x"][..],
            [8, 0, 2],
        ),
        (
            &["a/b/c/cat*5", "a/b/c/dog*5"],
            &["a/readme.txt"],
            [8, 0, 2],
        ),
        (
            &["images/cat*5", "images/dog*5"],
            &["annotations/1.xml"],
            [8, 0, 2],
        ),
        (
            &[
                "set/train/cat*4",
                "set/train/dog*4",
                "set/test/cat*1",
                "set/test/dog*1",
            ],
            &["set/labels.csv"],
            [8, 0, 2],
        ),
        (
            &[
                "train/images/cat*4",
                "train/images/dog*4",
                "test/images/cat*1",
                "test/images/dog*1",
            ],
            &["data.yaml"],
            [8, 0, 2],
        ),
    ] {
        let root = tempfile::tempdir()?;
        images(root.path(), names)?;
        touch(root.path(), beside)?;
        let loaded = read(root.path(), None)?;
        assert_eq!(seen(&loaded), ("cat dog".to_owned(), counts), "{names:?}");
        has(&loaded.notes, &["is entered", "left out: 1 "]);
    }
    // Two of them may be two data sets.
    let root = tempfile::tempdir()?;
    images(
        root.path(),
        &["raw/cat*3", "raw/dog*3", "cropped/cat*3", "cropped/dog*3"],
    )?;
    let said = error(root.path());
    assert!(
        said.contains("data sets or classes")
            && said.contains("--data folder:")
            && said.contains("--splits none"),
        "{said}"
    );
    // Classes of classes are read as the classes at the top, and that is said.
    let root = tempfile::tempdir()?;
    images(
        root.path(),
        &[
            "animal/cat*3",
            "animal/dog*3",
            "vehicle/bus*3",
            "vehicle/car*3",
        ],
    )?;
    let loaded = read(root.path(), None)?;
    assert_eq!(seen(&loaded).0, "animal vehicle");
    has(
        &loaded.notes,
        &["2 class folders hold only folders", "such as `animal`"],
    );
    Ok(())
}

#[test]
fn everything_that_is_left_out_is_said_by_kind_with_an_example() -> Result<()> {
    let root = tempfile::tempdir()?;
    let at = root.path();
    images(
        at,
        &["cat*5", "dog*5", "cat/x.jfif", "cat/y.JPE", "beside.png"],
    )?;
    touch(
        at,
        &[
            "README.md",
            "cat/a.heic",
            "cat/b.AVIF",
            "dog/c.jp2",
            "dog/no_ending",
            "cat/Thumbs.db",
            "__MACOSX/cat/._1.png",
            ".git/config",
            "dog/.hidden.png",
            "more.zip",
            "labels/1.txt",
            "dog/notes.txt",
        ],
    )?;
    let loaded = read(at, None)?;
    assert_eq!(seen(&loaded).0, "cat dog");
    assert_eq!(loaded.dataset.labels.len(), 12, "jfif and jpe are JPEG");
    let left: Vec<_> = loaded
        .notes
        .iter()
        .filter(|note| note.starts_with("left out: "))
        .collect();
    assert_eq!(left.len(), 1);
    assert_eq!(
        left[0],
        "left out: 3 images of kinds that are not read, such as `cat/a.heic` (convert them to PNG or JPEG); \
         1 file without an ending, such as `dog/no_ending` (images need theirs, such as .png); \
         1 archive, such as `more.zip` (unpack them if they hold images); \
         1 image beside the class folders, such as `beside.png`; \
         1 folder without images, such as `labels`; \
         2 hidden files and folders, such as `.git`; \
         2 files and folders of the system, such as `__MACOSX`; \
         2 other files, such as `README.md`"
    );
    Ok(())
}

/// Test images that are none to the program are not silently replaced by training images.
#[test]
fn a_split_without_images_that_can_be_read_is_said() -> Result<()> {
    let root = tempfile::tempdir()?;
    images(root.path(), &["train/cat*20", "train/dog*20"])?;
    touch(root.path(), &["test/cat/a.heic", "test/dog/b.heic"])?;
    let loaded = read(root.path(), None)?;
    let said =
        "the folder of test images holds none that can be read: they come from the training images";
    has(&loaded.notes, &[said]);
    assert!(seen(&loaded).1[2] > 0);
    Ok(())
}

#[test]
fn folders_beside_splits_are_said() -> Result<()> {
    let root = tempfile::tempdir()?;
    let at = root.path();
    images(
        at,
        &[
            "seg_train/a*4",
            "seg_train/b*4",
            "seg_test/a*2",
            "seg_test/b*2",
            "seg_pred*9",
        ],
    )?;
    let loaded = read(at, None)?;
    assert_eq!(seen(&loaded), ("a b".to_owned(), [8, 0, 4]));
    has(
        &loaded.notes,
        &["1 folder beside the splits, such as `seg_pred`"],
    );
    // A test split whose images have no class.
    let root = tempfile::tempdir()?;
    images(root.path(), &["train/a*5", "train/b*5", "test*4"])?;
    let loaded = read(root.path(), None)?;
    assert_eq!(seen(&loaded), ("a b".to_owned(), [8, 0, 2]));
    has(
        &loaded.notes,
        &[
            "1 split without class folders, such as `test`",
            "test images are set apart from the training images",
        ],
    );
    Ok(())
}

#[test]
fn a_class_without_training_images_is_refused_with_its_own_reason() -> Result<()> {
    let cases: [(&[&str], &[&str], &str); 7] = [
        (
            &["cat*3", "dog*3"],
            &["eel/eel.zip"],
            "in an archive: unpack it",
        ),
        (
            &["cat*3", "dog*3"],
            &["eel/.DS_Store"],
            "its folder is empty",
        ),
        (
            &["cat*3", "dog*3"],
            &["eel/a.heic", "eel/b.avif"],
            "of a kind that is not read: convert them",
        ),
        (&["cat*3", "dog*3"], &["eel/a", "eel/b"], "no ending"),
        (
            &["train/cat*3", "train/dog*3", "test/cat*1", "test/eel*1"],
            &[],
            "among the test images only",
        ),
        (
            &["train/cat*3", "train/dog*3", "test/dog*1", "test/Cat*1"],
            &[],
            "differs only in case",
        ),
        (
            &["train/cat*3", "train/dog*3", "val/dog*1", "val/eel*1"],
            &[],
            "among the validation images only",
        ),
    ];
    for (names, others, reason) in cases {
        let root = tempfile::tempdir()?;
        images(root.path(), names)?;
        touch(root.path(), others)?;
        let said = error(root.path());
        assert!(
            said.contains("has no training image; ") && said.contains(reason),
            "{said}"
        );
    }
    // Files that are no images make no class.
    let root = tempfile::tempdir()?;
    images(root.path(), &["cat*3", "dog*3"])?;
    touch(root.path(), &["labels/cat.xml"])?;
    assert_eq!(seen(&read(root.path(), None)?).0, "cat dog");
    Ok(())
}

#[test]
fn a_folder_without_classes_is_named_for_what_it_is() -> Result<()> {
    for (names, others, words) in [
        (
            &[][..],
            &["cifar-10-batches-py/data_batch_1"][..],
            "CIFAR's Python version",
        ),
        (&[], &["train", "test", "meta"], "CIFAR's Python version"),
        (&[], &["data.npz"], "arrays or records"),
        (&[], &["images.zip"], "unpack `images.zip`"),
        (
            &["1.png", "2.png"],
            &[],
            "2 images lie without a class folder",
        ),
        (&["cat*3"], &[], "found 1 class folder (`cat`)"),
        (
            &[],
            &["one/train-images-idx3-ubyte", "two/train-images-idx3-ubyte"],
            "of the format IDX",
        ),
    ] {
        let root = tempfile::tempdir()?;
        images(root.path(), names)?;
        touch(root.path(), others)?;
        let said = error(root.path());
        assert!(said.contains(words), "{words}: {said}");
    }
    Ok(())
}

#[test]
fn names_that_are_one_or_can_be_mistaken_are_said() -> Result<()> {
    let root = tempfile::tempdir()?;
    let at = root.path();
    images(
        at,
        &[
            "cafe\u{301}*3",
            "caf\u{e9}*3",
            "Cat*3",
            "cat*3",
            "a\u{1b}[31mb*3",
        ],
    )?;
    let loaded = read(at, None)?;
    assert_eq!(
        loaded.dataset.classes,
        ["Cat", "a\\u{1b}[31mb", "caf\u{e9}", "cat"]
    );
    has(
        &loaded.notes,
        &[
            "`caf\u{e9}` is written in 2 Unicode forms, which are one class",
            "the classes `Cat` and `cat` differ only in case",
            "control characters",
        ],
    );
    Ok(())
}

#[cfg(unix)]
#[test]
fn every_folder_and_link_is_followed_once() -> Result<()> {
    use std::os::unix::fs::symlink;
    let root = tempfile::tempdir()?;
    let at = root.path();
    images(at, &["cat*5", "dog*5"])?;
    symlink(".", at.join("cat/latest"))?;
    symlink("..", at.join("dog/all"))?;
    symlink("cat", at.join("a_class_again"))?;
    symlink("0.png", at.join("dog/again.png"))?;
    symlink("nowhere.png", at.join("dog/dangling.png"))?;
    let loaded = read(at, None)?;
    assert_eq!(seen(&loaded).0, "cat dog");
    assert_eq!(loaded.dataset.labels.len(), 10);
    has(
        &loaded.notes,
        &[
            "links to folders that are read already",
            "1 link to an image that is read already",
            "1 link that leads nowhere",
        ],
    );

    // Splits of links to a folder beside them.
    let root = tempfile::tempdir()?;
    let at = root.path();
    images(at, &["all/cat*5", "all/dog*5", "test/cat*2", "test/dog*2"])?;
    fs::create_dir(at.join("train"))?;
    for class in ["cat", "dog"] {
        symlink(format!("../all/{class}"), at.join("train").join(class))?;
    }
    let loaded = read(at, None)?;
    assert_eq!(seen(&loaded), ("cat dog".to_owned(), [10, 0, 4]));
    assert_eq!(loaded.dataset.files.as_ref().unwrap()[4], "train/cat/0.png");

    // A class whose files are all links that lead nowhere.
    let root = tempfile::tempdir()?;
    let at = root.path();
    images(at, &["cat*5", "dog*5"])?;
    fs::create_dir(at.join("eel"))?;
    symlink("nowhere", at.join("eel/1.png"))?;
    assert!(error(at).contains("links that lead nowhere"));

    // A pipe is not read.
    let root = tempfile::tempdir()?;
    let at = root.path();
    images(at, &["cat*5", "dog*5"])?;
    let made = std::process::Command::new("mkfifo")
        .arg(at.join("cat/pipe.png"))
        .status();
    if made.is_ok_and(|made| made.success()) {
        has(&read(at, None)?.notes, &["1 pipe, socket or device"]);
    }
    Ok(())
}
